"""Every way in which an installed plugin can be broken costs that plugin alone, and the reason is told."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from vmeet_core.plugins import KINDS, UnknownProvider, discover

GOOD = """
from vmeet_core.hookspecs import API, FrameFilterProvider, Provider, hookimpl

class Quiet(Provider):
    api = API
    name = "{name}"
    title = "Quiet"
    licence = "MIT"
    def load(self, server_settings, host):
        raise AssertionError

@hookimpl
def register_denoisers():
    return [Quiet()]
"""
HEADER = GOOD.split("@hookimpl")[0].format(name="quiet")


def listing(run_vmeet: Any, packages: Path) -> dict[str, Any]:
    done = run_vmeet("plugins", "--json", packages=packages)
    assert done.stderr == ""
    found: dict[str, Any] = json.loads(done.stdout)
    assert done.returncode == (1 if found["problems"] else 0)
    return found


def names(found: dict[str, Any]) -> set[str]:
    return {provider["name"] for plugin in found["plugins"] for provider in plugin["providers"]}


def test_a_good_plugin_is_listed(run_vmeet, install_plugin, packages):
    install_plugin("vmeet-good", GOOD.format(name="quiet"))
    found = listing(run_vmeet, packages)
    plugin = next(plugin for plugin in found["plugins"] if plugin["name"] == "vmeet-good")
    assert (plugin["distribution"], plugin["version"]) == ("vmeet-good", "1.2.3")
    assert [(p["kind"], p["name"], p["licence"]) for p in plugin["providers"]] == [("denoisers", "quiet", "MIT")]
    assert found["problems"] == []


BROKEN = {
    "missing import": ("import no_such_runtime", ["ModuleNotFoundError", "no_such_runtime"], "reinstall"),
    "syntax": ("def f(:", ["SyntaxError"], "reinstall"),
    "exit at import": ("import sys; sys.exit(3)", ["SystemExit: 3"], "reinstall"),
    "misspelt hook": (
        HEADER + "@hookimpl\ndef register_denoiser(): return [Quiet()]",
        ['"register_denoiser"', "no hook"],
        'Did you mean "register_denoisers"?',
    ),
    "hook without mark": (
        HEADER + "def register_denoisers(): return [Quiet()]",
        ["without @hookimpl"],
        "Put @hookimpl",
    ),
    "no hook": ("x = 1", ["no hook"], "register_denoisers"),
    "signature": (
        HEADER + "@hookimpl\ndef register_denoisers(settings): return [Quiet()]",
        ["wrong signature", "register_denoisers", "settings"],
        "no arguments",
    ),
    "raises": (
        HEADER + "@hookimpl\ndef register_denoisers(): return 1 / 0",
        ["ZeroDivisionError"],
        "fault of the plugin",
    ),
    "raises late": (
        HEADER + "@hookimpl\ndef register_denoisers():\n    yield Quiet()\n    raise OSError('no')",
        ["register_denoisers raised OSError: no"],
        "fault of the plugin",
    ),
    "no list": (HEADER + "@hookimpl\ndef register_denoisers(): return Quiet()", ["not a list"], "[MyProvider()]"),
    "a class": (HEADER + "@hookimpl\ndef register_denoisers(): return [Quiet]", ["the class Quiet"], "Quiet()"),
    "no provider": (
        HEADER + "@hookimpl\ndef register_denoisers(): return ['x']",
        ["str 'x'", "no Denoiser"],
        "Denoiser",
    ),
    "wrong kind": (
        HEADER + "@hookimpl\ndef register_frame_filters(): return [Quiet()]",
        ["register_frame_filters", "no FrameFilterProvider"],
        "FrameFilterProvider",
    ),
    "other api": (
        HEADER + "Quiet.api = 99\n@hookimpl\ndef register_denoisers(): return [Quiet()]",
        ["'quiet'", "API 99", "API 1"],
        "Install the version",
    ),
    "no api": (
        HEADER + "del Quiet.api\n@hookimpl\ndef register_denoisers(): return [Quiet()]",
        ["'quiet'", "states no API number"],
        "Install the version",
    ),
    "bad name": (
        HEADER + "Quiet.name = 'Quiet One'\n@hookimpl\ndef register_denoisers(): return [Quiet()]",
        ["'Quiet One'", "lower-case"],
        "docs/hooks.md",
    ),
    "bad options": (
        HEADER + "Quiet.options = dict\n@hookimpl\ndef register_denoisers(): return [Quiet()]",
        ["options must be a subclass"],
        "docs/hooks.md",
    ),
    "bad weight": (
        HEADER
        + "from vmeet_core.hookspecs import Weight\nQuiet.weights = (Weight('../x', 'abc', 0, '', ()),)\n"
        + "@hookimpl\ndef register_denoisers(): return [Quiet()]",
        ["weights[0].name must be a plain file name"],
        "docs/hooks.md",
    ),
}


@pytest.mark.parametrize("fault", BROKEN)
def test_a_broken_plugin_loses_only_itself(fault, run_vmeet, install_plugin, packages):
    source, reasons, remedy = BROKEN[fault]
    install_plugin("vmeet-broken", source)
    install_plugin("vmeet-good", GOOD.format(name="good"))
    found = listing(run_vmeet, packages)
    assert {"good", "brightness"} <= names(found)
    assert "quiet" not in names(found)
    (problem,) = found["problems"]
    assert (problem["plugin"], problem["distribution"]) == ("vmeet-broken", "vmeet-broken")
    for reason in reasons:
        assert reason in problem["reason"]
    assert remedy in problem["remedy"]


def test_the_text_names_reason_and_remedy(run_vmeet, install_plugin, packages):
    install_plugin("vmeet-broken", "import no_such_runtime")
    done = run_vmeet("plugins", packages=packages)
    assert done.returncode == 1
    assert "Left out:\nvmeet-broken (vmeet-broken): cannot be imported" in done.stdout
    assert "Correct or reinstall vmeet-broken" in done.stdout
    assert "Traceback" not in done.stdout + done.stderr


@pytest.mark.parametrize("first", ["vmeet-a", "vmeet-z"])
def test_of_two_plugins_that_clash_the_first_by_distribution_stays(first, run_vmeet, install_plugin, packages):
    second = {"vmeet-a": "vmeet-z", "vmeet-z": "vmeet-a"}[first]
    for distribution in (first, second):
        install_plugin(distribution, GOOD.format(name="quiet"))
    found = listing(run_vmeet, packages)
    (problem,) = found["problems"]
    assert problem["plugin"] == "vmeet-z"
    for part in ('"quiet" of denoisers', "vmeet-a (vmeet-a 1.2.3)", "vmeet-z (vmeet-z 1.2.3)"):
        assert part in problem["reason"]
    assert "quiet" in names(found)


def test_a_clash_with_the_builtin_names_both(run_vmeet, install_plugin, packages):
    source = GOOD.replace("register_denoisers", "register_frame_filters").replace("(Provider)", "(FrameFilterProvider)")
    install_plugin("vmeet-light", source.format(name="brightness"))
    found = listing(run_vmeet, packages)
    (problem,) = found["problems"]
    assert "builtin (vmeet-core" in problem["reason"]
    assert "vmeet-light (vmeet-light" in problem["reason"]
    assert next(p for p in found["plugins"] if p["name"] == "builtin")["providers"][0]["name"] == "brightness"


def test_a_plugin_whose_entry_point_has_the_name_of_another_is_left_out(run_vmeet, install_plugin, packages):
    install_plugin("vmeet-light", GOOD.format(name="other"), entry_point="[vmeet]\nbuiltin = vmeet_light\n")
    found = listing(run_vmeet, packages)
    (problem,) = found["problems"]
    assert '"builtin" of plugins' in problem["reason"]


WEIGHT = """
from vmeet_core.hookspecs import Source, Weight
Quiet.weights = (Weight("model.onnx", "{digit}" * 64, 5, "MIT", (Source(url="https://example.org/model.onnx"),)),)
"""


def test_one_file_name_cannot_stand_for_two_models(run_vmeet, install_plugin, packages):
    for name, digit in (("one", "1"), ("two", "2")):
        install_plugin(f"vmeet-{name}", GOOD.format(name=name) + WEIGHT.format(digit=digit))
    found = listing(run_vmeet, packages)
    assert '"model.onnx" of weights' in found["problems"][0]["reason"]
    assert "two" not in names(found)


def test_two_providers_may_share_a_model(run_vmeet, install_plugin, packages):
    for name in ("one", "two"):
        install_plugin(f"vmeet-{name}", GOOD.format(name=name) + WEIGHT.format(digit="1"))
    found = listing(run_vmeet, packages)
    assert found["problems"] == []
    assert {"one", "two"} <= names(found)


def test_the_order_is_the_builtin_and_then_by_distribution(run_vmeet, install_plugin, packages):
    for name in ("zeta", "Beta", "alpha"):
        install_plugin(f"vmeet-{name}", GOOD.format(name=name.lower()))
    plugins = [plugin["name"] for plugin in listing(run_vmeet, packages)["plugins"]]
    ours = [name for name in plugins if name in ("builtin", "vmeet-alpha", "vmeet-Beta", "vmeet-zeta")]
    assert ours == ["builtin", "vmeet-alpha", "vmeet-Beta", "vmeet-zeta"]


def test_building_a_registry_imports_no_model_runtime():
    runtimes = ["torch", "tensorflow", "onnxruntime", "ctranslate2", "openvino"]
    code = f"import sys, vmeet_core.plugins as p; p.discover(); print([r for r in {runtimes} if r in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.stdout.strip() == "[]", done.stderr


def test_get_names_what_comes_close():
    registry = discover()
    assert registry.get("frame_filters", "brightness").title == "Brightness"
    with pytest.raises(UnknownProvider, match=r'offers "brightnes" among .* Did you mean "brightness"'):
        registry.get("frame_filters", "brightnes")
    assert set(registry.providers) == set(KINDS)
