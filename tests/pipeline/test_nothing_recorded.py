"""Tests of what is said of a recording in which there is nothing."""

from vmeet_core.manifest import AnyEvent, Joined, Left, LeftOut, LeftOutBy, Started, Stopped
from vmeet_core.pipeline.nothing_recorded import why_nothing_was_recorded
from vmeet_core.timeline import build_timeline

STARTED = Started(at_s=0.0, recording_id="r", meeting_id="m", title="t")
STOPPED = Stopped(at_s=10.0, reason="the host")


def joined(person: str, at_s: float = 0.0) -> Joined:
    return Joined(at_s=at_s, participant_id=person, name=person.title())


def out(person: str, by: LeftOutBy, left_out: bool = True, at_s: float = 0.0) -> LeftOut:
    return LeftOut(at_s=at_s, participant_id=person, left_out=left_out, by=by)


def why(*between: AnyEvent) -> str:
    events: list[AnyEvent] = [STARTED, *between, STOPPED]
    return why_nothing_was_recorded(events, build_timeline(events, lambda file: 0.0))


def test_nobody_sent_anything() -> None:
    nothing = "nothing was recorded: no person's sound or picture reached the server"
    assert why() == nothing
    assert why(joined("ann"), joined("ben")) == nothing
    assert why(joined("ann"), out("ann", "host"), out("ann", "host", left_out=False, at_s=2.0)) == nothing


def test_everybody_was_left_out_and_by_whom() -> None:
    left_out = (joined("ann"), out("ann", "host"), joined("ben"), out("ben", "self"), joined("tom"), out("tom", "host"))
    text = "nothing was recorded: everybody was left out of it (2 by the host, 1 by their own choice)"
    assert why(*left_out) == text
    assert why(*left_out, Left(at_s=1.0, participant_id="ann")) == text
    unanswered = (joined("ann"), out("ann", "unanswered"))
    assert why(*unanswered).endswith("everybody was left out of it (1 since they had not said yes)")
    assert why(*unanswered, out("ann", "self", at_s=3.0)).endswith("left out of it (1 by their own choice)")


def test_who_was_to_be_recorded_is_told_from_others() -> None:
    text = why(joined("ann"), joined("ben"), out("ben", "self"))
    assert text.startswith("nothing was recorded: no person's sound or picture reached the server of those who were")
    assert text.endswith("others were left out (1 by their own choice)")
