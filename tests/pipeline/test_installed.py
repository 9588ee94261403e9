"""A worker has what the server has, or says what is different: its own settings may name another model."""

from pathlib import Path
from typing import Any

import pytest

from vmeet_core.hookspecs import Options, Permanent, Source, Weight
from vmeet_core.pipeline import installed
from vmeet_core.pipeline.installed import check_installed
from vmeet_core.pipeline.spec import PluginUse
from vmeet_core.plugins import Registry
from vmeet_core.settings import Settings, load_settings
from vmeet_core.testing import GateProvider

DIGESTS = {"small.onnx": "a" * 64, "large.onnx": "b" * 64}


class Naming(Options):
    model: str = "small"


class TwoModels(GateProvider):
    server_settings = Naming

    def weights_for(self, server_settings: Naming) -> tuple[Weight, ...]:
        name = f"{server_settings.model}.onnx"
        return (Weight(name, DIGESTS[name], 5, "MIT", (Source(url="https://example.org/"),)),)

    def version_for(self, server_settings: Naming) -> str:
        return f"{self.version}+{server_settings.model}"


@pytest.fixture
def worker(monkeypatch: pytest.MonkeyPatch) -> None:
    empty: dict[str, Any] = {"frame_filters": {}, "video_enhancers": {}, "transcribers": {}}
    registry = Registry({**empty, "denoisers": {"gate": TwoModels()}}, (), ())
    monkeypatch.setattr(installed, "discover", lambda: registry)


def use(model: str, name: str = "gate") -> PluginUse:
    weights = {f"{model}.onnx": DIGESTS[f"{model}.onnx"]}
    return PluginUse(kind="denoisers", name=name, version=f"1+{model}", weights=weights, options={})


def settings(folder: Path, toml: str = "") -> Settings:
    (folder / "vmeet.toml").write_text(toml)
    return load_settings(folder / "vmeet.toml", {})


@pytest.mark.usefixtures("worker")
def test_the_worker_s_own_settings_count(tmp_path: Path) -> None:
    check_installed(use("small"), settings(tmp_path))
    large = settings(tmp_path, '[plugins.denoisers.gate]\nmodel = "large"')
    check_installed(use("large"), large)
    with pytest.raises(Permanent, match=r'this worker has version 1\+large of "gate"'):
        check_installed(use("small"), large)
    with pytest.raises(Permanent, match='"gate" has other model files on this worker'):
        check_installed(use("small").model_copy(update={"version": "1+large"}), large)


@pytest.mark.usefixtures("worker")
def test_what_is_absent_or_wrongly_set_is_told(tmp_path: Path) -> None:
    with pytest.raises(Permanent, match=r"on this worker, .*absent"):
        check_installed(use("small", name="absent"), settings(tmp_path))
    with pytest.raises(Permanent, match=r"on this worker, .*plugins\.denoisers\.gate\.model"):
        check_installed(use("small"), settings(tmp_path, "[plugins.denoisers.gate]\nmodel = 5"))
