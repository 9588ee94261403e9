"""Meetings, people and choices."""

import pytest

from vmeet_core.meetings import MAX_PEOPLE, Choices, MeetingFull, new_meeting
from vmeet_core.settings import Preset


def test_the_host_key_makes_a_host_and_a_wrong_one_does_not() -> None:
    meeting = new_meeting("t", "plain", Choices())
    assert meeting.join("a", None, meeting.host_key).is_host
    assert not meeting.join("b", None, "wrong").is_host
    assert not meeting.join("c", None, None).is_host


def test_the_token_brings_the_same_person_back() -> None:
    meeting = new_meeting("t", "plain", Choices())
    first = meeting.join("a", None, meeting.host_key)
    first.set_muted("camera", True)
    again = meeting.join("b", first.token, None)
    assert again is first
    assert (again.name, again.is_host, again.muted, again.sources) == ("b", True, [], [])
    assert meeting.join("b", "unknown", None) is not first
    assert len(meeting.participants) == 2


def test_after_leaving_a_token_makes_a_new_person() -> None:
    meeting = new_meeting("t", "plain", Choices())
    first = meeting.join("a", None, None)
    meeting.leave(first.id)
    meeting.leave(first.id)
    assert first.state == "left"
    assert meeting.join("a", first.token, None).id != first.id


def test_a_full_meeting_refuses() -> None:
    meeting = new_meeting("t", "plain", Choices())
    for number in range(MAX_PEOPLE):
        meeting.join(str(number), None, None)
    with pytest.raises(MeetingFull, match=str(MAX_PEOPLE)):
        meeting.join("one more", None, None)


def test_muting_is_kept_per_source() -> None:
    participant = new_meeting("t", "plain", Choices()).join("a", None, None)
    participant.set_muted("camera", True)
    participant.set_muted("camera", True)
    participant.set_muted("microphone", True)
    assert participant.info().muted == ["camera", "microphone"]
    participant.set_muted("camera", False)
    assert participant.info().muted == ["microphone"]


def test_ids_and_keys_differ() -> None:
    one, two = new_meeting("t", "plain", Choices()), new_meeting("t", "plain", Choices())
    assert len({one.id, two.id, one.host_key, two.host_key}) == 4


def test_choices_lie_over_the_preset() -> None:
    preset = Preset(denoiser="dtln", language="zh", options={"dtln": {"strength": 0.5, "other": 1}})
    assert Choices().over(preset) == preset
    chosen = Choices.model_validate({"denoiser": None, "options": {"dtln": {"strength": 1.0}}}).over(preset)
    assert chosen.denoiser is None
    assert chosen.language == "zh"
    assert chosen.options == {"dtln": {"strength": 1.0, "other": 1}}
    assert preset.options["dtln"]["strength"] == 0.5
