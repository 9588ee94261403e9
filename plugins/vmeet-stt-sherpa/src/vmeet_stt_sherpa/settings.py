"""What the owner of a server decides about this plugin, and what a meeting may."""

import re
from pathlib import Path
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import Field, StringConstraints, field_validator, model_validator

from vmeet_core.hookspecs import Options, Source, Weight

ARCHIVE_SUFFIXES = (".tar.bz2", ".tar.gz", ".tar.xz", ".tgz", ".tar")
Precision = Literal["int8", "float"]
Language = Annotated[str, StringConstraints(pattern=r"^[a-z]{2,3}$")]


class SherpaArchive(Options):
    """A model that somebody publishes, pinned."""

    url: str = Field(max_length=2000, title="Address", description="Of a .tar.bz2, .tar.gz, .tar.xz or .tar, http(s).")
    sha256: str = Field(
        pattern="^[0-9a-f]{64}$", title="SHA-256", description="Of the archive, in 64 hexadecimal digits."
    )
    size_bytes: int = Field(ge=1, le=1 << 35, title="Size", description="Of the archive, in bytes.")

    @field_validator("url")
    @classmethod
    def _names_an_archive(cls, url: str) -> str:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.netloc:
            raise ValueError("should begin with https:// or http://")
        name = parts.path.rpartition("/")[2]
        if not name.endswith(ARCHIVE_SUFFIXES) or not re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9._+-]*", name):
            raise ValueError(f"should end with the name of an archive ({', '.join(ARCHIVE_SUFFIXES)}), not {name!r}")
        return url

    def weight(self) -> Weight:
        """Its name begins with the SHA-256: of another publisher's archive, the file name may be the same."""
        name = urlsplit(self.url).path.rpartition("/")[2]
        licence = "as its publisher says"
        return Weight(f"{self.sha256[:12]}-{name}", self.sha256, self.size_bytes, licence, (Source(url=self.url),))


class SherpaSettings(Options):
    """What vmeet.toml may say under ``[plugins.transcribers.sherpa]``."""

    archive: SherpaArchive | None = Field(
        None,
        title="Archive",
        description="Instead of SenseVoice Small: another SenseVoice, Paraformer or Zipformer model for sherpa-onnx, as"
        " { url, sha256, size_bytes }; `vmeet weights fetch sherpa` brings it.",
    )
    folder: Path | None = Field(
        None,
        title="Folder",
        description="Instead: the folder of such a model on this machine (model.onnx, tokens.txt).",
    )
    precision: Precision = Field(
        "int8",
        title="Precision",
        description="What is read where a model comes in 8-bit and in float numbers: int8 is faster and smaller.",
    )
    languages: tuple[Language, ...] = Field(
        ("zh", "en"),
        min_length=1,
        max_length=20,
        title="Languages",
        description="What a Paraformer or Zipformer model was trained in; what it hears in others is nonsense, and"
        " refused. SenseVoice knows its own: zh, en, ja, ko, yue.",
    )
    threads: int = Field(
        2,
        ge=1,
        le=64,
        title="Threads",
        description="Processor threads of the network: as many as there are cores for it.",
    )

    @model_validator(mode="after")
    def _one_model(self) -> Self:
        if self.folder is not None and self.archive is not None:
            raise ValueError("give archive or folder, not both")
        return self


class SherpaOptions(Options):
    """What a meeting or a person may set."""

    written_form: bool = Field(
        True,
        title="Written form",
        description="SenseVoice: punctuation, and numbers in digits. Without it: words as they are spoken. Paraformer"
        " and Zipformer models write as they were trained.",
    )
    speech_only: bool = Field(
        True, title="Speech only", description="SenseVoice: leave out what it takes for music or applause."
    )
    hot_words_boost: float = Field(
        1.5,
        ge=0,
        le=5,
        title="Weight of names",
        description="Zipformer transducers: how much the names of the people in the meeting are preferred; 0: not.",
    )
