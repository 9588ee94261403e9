"""What a provider gets from the core, and how its engine is loaded."""

from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import pytest
from pydantic import Field

from vmeet_core.hookspecs import API, Denoiser, DenoiserStream, Options, Permanent, Provider, Weight
from vmeet_core.plugins import KINDS, Registry, load_provider, make_host
from vmeet_core.settings import SettingsError, load_settings


class ServerSettings(Options):
    table: Path = Field(Path("table.txt"), description="a file")
    threads: int = Field(1, ge=1, description="cores")


class Stream(DenoiserStream):
    def process(self, audio: Any) -> Any:
        return audio.copy()


class Echo(Denoiser):
    sample_rate_hz, block_samples, latency_samples = 16_000, 1, 0

    def __init__(self, settings: ServerSettings, host: Any) -> None:
        self.settings, self.host = settings, host

    def open(self, options: Any) -> DenoiserStream:
        return Stream()


class EchoProvider(Provider[Denoiser]):
    api, name, title, licence = API, "echo", "Echo", "MIT"
    server_settings = ServerSettings

    def load(self, server_settings: Any, host: Any) -> Denoiser:
        return Echo(server_settings, host)


class FarEcho(EchoProvider):
    name = "far-echo"
    leaves_host = True


@pytest.fixture
def registry() -> Registry:
    offers: Any = {kind: {} for kind in KINDS} | {"denoisers": {"echo": EchoProvider(), "far-echo": FarEcho()}}
    return Registry(MappingProxyType(offers), (), ())


def settings_of(folder: Path, toml: str = "") -> Any:
    file = folder / "vmeet.toml"
    file.write_text(toml)
    return load_settings(file, {})


def test_an_engine_gets_its_checked_settings(tmp_path, registry):
    settings = settings_of(tmp_path, '[plugins.denoisers.echo]\nthreads = 3\ntable = "sub/t.txt"')
    engine = load_provider(settings, registry, "denoisers", "echo", tmp_path / "temp")
    assert engine.settings.threads == 3
    assert engine.settings.table == tmp_path / "sub/t.txt"
    assert np.array_equal(engine.open(Options()).process(np.ones(4, np.float32)), np.ones(4))


def test_the_host_knows_the_machine(tmp_path):
    settings = settings_of(tmp_path, '[pipeline]\ndevice = "cuda"\n[weights]\ndir = "models"')
    counted = []
    host = make_host(settings, "denoisers.echo", tmp_path / "temp", lambda name, amount: counted.append((name, amount)))
    assert (host.device, host.weights_dir, host.temp_dir) == ("cuda", tmp_path / "models", tmp_path / "temp")
    assert host.logger.name == "vmeet.plugin.denoisers.echo"
    host.count("late", 2)
    assert counted == [("late", 2)]
    with pytest.raises(Permanent, match=r"weights fetch model\.onnx"):
        host.weight_path(Weight("model.onnx", "0" * 64, 1, "MIT", ()))
    with pytest.raises(ValueError, match="no picture 'studio'"):
        host.picture("studio")


def test_whoever_loads_it_gives_the_pictures(tmp_path, registry):
    picture = np.zeros((2, 2, 3), np.uint8)
    known = {"beach": picture}
    engine = load_provider(settings_of(tmp_path), registry, "denoisers", "echo", tmp_path, known.__getitem__)
    assert engine.host.picture("beach") is picture


def test_wrong_server_settings_are_told(tmp_path, registry):
    settings = settings_of(tmp_path, "[plugins.denoisers.echo]\nthreads = 0")
    with pytest.raises(SettingsError, match=r"vmeet.toml: plugins.denoisers.echo.threads: should be greater"):
        load_provider(settings, registry, "denoisers", "echo", tmp_path)


def test_an_unknown_name_is_permanent(tmp_path, registry):
    with pytest.raises(Permanent, match='Did you mean "echo"'):
        load_provider(settings_of(tmp_path), registry, "denoisers", "eco", tmp_path)


def test_what_leaves_the_host_needs_leave(tmp_path, registry):
    with pytest.raises(Permanent, match="another machine"):
        load_provider(settings_of(tmp_path), registry, "denoisers", "far-echo", tmp_path)
    allowed = settings_of(tmp_path, '[server]\nallow_leaving_host = ["far-echo"]')
    assert load_provider(allowed, registry, "denoisers", "far-echo", tmp_path).sample_rate_hz == 16_000
