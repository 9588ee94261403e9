"""Search over the texts of recordings: the same on SQLite and PostgreSQL, for Chinese and for Latin text."""

from vmeet_core.search.finder import Hit, hits, ranks
from vmeet_core.search.query import MAX_QUERY_CHARS, QueryError, Term, parse_query
from vmeet_core.search.texts import NAMES, TRANSCRIPT, BlockRow, Phrase, forget_texts, set_names, set_transcript

__all__ = [
    "MAX_QUERY_CHARS",
    "NAMES",
    "TRANSCRIPT",
    "BlockRow",
    "Hit",
    "Phrase",
    "QueryError",
    "Term",
    "forget_texts",
    "hits",
    "parse_query",
    "ranks",
    "set_names",
    "set_transcript",
]
