"""A real process with a transcriber that needs no model: what is said comes back written, whatever goes wrong."""

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest
from caption_material import PACKET_S, numbers, packets, tones
from transcriber_kinds import TRANSCRIBERS

from vmeet_core.live import captioner as captioner_module
from vmeet_core.live.captioner import Captioner, DictationEvents, DictationLine
from vmeet_core.live.dictation import Caption, Dictation
from vmeet_core.settings import Settings, load_settings

#: ``odd`` is the transcriber above with whatever its option ``what`` says: text, an error, a crash, or a long time.
ODD = (
    TRANSCRIBERS
    + """
import os, time
from vmeet_core.hookspecs import Retryable

class OddOptions(Options):
    what: str = "text"
    text: str = ""

class OddStream(TranscriberStream):
    calls = 0
    def __init__(self, options):
        self.options = options
    def transcribe(self, audio, language, context):
        OddStream.calls += 1
        what = self.options.what
        if what == "once" and OddStream.calls == 1 or what == "raises":
            raise RuntimeError("the line is down")
        if what == "busy":
            raise Retryable("the quota is spent", 0.6)
        if what == "dies":
            os.kill(os.getpid(), 9)
        if what == "slow":
            time.sleep(1.5)
        if what == "context":
            told = f"{','.join(context.hot_words)} after {context.text_before or 'nothing'}"
            return [Segment(0.0, 0.1, told, language)]
        text = self.options.text or "你好"
        return [Segment(0.0, 0.1, text, language)]

class OddEngine(Engine):
    def open(self, options):
        return OddStream(options)

class Odd(Tones):
    name, options = "odd", OddOptions
    def load(self, server_settings, host):
        return OddEngine()

class Unloadable(Tones):
    name = "unloadable"
    def load(self, server_settings, host):
        raise RuntimeError("no such model")

class Away(Tones):
    name, leaves_host = "away", True

@hookimpl
def register_transcribers():
    return [Tones(), Odd(), Unloadable(), Away()]
"""
)
ZH = Dictation("zh", "traditional-tw")
MakeCaptioner = Callable[..., Awaitable[Captioner]]


class Reader(DictationEvents):
    """Keeps what is told of a voice."""

    def __init__(self) -> None:
        self.captions: list[Caption] = []
        self.drops = 0
        self.failures: list[str] = []

    def caption(self, caption: Caption) -> None:
        self.captions.append(caption)

    def dropped(self) -> None:
        self.drops += 1

    def failed(self, reason: str) -> None:
        self.failures.append(reason)

    @property
    def texts(self) -> list[str]:
        return [each.text for each in self.captions]


async def until(condition: Callable[[], object], timeout_s: float = 20) -> None:
    async with asyncio.timeout(timeout_s):
        while not condition():
            await asyncio.sleep(0.01)


async def say(line: DictationLine, *parts: tuple[float, float], pace: float = 20.0) -> float:
    """All of it, ``pace`` times as fast as one can speak; returns when it was over."""
    for frame in packets(tones(*parts)):
        line.packet(frame)
        await asyncio.sleep(PACKET_S / pace)
    return time.monotonic()


@pytest.fixture
async def make(use_plugin: Callable[[str, str], None]) -> AsyncIterator[MakeCaptioner]:
    """``await make("tones")``: one that has begun."""
    use_plugin("odd-transcribers", ODD)
    made: list[Captioner] = []

    async def begin(name: str, settings: Settings | None = None) -> Captioner:
        captioner = Captioner(settings or load_settings(None, {}), name)
        made.append(captioner)
        await captioner.start()
        return captioner

    yield begin
    await asyncio.gather(*(each.close() for each in made))


async def test_what_several_people_say_comes_back_written_down(make: MakeCaptioner) -> None:
    captioner = await make("tones")
    anna, ben = Reader(), Reader()
    lines = [captioner.open(ZH, anna), captioner.open(ZH, ben)]
    await asyncio.gather(
        say(lines[0], (0, 1.5), (440, 1), (0, 1), (880, 1), (0, 1)), say(lines[1], (0, 1.5), (600, 2), (0, 1))
    )
    await until(lambda: len(anna.captions) == 2 and ben.captions)
    assert (numbers(anna.texts), numbers(ben.texts)) == ([440, 880], [600])
    assert captioner.state == "on"


async def test_a_phrase_is_there_soon_after_its_end(make: MakeCaptioner) -> None:
    captioner, reader = await make("tones"), Reader()
    line = captioner.open(ZH, reader)
    over_s = await say(line, (0, 0.5), (440, 1), pace=1.0)
    await until(lambda: reader.captions)
    assert time.monotonic() - over_s < 2
    (caption,) = reader.captions
    assert caption.end_s == pytest.approx(over_s, abs=0.3)
    assert caption.end_s - caption.start_s == pytest.approx(1.3, abs=0.4)


async def test_text_is_given_in_the_script_with_names_as_they_are(make: MakeCaptioner) -> None:
    captioner, reader = await make("odd"), Reader()
    text = "范先生,这个软件 很好."
    line = captioner.open(Dictation("zh", "traditional-tw", "as-spoken", ("范先生",), {"text": text}), reader)
    await say(line, (0, 1.5), (440, 1), (0, 1))
    await until(lambda: reader.captions)
    line.change(line.dictation._replace(script="simplified"))
    await say(line, (0, 1.5), (440, 1), (0, 1))
    await until(lambda: len(reader.captions) == 2)
    assert reader.texts == ["范先生，這個軟體很好。", "范先生，这个软件很好。"]


