"""Each check of a provider passes a good one and fails a bad one, for the right reason."""

import sys
from pathlib import Path
from typing import Any, Literal

import pytest
from pydantic import ConfigDict, Field

from vmeet_core.hookspecs import Options, Source, Weight
from vmeet_core.testing import PROVIDER_CHECKS, Check, GateProvider, Subject, local_host, run_check

CHECKS = {check.name: check for check in PROVIDER_CHECKS}
GOOD_WEIGHT = Weight("a.onnx", "0" * 64, 10, "MIT", (Source(url="https://models.example/a.onnx"),))


def outcome(check: str, /, module: str = "", **attributes: Any) -> tuple[str, str]:
    provider = type("Provider", (GateProvider,), attributes)()
    result = run_check(Subject(provider, local_host(), module=module), CHECKS[check])
    return result.state, result.message


class Rich(Options):
    """Every type of field, each with its bounds."""

    model: Literal["small", "large"] = Field("small", title="Model", description="Which one.")
    words: tuple[Literal["a", "b"], ...] = Field((), max_length=10, title="Words", description="Expected.")
    share: float | None = Field(None, ge=0, le=1, title="Share", description="How much.")
    on: bool = Field(True, title="On", description="Whether.")


def field(kind: Any, default: Any, **facts: Any) -> type[Options]:
    return type("Mine", (Options,), {"__annotations__": {"x": kind}, "x": Field(default, **facts)})


SPOKEN = {"title": "X", "description": "What it does."}


@pytest.mark.parametrize("check", PROVIDER_CHECKS, ids=lambda check: check.name)
def test_a_good_provider_passes(check: Check) -> None:
    assert run_check(Subject(GateProvider(), local_host()), check).state == "passed"


@pytest.mark.parametrize(
    ("attributes", "message"),
    [
        ({"api": 2}, "api is 2, this VMeet has 1"),
        ({"name": "My Gate"}, "the name 'My Gate' is not usable"),
        ({"title": " "}, "title is empty"),
        ({"licence": ""}, "licence is empty"),
        ({"leaves_host": "no"}, "leaves_host is 'no'"),
    ],
)
def test_identity_fails(attributes: dict[str, Any], message: str) -> None:
    state, text = outcome("identity", **attributes)
    assert state == "failed"
    assert message in text


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        ((GOOD_WEIGHT._replace(sha256="abc"),), "no SHA-256"),
        ((GOOD_WEIGHT._replace(size_bytes=0),), "no size"),
        ((GOOD_WEIGHT._replace(licence=""),), "no licence"),
        ((GOOD_WEIGHT._replace(sources=()),), "no source"),
        ((GOOD_WEIGHT._replace(sources=(Source(url="u", package_data=("p", "f")),)),), "not exactly one"),
        ((GOOD_WEIGHT, GOOD_WEIGHT), "the same name"),
    ],
)
def test_weights_fail(weights: tuple[Weight, ...], message: str) -> None:
    state, text = outcome("weights", weights=weights)
    assert state == "failed"
    assert message in text


def test_good_weights_are_summed_up() -> None:
    assert outcome("weights", weights=(GOOD_WEIGHT._replace(size_bytes=2_000_000),)) == ("passed", "1 files, 2.0 MB")


@pytest.mark.parametrize(
    ("role", "model", "message"),
    [
        ("options", dict, "options is <class 'dict'>"),
        ("options", field(int, 1, ge=0, le=2, description="D"), "Mine.x has no title"),
        ("options", field(int, 1, ge=0, le=2, title="T"), "Mine.x has no description"),
        ("options", field(int, 1, ge=0, **SPOKEN), "Mine.x has no bounds"),
        ("options", field(str, "", **SPOKEN), "Mine.x has no bounds"),
        ("options", field(list[int], [], max_length=3, **SPOKEN), "Mine.x has no bounds"),
        ("options", field(float | None, None, **SPOKEN), "Mine.x has no bounds"),
        ("options", field(bool, ..., **SPOKEN), "some options have no default"),
        ("server_settings", field(float, 1.0, **SPOKEN), "Mine.x has no bounds"),
    ],
)
def test_options_fail(role: str, model: Any, message: str) -> None:
    state, text = outcome("options", **{role: model})
    assert state == "failed"
    assert message in text


def test_options_of_every_type_pass_and_paths_of_the_server_need_no_bounds() -> None:
    assert outcome("options", options=Rich, server_settings=field(Path, Path(), **SPOKEN))[0] == "passed"


class Loose(Options):
    model_config = ConfigDict(extra="ignore")


class Forgetful(Options):
    x: float = Field(float("inf"), title="X", description="Infinity is no JSON.")


@pytest.mark.parametrize("options", [Loose, Forgetful])
def test_schema_fails(options: type[Options]) -> None:
    assert outcome("schema", options=options)[0] == "failed"


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("import torch", "importing plugin_under_test loads torch"),
        ("def register_denoisers():\n    import torch\n    return []", "importing plugin_under_test loads torch"),
        ("raise ImportError('gone')", "cannot be imported in a new process: ImportError: gone"),
    ],
)
def test_a_runtime_at_import_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, source: str, message: str) -> None:
    (tmp_path / "torch.py").touch()
    (tmp_path / "plugin_under_test.py").write_text(source)
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    state, text = outcome("cheap", module="plugin_under_test")
    assert state == "failed"
    assert message in text
