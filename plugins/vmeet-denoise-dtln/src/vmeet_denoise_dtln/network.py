"""One recurrent network in ONNX Runtime: weights shared by all streams, the LSTM state passed in and out."""

from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
from numpy.typing import NDArray

Rows = NDArray[np.float32]


class Network:
    """Maps rows of ``width`` values, one a time step. Thread-safe: it keeps no state."""

    def __init__(self, path: Path, threads: int) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        # Idle threads sleep: others of the machine want the core.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        # In silence the states decay into denormal numbers, which are slow.
        options.add_session_config_entry("session.set_denormal_as_zero", "1")
        self._session: Any = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
        row, state = self._session.get_inputs()
        self._names = row.name, state.name
        self._state_shape = tuple(state.shape)

    def initial_state(self) -> Rows:
        """Zeros, of the shape the network wants."""
        return np.zeros(self._state_shape, np.float32)

    def run(self, rows: Rows, state: Rows) -> tuple[Rows, Rows]:
        """Steps through ``rows`` (n, width), float32; gives as many and the state after the last."""
        out = np.empty_like(rows)
        row_name, state_name = self._names
        for index, row in enumerate(rows):
            out[index], state = self._session.run(None, {row_name: row[None, None], state_name: state})
        return out, state
