"""The model files, taken through the store as a server does, the engine, and real utterances."""

import csv
import os
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest
from vmeet_stt_whisper import WhisperProvider, WhisperSettings

from vmeet_core.hookspecs import Audio, Host, Transcriber, Weight
from vmeet_core.media.audio import read_all
from vmeet_core.testing import local_host
from vmeet_core.weights import WeightError, WeightStore

WeightPath = Callable[[Weight], Path]


class Utterance(NamedTuple):
    audio: Audio  #: at 16 kHz
    text: str


@pytest.fixture(scope="session")
def weight_path() -> WeightPath:
    """Gives the verified file of a weight, fetched if need be; skips where that is impossible, but never in CI."""
    store = WeightStore(Path(__file__).parents[3] / "weights", offline=False)

    def path(weight: Weight) -> Path:
        try:
            return store.fetch(weight)
        except WeightError as error:
            if os.environ.get("CI") == "true":
                raise
            pytest.skip(str(error))

    return path


@pytest.fixture(scope="session")
def host(weight_path: WeightPath) -> Host:
    return local_host(weight_path)


@pytest.fixture(scope="session")
def engine(host: Host) -> Transcriber:
    return WhisperProvider().load(WhisperSettings(), host)


@pytest.fixture(scope="session")
def utterances() -> dict[str, Utterance]:
    """Real Mandarin by file name."""
    folder = Path(__file__).parents[3] / "../shared/data/mandarin"
    if not folder.is_dir():
        pytest.skip("the folder shared/data/mandarin beside the checkout is absent")
    with (folder / "transcripts.tsv").open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file, delimiter="\t") if row["file"] in ("03.flac", "06.flac", "21.flac")]
    return {row["file"]: Utterance(read_all(folder / row["file"], 16_000), row["text"]) for row in rows}
