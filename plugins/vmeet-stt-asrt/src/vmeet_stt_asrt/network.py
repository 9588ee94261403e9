"""The acoustic network in ONNX Runtime: rows of a spectrogram in, log-probabilities of syllables out."""

from typing import Any

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from vmeet_core.hookspecs import Permanent
from vmeet_stt_asrt.features import BINS, MOST_ROWS, Rows
from vmeet_stt_asrt.graph import INPUT, ROWS_PER_STEP, SYLLABLES

STEP_S = ROWS_PER_STEP * 0.01
_LATE_STEPS = 2  # a syllable at the very end may be noticed a little late
#: Rows of nothing after the sound, as in training. A step sees at most 53 rows ahead, so more would change nothing.
MARGIN_ROWS = (8 + _LATE_STEPS) * ROWS_PER_STEP

LogProbabilities = NDArray[np.float32]


class Network:
    """Thread-safe: it keeps no state. ``syllables`` are its outputs but the last, which is the blank."""

    def __init__(self, model: bytes, threads: int, device: str = "cpu") -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        # Idle threads sleep: others of the machine want the core.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        wanted = ["CUDAExecutionProvider", "CPUExecutionProvider"] if device == "cuda" else ["CPUExecutionProvider"]
        # The runtime's usual package has no CUDA; this network is quick without it.
        usable = [name for name in wanted if name in onnxruntime.get_available_providers()]
        self._session: Any = onnxruntime.InferenceSession(model, options, usable)
        self.syllables = tuple(self._session.get_modelmeta().custom_metadata_map.get(SYLLABLES, "").split())
        outputs = self._session.get_outputs()[0].shape[-1]
        if len(self.syllables) != outputs - 1:
            raise Permanent(
                f"the model has {outputs} outputs, so {outputs - 1} syllables and the blank, but its metadata "
                f'"{SYLLABLES}" names {len(self.syllables)}: export it with this plugin\'s train/export.py'
            )

    def listen(self, rows: Rows) -> LogProbabilities:
        """(rows, 200), at most 1,600, to (steps, outputs), one step each 80 ms. Raises ValueError for more rows."""
        if len(rows) > MOST_ROWS:
            raise ValueError(f"asrt hears {MOST_ROWS} rows at once, not {len(rows)}")
        steps = -(-len(rows) // ROWS_PER_STEP)
        padded = np.zeros((1, 1, min(steps * ROWS_PER_STEP + MARGIN_ROWS, MOST_ROWS), BINS), np.float32)
        padded[0, 0, : len(rows)] = rows
        (found,) = self._session.run(None, {INPUT: padded})
        heard: LogProbabilities = found[0, : steps + _LATE_STEPS]
        return heard
