"""Which model lies in a folder: told by its files and by what they say of themselves."""

from pathlib import Path
from typing import Literal, NamedTuple

from vmeet_core.hookspecs import Permanent
from vmeet_stt_sherpa.onnx_metadata import NotOnnx, read_metadata
from vmeet_stt_sherpa.settings import Precision
from vmeet_stt_sherpa.tokens import read_tokens

Kind = Literal["sense-voice", "paraformer", "zipformer-ctc", "zipformer-transducer"]
TOKENS, BPE_VOCABULARY = "tokens.txt", "bpe.vocab"
_TRANSDUCER = ("encoder", "decoder", "joiner")
_TRANSDUCER_TYPES = ("zipformer", "zipformer2", "conformer")
_CTC_TYPES = ("zipformer2_ctc", "zipformer_ctc")
_STREAMING = ("decode_chunk_len", "left_context_len")
_FRAME = ("vocab_size", "lfr_window_size", "lfr_window_shift", "neg_mean", "inv_stddev")
_LANGUAGES = ("lang_auto", "lang_zh", "lang_en", "lang_ja", "lang_ko", "lang_yue")
#: What sherpa-onnx reads: it ends the process where one of them is absent.
_NEEDED: dict[Kind, tuple[str, ...]] = {
    "sense-voice": (*_FRAME, "normalize_samples", "with_itn", "without_itn", *_LANGUAGES),
    "paraformer": _FRAME,
    "zipformer-ctc": (),
    "zipformer-transducer": ("vocab_size", "context_size"),
}
_SYMBOLS: dict[Kind, tuple[str, ...]] = {  # of which tokens.txt must have one
    "sense-voice": (),
    "paraformer": ("</s>",),
    "zipformer-ctc": ("<blk>", "<eps>", "<blank>"),
    "zipformer-transducer": (),
}
_MEL_BINS = 80
_TAKES = (
    "It takes, in the form for sherpa-onnx: SenseVoice, Paraformer or Zipformer CTC (model.onnx), or a Zipformer"
    " transducer that does not stream (encoder, decoder and joiner), with tokens.txt"
)

Metadata = dict[str, str]


class Model(NamedTuple):
    """``networks``: one, or encoder, decoder and joiner; ``tokens``: the numbers of the units of text."""

    kind: Kind
    networks: tuple[Path, ...]
    tokens_file: Path
    tokens: dict[str, int]
    bpe_vocabulary: Path | None


def recognised(folder: Path, precision: Precision = "int8") -> Model:
    """The model in ``folder``. Raises Permanent saying what is missing or not known, and what is."""
    networks = _networks(folder, precision)
    entries = [_metadata(path) for path in networks]
    kind = _kind(entries, networks)
    _check_entries(kind, entries, networks)
    tokens_file, vocabulary = folder / TOKENS, folder / BPE_VOCABULARY
    if not tokens_file.is_file():
        raise Permanent(f"{folder} has no {TOKENS}. {_TAKES}")
    tokens = read_tokens(tokens_file)
    _check_tokens(kind, tokens, entries, tokens_file)
    return Model(kind, networks, tokens_file, tokens, vocabulary if vocabulary.is_file() else None)


def _networks(folder: Path, precision: Precision) -> tuple[Path, ...]:
    parts = [_chosen(folder, f"{name}*.onnx", precision) for name in _TRANSDUCER]
    if all(parts):
        return tuple(part for part in parts if part)
    one = _chosen(folder, "model*.onnx", precision) or _chosen(folder, "*.onnx", precision)
    if one is None:
        raise Permanent(f"{folder} has no model (*.onnx). {_TAKES}")
    return (one,)


def _chosen(folder: Path, pattern: str, precision: Precision) -> Path | None:
    """The one file of the pattern, of this precision where there are both."""
    found = sorted(folder.glob(pattern))
    wanted = [path for path in found if (".int8." in path.name) == (precision == "int8")] or found
    if len(wanted) > 1:
        names = ", ".join(path.name for path in wanted)
        raise Permanent(f"{folder} has several models: {names}. Leave one of them, or one of each part. {_TAKES}")
    return wanted[0] if wanted else None


def _metadata(path: Path) -> Metadata:
    try:
        return read_metadata(path)
    except (NotOnnx, OSError) as error:
        raise Permanent(f"{path} cannot be read as a model: {error}") from None


def _kind(entries: list[Metadata], networks: tuple[Path, ...]) -> Kind:
    said = entries[0].get("model_type", "")
    if len(networks) == len(_TRANSDUCER):
        if any(key in entries[0] for key in _STREAMING):
            raise Permanent(f"{networks[0]} is a model that streams: take the one of the same name that does not")
        if said in _TRANSDUCER_TYPES:
            return "zipformer-transducer"
    elif said.startswith("sense_voice") or {"with_itn", "lang_zh"} <= entries[0].keys():
        return "sense-voice"
    elif said == "paraformer":
        return "paraformer"
    elif said in _CTC_TYPES:
        return "zipformer-ctc"
    names = f'"{said}"' if said else "nothing"
    raise Permanent(f"{networks[0]} says of its kind {names}, which this plugin does not know. {_TAKES}")


def _check_entries(kind: Kind, entries: list[Metadata], networks: tuple[Path, ...]) -> None:
    """A transducer's decoder says what is needed; of the others there is one file."""
    number = _TRANSDUCER.index("decoder") if kind == "zipformer-transducer" else 0
    said, path = entries[number], networks[number]
    missing = [key for key in _NEEDED[kind] if not said.get(key)]
    if missing:
        raise Permanent(f"{path} does not say its {', '.join(missing)}: it was not exported for sherpa-onnx. {_TAKES}")
    numbers = [key for key in _NEEDED[kind] if key not in ("neg_mean", "inv_stddev")]
    wrong = [key for key in numbers if not (said[key].isascii() and said[key].isdecimal())]
    if "lfr_window_size" in _NEEDED[kind] and not wrong:
        wide = _MEL_BINS * int(said["lfr_window_size"])
        wrong = [key for key in ("neg_mean", "inv_stddev") if len(said[key].split(",")) != wide]
    if wrong:
        raise Permanent(f"{path} says of its {', '.join(wrong)} what sherpa-onnx cannot use. {_TAKES}")


def _check_tokens(kind: Kind, tokens: dict[str, int], entries: list[Metadata], path: Path) -> None:
    symbols = _SYMBOLS[kind]
    if symbols and not tokens.keys() & set(symbols):
        raise Permanent(f"{path} has no {' or '.join(symbols)}: it belongs to another model")
    size = max((int(said["vocab_size"]) for said in entries if said.get("vocab_size", "").isdecimal()), default=0)
    if max(tokens.values()) + 1 < size:
        raise Permanent(f"{path} has {len(tokens)} of the {size} units of the model: it belongs to another one")
