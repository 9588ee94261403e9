"""Meetings, people and choices."""

import pytest

from vmeet_core.meetings import MAX_PEOPLE, MAX_REMEMBERED, Choices, MeetingFull, new_meeting, stream_token
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
    first.sources = ["camera"]
    first.connected = False
    again = meeting.join("b", first.token, None)
    assert again is first
    assert (again.name, again.is_host, again.connected) == ("b", True, True)
    assert (again.muted, again.sources) == (["screen", "camera"], ["camera"])
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
    assert participant.info().muted == ["screen", "camera", "microphone"]
    participant.set_muted("camera", False)
    assert participant.info().muted == ["screen", "microphone"]


def test_the_small_picture_follows_the_camera() -> None:
    participant = new_meeting("t", "plain", Choices()).join("a", None, None)
    assert not participant.is_muted("camera-small")
    participant.set_muted("camera", True)
    assert participant.is_muted("camera-small")
    assert participant.is_muted("camera")
    assert not participant.is_muted("microphone")


def test_only_what_is_published_and_not_muted_is_on() -> None:
    participant = new_meeting("t", "plain", Choices()).join("a", None, None)
    assert not participant.has_on("microphone", "camera")
    participant.sources = ["microphone", "camera", "screen"]
    participant.set_muted("camera", True)
    assert participant.has_on("microphone", "camera")
    assert not participant.has_on("camera", "screen")
    participant.set_muted("screen", False)
    assert participant.has_on("screen")


def test_a_stream_is_a_participant_that_says_so() -> None:
    meeting = new_meeting("t", "plain", Choices())
    stream = meeting.join_stream("OBS")
    assert meeting.participants[stream.id].info().is_stream
    assert (stream.name, stream.state, stream.is_host) == ("OBS", "in", False)
    for number in range(MAX_PEOPLE - 1):
        meeting.join(str(number), None, None)
    with pytest.raises(MeetingFull):
        meeting.join_stream("one more")


def test_numbers_of_people_are_small_and_used_again() -> None:
    meeting = new_meeting("t", "plain", Choices())
    first, second = meeting.join("a", None, None), meeting.join("b", None, None)
    meeting.leave(first.id)
    third = meeting.join_stream("c")
    assert (second.number, third.number, meeting.join("d", None, None).number) == (2, 1, 3)


def test_stream_tokens_are_of_one_meeting_and_one_purpose() -> None:
    one, two = new_meeting("t", "plain", Choices()), new_meeting("t", "plain", Choices())
    tokens = {stream_token(one, "whip"), stream_token(one, "whep"), stream_token(two, "whip"), one.host_key}
    assert len(tokens) == 4
    assert stream_token(one, "whip") == stream_token(one, "whip")
    assert all(len(token) >= 32 for token in tokens)
    two.host_key = one.host_key
    assert stream_token(two, "whip") != stream_token(one, "whip")
    assert stream_token(one, "whip").startswith("whip_"), "no option on a command line"


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


def test_whom_the_host_leaves_out_is_known_to_the_next_server() -> None:
    meeting = new_meeting("t", "plain", Choices())
    anna, ben = (meeting.join(name, None, None) for name in ("Anna", "Ben"))
    program = meeting.join_stream("OBS")
    for person in (anna, ben, program):
        meeting.leave_out(person.id, True)
    meeting.leave(ben.id)
    again = new_meeting("t", "plain", Choices())
    again.kept_out_before = meeting.kept_out()
    assert len(again.kept_out_before) == 3
    assert not any(anna.token in key for key in again.kept_out_before)
    for token, left_out in ((anna.token, "host"), (ben.token, "host"), ("of somebody else", None)):
        assert again.join("whoever", token, None).consent.left_out == left_out
    assert again.join_stream("OBS").consent.left_out == "host"
    assert set(meeting.kept_out()) < set(again.kept_out()), "both tokens of a person"


def test_whom_the_host_lets_in_again_is_no_longer_kept_out() -> None:
    meeting = new_meeting("t", "plain", Choices())
    program = meeting.join_stream("OBS")
    meeting.leave_out(program.id, True)
    meeting.leave(program.id)
    again = new_meeting("t", "plain", Choices())
    again.kept_out_before = meeting.kept_out()
    program = again.join_stream("OBS")
    again.leave_out(program.id, False)
    assert again.kept_out() == ()
    again.leave(program.id)
    assert again.kept_out() == ()


def test_of_those_who_are_kept_out_the_latest_are_kept() -> None:
    meeting = new_meeting("t", "plain", Choices())
    meeting.kept_out_before = tuple(f"token {number}" for number in range(MAX_REMEMBERED))
    ben = meeting.join("Ben", None, None)
    meeting.leave_out(ben.id, True)
    kept = meeting.kept_out()
    assert len(kept) == MAX_REMEMBERED
    assert kept[0] == "token 1"
