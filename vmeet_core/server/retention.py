"""Which recordings are deleted by themselves, and why: by their age first, then the oldest until the rest fits."""

from collections.abc import Iterable
from typing import Literal, NamedTuple

from vmeet_core.server.store import RecordingRow
from vmeet_core.settings import Recording

DAY_S = 86_400.0
Reason = Literal["age", "size"]


class Held(NamedTuple):
    """A recording that takes room; ``spare``: it has ended, nothing is done with it, and nobody wants it kept."""

    id: str
    title: str
    ended_at_s: float
    size_bytes: int
    spare: bool


class Due(NamedTuple):
    """A recording that is to go; ``at_s`` is when, None for as soon as the others need the room."""

    recording: Held
    reason: Reason
    at_s: float | None


def ended_at_s(row: RecordingRow) -> float:
    """When a recording ended, or, uploaded, when it came."""
    return row.started_at_s + (0.0 if row.media else row.duration_s or 0.0)


def expires_at_s(row: RecordingRow, rules: Recording) -> float | None:
    """When its age has it deleted; None for never."""
    if not rules.max_age_days or row.kept or row.state == "recording":
        return None
    return ended_at_s(row) + rules.max_age_days * DAY_S


def due_now(held: Iterable[Held], rules: Recording, now_s: float) -> list[Due]:
    """Those that are to be deleted, the oldest first."""
    found: list[Due] = []
    oldest_first = sorted(held, key=lambda each: (each.ended_at_s, each.id))
    over_bytes = sum(each.size_bytes for each in oldest_first) - rules.max_total_bytes
    for each in oldest_first:
        if not each.spare:
            continue
        if rules.max_age_days and each.ended_at_s + rules.max_age_days * DAY_S <= now_s:
            found.append(Due(each, "age", now_s))
        elif rules.max_total_bytes and over_bytes > 0:
            found.append(Due(each, "size", now_s))
        else:
            break
        over_bytes -= each.size_bytes
    return found


def next_due(held: Iterable[Held], rules: Recording, now_s: float) -> Due | None:
    """The one that goes next, and why; None where no rule says so or nothing may go."""
    held = list(held)
    now = due_now(held, rules, now_s)
    if now:
        return now[0]
    spare = [each for each in held if each.spare]
    if not spare or not (rules.max_age_days or rules.max_total_bytes):
        return None
    oldest = min(spare, key=lambda each: (each.ended_at_s, each.id))
    if rules.max_age_days:
        return Due(oldest, "age", oldest.ended_at_s + rules.max_age_days * DAY_S)
    return Due(oldest, "size", None)
