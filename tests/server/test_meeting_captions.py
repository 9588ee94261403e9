"""The live captions of a meeting: what is told to whom, without any process."""

import time
from typing import Any

import pytest

from vmeet_core import protocol
from vmeet_core.live.captioner import Captioner
from vmeet_core.live.dictation import Caption
from vmeet_core.media.active_speaker import Voice
from vmeet_core.meetings import Participant
from vmeet_core.plugins import discover
from vmeet_core.server.attendee import Attendee
from vmeet_core.server.meeting_captions import PROMPT_S, BadLanguage, CaptionPlan, MeetingCaptions, caption_plan
from vmeet_core.settings import Preset, load_settings

PLAN = CaptionPlan("tones", "Tones", False, ("en", "zh"), "zh", "traditional-tw", "as-spoken", {})


class Stage:
    """A meeting with Anna, and what its pages are told."""

    def __init__(self, plan: CaptionPlan | None = PLAN) -> None:
        self.told: list[Any] = []
        self.captioner = Captioner(load_settings(None, {}), "tones")
        self.anna = Participant("a", "Anna", is_host=False)
        attendees = [Attendee(self.anna, Voice())]
        self.captions = MeetingCaptions(plan, self.captioner, lambda: attendees, self.told.append)
        self.set("on")

    def set(self, state: Any, reason: str = "") -> None:
        self.captioner._set(state, reason)

    def say(self, text: str = "早安", ago_s: float = 1.0) -> None:
        end_s = time.monotonic() - ago_s
        self.captions.note(self.anna, Caption(text, "zh", end_s - 2, end_s))

    @property
    def states(self) -> list[str]:
        return [each.captions.state for each in self.told if isinstance(each, protocol.CaptionsChanged)]

    @property
    def entries(self) -> list[protocol.CaptionEntry]:
        return [each.entry for each in self.told if isinstance(each, protocol.CaptionReceived)]


async def test_a_phrase_is_told_to_everyone_with_the_times_of_the_server() -> None:
    stage = Stage()
    stage.say()
    stage.say("")
    stage.say("再見")
    first, second = stage.entries
    assert (first.number, first.participant_id, first.name, first.text, first.language) == (
        1,
        "a",
        "Anna",
        "早安",
        "zh",
    )
    assert first.end_s == pytest.approx(time.time() - 1, abs=0.5)
    assert first.end_s - first.start_s == pytest.approx(2, abs=0.01)
    assert (second.number, second.text) == (2, "再見"), "nothing is said of what was not understood"


async def test_the_last_phrases_are_kept_for_those_who_come_later() -> None:
    stage = Stage()
    for number in range(protocol.MAX_CAPTIONS_KEPT + 3):
        stage.say(str(number))
    assert [each.text for each in stage.captions.entries] == [str(n) for n in range(3, protocol.MAX_CAPTIONS_KEPT + 3)]


async def test_a_server_that_is_too_slow_says_so_until_it_keeps_up() -> None:
    stage = Stage()
    stage.captions.note_drop()
    stage.captions.note_drop()
    stage.say(ago_s=PROMPT_S + 3)
    assert stage.states == ["on", "behind"]
    stage.say()
    assert stage.states == ["on", "behind", "on"]


async def test_what_fails_is_told_with_its_reason_until_it_works() -> None:
    stage = Stage()
    stage.captions.note_failure("the line is down")
    assert stage.told[-1].captions.reason == "the line is down"
    stage.say("")
    stage.set("failed", "the process ended")
    stage.set("on")
    assert stage.states == ["on", "failed", "on", "failed", "on"]


async def test_a_language_is_one_that_is_known() -> None:
    stage = Stage()
    for language in ("en", "auto", "zh", None):
        stage.captions.set_language(stage.anna, language)
        assert stage.anna.language == language
    with pytest.raises(BadLanguage, match="it knows: en, zh"):
        stage.captions.set_language(stage.anna, "fr")
    assert stage.anna.language is None


async def test_without_captions_nothing_is_told() -> None:
    stage = Stage(None)
    stage.captions.set_language(stage.anna, "fr")
    stage.set("failed", "gone")
    assert (stage.captions.info(), stage.told) == (None, [])


async def test_a_meeting_that_is_over_hears_no_more() -> None:
    stage = Stage()
    stage.captions.close()
    stage.captions.close()
    stage.set("failed", "gone")
    assert stage.states == ["on"]


def test_a_transcriber_that_has_gone_is_still_asked_for() -> None:
    plan = caption_plan(Preset(live_transcriber="tonse", language="zh"), discover())
    assert plan is not None
    assert (plan.title, plan.languages, plan.language) == ("tonse", (), "zh")
    assert caption_plan(Preset(), discover()) is None
