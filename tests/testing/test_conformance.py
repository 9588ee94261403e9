"""The abstract test class in pytest's hands, as a plugin's author uses it."""

import subprocess
import sys
from pathlib import Path

import pytest

from vmeet_core.builtin import BrightnessProvider
from vmeet_core.testing import (
    DENOISER_CHECKS,
    ChromaKeyProvider,
    DenoiserConformance,
    FrameFilterConformance,
    GateProvider,
    NotesProvider,
    TranscriberConformance,
)

BAD = """
import numpy as np
from vmeet_core.testing import DenoiserConformance, GateProvider
from vmeet_core.testing.fakes import GateStream, GateEngine

class Hums(GateStream):
    def process(self, audio):
        return super().process(audio) + np.float32(0.01)

class Engine(GateEngine):
    def open(self, options):
        return Hums(options, 160)

class Provider(GateProvider):
    def load(self, server_settings, host):
        return Engine()

class TestHums(DenoiserConformance):
    @classmethod
    def provider(cls):
        return Provider()
"""


class TestGate(DenoiserConformance):
    @classmethod
    def provider(cls) -> GateProvider:
        return GateProvider()


class TestChromaKey(FrameFilterConformance):
    @classmethod
    def provider(cls) -> ChromaKeyProvider:
        return ChromaKeyProvider()


class TestBrightness(FrameFilterConformance):
    @classmethod
    def provider(cls) -> BrightnessProvider:
        return BrightnessProvider()


class TestNotes(TranscriberConformance):
    @classmethod
    def provider(cls) -> NotesProvider:
        return NotesProvider()


def test_a_bad_plugin_fails_just_where_it_is_bad(tmp_path: Path) -> None:
    (tmp_path / "test_bad.py").write_text(BAD)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:asyncio", "test_bad.py"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=120)
    assert done.returncode == 1
    assert "silence comes out with a peak of 0.01. Remedy: Let zeros give zeros." in done.stdout
    assert "FAILED test_bad.py::TestHums::test_conforms[silence]" in done.stdout
    assert f"{len(DENOISER_CHECKS) - done.stdout.count('FAILED')} passed" in done.stdout


def test_a_subclass_without_a_provider_says_what_is_missing() -> None:
    class TestNothing(DenoiserConformance):
        pass

    with pytest.raises(TypeError, match=r"TestNothing must define the class method provider"):
        TestNothing.subject()


def test_the_kit_needs_no_pytest() -> None:
    code = "import sys, vmeet_core.testing; sys.exit('pytest' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], timeout=60, check=False).returncode == 0
