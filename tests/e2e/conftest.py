"""One server and one Chromium for a test, with three people's pages."""

import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import browsers
import pytest
from network_emulator import Emulator
from network_probe import Person, arrive, seen_by_all

WEIGHTS = Path(__file__).parents[2] / "weights"


@pytest.fixture(scope="session")
def media(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Camera and microphone files."""
    if browsers.chromium_path() is None:
        if os.environ.get("CI"):
            pytest.fail("Chromium is not installed, and CI does without no test")
        pytest.skip("Chromium is not installed; on Debian: apt-get install chromium")
    return browsers.make_media(tmp_path_factory.mktemp("media"))


@pytest.fixture
def presets() -> str:
    """The [meetings] tables: with a denoiser where its weights are there."""
    has_weights = (WEIGHTS / "dtln_model_1.onnx").exists()
    return "[meetings.default]\n" + ('denoiser = "dtln"\n' if has_weights else "")


@pytest.fixture
async def server(tmp_path: Path, presets: str) -> AsyncIterator[browsers.Server]:
    running = browsers.Server(tmp_path, presets)
    await running.start()
    yield running
    running.stop()


@pytest.fixture
async def chromium(media: tuple[Path, Path]) -> AsyncIterator[Any]:
    async with browsers.browser(media) as chromium:
        yield chromium


@pytest.fixture
def emulator() -> Iterator[Emulator]:
    with Emulator() as emulator:
        yield emulator


@pytest.fixture
async def two_people(server: browsers.Server, chromium: Any, emulator: Emulator) -> list[Person]:
    """Anna and Ben, who see each other, each behind a line of their own that is perfect for now."""
    meeting = server.new_meeting()
    people = [await arrive(chromium, emulator, server, meeting, name) for name in ("Anna", "Ben")]
    await seen_by_all(people)
    return people
