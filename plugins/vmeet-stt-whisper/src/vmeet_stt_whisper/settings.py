"""What the owner of a server decides about this plugin, and what a meeting may."""

import hashlib
import os
from contextlib import suppress
from pathlib import Path
from typing import Literal, Self

from pydantic import Field, model_validator

from vmeet_core.hookspecs import Options

_END_BYTES = 1 << 20
BASE = "base"  #: the model whose weights this plugin pins


class WhisperSettings(Options):
    """What vmeet.toml may say under ``[plugins.transcribers.whisper]``."""

    model: str = Field(
        BASE,
        min_length=1,
        max_length=200,
        title="Model",
        description="base: the one that `vmeet weights fetch whisper` brings; else a faster-whisper model of the"
        " Hugging Face hub, such as large-v3-turbo or OWNER/NAME, which is fetched from there when it is first needed.",
    )
    folder: Path | None = Field(
        None, title="Folder", description="Instead of model: the folder of a faster-whisper model on this machine."
    )
    revision: str | None = Field(
        None,
        max_length=100,
        title="Revision",
        description="The commit or tag of a model of the hub; the newest if unset.",
    )
    download_dir: Path | None = Field(
        None, title="Download folder", description="Where models of the hub are kept; the weights folder if unset."
    )
    threads: int = Field(
        2,
        ge=1,
        le=64,
        title="Threads",
        description="Processor threads of the network: as many as there are cores for it.",
    )
    compute_type: Literal["default", "int8", "int8_float16", "int8_float32", "float16", "bfloat16", "float32"] = Field(
        "default",
        title="Compute type",
        description="The numbers that the network computes with; default: int8 on a processor, float16 on a GPU.",
    )

    @model_validator(mode="after")
    def _one_model(self) -> Self:
        if self.folder is not None and self.model != BASE:
            raise ValueError("give model or folder, not both")
        if self.revision is not None and (self.folder is not None or self.model == BASE):
            raise ValueError("a revision is for models of the hub: name one as model, or leave the revision out")
        return self


def is_base(settings: WhisperSettings) -> bool:
    return settings.model == BASE and settings.folder is None


def identity(settings: WhisperSettings) -> list[str]:
    """What changes results, and is not told by the weights that this plugin pins; nothing by default."""
    told: list[str] = [] if settings.compute_type == "default" else [settings.compute_type]
    if settings.folder is not None:
        told.append(_fingerprint(settings.folder))
    elif not is_base(settings):
        told.append(f"{settings.model}@{settings.revision or 'newest'}")
    return told


def _fingerprint(folder: Path) -> str:
    """Of a model's files, wherever they lie: of the large one its size and its end are enough, and quickly read."""
    digest = hashlib.sha256()
    for name in ("config.json", "tokenizer.json", "model.bin"):
        with suppress(OSError), (folder / name).open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(0, size - _END_BYTES))
            digest.update(f"{name} {size} ".encode() + file.read())
    return digest.hexdigest()[:12]


class WhisperOptions(Options):
    """What a meeting may set."""

    beam_size: int = Field(
        5,
        ge=1,
        le=10,
        title="Thoroughness",
        description="How many readings of a phrase are followed at once: more are a little better and slower.",
    )
    names: bool = Field(
        True,
        title="Expect names",
        description="Spell the names of the people in the meeting as they are written there.",
    )
    text_before: bool = Field(
        False,
        title="Mind what was said before",
        description="Read a phrase as what follows the one before: at times better, but a mistake may repeat itself.",
    )
    word_times: bool = Field(
        True, title="Times of words", description="Keep when each word is said, not only each phrase."
    )
    guard: bool = Field(
        True,
        title="Nothing invented",
        description="Leave out what seems to be made up: where there is no voice, loops, credits of subtitles.",
    )
    expected: str = Field(
        "",
        max_length=100,
        pattern=r"^[A-Za-z, ]*$",
        title="Expected languages",
        description="Where the language is detected: only among these, such as zh, en, ja; empty: among all.",
    )
