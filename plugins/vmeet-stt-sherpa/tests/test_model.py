"""Which model lies in a folder, and what is said of one that is none."""

import shutil
from collections.abc import Callable
from pathlib import Path

import onnx
import pytest
from tiny_models import UNITS, paraformer, sense_voice, transducer
from vmeet_stt_sherpa.model import recognised

from vmeet_core.hookspecs import Permanent


def changed(path: Path, **entries: str | None) -> None:
    """The same network that says something else of itself."""
    model = onnx.load(path)
    said = {entry.key: entry.value for entry in model.metadata_props}
    said |= {key: text for key, text in entries.items() if text is not None}
    for key in [key for key, text in entries.items() if text is None]:
        said.pop(key)
    del model.metadata_props[:]
    onnx.helper.set_model_props(model, said)
    onnx.save(model, path)


def test_each_kind_is_known_by_its_files(folders: dict[str, Path]) -> None:
    for kind, folder in folders.items():
        model = recognised(folder)
        assert model.kind == kind
        assert model.tokens.keys() >= UNITS.keys()
        assert model.bpe_vocabulary is None
        assert len(model.networks) == (3 if kind == "zipformer-transducer" else 1)


def test_the_precision_chooses_between_two(tmp_path: Path) -> None:
    sense_voice(tmp_path, UNITS, name="model.onnx")
    assert [path.name for path in recognised(tmp_path, "int8").networks] == ["model.onnx"]
    sense_voice(tmp_path, UNITS, name="model.int8.onnx")
    assert [path.name for path in recognised(tmp_path, "int8").networks] == ["model.int8.onnx"]
    assert [path.name for path in recognised(tmp_path, "float").networks] == ["model.onnx"]


def test_a_vocabulary_of_pieces_is_found(tmp_path: Path) -> None:
    transducer(tmp_path, UNITS)
    (tmp_path / "bpe.vocab").write_text("▁A -1\n", encoding="utf-8")
    assert recognised(tmp_path).bpe_vocabulary == tmp_path / "bpe.vocab"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            lambda folder: (folder / "tokens.txt").unlink(),
            r"has no tokens\.txt\. It takes, in the form for sherpa-onnx",
        ),
        (lambda folder: (folder / "tokens.txt").write_text("a 0\n"), "has 1 of the 17 units"),
        (lambda folder: (folder / "model.int8.onnx").unlink(), r"has no model \(\*\.onnx\)\. It takes"),
        (lambda folder: (folder / "model.int8.onnx").write_bytes(b"<html>"), "cannot be read as a model"),
        (lambda folder: changed(folder / "model.int8.onnx", with_itn=None), "does not say its with_itn"),
        (lambda folder: changed(folder / "model.int8.onnx", lang_zh="three"), "says of its lang_zh what sherpa-onnx"),
        (lambda folder: changed(folder / "model.int8.onnx", neg_mean="0,0"), "says of its neg_mean what"),
        (
            lambda folder: changed(folder / "model.int8.onnx", model_type="whisper-base", with_itn=None),
            'says of its kind "whisper-base", which this plugin does not know. It takes',
        ),
        (
            lambda folder: changed(folder / "model.int8.onnx", model_type=None, with_itn=None),
            "says of its kind nothing",
        ),
        (
            lambda folder: shutil.copy(folder / "model.int8.onnx", folder / "model2.int8.onnx"),
            r"has several models: model\.int8\.onnx, model2\.int8\.onnx",
        ),
    ],
)
def test_what_is_wrong_with_a_model_is_told(tmp_path: Path, change: Callable[[Path], object], message: str) -> None:
    change(sense_voice(tmp_path, UNITS))
    with pytest.raises(Permanent, match=message):
        recognised(tmp_path)


def test_an_empty_folder_is_told(tmp_path: Path) -> None:
    with pytest.raises(Permanent, match=f"{tmp_path} has no model"):
        recognised(tmp_path)


def test_a_paraformer_needs_its_end_sign(tmp_path: Path) -> None:
    paraformer(tmp_path, UNITS)
    text = (tmp_path / "tokens.txt").read_text(encoding="utf-8").replace("</s>", "<end>")
    (tmp_path / "tokens.txt").write_text(text, encoding="utf-8")
    with pytest.raises(Permanent, match="has no </s>: it belongs to another model"):
        recognised(tmp_path)


def test_a_transducer_that_streams_is_told(tmp_path: Path) -> None:
    transducer(tmp_path, UNITS, decode_chunk_len=32)
    with pytest.raises(Permanent, match="is a model that streams"):
        recognised(tmp_path)


def test_another_transducer_is_told(tmp_path: Path) -> None:
    transducer(tmp_path, UNITS, model_type="EncDecRNNTBPEModel")
    with pytest.raises(Permanent, match='says of its kind "EncDecRNNTBPEModel"'):
        recognised(tmp_path)


def test_a_decoder_that_does_not_tell_its_context_is_told(tmp_path: Path) -> None:
    transducer(tmp_path, UNITS)
    changed(tmp_path / "decoder-epoch-1-avg-1.onnx", context_size=None)
    with pytest.raises(Permanent, match=r"decoder-epoch-1-avg-1\.onnx does not say its context_size"):
        recognised(tmp_path)
