"""sherpa-onnx itself: what is loaded, and a network that it cannot use."""

from collections.abc import Callable
from pathlib import Path

import onnx
import pytest
from onnx import numpy_helper
from tiny_models import GREETING, UNITS, sense_voice, zipformer_ctc
from vmeet_stt_sherpa.model import recognised
from vmeet_stt_sherpa.recognizers import MOST_LOADED, Recognizers

from vmeet_core.hookspecs import Permanent
from vmeet_core.testing import melody


def test_each_language_of_sense_voice_is_loaded_once_and_two_are_kept(folders: dict[str, Path]) -> None:
    recognizers = Recognizers(recognised(folders["sense-voice"]), threads=1)
    zh = recognizers.load("zh")
    assert recognizers.load("zh") is zh
    recognizers.load("en")
    assert recognizers.load("zh") is zh
    recognizers.load("ja")  # takes the place of "en"
    assert recognizers.load("zh") is zh
    assert len(recognizers._loaded) == MOST_LOADED
    recognizers.close()
    assert recognizers.load("zh") is not zh


def test_the_other_kinds_are_loaded_once(folders: dict[str, Path]) -> None:
    for kind in ("paraformer", "zipformer-ctc", "zipformer-transducer"):
        recognizers = Recognizers(recognised(folders[kind]), threads=1)
        assert recognizers.load("zh") is recognizers.load("en")


def test_sense_voice_tells_language_and_event(folders: dict[str, Path]) -> None:
    recognizers = Recognizers(recognised(folders["sense-voice"]), threads=1)
    heard = recognizers.recognise(melody(16_000, GREETING, 3.0), "zh", False, (), 0)
    assert (heard.text, heard.language_tag, heard.event_tag) == ("你好五", "<|zh|>", "<|Speech|>")
    assert heard.times_s == pytest.approx((0.54, 1.02, 1.62))
    assert heard.log_probabilities == ()


def test_a_network_that_cannot_be_run_is_told_with_the_reason(tmp_path: Path) -> None:
    path = sense_voice(tmp_path, UNITS) / "model.int8.onnx"
    model = onnx.load(path)
    model.graph.node[0].op_type = "NoSuchThing"
    onnx.save(model, path)
    with pytest.raises(Permanent, match=f"sherpa-onnx cannot use the model in {tmp_path}: .*NoSuchThing"):
        Recognizers(recognised(tmp_path), threads=1).load()


@pytest.mark.parametrize("make", [sense_voice, zipformer_ctc])
def test_a_network_that_fails_at_work_is_told_before(tmp_path: Path, make: Callable[..., Path]) -> None:
    (path,) = make(tmp_path, UNITS).glob("*.onnx")
    model = onnx.load(path)
    (weights,) = [each for each in model.graph.initializer if each.name == "weights"]
    weights.CopyFrom(numpy_helper.from_array(numpy_helper.to_array(weights)[:-1], "weights"))  # for other features
    model.graph.input[0].type.tensor_type.shape.dim[2].dim_param = "F"
    onnx.save(model, path)
    recognizers = Recognizers(recognised(tmp_path), threads=1)
    with pytest.raises(Permanent, match=f"sherpa-onnx cannot use the model in {tmp_path}: "):
        recognizers.try_out()


def test_a_network_that_works_passes(folders: dict[str, Path]) -> None:
    for folder in folders.values():
        Recognizers(recognised(folder), threads=1).try_out()
