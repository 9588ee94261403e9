"""What the owner of a server decides about this plugin."""

import re
from pathlib import Path, PurePosixPath
from typing import Self
from urllib.parse import urlsplit

from pydantic import Field, field_validator, model_validator

from vmeet_core.hookspecs import Options, Source, Weight

KERAS_SUFFIXES = (".h5", ".hdf5")
MODEL_SUFFIXES = (*KERAS_SUFFIXES, ".onnx")


class AsrtFile(Options):
    """A file that somebody publishes, pinned."""

    url: str = Field(max_length=2000, title="Address", description="http(s), with the name of the file at its end.")
    sha256: str = Field(pattern="^[0-9a-f]{64}$", title="SHA-256", description="In 64 hexadecimal digits.")
    size_bytes: int = Field(ge=1, le=1 << 30, title="Size", description="In bytes.")

    @field_validator("url")
    @classmethod
    def _names_a_file(cls, url: str) -> str:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.netloc:
            raise ValueError("should begin with https:// or http://")
        if not re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9._+-]*", PurePosixPath(parts.path).name):
            raise ValueError("should end with the name of a file")
        return url

    @property
    def name(self) -> str:
        """The file's own name."""
        return PurePosixPath(urlsplit(self.url).path).name

    def weight(self) -> Weight:
        """Its name begins with the SHA-256: of another release, the file name may be the same."""
        name = f"{self.sha256[:12]}-{self.name}"
        return Weight(name, self.sha256, self.size_bytes, "as its publisher says", (Source(url=self.url),))


class AsrtSettings(Options):
    """What vmeet.toml may say under ``[plugins.transcribers.asrt]``."""

    model: Path | AsrtFile | None = Field(
        None,
        title="Model",
        description="The acoustic model: a .h5 file of an ASRT release, or a .onnx file of our own training. A path, or"
        " { url, sha256, size_bytes }, which `vmeet weights fetch asrt` brings.",
    )
    labels: Path | AsrtFile | None = Field(
        None,
        title="Labels",
        description="For a .h5 file: the dict.txt of the same ASRT release, as a path or { url, sha256, size_bytes }.",
    )
    threads: int = Field(1, ge=1, le=16, title="Threads", description="Processor threads of the acoustic model.")
    beam: int = Field(
        8,
        ge=1,
        le=50,
        title="Beam",
        description="Readings of a part that are kept and compared: 1 takes the likeliest syllable at each moment.",
    )

    @model_validator(mode="after")
    def _model_is_of_a_known_kind(self) -> Self:
        if self.model is not None and not self.model.name.lower().endswith(MODEL_SUFFIXES):
            raise ValueError(f"model should be a file {', '.join(MODEL_SUFFIXES)}, not {self.model.name}")
        return self

    def files(self) -> tuple[Path | AsrtFile, ...]:
        """The model and the labels, as far as they are named."""
        return tuple(file for file in (self.model, self.labels) if file is not None)
