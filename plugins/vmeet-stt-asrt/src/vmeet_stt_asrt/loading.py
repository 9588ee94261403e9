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
from vmeet_stt_asrt.settings import AsrtSettings
from vmeet_stt_asrt.syllables import read_labels
from vmeet_stt_asrt.tables import Tables

KERAS_SUFFIXES = {".h5", ".hdf5"}


def load_engine(settings: AsrtSettings, host: Host) -> AsrtEngine:
    """Raises Permanent where the settings name no model, or one that cannot be had or is no ASRT model."""
    if not settings.model:
        raise Permanent(HOW_TO_CONFIGURE)
    model = find(settings.model, settings.sha256, host)
    packed = _converted(model, settings, host) if model.suffix.lower() in KERAS_SUFFIXES else model.read_bytes()
    try:
        network = Network(packed, settings.threads, host.device)
    except (Fail, InvalidArgument, InvalidProtobuf, NoSuchFile) as error:
        raise Permanent(f"the model {model} is no ONNX model that can be run: {error}") from None
    return AsrtEngine(network, Decoder(Tables.load()), settings.beam)


def _converted(model: Path, settings: AsrtSettings, host: Host) -> bytes:
    """The network of a Keras file as an ONNX model in memory: half a second, so no copy is kept."""
    weights = read_weights(model)
    if not settings.labels:
        raise Permanent(
            f"the model {model} does not say which syllables its outputs are: set labels (and labels_sha256) in "
            "[plugins.transcribers.asrt] to the dict.txt of the same ASRT release"
        )
    labels = find(settings.labels, settings.labels_sha256, host)
    syllables = read_labels(labels, weights.output.kernel.shape[1])
    packed: bytes = build_graph(weights, syllables).SerializeToString()
    return packed
