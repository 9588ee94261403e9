"""Tones in, text out, through the real runtime: languages, options, silence, times, names."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from tiny_models import EVENTS, GREETING, HIGH_HZ, LOW_HZ, MIDDLE_HZ, UNITS, paraformer, sense_voice, transducer
from vmeet_stt_sherpa.engine import SherpaEngine, is_silent
from vmeet_stt_sherpa.settings import SherpaOptions

from vmeet_core.hookspecs import Context, Permanent, Segment
from vmeet_core.testing import melody, noise

Load = Callable[..., SherpaEngine]
PLAIN = Context()


def said(engine: SherpaEngine, language: str = "zh", context: Context = PLAIN, **options: object) -> list[Segment]:
    stream = engine.open(SherpaOptions(**options))  # type: ignore[arg-type]
    return stream.transcribe(melody(16_000, GREETING, 3.0), language, context)


@pytest.mark.parametrize("kind", ["paraformer", "zipformer-ctc", "zipformer-transducer"])
def test_other_kinds_tell_words_and_times(folders: dict[str, Path], load: Load, kind: str) -> None:
    (segment,) = said(load(folders[kind]))
    assert (segment.text, segment.language) == ("你好五", "zh")
    assert [word for _, _, word in segment.words] == ["你", "好", "五"]
    for (start_s, end_s, _), (tone_s, _, _) in zip(segment.words, GREETING, strict=True):
        assert abs(start_s - tone_s) < 0.1
        assert end_s == pytest.approx(start_s + 0.3)
    assert (segment.start_s, segment.end_s) == (segment.words[0][0], segment.words[-1][1])


def test_only_a_transducer_tells_how_sure_it_is(folders: dict[str, Path], load: Load) -> None:
    found = {kind: said(load(folder))[0].confidence for kind, folder in folders.items()}
    assert 0.9 < (found.pop("zipformer-transducer") or 0) <= 1
    assert set(found.values()) == {None}


def test_sense_voice_writes_numbers_in_digits_or_as_spoken(folders: dict[str, Path], load: Load) -> None:
    engine = load(folders["sense-voice"])
    assert said(engine)[0].text == "你好5"
    assert said(engine, written_form=False)[0].text == "你好五"


@pytest.mark.parametrize(
    ("tag", "language"),
    [("auto", "en"), ("zh-TW", "zh"), ("en-US", "en"), ("zh-HK", "yue"), ("ja", "ja"), ("ko-KR", "ko")],
)
def test_sense_voice_is_told_the_language_and_tells_it(
    folders: dict[str, Path], load: Load, tag: str, language: str
) -> None:
    assert said(load(folders["sense-voice"]), tag)[0].language == language


def test_of_the_other_kinds_the_settings_tell_the_languages(folders: dict[str, Path], load: Load) -> None:
    engine = load(folders["zipformer-ctc"], languages=("fr", "zh"))
    assert said(engine, "fr-CA")[0].language == "fr"
    assert said(engine, "auto")[0].language == "zh"
    with pytest.raises(Permanent, match="does not know the language 'en': it knows fr, zh"):
        said(engine, "en")


def test_music_is_left_out_unless_it_is_wanted(tmp_path: Path, load: Load) -> None:
    engine = load(sense_voice(tmp_path, UNITS, event=EVENTS[1]))
    assert said(engine) == []
    assert said(engine, speech_only=False)[0].text == "你好5"


def test_what_is_only_punctuation_is_left_out(tmp_path: Path, load: Load) -> None:
    engine = load(sense_voice(tmp_path, {"，": LOW_HZ, "？": MIDDLE_HZ}))
    assert said(engine) == []


def test_latin_words_are_told_whole(tmp_path: Path, load: Load) -> None:
    engine = load(transducer(tmp_path, {"▁hel": LOW_HZ, "lo": MIDDLE_HZ, "▁you": HIGH_HZ}))
    (segment,) = said(engine, "auto")
    assert (segment.text, segment.language) == ("hello you", "en")
    assert [word for _, _, word in segment.words] == ["hello", "you"]


def test_pieces_of_words_of_a_paraformer_are_joined(tmp_path: Path, load: Load) -> None:
    engine = load(paraformer(tmp_path, {"hel@@": LOW_HZ, "lo": MIDDLE_HZ, "吗": HIGH_HZ}))
    (segment,) = said(engine)
    assert segment.text == "hello 吗"
    assert [word for _, _, word in segment.words] == ["hello", "吗"]


def test_without_times_the_segment_is_the_part(tmp_path: Path, load: Load) -> None:
    (segment,) = said(load(paraformer(tmp_path, UNITS, timed=False)))
    assert segment == Segment(0.0, 3.0, "你好五", "zh")


ALIKE = {"鱼": LOW_HZ, "余": LOW_HZ, "沉": MIDDLE_HZ, "陈": MIDDLE_HZ, "先": HIGH_HZ}


def test_a_transducer_prefers_the_names_of_the_people(tmp_path: Path, load: Load) -> None:
    engine = load(transducer(tmp_path, ALIKE))
    unknown = said(engine)[0].text  # whichever
    assert said(engine, context=Context(("余", "沉")))[0].text == "余沉先"
    assert said(engine, context=Context(("鱼", "陳")))[0].text == "鱼陈先"  # written in Traditional
    for names in (("余", "沉"), ("鱼", "陳")):
        assert said(engine, context=Context(names), hot_words_boost=0)[0].text == unknown


def test_names_in_pieces_of_words_are_preferred(tmp_path: Path, load: Load) -> None:
    transducer(tmp_path, {"▁HI": LOW_HZ, "▁HY": LOW_HZ, "RAM": MIDDLE_HZ, "LO": HIGH_HZ})
    (tmp_path / "bpe.vocab").write_text("▁HI\t-1\n▁HY\t-1\nRAM\t-1\nLO\t-1\n", encoding="utf-8")
    engine = load(tmp_path)
    for name in ("HIRAM", "HYRAM"):
        assert said(engine, "en", Context((name,)))[0].text == f"{name}LO"


def test_odd_names_do_no_harm(folders: dict[str, Path], load: Load) -> None:
    engine = load(folders["zipformer-transducer"])
    names = ("", " ", "/", ":", ":1", "#", "@", "你/好", "你 :x", "\n", "𠮷", "a" * 10_000, "你好" * 50)
    assert said(engine, context=Context(names))[0].text == "你好五"


@pytest.mark.parametrize("count", [0, 1, 399, 1599, 1600, 2000])
def test_short_sounds(folders: dict[str, Path], load: Load, count: int) -> None:
    for folder in folders.values():
        stream = load(folder).open(SherpaOptions())
        found = stream.transcribe(melody(16_000, [(0, 0.2, LOW_HZ)], 0.2)[:count], "zh", PLAIN)
        assert all(segment.end_s <= count / 16_000 for segment in found)
        assert count >= 1600 or found == []


def test_silence_is_told_from_sound() -> None:
    tone = melody(16_000, [(1.0, 1.02, LOW_HZ)], 3.0)
    assert not is_silent(tone)
    assert is_silent(tone * np.float32(1e-3))
    assert is_silent(np.zeros(16_000, np.float32))
    assert is_silent(noise(16_000, 2.0, level=1e-4))
    assert is_silent(np.zeros(0, np.float32))


def test_options_change_while_it_runs(folders: dict[str, Path], load: Load) -> None:
    stream = load(folders["sense-voice"]).open(SherpaOptions())
    audio = melody(16_000, GREETING, 3.0)
    assert stream.transcribe(audio, "zh", PLAIN)[0].text == "你好5"
    stream.update(SherpaOptions(written_form=False))
    assert stream.transcribe(audio, "zh", PLAIN)[0].text == "你好五"
