"""A voice that is written down while it speaks, and what becomes of it: what server and worker process agree on."""

from typing import Any, NamedTuple

from vmeet_core.settings import Numbers, Script


class Dictation(NamedTuple):
    """How somebody's words are to be written: ``names`` are of the people in the meeting, who may be talked of."""

    language: str
    script: Script
    numbers: Numbers = "as-spoken"
    names: tuple[str, ...] = ()
    options: dict[str, Any] = {}  # noqa: RUF012  # never changed; of the transcriber


class Caption(NamedTuple):
    """A phrase; times are those of this machine's monotonic clock. ``text`` is "" where nothing was understood."""

    text: str
    language: str
    start_s: float
    end_s: float
