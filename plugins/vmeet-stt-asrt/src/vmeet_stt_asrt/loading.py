"""From the settings to an engine that is ready."""

from pathlib import Path

from onnxruntime.capi.onnxruntime_pybind11_state import Fail, InvalidArgument, InvalidProtobuf, NoSuchFile

from vmeet_core.hookspecs import Host, Permanent
from vmeet_stt_asrt.decoder import Decoder
from vmeet_stt_asrt.engine import AsrtEngine
from vmeet_stt_asrt.files import HOW_TO_CONFIGURE, find
from vmeet_stt_asrt.graph import build_graph
from vmeet_stt_asrt.keras_file import read_weights
from vmeet_stt_asrt.network import Network
from vmeet_stt_asrt.settings import KERAS_SUFFIXES, AsrtSettings
from vmeet_stt_asrt.syllables import read_labels
from vmeet_stt_asrt.tables import Tables


def load_engine(settings: AsrtSettings, host: Host) -> AsrtEngine:
    """Raises Permanent where the settings name no model, or one that is absent or no ASRT model."""
    if settings.model is None:
        raise Permanent(HOW_TO_CONFIGURE)
    model = find(settings.model, host)
    packed = _converted(model, settings, host) if model.suffix.lower() in KERAS_SUFFIXES else model.read_bytes()
    try:
        network = Network(packed, settings.threads, host.device)
    except (Fail, InvalidArgument, InvalidProtobuf, NoSuchFile) as error:
        raise Permanent(f"the model {model} is no ONNX model that can be run: {error}") from None
    return AsrtEngine(network, Decoder(Tables.load()), settings.beam)


def _converted(model: Path, settings: AsrtSettings, host: Host) -> bytes:
    """The network of a Keras file as an ONNX model in memory: half a second, so no copy is kept."""
    weights = read_weights(model)
    if settings.labels is None:
        raise Permanent(
            f"the model {model} does not say which syllables its outputs are: set labels in "
            "[plugins.transcribers.asrt] to the dict.txt of the same ASRT release"
        )
    syllables = read_labels(find(settings.labels, host), weights.output.kernel.shape[1])
    packed: bytes = build_graph(weights, syllables).SerializeToString()
    return packed
