"""What somebody types into the search field, as terms that must all occur."""

from dataclasses import dataclass
from itertools import pairwise

from vmeet_core.search.folding import is_run, pieces

MAX_QUERY_CHARS = 200
MAX_TERMS = 16


class QueryError(ValueError):
    """The query cannot be searched for; the text says why."""


@dataclass(frozen=True)
class Term:
    """A word, which may be the beginning of one, or a run of Chinese."""

    piece: str

    @property
    def is_run(self) -> bool:
        return is_run(self.piece)

    @property
    def grams(self) -> list[str]:
        """Which grams must be there."""
        if not self.is_run or len(self.piece) == 1:
            return [self.piece]
        return list(dict.fromkeys(map("".join, pairwise(self.piece))))

    @property
    def is_prefix(self) -> bool:
        """Whether a gram that only begins so will do, too."""
        return not self.is_run

    @property
    def needs_look(self) -> bool:
        """Whether all grams may be in a text that does not have the term."""
        return len(self.grams) > 1

    @property
    def needle(self) -> str:
        """What the folded text must have in it."""
        return self.piece if self.is_run else f" {self.piece}"


def parse_query(text: str) -> list[Term]:
    """The terms, none twice; [] where there is nothing to search for. Raises QueryError."""
    if len(text) > MAX_QUERY_CHARS:
        raise QueryError(f"a search has {MAX_QUERY_CHARS} characters at most")
    terms = [Term(piece) for piece in dict.fromkeys(pieces(text))]
    if len(terms) > MAX_TERMS:
        raise QueryError(f"a search has {MAX_TERMS} words at most")
    return terms
