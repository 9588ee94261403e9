"""What the owner of a server decides about this plugin."""

from pathlib import Path
from typing import Literal, Self

from pydantic import Field, model_validator

from vmeet_core.hookspecs import Options


class PointRendSettings(Options):
    """What vmeet.toml may say under ``[plugins.frame_filters.pointrend]``."""

    backend: Literal["onnx", "detectron2"] = Field(
        "onnx",
        title="Backend",
        description="onnx: the network of this package; detectron2: upstream's, where you have built detectron2.",
    )
    threads: int = Field(
        1,
        ge=1,
        le=16,
        title="Threads",
        description="Processor threads of the onnx network; it is small, so more than one rarely helps.",
    )
    config: Path | None = Field(
        None, title="Configuration", description="detectron2: a YAML file of its PointRend project."
    )
    checkpoint: Path | None = Field(
        None, title="Checkpoint", description="detectron2: the weights that belong to the configuration (.pkl, .pth)."
    )
    least_score: float = Field(
        0.5,
        ge=0,
        le=1,
        title="Least score",
        description="detectron2: people that it is less sure of are taken for background.",
    )

    @model_validator(mode="after")
    def _detectron2_wants_files(self) -> Self:
        if self.backend == "detectron2" and (self.config is None or self.checkpoint is None):
            raise ValueError("the backend detectron2 wants both config and checkpoint, paths of files")
        return self
