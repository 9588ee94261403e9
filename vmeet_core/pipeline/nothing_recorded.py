"""Why there is nothing in a recording, in words for whoever wonders."""

from collections import Counter
from collections.abc import Iterable

from vmeet_core.manifest import AnyEvent, LeftOut, LeftOutBy
from vmeet_core.timeline import Timeline

WORDS: dict[LeftOutBy, str] = {
    "host": "by the host",
    "self": "by their own choice",
    "unanswered": "since they had not said yes",
}
NOBODY = "nothing was recorded: no person's sound or picture reached the server"


def why_nothing_was_recorded(events: Iterable[AnyEvent], timeline: Timeline) -> str:
    """Of a recording without a segment: ``timeline`` is what its journal, ``events``, amounts to."""
    may_be_recorded = {person.id for person in timeline.people}
    said = {event.participant_id: event.by for event in events if isinstance(event, LeftOut) and event.left_out}
    left_out = Counter(by for person, by in said.items() if person not in may_be_recorded)
    if not left_out:
        return NOBODY
    whom = ", ".join(f"{left_out[by]} {words}" for by, words in WORDS.items() if by in left_out)
    if may_be_recorded:
        return f"{NOBODY} of those who were to be recorded; others were left out ({whom})"
    return f"nothing was recorded: everybody was left out of it ({whom})"
