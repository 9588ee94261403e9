"""Whether a person may be recorded."""

from typing import Any

import pytest

from vmeet_core.consent import Consent
from vmeet_core.meetings import Choices, Meeting, new_meeting


@pytest.mark.parametrize(("rule", "answer", "left_out"), [
    ("everyone", None, None), ("everyone", False, None), ("everyone", True, None),
    ("opt-out", None, None), ("opt-out", False, "self"), ("opt-out", True, None),
    ("opt-in", None, "unanswered"), ("opt-in", False, "self"), ("opt-in", True, None),
])  # fmt: skip
def test_the_rule_and_the_answer_decide(rule: Any, answer: bool | None, left_out: str | None) -> None:
    consent = Consent(rule, answer)
    assert consent.left_out == left_out
    consent.keep_out(True)
    assert consent.left_out == "host", "the host's no goes before"
    consent.keep_out(False)
    assert consent.left_out == left_out
    consent.told = False
    assert consent.left_out == (left_out or "unanswered")


def meeting_of(rule: Any, recording: bool = False) -> Meeting:
    meeting = new_meeting("t", "plain", Choices())
    meeting.recording_choice = rule
    meeting.recording = meeting.recording.model_copy(update={"active": recording})
    return meeting


def test_what_was_said_holds_for_whoever_comes_back_with_the_old_token() -> None:
    meeting = meeting_of("opt-out")
    anna, ben = (meeting.join(name, None, None) for name in ("Anna", "Ben"))
    meeting.leave_out(anna.id, True)
    ben.consent.choose(False)
    for person in (anna, ben):
        meeting.leave(person.id)
    meeting.leave_out(anna.id, False)  # gone: harmless
    assert meeting.join("Anna", anna.token, None).consent.left_out == "host"
    assert meeting.join("Ben", ben.token, None).consent.left_out == "self"
    assert meeting.join("Ben", ben.token, None, recorded=True).consent.left_out is None
    assert meeting.join("Carla", None, None).consent.left_out is None


def test_a_page_that_says_nothing_changes_nothing() -> None:
    meeting = meeting_of("opt-in")
    anna = meeting.join("Anna", None, None, recorded=True)
    assert meeting.join("Anna", anna.token, None).consent.left_out is None
    assert meeting.join("Anna", anna.token, None, recorded=False).consent.left_out == "self"
    assert meeting.join("Anna", anna.token, None, told=False).consent.left_out == "self"


def test_only_the_new_in_a_running_recording_have_to_be_told() -> None:
    assert meeting_of("everyone").join("Anna", None, None, told=False).consent.left_out is None
    meeting = meeting_of("everyone", recording=True)
    anna = meeting.join("Anna", None, None)
    assert meeting.join("Anna", anna.token, None, told=False).consent.left_out is None
    assert meeting.join("Ben", None, None, told=False).consent.left_out == "unanswered"
    assert meeting.join("Carla", None, None, recorded=False).consent.left_out == "unanswered", "expects not to be"
    ben = meeting_of("opt-in", recording=True).join("Ben", None, None, recorded=True, told=False)
    assert ben.consent.left_out == "unanswered"


def test_the_name_of_a_program_keeps_it_out_and_lets_none_in() -> None:
    meeting = meeting_of("opt-in")
    studio = meeting.join_stream("Studio")
    assert studio.consent.left_out == "unanswered"
    meeting.leave_out(studio.id, False)
    assert studio.info().left_out is None
    meeting.leave(studio.id)
    again = meeting.join_stream("Studio")
    assert again.consent.left_out == "unanswered"
    meeting.leave_out(again.id, True)
    meeting.leave(again.id)
    assert meeting.join_stream("Studio").consent.left_out == "host"
    assert meeting.join("Studio", "Studio", None, recorded=True).consent.left_out is None, "a person of that name"


def test_what_is_kept_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vmeet_core.meetings.MAX_REMEMBERED", 2)
    meeting = meeting_of("opt-out")
    people = [meeting.join(str(number), None, None, recorded=False) for number in range(3)]
    for person in people:
        meeting.leave(person.id)
    words = [meeting.join("again", person.token, None).consent.left_out for person in people]
    assert words == [None, "self", "self"]


def test_the_hosts_no_is_kept_longest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vmeet_core.meetings.MAX_REMEMBERED", 2)
    meeting = meeting_of("opt-out")
    anna = meeting.join("Anna", None, None)
    meeting.leave_out(anna.id, True)
    meeting.leave(anna.id)
    for number in range(3):
        meeting.leave(meeting.join(str(number), None, None, recorded=False).id)
    assert meeting.join("Anna", anna.token, None).consent.left_out == "host"
