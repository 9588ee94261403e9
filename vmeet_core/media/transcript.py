"""A transcript: who said what, and when; as JSON."""

from pathlib import Path

from pydantic import BaseModel, ConfigDict

from vmeet_core.settings import Script


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Word(_Model):
    """Spaces, where the language has them, belong to ``text``."""

    start_s: float
    end_s: float
    text: str


class Utterance(_Model):
    """What one person, by their id, said without a long pause; times from the beginning of the recording.

    ``language`` is BCP 47. ``words`` is empty where the engine tells no times of words.
    """

    person: str
    start_s: float
    end_s: float
    text: str
    language: str
    confidence: float | None = None
    words: tuple[Word, ...] = ()


class Transcript(_Model):
    """Utterances in order of their start; ``people``: names by ids; ``transcriber``: the provider's name."""

    people: dict[str, str]
    utterances: tuple[Utterance, ...]
    transcriber: str
    script: Script


def read_transcript(path: Path) -> Transcript:
    """Raises OSError and ValueError."""
    return Transcript.model_validate_json(path.read_bytes())


def write_transcript(path: Path, transcript: Transcript) -> None:
    path.write_text(transcript.model_dump_json(), encoding="utf-8")
