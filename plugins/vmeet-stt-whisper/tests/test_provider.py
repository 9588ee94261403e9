"""The provider against the contract, and what it says of itself."""

import subprocess
import sys
from collections.abc import Callable
from importlib.metadata import entry_points, version
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest
from pydantic import ValidationError
from vmeet_stt_whisper import WhisperOptions, WhisperProvider, WhisperSettings, register_transcribers

from vmeet_core.hookspecs import Audio, Permanent, Weight
from vmeet_core.media.audio import read_all
from vmeet_core.testing import Subject, TranscriberConformance, local_host, speech_like

WeightPath = Callable[[Weight], Path]
FOLDER = Path(__file__).parents[3] / "../shared/data/mandarin"
SPEECH, OTHER = FOLDER / "06.flac", FOLDER / "21.flac"


def spoken(sample_rate_hz: int, seconds: float, seed: int) -> Audio:
    """One real utterance and silence behind it; speech-like sound where the folder of them is absent."""
    if not SPEECH.is_file():
        return speech_like(sample_rate_hz, seconds, seed)
    audio = read_all(SPEECH if seed % 2 else OTHER, sample_rate_hz)[: round(seconds * sample_rate_hz)]
    return np.pad(audio, (0, round(seconds * sample_rate_hz) - len(audio)))


class TestWhisper(TranscriberConformance):
    weight_path: ClassVar[WeightPath]

    @pytest.fixture(autouse=True)
    def weights(self, weight_path: WeightPath) -> None:
        type(self).weight_path = staticmethod(weight_path)

    @classmethod
    def subject(cls) -> Subject:
        return Subject(WhisperProvider(), local_host(cls.weight_path), speech=spoken)


def test_the_entry_point_offers_one_transcriber() -> None:
    (point,) = entry_points(group="vmeet", name="whisper")
    (provider,) = point.load().register_transcribers()
    assert (provider.name, provider.version) == ("whisper", version("vmeet-stt-whisper"))
    assert {"zh", "en", "ja"} <= set(provider.languages)
    assert [each.leaves_host for each in register_transcribers()] == [False]


@pytest.mark.parametrize(
    "settings",
    [
        {"threads": 0},
        {"compute_type": "int4"},
        {"model": ""},
        {"model": "tiny", "folder": "here"},
        {"revision": "main"},
    ],
)
def test_wrong_settings_are_refused(settings: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        WhisperSettings.model_validate(settings)


@pytest.mark.parametrize("options", [{"beam_size": 0}, {"beam_size": 11}, {"expected": "zh;en"}])
def test_wrong_options_are_refused(options: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        WhisperOptions.model_validate(options)


def test_another_model_has_another_identity_and_needs_no_pinned_files(tmp_path: Path) -> None:
    provider, (one, two) = WhisperProvider(), (tmp_path / "one", tmp_path / "two")
    for folder, content in ((one, "1"), (two, "2")):
        folder.mkdir()
        (folder / "model.bin").write_text(content)
    settings = [WhisperSettings(), WhisperSettings(compute_type="float32"), WhisperSettings(model="tiny")]
    settings += [WhisperSettings(model="tiny", revision="v1"), WhisperSettings(folder=one), WhisperSettings(folder=two)]
    assert len({provider.version_for(each) for each in settings}) == len(settings)
    assert provider.version_for(settings[0]) == provider.version
    assert [len(provider.weights_for(each)) for each in settings] == [4, 4, 0, 0, 0, 0]


def test_an_absent_weight_is_named_before_the_runtime_is_touched() -> None:
    with pytest.raises(Permanent, match=r"whisper_base_model\.bin"):
        WhisperProvider().load(WhisperSettings(), local_host())


def test_a_folder_that_is_no_model_is_named(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(Permanent, match=r"has no model\.bin, tokenizer\.json"):
        WhisperProvider().load(WhisperSettings(folder=tmp_path), local_host())


def test_a_hub_model_that_is_none_is_refused_without_asking(tmp_path: Path) -> None:
    with pytest.raises(Permanent, match=r'"enormous".*large-v3'):
        WhisperProvider().load(WhisperSettings(model="enormous", download_dir=tmp_path), local_host())


LOAD = """
import sys
from pathlib import Path
from vmeet_stt_whisper import WhisperProvider, WhisperSettings
from vmeet_core.hookspecs import Retryable
from vmeet_core.testing import local_host
from vmeet_core.weights import WeightStore

asked = []
sys.addaudithook(lambda event, args: asked.append(args) if event in ("socket.connect", "socket.getaddrinfo") else None)
model, folder, weights = sys.argv[1:]
settings = WhisperSettings(model=model, download_dir=Path(folder), threads=1)
try:
    WhisperProvider().load(settings, local_host(WeightStore(Path(weights), offline=True).path))
except Retryable as error:
    print("retryable", error)
print("asked" if asked else "silent")
"""


def loaded(model: str, folder: Path) -> str:
    """What a process says that loads ``model`` where the hub is a port on which nobody listens."""
    weights = Path(__file__).parents[3] / "weights"
    command = [sys.executable, "-c", LOAD, model, str(folder), str(weights)]
    environ = {"HF_ENDPOINT": "http://127.0.0.1:9", "HF_HUB_DISABLE_TELEMETRY": "1", "PATH": "", "HOME": str(folder)}
    done = subprocess.run(command, capture_output=True, text=True, timeout=240, env=environ)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_base_model_asks_nobody(engine: object, tmp_path: Path) -> None:
    assert loaded("base", tmp_path).split() == ["silent"]


def test_a_hub_that_is_not_reached_is_tried_again(tmp_path: Path) -> None:
    said = loaded("someone/some-model", tmp_path)
    assert 'retryable the model "someone/some-model" could not be fetched' in said
    assert said.endswith("asked\n")
