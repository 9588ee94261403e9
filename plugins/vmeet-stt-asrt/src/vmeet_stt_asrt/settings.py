"""What the owner of a server decides about this plugin."""

from typing import Self

from pydantic import Field, model_validator

from vmeet_core.hookspecs import Options

_SHA256 = r"^([0-9a-f]{64})?$"


class AsrtSettings(Options):
    """What vmeet.toml may say under ``[plugins.transcribers.asrt]``."""

    model: str = Field(
        "",
        title="Model",
        description="Path or URL of the acoustic model: a .h5 file of an ASRT release, or a .onnx file.",
    )
    sha256: str = Field(
        "",
        pattern=_SHA256,
        title="SHA-256 of the model",
        description="64 lower-case hexadecimal digits; needed for a URL, checked for a path where it is given.",
    )
    labels: str = Field(
        "",
        title="Labels",
        description="Path or URL of the dict.txt of the same ASRT release; needed for a .h5 file.",
    )
    labels_sha256: str = Field(
        "",
        pattern=_SHA256,
        title="SHA-256 of the labels",
        description="As for the model.",
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
    def _urls_are_pinned(self) -> Self:
        for name, digest in (("model", "sha256"), ("labels", "labels_sha256")):
            if is_url(getattr(self, name)) and not getattr(self, digest):
                raise ValueError(f"{name} is a URL, so {digest} must say what file it is")
        return self


def is_url(text: str) -> bool:
    """Whether ``text`` is to be downloaded rather than opened."""
    return text.startswith(("http://", "https://"))
