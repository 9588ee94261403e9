"""``vmeet compare`` as a user runs it, on generated pairs and with a plugin installed for the test."""

import importlib.util
import json
import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from vmeet_core.media.audio import AudioWriter
from vmeet_core.testing import noise, speech_like

PLUGIN = """
from vmeet_core.hookspecs import hookimpl
from vmeet_core.testing import GateProvider

class Far(GateProvider):
    name, leaves_host = "far", True

@hookimpl
def register_denoisers():
    return [GateProvider(), Far()]
"""


@pytest.fixture
def pairs(tmp_path: Path) -> Path:
    absent = [name for name in ("pesq", "pystoi") if importlib.util.find_spec(name) is None]
    if absent and os.environ.get("CI") != "true":
        pytest.skip(f"not installed: {', '.join(absent)}")
    speech = speech_like(16_000, 3.0)
    for kind, audio in (("clean", speech), ("noisy", speech + noise(16_000, 3.0, level=0.01))):
        with AudioWriter(tmp_path / f"a.{kind}.flac", 16_000) as writer:
            writer.write(audio.astype(np.float32))
    return tmp_path


def test_table_json_report_and_progress(run_vmeet, install_plugin, packages, pairs):
    install_plugin("vmeet-gate", PLUGIN)
    targets = ["--json", "out.json", "--report", "out.html"]
    done = run_vmeet("compare", "denoisers", "--data", pairs, "--plugin", "gate", *targets, packages=packages)
    assert done.returncode == 0, done.stderr
    means = json.loads((pairs / "out.json").read_text())
    assert list(means) == ["noisy", "gate"]
    assert means["gate"].keys() == {"si_sdr_db", "pesq", "stoi", "rtf", "n"}
    assert means["noisy"].keys() == {"si_sdr_db", "pesq", "stoi", "n"}
    assert f"{means['gate']['si_sdr_db']:.2f}" in done.stdout
    assert f"{means['gate']['si_sdr_db']:.2f}" in (pairs / "out.html").read_text()
    assert "gate: 1 of 1" in done.stderr


def test_what_may_not_leave_the_machine_is_refused_by_name(run_vmeet, install_plugin, packages, pairs):
    install_plugin("vmeet-gate", PLUGIN)
    done = run_vmeet("compare", "denoisers", "--data", pairs, "--plugin", "far", packages=packages)
    assert done.returncode == 1
    assert '"far" sends media to another machine' in done.stderr


def test_an_unknown_plugin_is_named(run_vmeet, pairs):
    done = run_vmeet("compare", "denoisers", "--data", pairs, "--plugin", "nobody")
    assert done.returncode == 1
    assert 'no installed plugin offers "nobody"' in done.stderr


def test_a_folder_without_pairs_is_named(run_vmeet, tmp_path):
    done = run_vmeet("compare", "denoisers", "--data", tmp_path / "absent")
    assert done.returncode == 1
    assert "absent is no folder" in done.stderr or "pip install" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_target_that_cannot_be_written_is_told_before_the_work(run_vmeet, tmp_path):
    done = run_vmeet("compare", "denoisers", "--data", tmp_path, "--json", "no/such/folder.json")
    assert done.returncode == 1
    assert "the folder no/such does not exist" in done.stderr


def test_an_unknown_kind_is_a_wrong_command_line(run_vmeet):
    done = run_vmeet("compare", "nonsense", "--data", ".")
    assert done.returncode == 2
    assert "denoisers" in done.stderr


FILTERS = """
from vmeet_core.hookspecs import hookimpl
from vmeet_core.testing import ChromaKeyProvider
from vmeet_core.testing.fakes import ChromaKeyEngine, ChromaKeyStream

class Crashing(ChromaKeyStream):
    def process(self, frame, pts_s):
        raise OSError("no luck")

class CrashingEngine(ChromaKeyEngine):
    def open(self, options):
        return Crashing(options)

class Crashes(ChromaKeyProvider):
    name = "crashes"
    def load(self, server_settings, host):
        return CrashingEngine()

@hookimpl
def register_frame_filters():
    return [Crashes(), ChromaKeyProvider()]
"""


@pytest.fixture
def green_screen(tmp_path: Path) -> Path:
    folder = tmp_path / "portraits"
    folder.mkdir()
    person = np.zeros((96, 128), bool)
    person[30:, 40:90] = True
    photo = np.where(person[..., None], [200, 150, 130], [0, 177, 64]).astype(np.uint8)
    Image.fromarray(photo).save(folder / "a.jpg", quality=95)
    Image.fromarray(person.astype(np.uint8)).save(folder / "a.png")
    return folder


def test_frame_filters_are_measured_and_one_that_crashes_leaves_the_others(
    run_vmeet, install_plugin, packages, green_screen
):
    install_plugin("vmeet-screen", FILTERS)
    targets = ["--json", "out.json", "--report", "out.html"]
    done = run_vmeet("compare", "frame-filters", "--data", green_screen, *targets, packages=packages)
    assert done.returncode == 1
    assert "vmeet: crashes: a: it raised OSError: no luck (vmeet check crashes may tell more)" in done.stderr
    means = json.loads((green_screen.parent / "out.json").read_text())
    installed_besides = {"pointrend"}
    assert [name for name in means if name not in installed_besides] == ["brightness", "chroma-key", "crashes"]
    assert means["chroma-key"]["iou"] > 0.97
    assert means["chroma-key"].keys() == {"iou", "boundary_f", "iou_16x9", "boundary_f_16x9", "ms_per_frame", "n"}
    assert means["brightness"].keys() == {"ms_per_frame", "n"}
    assert means["crashes"] == {"n": 0}
    assert "brightness: no masks, only its time" in done.stdout
    assert "data:image/jpeg;base64," in (green_screen.parent / "out.html").read_text()
    alone = run_vmeet("compare", "frame-filters", "--data", green_screen, "--plugin", "chroma-key", packages=packages)
    assert alone.returncode == 0


def test_a_folder_without_portraits_is_named(run_vmeet, tmp_path):
    done = run_vmeet("compare", "frame-filters", "--data", tmp_path)
    assert done.returncode == 1
    assert "has no pictures: put NAME.jpg and NAME.png" in done.stderr
    assert "Traceback" not in done.stderr
