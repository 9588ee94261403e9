"""Models of each kind for sherpa-onnx, of a few kilobytes: they tell tones apart, so that their text has a meaning.

Each is a real ONNX graph with the entries that sherpa-onnx reads: log-mel features come in, and a unit of text wins
where its mel bin is louder than a threshold.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from vmeet_core.hookspecs import Audio
from vmeet_core.testing import melody

LOW_HZ, MIDDLE_HZ, HIGH_HZ = 500.0, 1500.0, 3500.0
BINS = 80
WINDOW, SHIFT = 7, 6  # of stacked frames, as in SenseVoice and Paraformer
BLANK_LEVEL = 14.0  # log-mel of what counts as silence, samples in 16 bits
_UNIT_SCALE = 2 * float(np.log(32768))  # between samples in 16 bits and samples in [-1, 1]
_FAR = -1e4

TAGS = ("<|zh|>", "<|en|>", "<|yue|>", "<|ja|>", "<|ko|>", "<|nospeech|>", "<|NEUTRAL|>")
EVENTS = ("<|Speech|>", "<|BGM|>")
LANGUAGE_IDS = {"auto": 0, "zh": 3, "en": 4, "yue": 7, "ja": 11, "ko": 12}
WITH_ITN, WITHOUT_ITN = 14, 15


UNITS = {"你": LOW_HZ, "好": MIDDLE_HZ, "五": HIGH_HZ}
GREETING = ((0.5, 0.8, LOW_HZ), (1.0, 1.3, MIDDLE_HZ), (1.6, 2.0, HIGH_HZ))  #: "你好五", for ``melody``


def tones(sample_rate_hz: int, seconds: float, seed: int) -> Audio:
    """What speech is to these models; the same for the same seed."""
    rng, notes, start_s = np.random.default_rng(seed), [], 0.1
    while start_s + 0.3 < seconds:
        notes.append((start_s, start_s + 0.2, float(rng.choice([LOW_HZ, MIDDLE_HZ, HIGH_HZ]))))
        start_s += float(rng.uniform(0.3, 0.6))
    return melody(sample_rate_hz, notes, seconds)


def mel_bin(frequency_hz: float, low_hz: float = 20.0, high_hz: float = 8000.0) -> int:
    """The nearest of 80 triangles of Kaldi's mel scale."""

    def mel(hz: float) -> float:
        return float(1127 * np.log(1 + hz / 700))

    width = (mel(high_hz) - mel(low_hz)) / (BINS + 1)
    return round((mel(frequency_hz) - mel(low_hz)) / width) - 1


def write_tokens(path: Path, tokens: list[str]) -> None:
    path.write_text("".join(f"{token} {number}\n" for number, token in enumerate(tokens)), encoding="utf-8")


def constant(name: str, value: NDArray[Any]) -> onnx.TensorProto:
    return numpy_helper.from_array(value, name)


