"""The documents and the code say the same: hooks, providers, settings, and the tutorial as it stands."""

import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from pydantic import BaseModel

from vmeet_core import hookspecs
from vmeet_core.plugins import KINDS, NOT_RUN, discover, unfit
from vmeet_core.plugins.inspection import BASES
from vmeet_core.settings import IceServer, Pipeline, Preset, Recording, Server, Uploads, Video, Weights, load_settings
from vmeet_core.settings.models import Tables

ROOT = Path(__file__).parents[1]
HOOKS = (ROOT / "docs/hooks.md").read_text(encoding="utf-8")
SETTINGS = (ROOT / "docs/settings.md").read_text(encoding="utf-8")
TUTORIAL = (ROOT / "docs/write-a-plugin.md").read_text(encoding="utf-8")
SECTIONS = {
    "## `[server]`": Server,
    "### `ice_servers`": IceServer,
    "## `[weights]`": Weights,
    "## `[meetings.PRESET]`": Preset,
    "## `[pipeline]`": Pipeline,
    "## `[recording]`": Recording,
    "## `[uploads]`": Uploads,
    "## `[video]`": Video,
}


def rows(text: str) -> dict[str, str]:
    """The table rows of a text by the names in their first cell."""
    found = {}
    for line in text.splitlines():
        if line.startswith("| `"):
            for name in re.findall(r"`([^`]+)`", line.split("|")[1]):
                found[name] = line
    return found


def section(heading: str) -> str:
    """From a heading to the next one."""
    assert f"\n{heading}\n" in SETTINGS
    return re.split(r"\n#{2,3} ", SETTINGS.partition(f"\n{heading}\n")[2])[0]


def test_every_hook_is_documented():
    hooks = {name for name in vars(hookspecs.Hooks) if name.startswith("register_")}
    assert hooks == {f"register_{kind}" for kind in KINDS}
    assert hooks <= set(rows(HOOKS))


def test_every_provider_field_is_documented():
    for base in BASES.values():
        fields = {name for cls in base.__mro__ for name in getattr(cls, "__annotations__", {}) if name[0] != "_"}
        assert fields | {"load"} <= set(rows(HOOKS)), base


@pytest.mark.parametrize("cls", [hookspecs.Host, hookspecs.Source])
def test_every_field_of_host_and_source_is_documented(cls):
    assert set(cls.__annotations__) <= set(rows(HOOKS))


def test_every_public_type_of_the_contract_is_documented():
    types = {name for name, value in vars(hookspecs).items() if getattr(value, "__module__", "") == hookspecs.__name__}
    types |= {"Audio", "FrameFilter", "VideoEnhancer", "DenoiserProvider"}
    undocumented = {name for name in types - {"Hooks", "StreamT", "EngineT"} if f"`{name}" not in HOOKS}
    assert undocumented == set()


@pytest.mark.parametrize(("heading", "model"), SECTIONS.items())
def test_every_setting_is_documented_with_its_default_and_meaning(heading: str, model: type[BaseModel]):
    documented = rows(section(heading))
    assert list(documented) == list(model.model_fields)
    for name, field in model.model_fields.items():
        default = "needed" if field.is_required() else as_toml(field.default)
        assert documented[name] == f"| `{name}` | {default} | {field.description} |"


def as_toml(value: object) -> str:
    return "absent" if value is None else f"`{json.dumps(str(value) if isinstance(value, Path) else value)}`"


def test_every_table_and_kind_has_its_section():
    for table in Tables.model_fields:
        assert f"\n## `[{table}" in SETTINGS
    for kind in KINDS:
        assert f"`{kind}`" in section("## `[plugins.KIND.NAME]`")
    for script in Preset.model_fields["script"].annotation.__args__:  # type: ignore[union-attr]
        assert f"`{script}`" in SETTINGS


def test_what_this_version_does_not_run_is_said():
    paragraph = SETTINGS.partition("**This version")[2].partition("\n\n")[0]
    assert re.findall(r"`(\w+)`", paragraph) == list(NOT_RUN)


@pytest.mark.parametrize("text", [SETTINGS, TUTORIAL])
def test_examples_of_settings_are_sound(text, tmp_path):
    examples = [block for block in blocks(text, "toml") if "[meetings." in block or "[plugins." in block]
    assert examples
    for example in examples:
        (tmp_path / "vmeet.toml").write_text(example)
        load_settings(tmp_path / "vmeet.toml", {})


def test_the_example_file_is_sound():
    settings = load_settings(ROOT / "vmeet.example.toml", {})
    assert {"default", "plain"} <= set(settings.meetings)
    assert settings.meetings["plain"].chosen() == []
    registry = discover()
    if "dtln" not in registry.providers["denoisers"]:
        pytest.skip("the plugin vmeet-denoise-dtln is not installed")
    assert unfit(settings, registry) == []


def blocks(text: str, language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", text, re.DOTALL)


def test_the_tutorial_works_as_it_stands(run_vmeet, install_plugin, packages):
    project = tomllib.loads(blocks(TUTORIAL, "toml")[0])
    plugin, test = blocks(TUTORIAL, "python")[:2]
    points = "\n".join(f"{name} = {module}" for name, module in project["project"]["entry-points"]["vmeet"].items())
    install_plugin(project["project"]["name"], plugin, entry_point=f"[vmeet]\n{points}\n")
    listed = run_vmeet("plugins", packages=packages)
    assert "rumble (vmeet-rumble 1.2.3)\n  denoisers         rumble" in listed.stdout
    assert "vmeet-rumble" not in listed.stdout.partition("Left out:")[2]
    checked = run_vmeet("check", "rumble", packages=packages)
    assert checked.returncode == 0, checked.stdout + checked.stderr
    (packages / "test_rumble.py").write_text(test)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_rumble.py"]
    done = subprocess.run(command, cwd=packages, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout
    assert " passed" in done.stdout
