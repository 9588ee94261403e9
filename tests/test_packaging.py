"""What pip would install: the pages and the licence are in it, and nothing of the tests."""

import subprocess
import sys
import zipfile
from importlib.metadata import requires
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
RUNTIMES = ("torch", "tensorflow", "onnxruntime", "ctranslate2", "openvino")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run([sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)], cwd=ROOT, check=True)
    return next(folder.glob("vmeet_core-*.whl"))


def test_every_file_of_the_client_is_in_the_wheel(wheel: Path) -> None:
    packed = set(zipfile.ZipFile(wheel).namelist())
    files = [path for path in (ROOT / "web").rglob("*") if path.is_file()]
    assert len(files) > 20
    assert {f"vmeet_core/web/{path.relative_to(ROOT / 'web').as_posix()}" for path in files} <= packed
    assert any(name.endswith("licenses/LICENSE") for name in packed)
    assert not [name for name in packed if name.startswith("tests")]


def test_the_migrations_are_in_the_wheel(wheel: Path) -> None:
    packed = set(zipfile.ZipFile(wheel).namelist())
    migrations = ROOT / "vmeet_core/database/migrations"
    files = [path.relative_to(ROOT).as_posix() for path in migrations.rglob("*") if path.suffix in (".py", ".mako")]
    assert len(files) > 3
    assert set(files) <= packed


@pytest.mark.parametrize(
    "folder", sorted((ROOT / "plugins").glob("*/pyproject.toml")), ids=lambda path: path.parent.name
)
def test_the_wheel_of_a_plugin_carries_its_code_and_its_weights(folder: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    subprocess.run(command, cwd=folder.parent, check=True)
    (built,) = tmp_path.glob("*.whl")
    packed = set(zipfile.ZipFile(built).namelist())
    source = folder.parent / "src"
    files = [path for path in source.rglob("*") if path.is_file() and path.suffix != ".pyc"]
    assert {path.relative_to(source).as_posix() for path in files} <= packed
    assert any(each.endswith(".dist-info/entry_points.txt") for each in packed)
    assert not [each for each in packed if each.startswith(("tests", "train"))]


def test_the_core_needs_no_model_runtime() -> None:
    needed = [line for line in requires("vmeet-core") or [] if "extra ==" not in line]
    assert needed
    assert not [line for line in needed if line.lower().startswith(RUNTIMES)]


def test_constraints_name_versions_and_no_addresses() -> None:
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    assert all("==" in line and "/" not in line and "@" not in line for line in lines)