def save(
    path: Path,
    nodes: list[Any],
    inputs: list[Any],
    outputs: list[Any],
    constants: Mapping[str, NDArray[Any]],
    entries: Mapping[str, object],
) -> None:
    graph = helper.make_graph(
        nodes, "tiny", inputs, outputs, [constant(name, value) for name, value in constants.items()]
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    helper.set_model_props(model, {key: str(value) for key, value in entries.items()})
    onnx.checker.check_model(model)
    onnx.save(model, path)


def value(name: str, kind: int, shape: list[int | str]) -> Any:
    return helper.make_tensor_value_info(name, kind, shape)


def unit_weights(units: Mapping[str, float], tokens: list[str], frames: int) -> NDArray[np.float32]:
    """(frames * 80, tokens): the mean level of its bin for each unit of text, named with its frequency."""
    weights = np.zeros((frames * BINS, len(tokens)), np.float32)
    for token, frequency_hz in units.items():
        weights[mel_bin(frequency_hz) :: BINS, tokens.index(token)] = 1 / frames
    return weights


def unit_biases(units: Mapping[str, float], tokens: list[str], blank: str, blank_level: float) -> NDArray[np.float32]:
    biases = np.full(len(tokens), _FAR, np.float32)
    for token in units:
        biases[tokens.index(token)] = 0
    biases[tokens.index(blank)] = blank_level
    return biases


FRAME_ENTRIES = {
    "lfr_window_size": WINDOW,
    "lfr_window_shift": SHIFT,
    "neg_mean": ",".join(["0"] * WINDOW * BINS),
    "inv_stddev": ",".join(["1"] * WINDOW * BINS),
}


def sense_voice(
    folder: Path, units: Mapping[str, float], event: str = EVENTS[0], name: str = "model.int8.onnx"
) -> Path:
    """Low tones are told as units of text. With ITN, "五" is written "5"; "auto" is heard as English."""
    tokens = ["<unk>", *TAGS, *EVENTS, "<|withitn|>", "<|woitn|>", "5", "。", *units]
    tokens[0] = "<blank>"
    folder.mkdir(parents=True, exist_ok=True)
    write_tokens(folder / "tokens.txt", tokens)
    size = len(tokens)
    rows = np.full((16, size), _FAR, np.float32)  # of the first frame, by the number of the language
    for language, number in LANGUAGE_IDS.items():
        rows[number, tokens.index("<|en|>" if language == "auto" else f"<|{language}|>")] = 0
    told = np.full((2, size), _FAR, np.float32)
    told[0, tokens.index("<|NEUTRAL|>")] = told[1, tokens.index(event)] = 0
    written = np.full((16, size), _FAR, np.float32)
    written[WITH_ITN, tokens.index("<|withitn|>")] = written[WITHOUT_ITN, tokens.index("<|woitn|>")] = 0
    biases = unit_biases(units, tokens, "<blank>", BLANK_LEVEL)
    in_digits = np.zeros((16, size), np.float32)  # added to every frame
    weights = unit_weights(units, tokens, WINDOW)
    if "五" in units:
        weights[:, tokens.index("5")] = weights[:, tokens.index("五")]
        biases[tokens.index("5")] = 0
        in_digits[WITHOUT_ITN, tokens.index("5")] = in_digits[WITH_ITN, tokens.index("五")] = _FAR
    nodes = [
        helper.make_node("MatMul", ["x", "weights"], ["levels"]),
        helper.make_node("Add", ["levels", "biases"], ["biased"]),
        helper.make_node("Gather", ["in_digits", "text_norm"], ["digits"]),  # (1, size)
        helper.make_node("Add", ["biased", "digits"], ["frames"]),
        helper.make_node("Gather", ["rows", "language"], ["first"]),
        helper.make_node("Gather", ["written", "text_norm"], ["fourth"]),
        helper.make_node("Concat", ["first", "told", "fourth"], ["said"], axis=0),
        helper.make_node("Unsqueeze", ["said", "zero"], ["head"]),
        helper.make_node("Concat", ["head", "frames"], ["logits"], axis=1),
    ]
    constants = {
        "weights": weights,
        "biases": biases,
        "in_digits": in_digits,
        "rows": rows,
        "written": written,
        "told": told,
        "zero": np.array([0], np.int64),
    }
    inputs = [
        value("x", TensorProto.FLOAT, ["N", "T", WINDOW * BINS]),
        value("x_length", TensorProto.INT32, ["N"]),
        value("language", TensorProto.INT32, ["N"]),
        value("text_norm", TensorProto.INT32, ["N"]),
    ]
    entries = {
        **FRAME_ENTRIES,
        **{f"lang_{language}": number for language, number in LANGUAGE_IDS.items()},
        "model_type": "sense_voice_ctc",
        "vocab_size": size,
        "normalize_samples": 0,
        "with_itn": WITH_ITN,
        "without_itn": WITHOUT_ITN,
    }
    outputs = [value("logits", TensorProto.FLOAT, ["N", "T4", size])]
    save(folder / name, nodes, inputs, outputs, constants, entries)
    return folder


def paraformer(folder: Path, units: Mapping[str, float], timed: bool = True) -> Path:
    """A unit of text where a tone begins, and the end; the times of their frames, where ``timed``."""
    tokens = ["<blank>", "<s>", "</s>", *units, "<unk>"]
    folder.mkdir(parents=True, exist_ok=True)
    write_tokens(folder / "tokens.txt", tokens)
    size = len(tokens)
    end = np.full((1, 1, size), _FAR, np.float32)
    end[0, 0, tokens.index("</s>")] = 0
    nodes = [
        helper.make_node("MatMul", ["speech", "weights"], ["levels"]),
        helper.make_node("Add", ["levels", "biases"], ["every"]),
        helper.make_node("ReduceMax", ["levels"], ["loudest"], axes=[2], keepdims=0),  # (1, T)
        helper.make_node("Greater", ["loudest", "threshold"], ["is_loud"]),
        helper.make_node("Cast", ["is_loud"], ["loud"], to=TensorProto.FLOAT),
        helper.make_node("Pad", ["loud", "one_before"], ["padded"]),
        helper.make_node("Slice", ["padded", "zero", "all_but_one", "time"], ["loud_before"]),
        helper.make_node("Greater", ["loud", "loud_before"], ["begins"]),
        helper.make_node("NonZero", ["begins"], ["places"]),  # (2, K)
        helper.make_node("Gather", ["places", "one"], ["frames"], axis=0),  # (K,)
        helper.make_node("Gather", ["every", "frames"], ["chosen"], axis=1),
        helper.make_node("Concat", ["chosen", "end_row"], ["logits"], axis=1),
        helper.make_node("Cast", ["speech_lengths"], ["token_num"], to=TensorProto.INT64),
    ]
    constants = {
        "weights": unit_weights(units, tokens, WINDOW),
        "biases": unit_biases(units, tokens, "</s>", _FAR),
        "threshold": np.array(BLANK_LEVEL, np.float32),
        "one_before": np.array([0, 1, 0, 0], np.int64),
        "zero": np.array([0], np.int64),
        "all_but_one": np.array([-1], np.int64),
        "time": np.array([1], np.int64),
        "one": np.array(1, np.int64),
        "end_row": end,
    }
    outputs = [value("logits", TensorProto.FLOAT, ["N", "K", size]), value("token_num", TensorProto.INT64, ["N"])]
    if timed:
        # Three places a frame, with a peak where a unit is; one more at the end of them all.
        nodes += [
            helper.make_node("Cast", ["begins"], ["fired"], to=TensorProto.FLOAT),
            helper.make_node("Unsqueeze", ["fired", "last_axis"], ["column"]),
            helper.make_node("Mul", ["column", "first_of_three"], ["thirds"]),  # (1, T, 3)
            helper.make_node("Reshape", ["thirds", "flat"], ["us_alphas"]),
            helper.make_node("Concat", ["us_alphas", "last"], ["us_cif_peak"], axis=1),
        ]
        constants |= {
            "last_axis": np.array([2], np.int64),
            "first_of_three": np.array([1, 0, 0], np.float32),
            "flat": np.array([1, -1], np.int64),
            "last": np.ones((1, 1), np.float32),
        }
        outputs += [
            value("us_alphas", TensorProto.FLOAT, ["N", "P"]),
            value("us_cif_peak", TensorProto.FLOAT, ["N", "P1"]),
        ]
    inputs = [
        value("speech", TensorProto.FLOAT, ["N", "T", WINDOW * BINS]),
        value("speech_lengths", TensorProto.INT32, ["N"]),
    ]
    entries = {**FRAME_ENTRIES, "model_type": "paraformer", "vocab_size": size}
    save(folder / "model.onnx", nodes, inputs, outputs, constants, entries)
    return folder


def _quarter_nodes(source: str, result: str) -> list[Any]:
    """Every fourth frame, as a Zipformer's encoder gives."""
    return [helper.make_node("Slice", [source, "start", "end", "axis", "step"], [result])]


_QUARTER = {
    "start": np.array([0], np.int64),
    "end": np.array([1 << 40], np.int64),
    "axis": np.array([1], np.int64),
    "step": np.array([4], np.int64),
}
_LENGTHS = {"three": np.array(3, np.int64), "four": np.array(4, np.int64)}


def _length_nodes(source: str, result: str) -> list[Any]:
    return [
        helper.make_node("Add", [source, "three"], [f"{result}_more"]),
        helper.make_node("Div", [f"{result}_more", "four"], [result]),
    ]


def zipformer_ctc(folder: Path, units: Mapping[str, float]) -> Path:
    tokens = ["<blk>", "<sos/eos>", "<unk>", *units]
    folder.mkdir(parents=True, exist_ok=True)
    write_tokens(folder / "tokens.txt", tokens)
    size = len(tokens)
    nodes = [
        helper.make_node("MatMul", ["x", "weights"], ["levels"]),
        helper.make_node("Add", ["levels", "biases"], ["every"]),
        *_quarter_nodes("every", "log_probs"),
        *_length_nodes("x_lens", "log_probs_len"),
    ]
    constants = {
        "weights": unit_weights(units, tokens, 1),
        "biases": unit_biases(units, tokens, "<blk>", BLANK_LEVEL - _UNIT_SCALE),
        **_QUARTER,
        **_LENGTHS,
    }
    inputs = [value("x", TensorProto.FLOAT, ["N", "T", BINS]), value("x_lens", TensorProto.INT64, ["N"])]
    outputs = [
        value("log_probs", TensorProto.FLOAT, ["N", "T4", size]),
        value("log_probs_len", TensorProto.INT64, ["N"]),
    ]
    save(folder / "model.onnx", nodes, inputs, outputs, constants, {"model_type": "zipformer2_ctc"})
    return folder


def transducer(folder: Path, units: Mapping[str, float], model_type: str = "zipformer2", **entries: object) -> Path:
    """What was said last is not said again until another unit was: so a long tone is told once."""
    tokens = ["<blk>", "<sos/eos>", "<unk>", *units]
    folder.mkdir(parents=True, exist_ok=True)
    write_tokens(folder / "tokens.txt", tokens)
    size = len(tokens)
    nodes = [
        helper.make_node("MatMul", ["x", "weights"], ["levels"]),
        helper.make_node("Add", ["levels", "biases"], ["every"]),
        *_quarter_nodes("every", "encoder_out"),
        *_length_nodes("x_lens", "encoder_out_lens"),
    ]
    constants = {
        "weights": unit_weights(units, tokens, 1),
        # Higher than elsewhere: the clicks at the edges of a tone are in all bins.
        "biases": unit_biases(units, tokens, "<blk>", BLANK_LEVEL + 4 - _UNIT_SCALE),
        **_QUARTER,
        **_LENGTHS,
    }
    inputs = [value("x", TensorProto.FLOAT, ["N", "T", BINS]), value("x_lens", TensorProto.INT64, ["N"])]
    outputs = [
        value("encoder_out", TensorProto.FLOAT, ["N", "T4", size]),
        value("encoder_out_lens", TensorProto.INT64, ["N"]),
    ]
    said = {"model_type": model_type, **entries}
    save(folder / "encoder-epoch-1-avg-1.onnx", nodes, inputs, outputs, constants, said)
    penalties = np.zeros((size, size), np.float32)
    for token, frequency_hz in units.items():
        alike = [tokens.index(other) for other, other_hz in units.items() if other_hz == frequency_hz]
        penalties[tokens.index(token), alike] = _FAR
    nodes = [
        helper.make_node("Gather", ["penalties", "y"], ["rows"]),  # (N, 1, size)
        helper.make_node("Squeeze", ["rows", "axis"], ["decoder_out"]),
    ]
    save(
        folder / "decoder-epoch-1-avg-1.onnx",
        nodes,
        [value("y", TensorProto.INT64, ["N", 1])],
        [value("decoder_out", TensorProto.FLOAT, ["N", size])],
        {"penalties": penalties, "axis": np.array([1], np.int64)},
        {"vocab_size": size, "context_size": 1},
    )
    save(
        folder / "joiner-epoch-1-avg-1.onnx",
        [helper.make_node("Add", ["encoder_out", "decoder_out"], ["logit"])],
        [value("encoder_out", TensorProto.FLOAT, ["N", size]), value("decoder_out", TensorProto.FLOAT, ["N", size])],
        [value("logit", TensorProto.FLOAT, ["N", size])],
        {},
        {"joiner_dim": size},
    )
    return folder
