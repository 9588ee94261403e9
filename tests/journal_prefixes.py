"""Whether what is settled of a recording that runs stays as it is, for every moment at which one might look."""

from collections.abc import Callable, Sequence

from vmeet_core.manifest import AnyEvent
from vmeet_core.readiness import ready_s
from vmeet_core.timeline import Timeline, build_timeline, clipped


def assert_settled(events: Sequence[AnyEvent], file_duration_s: Callable[[str], float] = lambda file: 1e9) -> int:
    """For every prefix of a journal; returns how many different moments were settled while it ran."""
    whole = build_timeline(events, file_duration_s)
    found = set()
    for length in range(1, len(events)):
        until_s = ready_s(events[:length])
        if until_s > 0:
            now = build_timeline(events[:length], file_duration_s)
            assert nameless(clipped(now, 0, until_s)) == nameless(clipped(whole, 0, until_s)), (length, until_s)
            found.add(until_s)
    return len(found)


def nameless(timeline: Timeline) -> Timeline:
    """People may change their names whenever they like."""
    return timeline.model_copy(
        update={"people": tuple(person.model_copy(update={"name": ""}) for person in timeline.people)}
    )
