"""Finds recordings by their texts: first which, by the index; then where, in those that are to be shown."""

from collections.abc import Sequence, Set
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Select, case, func, literal, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from vmeet_core.search import gram_index
from vmeet_core.search.folding import marks
from vmeet_core.search.query import Term
from vmeet_core.search.texts import NAMES, TRANSCRIPT, BlockRow, TextRow

HITS = 3  #: shown of a recording at most
SHOWN_CHARS = 160  #: of a text at most
BEFORE_CHARS = 40  #: of a longer one before the first mark
MOST_LISTED = 1000  #: recordings in one question: databases take no more than some 30,000 parameters
IN_NAMES, TOGETHER, APART = range(3)


class Hit(NamedTuple):
    """A place in a recording: ``text`` (or a part of it) with ``marks``, [from, to) in its characters."""

    text: str
    marks: list[tuple[int, int]]
    participant: str | None
    start_s: float | None
    end_s: float | None
    language: str | None
    source: str


async def ranks(session: AsyncSession, terms: Sequence[Term]) -> dict[str, int]:
    """The recordings in which every term occurs, with how well they fit: 0 with all terms in title and names, 1 with
    all in one stretch of what was said, 2 with terms here and there.
    """
    if not terms:
        return {}
    await gram_index.prepare(session)
    together = _blocks(session, terms, "all")
    rank = func.min(case((BlockRow.kind == NAMES, IN_NAMES), else_=TOGETHER)).label("best")
    rows = await session.execute(together.add_columns(rank).group_by(BlockRow.recording_id))
    found: dict[str, int] = {row.recording_id: row.best for row in rows}
    if len(terms) > 1:
        found |= dict.fromkeys(await _apart(session, terms, found.keys()), APART)
    return found


async def _apart(session: AsyncSession, terms: Sequence[Term], found: Set[str]) -> set[str]:
    """The other recordings in which every term occurs somewhere: of common terms there are few, or none, since most
    have them together. Each term is looked for in those alone that have the ones before.
    """
    everyone = await session.scalars(select(BlockRow.recording_id).distinct())
    candidates = set(everyone.all()) - found
    for number, term in enumerate(terms):
        if not candidates:
            break
        blocks = _blocks(session, [term], f"term_{number}")
        if len(candidates) <= MOST_LISTED:
            blocks = blocks.where(BlockRow.recording_id.in_(candidates))
        candidates &= set((await session.scalars(blocks.distinct())).all())
    return candidates


def _blocks(session: AsyncSession, terms: Sequence[Term], name: str) -> Select[Any]:
    """The recordings of the blocks that have all these terms."""
    found = select(BlockRow.recording_id).where(gram_index.matching(session, terms, name))
    for term in terms:
        if term.needs_look:
            there = select(literal(1)).where(TextRow.block_id == BlockRow.id, _has(session, term))
            found = found.where(there.exists())
    return found


def _has(session: AsyncSession, term: Term) -> ColumnElement[bool]:
    position = func.instr if gram_index.dialect(session) == "sqlite" else func.strpos
    return position(TextRow.folded, term.needle) > 0


async def hits(session: AsyncSession, terms: Sequence[Term], recording_ids: Sequence[str]) -> dict[str, list[Hit]]:
    """Of each recording the phrases with the most terms, the earliest first."""
    if not terms or not recording_ids:
        return {}
    conditions = [_has(session, term) for term in terms]
    number = sum((case((condition, 1), else_=0) for condition in conditions), start=literal(0))
    best_first = (number.desc(), TextRow.start_s, TextRow.id)
    place = func.row_number().over(partition_by=BlockRow.recording_id, order_by=best_first).label("place")
    inner = (
        select(TextRow.id, BlockRow.recording_id, BlockRow.source, place)
        .join(BlockRow, TextRow.block_id == BlockRow.id)
        .where(BlockRow.recording_id.in_(recording_ids), BlockRow.kind == TRANSCRIPT, or_(*conditions))
        .subquery()
    )
    best = select(inner.c.id, inner.c.recording_id, inner.c.source).where(inner.c.place <= HITS).order_by(inner.c.place)
    chosen = (await session.execute(best)).all()
    # Asked for by themselves: PostgreSQL would expect some of every recording, and read the texts of all.
    texts = select(TextRow).where(TextRow.id.in_([row.id for row in chosen]))
    rows = {row.id: row for row in await session.scalars(texts)}
    found: dict[str, list[Hit]] = {}
    for text_id, recording_id, source in chosen:
        found.setdefault(recording_id, []).append(_hit(rows[text_id], source, [term.piece for term in terms]))
    return found


def _hit(row: TextRow, source: str, wanted: list[str]) -> Hit:
    text, found = _cut(row.text, marks(row.text, wanted))
    return Hit(text, found, row.participant, row.start_s, row.end_s, row.language, source)


def _cut(text: str, found: list[tuple[int, int]]) -> tuple[str, list[tuple[int, int]]]:
    """A long text is shown from a little before its first mark."""
    if len(text) <= SHOWN_CHARS:
        return text, found
    begin = max(0, min(found[0][0] - BEFORE_CHARS if found else 0, len(text) - SHOWN_CHARS))
    end = begin + SHOWN_CHARS
    before, after = "…" if begin else "", "…" if end < len(text) else ""
    moved = [(a - begin + len(before), min(b, end) - begin + len(before)) for a, b in found if begin <= a < end]
    return f"{before}{text[begin:end]}{after}", moved