async def test_a_transcriber_is_told_names_language_and_what_was_said_before(make: MakeCaptioner) -> None:
    captioner, reader = await make("odd"), Reader()
    line = captioner.open(Dictation("en", "as-spoken", "as-spoken", ("Anna", "Ben"), {"what": "context"}), reader)
    for count in (1, 2):
        await say(line, (0, 1.5), (440, 1), (0, 1))
        await until(lambda count=count: len(reader.captions) == count)
    assert reader.texts == ["Anna,Ben after nothing", "Anna,Ben after Anna,Ben after nothing"]
    line.change(line.dictation._replace(language="de"))
    await say(line, (0, 1.5), (440, 1), (0, 1))
    await until(lambda: len(reader.captions) == 3)
    assert [each.language for each in reader.captions] == ["en", "en", "de"]


async def test_a_phrase_that_fails_is_told_and_the_next_one_is_written(make: MakeCaptioner) -> None:
    captioner, reader = await make("odd"), Reader()
    line = captioner.open(ZH._replace(options={"what": "once"}), reader)
    await say(line, (0, 1.5), (440, 1), (0, 1), (440, 1), (0, 1))
    await until(lambda: reader.captions)
    assert (reader.failures, reader.texts) == (["RuntimeError: the line is down"], ["你好"])
    assert captioner.state == "on"


async def test_one_that_asks_for_a_pause_gets_it(make: MakeCaptioner, tmp_path: Path) -> None:
    captioner, busy, other = await make("odd"), Reader(), Reader()
    lines = [captioner.open(ZH._replace(options={"what": "busy"}), busy), captioner.open(ZH, other)]
    await say(lines[0], (0, 1.5), (440, 1), (0, 1))
    await until(lambda: busy.failures)
    await say(lines[1], (0, 1.5), (440, 1), (0, 1), pace=100)
    await until(lambda: other.failures)
    assert other.failures == busy.failures == ["Retryable: the quota is spent"]
    await asyncio.sleep(0.7)
    await say(lines[1], (0, 1.5), (440, 1), (0, 1))
    await until(lambda: other.texts == ["你好"])


async def test_one_that_is_too_slow_leaves_out_what_is_old(make: MakeCaptioner) -> None:
    captioner, reader = await make("odd"), Reader()
    line = captioner.open(ZH._replace(options={"what": "slow"}), reader)
    await say(line, *[(0, 1.0), (440, 0.5)] * 22, (0, 1), pace=100)
    await until(lambda: reader.drops >= 3)


async def test_a_process_that_dies_is_started_anew_and_voices_go_on(
    make: MakeCaptioner, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(captioner_module, "FIRST_PAUSE_S", 0.05)
    captioner, reader = await make("tones"), Reader()
    states: list[tuple[str, str]] = []
    captioner.listeners.append(lambda: states.append((captioner.state, captioner.reason)))
    line = captioner.open(ZH, reader)
    before = captioner.process_id
    os.kill(before, signal.SIGKILL)
    await until(lambda: captioner.state == "failed")
    await say(line, (0, 0.5), (440, 1), (0, 0.5))  # lost
    await until(lambda: captioner.state == "on")
    assert captioner.process_id != before
    await say(line, (0, 1.5), (880, 1), (0, 1))
    await until(lambda: 880 in numbers(reader.texts))
    assert [state for state, _ in states] == ["failed", "on"]


async def test_a_voice_that_kills_the_process_does_not_end_the_tries(
    make: MakeCaptioner, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(captioner_module, "FIRST_PAUSE_S", 0.05)
    captioner, reader = await make("odd"), Reader()
    line = captioner.open(ZH._replace(options={"what": "dies"}), reader)
    await say(line, (0, 1.5), (440, 1), (0, 1))
    await until(lambda: captioner.state == "failed")
    line.close()
    other = captioner.open(ZH, reader)
    await until(lambda: captioner.state == "on")
    await say(other, (0, 1.5), (440, 1), (0, 1))
    await until(lambda: reader.texts == ["你好"])


async def test_one_that_cannot_be_loaded_says_why_and_is_tried_again(
    make: MakeCaptioner, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(RuntimeError, match="no such model"):
        await make("unloadable")
    monkeypatch.setattr(captioner_module, "FIRST_PAUSE_S", 0.05)
    captioner = Captioner(load_settings(None, {}), "unloadable")
    captioner.begin()
    captioner.begin()
    await until(lambda: captioner.state == "failed")
    assert "no such model" in captioner.reason
    await captioner.close()


async def test_one_that_sends_media_away_is_refused_unless_the_settings_allow_it(make: MakeCaptioner) -> None:
    with pytest.raises(RuntimeError, match="sends media to another machine"):
        await make("away")
    settings = load_settings(None, {})
    server = settings.server.model_copy(update={"allow_leaving_host": ("away",)})
    assert (await make("away", settings.model_copy(update={"server": server}))).state == "on"


async def test_a_voice_that_is_closed_is_told_nothing_more(make: MakeCaptioner, tmp_path: Path) -> None:
    captioner, reader, other = await make("tones"), Reader(), Reader()
    line = captioner.open(ZH, reader)
    await say(line, (0, 1.5), (440, 1))
    line.close()
    line.close()
    await say(captioner.open(ZH, other), (0, 1.5), (880, 1), (0, 1))
    await until(lambda: other.captions)
    assert reader.captions == []
