"""The index of grams: FTS5 in SQLite, a tsvector in PostgreSQL. Both are given grams and cut up nothing themselves."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, text
from sqlalchemy.ext.asyncio import AsyncSession

from vmeet_core.search.query import Term

_ADD = {
    "sqlite": "INSERT INTO text_grams(rowid, grams) VALUES (:id, :grams)",
    "postgresql": "INSERT INTO text_grams(block_id, grams) VALUES (:id, array_to_tsvector(CAST(:grams AS text[])))",
}
_REMOVE = {
    "sqlite": "INSERT INTO text_grams(text_grams, rowid, grams) VALUES ('delete', :id, :grams)",
    "postgresql": "DELETE FROM text_grams WHERE block_id = :id",
}
_MATCHING = {
    "sqlite": "text_blocks.id IN (SELECT rowid FROM text_grams WHERE text_grams MATCH :{name})",
    "postgresql": "text_blocks.id IN (SELECT block_id FROM text_grams WHERE grams @@ CAST(:{name} AS tsquery))",
}


async def add(session: AsyncSession, blocks: Sequence[tuple[int, Sequence[str]]]) -> None:
    """Blocks that were not there, by their ids, with their grams."""
    if blocks:
        values = [{"id": block_id, "grams": _stored(session, grams)} for block_id, grams in blocks]
        await session.execute(text(_ADD[dialect(session)]), values)


async def remove(session: AsyncSession, block_id: int, grams: Sequence[str]) -> None:
    """A block, with the very grams that it was added with."""
    values: dict[str, Any] = {"id": block_id}
    if dialect(session) == "sqlite":
        values["grams"] = _stored(session, grams)
    await session.execute(text(_REMOVE[dialect(session)]), values)


def matching(session: AsyncSession, terms: Sequence[Term], name: str) -> ColumnElement[bool]:
    """That a block has the grams of all terms; ``name`` is one for the parameter that the query has not used yet."""
    kind = dialect(session)
    and_, prefix, quote = (" AND ", "*", '"') if kind == "sqlite" else (" & ", ":*", "'")
    wanted = and_.join(
        f"{quote}{gram}{quote}{prefix if term.is_prefix else ''}" for term in terms for gram in term.grams
    )
    return text(_MATCHING[kind].format(name=name)).bindparams(**{name: wanted})  # type: ignore[return-value]


async def prepare(session: AsyncSession) -> None:
    """To be called once in a transaction that searches. PostgreSQL reckons with small rows, and would rather unpack
    the grams of every block than look into the index for a common one: that took three times as long. Nor is a search
    long enough for compiling it to pay.
    """
    if dialect(session) == "postgresql":
        await session.execute(text("SET LOCAL enable_seqscan = off"))
        await session.execute(text("SET LOCAL jit = off"))


def dialect(session: AsyncSession) -> str:
    """``sqlite`` or ``postgresql``."""
    return session.get_bind().dialect.name


def _stored(session: AsyncSession, grams: Sequence[str]) -> str | list[str]:
    return " ".join(grams) if dialect(session) == "sqlite" else list(grams)
