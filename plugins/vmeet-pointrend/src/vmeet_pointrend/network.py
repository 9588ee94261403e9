"""Our own network in ONNX Runtime: a coarse mask, and the same with its uncertain points predicted again."""

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import onnxruntime

from vmeet_core.effects.seam import Mask
from vmeet_core.hookspecs import Frame
from vmeet_pointrend.doubt import settled
from vmeet_pointrend.picture import rgb_at, shape_for


class Masks(NamedTuple):
    """How sure it is that there is a person, 0 to 1, float32 (any h, any w), of the whole picture."""

    coarse: Mask  #: what the refinement starts from; only measurements want it
    refined: Mask


class Network:
    """Shared by all streams. Thread-safe: it keeps no state."""

    def __init__(self, path: Path, threads: int) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        # Idle threads sleep: others of the machine want the core.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        # The arena stays on: with the few shapes that there are it soon grows no more, and it saves 3 % of the time.
        self._session: Any = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])

    def mask(self, frame: Frame) -> Mask:
        """(h, w) float32, 0 is background and 1 is person; a new array of the size of the input shape."""
        (refined,) = self._run(["mask"], frame)
        return settled(refined)

    def masks(self, frame: Frame) -> Masks:
        """Both, for measurements."""
        coarse, refined = self._run(["coarse", "mask"], frame)
        return Masks(coarse, settled(refined))

    def _run(self, outputs: list[str], frame: Frame) -> list[Mask]:
        image = rgb_at(frame, shape_for(frame.y.shape))
        found = self._session.run(outputs, {"image": image[np.newaxis]})
        return [mask[0, 0] for mask in found]
