"""The direction of imports: each room may enter only the rooms below it, and the core no plugin or model runtime."""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parents[1]
CORE = ROOT / "vmeet_core"
RUNTIMES = {"torch", "tensorflow", "onnxruntime", "ctranslate2", "openvino", "keras", "detectron2"}

#: From the top down; a room may import those of the rows below it, and itself.
ROWS = (
    {"cli"},
    {"server"},
    {"sfu", "live", "recording", "pipeline", "evaluate"},
    {"search"},
    {"media", "meetings", "timeline", "readiness", "database"},
    {"protocol", "consent", "placement"},
    {"manifest"},
    {"plugins"},
    {"settings", "weights", "builtin", "effects", "child_process", "asked_process", "full_disk", "usage"},
    {"hookspecs"},
    {"color"},
)
ANYONE = {""}  #: vmeet_core itself, which holds the version alone
TESTING_MAY_ENTER = {"hookspecs", "color"}


class Import(NamedTuple):
    """``module`` is imported by ``file`` in ``line``."""

    file: Path
    line: int
    module: str


def imports(file: Path) -> Iterator[Import]:
    """Every import of a file, those inside functions too; ``from vmeet_core import x`` counts as vmeet_core.x."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (Import(file, node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file}:{node.lineno}: relative imports hide the room"
            assert node.module
            if node.module == "vmeet_core":
                names = [alias.name for alias in node.names]
                yield from (Import(file, node.lineno, f"vmeet_core.{n}" if exists(n) else "vmeet_core") for n in names)
            else:
                yield Import(file, node.lineno, node.module)


def exists(room: str) -> bool:
    return (CORE / room).is_dir() or (CORE / f"{room}.py").is_file()


def room_of(file: Path) -> str:
    parts = file.relative_to(CORE).with_suffix("").parts
    return "" if parts[0] == "__init__" else parts[0]


def row_of(room: str) -> int:
    (row,) = (i for i, rooms in enumerate(ROWS) if room in rooms)
    return row


def may_enter(room: str, other: str) -> bool:
    if other == room or other in ANYONE:
        return True
    if room == "testing":
        return other in TESTING_MAY_ENTER
    if other == "testing":
        return room == "cli"  # vmeet check
    return row_of(room) < row_of(other)


def core_files() -> list[Path]:
    return [file for file in CORE.rglob("*.py") if "web" not in file.relative_to(CORE).parts]


def plugin_packages() -> set[str]:
    return {path.name for path in (ROOT / "plugins").glob("*/src/*") if path.is_dir()}


@pytest.mark.parametrize("file", core_files(), ids=lambda file: str(file.relative_to(CORE)))
def test_rooms_enter_only_rooms_below(file):
    breaches = []
    for found in imports(file):
        name, _, rest = found.module.partition(".")
        if name == "vmeet_core" and not may_enter(room_of(file), rest.partition(".")[0]):
            breaches.append(f"{file.relative_to(ROOT)}:{found.line} imports {found.module}")
        if name in RUNTIMES | plugin_packages():
            breaches.append(f"{file.relative_to(ROOT)}:{found.line} imports {found.module}: leave that to plugins")
        if name == "cv2" and room_of(file) != "effects":
            breaches.append(f"{file.relative_to(ROOT)}:{found.line} imports cv2: only effects may")
    assert breaches == []


def test_every_room_has_its_row():
    rooms = {room_of(file) for file in core_files()} - {"", "testing"}
    assert [room for room in rooms if sum(room in row for row in ROWS) != 1] == []


def test_the_contract_needs_little():
    """Plugin authors pull in nothing but numpy, pluggy and pydantic with it."""
    for name in ("hookspecs", "color"):
        tops = {found.module.partition(".")[0] for found in imports(CORE / f"{name}.py")}
        assert tops - set(sys.stdlib_module_names) <= {"numpy", "pluggy", "pydantic", "vmeet_core"}


def test_plugins_enter_only_what_is_meant_for_them():
    allowed = {"hookspecs", "effects", "weights", "color"}
    for file in (ROOT / "plugins").glob("*/src/**/*.py"):
        for found in imports(file):
            name, _, rest = found.module.partition(".")
            assert name != "vmeet_core" or rest.partition(".")[0] in allowed, found


@pytest.mark.parametrize(
    ("room", "other", "good"),
    [
        ("cli", "server", True),
        ("server", "sfu", True),
        ("sfu", "recording", False),
        ("media", "plugins", True),
        ("plugins", "media", False),
        ("settings", "weights", False),
        ("hookspecs", "color", True),
        ("effects", "hookspecs", True),
        ("effects", "weights", False),
        ("effects", "media", False),
        ("testing", "hookspecs", True),
        ("testing", "media", False),
        ("server", "testing", False),
        ("cli", "testing", True),
        ("pipeline", "", True),
        ("pipeline", "search", True),
        ("search", "database", True),
        ("search", "server", False),
    ],
)
def test_the_rule_itself(room, other, good):
    assert may_enter(room, other) is good
