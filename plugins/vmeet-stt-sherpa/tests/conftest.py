"""Engines of tiny models of each kind."""

import logging
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tiny_models import UNITS, paraformer, sense_voice, transducer, zipformer_ctc
from vmeet_stt_sherpa.engine import SherpaEngine
from vmeet_stt_sherpa.model import recognised
from vmeet_stt_sherpa.settings import SherpaSettings

KINDS: dict[str, Callable[..., Path]] = {
    "sense-voice": sense_voice,
    "paraformer": paraformer,
    "zipformer-ctc": zipformer_ctc,
    "zipformer-transducer": transducer,
}


@pytest.fixture(scope="session")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A model of each kind."""
    folder = tmp_path_factory.mktemp("models")
    return {kind: make(folder / kind, UNITS) for kind, make in KINDS.items()}


@pytest.fixture
def load() -> Iterator[Callable[..., SherpaEngine]]:
    """Loads the model in a folder; closes it at the end."""
    engines: list[SherpaEngine] = []

    def loaded(folder: Path, **settings: Any) -> SherpaEngine:
        engine = SherpaEngine(recognised(folder), SherpaSettings(**settings), logging.getLogger("test"))
        engines.append(engine)
        return engine

    yield loaded
    for engine in engines:
        engine.close()
