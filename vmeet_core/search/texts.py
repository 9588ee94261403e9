"""The texts of recordings in the database and the index of their grams, all in a caller's transaction."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from sqlalchemy import Double, ForeignKey, String, Text, delete, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from vmeet_core.database import Base
from vmeet_core.search import gram_index
from vmeet_core.search.folding import fold
from vmeet_core.search.grams import grams

NAMES, TRANSCRIPT = "names", "transcript"  #: kinds of blocks
BLOCK_TEXTS = 20


class BlockRow(Base):
    """Some texts of a recording that stand together; the index says which block has which grams."""

    __tablename__ = "text_blocks"
    id: Mapped[int] = mapped_column(primary_key=True)
    recording_id: Mapped[str] = mapped_column(String(48), ForeignKey("recordings.id", ondelete="CASCADE"), index=True)
    kind: Mapped[str] = mapped_column(String(16))
    source: Mapped[str] = mapped_column(String(64))


class TextRow(Base):
    """A title, a name, or a phrase of a transcript with its place."""

    __tablename__ = "texts"
    id: Mapped[int] = mapped_column(primary_key=True)
    block_id: Mapped[int] = mapped_column(ForeignKey("text_blocks.id", ondelete="CASCADE"), index=True)
    text: Mapped[str] = mapped_column(Text)
    folded: Mapped[str] = mapped_column(Text)
    participant: Mapped[str | None] = mapped_column(Text)
    start_s: Mapped[float | None] = mapped_column(Double)
    end_s: Mapped[float | None] = mapped_column(Double)
    language: Mapped[str | None] = mapped_column(String(35))


class Phrase(NamedTuple):
    """What ``participant`` (a name) said from ``start_s`` to ``end_s`` of the recording; ``language``: BCP 47."""

    text: str
    participant: str | None = None
    start_s: float | None = None
    end_s: float | None = None
    language: str | None = None


async def set_names(session: AsyncSession, recording_id: str, title: str, people: Iterable[str]) -> None:
    """Title and people of a recording, in place of those that were known."""
    await _forget(session, recording_id, NAMES, "")
    await _add(session, recording_id, NAMES, "", [Phrase(title), *(Phrase(name, name) for name in people)])


async def set_transcript(session: AsyncSession, recording_id: str, source: str, phrases: Sequence[Phrase]) -> None:
    """A transcript in place of the one that ``source`` (the job that made it) had; those of other jobs stay."""
    await _forget(session, recording_id, TRANSCRIPT, source)
    await _add(session, recording_id, TRANSCRIPT, source, phrases)


async def forget_texts(session: AsyncSession, recording_id: str) -> None:
    """Everything of a recording; to be called before its row is deleted."""
    await _forget(session, recording_id)


async def _add(session: AsyncSession, recording_id: str, kind: str, source: str, phrases: Sequence[Phrase]) -> None:
    # PostgreSQL keeps no NUL in a text.
    clean = [phrase._replace(text=phrase.text.replace("\0", "")) for phrase in phrases]
    parts = [(phrase, folded) for phrase in clean if (folded := fold(phrase.text))]
    stretches = [parts[first : first + BLOCK_TEXTS] for first in range(0, len(parts), BLOCK_TEXTS)]
    blocks = [BlockRow(recording_id=recording_id, kind=kind, source=source) for _ in stretches]
    session.add_all(blocks)
    await session.flush()
    for block, stretch in zip(blocks, stretches, strict=True):
        session.add_all(TextRow(block_id=block.id, folded=folded, **phrase._asdict()) for phrase, folded in stretch)
    await session.flush()
    indexed = [(block.id, [folded for _, folded in stretch]) for block, stretch in zip(blocks, stretches, strict=True)]
    await gram_index.add(session, [(block_id, _grams(folded)) for block_id, folded in indexed])


async def _forget(session: AsyncSession, recording_id: str, kind: str | None = None, source: str = "") -> None:
    chosen = select(BlockRow.id).where(BlockRow.recording_id == recording_id)
    if kind is not None:
        chosen = chosen.where(BlockRow.kind == kind, BlockRow.source == source)
    for block_id in (await session.scalars(chosen)).all():
        folded = (await session.scalars(select(TextRow.folded).where(TextRow.block_id == block_id))).all()
        await gram_index.remove(session, block_id, _grams(folded))
        await session.execute(delete(TextRow).where(TextRow.block_id == block_id))
        await session.execute(delete(BlockRow).where(BlockRow.id == block_id))


def _grams(folded: Iterable[str]) -> list[str]:
    """In one order always: SQLite's index has to be told what it held to forget it."""
    return sorted({gram for each in folded for gram in grams(each)})
