"""Tests of ``vmeet process``, run as a user does."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import av
import numpy as np
import pytest
from material import RATE_HZ, beep, onset_s, write_opus, write_pictures
from processes import appeared, gone

from vmeet_core.media.audio import AudioWriter, read_all
from vmeet_core.media.mux import join

RunVmeet = Callable[..., subprocess.CompletedProcess[str]]

SLOW = """
import os, time
from pathlib import Path
from vmeet_core.hookspecs import Denoiser, DenoiserStream, Options, Provider, hookimpl

class SlowOptions(Options):
    folder: str = ""

class Stream(DenoiserStream):
    def __init__(self, folder):
        self.folder = Path(folder)
    def process(self, audio):
        (self.folder / "pid").write_text(str(os.getpid()))
        (self.folder / "started").touch()
        while not (self.folder / "go").exists():
            time.sleep(0.02)
        return audio

class Engine(Denoiser):
    sample_rate_hz, block_samples, latency_samples = 16000, 160, 0
    def open(self, options):
        return Stream(options.folder)

class Slow(Provider):
    api, name, title, licence, options = 1, "slow", "Slow", "MIT", SlowOptions
    def load(self, server_settings, host):
        return Engine()

@hookimpl
def register_denoisers():
    return [Slow()]
"""


def sound(path: Path, seconds: float = 2.0) -> Path:
    with AudioWriter(path, RATE_HZ) as writer:
        writer.write(beep(1.0)(np.arange(round(seconds * RATE_HZ)) / RATE_HZ).astype(np.float32))
    return path


def made(completed: subprocess.CompletedProcess[str]) -> set[str]:
    return {Path(line).name for line in completed.stdout.splitlines()}


def test_a_video(tmp_path: Path, run_vmeet: RunVmeet) -> None:
    write_pictures(tmp_path / "a.mkv", 2.0, codec="h264", size_px=(640, 480))
    join(tmp_path / "talk.mp4", tmp_path / "a.mkv", sound(tmp_path / "a.flac"))
    completed = run_vmeet("process", "talk.mp4")
    assert completed.returncode == 0, completed.stderr
    assert made(completed) == {"meeting.mp4", "audio.flac", "mix.flac", "thumbnail.jpg"}
    with av.open(str(tmp_path / "talk.mp4.vmeet" / "meeting.mp4")) as container:
        context = container.streams.video[0].codec_context
        assert (context.width, context.height) == (640, 480)
    audio = read_all(tmp_path / "talk.mp4.vmeet" / "audio.flac", RATE_HZ)
    assert onset_s(audio) == pytest.approx(1.0, abs=0.01)
    for step in ("Layout and encode", "Mix"):
        assert f"talk.mp4: {step}: done" in completed.stderr


def test_sound_alone_becomes_an_m4a_and_a_second_run_repeats_nothing(tmp_path: Path, run_vmeet: RunVmeet) -> None:
    write_opus(tmp_path / "talk.mkv", 2.0, beep(1.0))
    first = run_vmeet("process", "talk.mkv", "--out", "here")
    assert made(first) == {"meeting.m4a", "audio.flac", "mix.flac"}
    assert (tmp_path / "here" / "meeting.m4a").is_file()
    second = run_vmeet("process", "talk.mkv", "--out", "here")
    assert made(second) == made(first)
    assert "Mix: done (done before)" in second.stderr


def test_one_bad_file_does_not_keep_the_others_from_being_processed(tmp_path: Path, run_vmeet: RunVmeet) -> None:
    sound(tmp_path / "good.flac")
    (tmp_path / "notes.txt").write_text("hello")
    (tmp_path / "empty.mp4").touch()
    (tmp_path / "folder").mkdir()
    completed = run_vmeet("process", "notes.txt", "empty.mp4", "folder", "absent.mp4", "good.flac", "--out", "out")
    assert completed.returncode == 1
    for message in (
        "notes.txt is no media file",
        "empty.mp4 is no media file",
        "folder: is a folder",
        "absent.mp4: no such file",
    ):
        assert message in completed.stderr
    assert "Traceback" not in completed.stderr
    assert (tmp_path / "out" / "good.flac.vmeet" / "meeting.m4a").is_file()
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["good.flac.vmeet"]


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (("--denoiser", "nothing"), 1, "nothing"),
        (("--options", "{"), 2, "not JSON"),
        (("--options", "[]"), 2, "not a JSON object"),
    ],
)
def test_a_wrong_choice_is_said(
    tmp_path: Path, run_vmeet: RunVmeet, arguments: tuple[str, ...], code: int, message: str
) -> None:
    sound(tmp_path / "a.flac")
    completed = run_vmeet("process", "a.flac", *arguments)
    assert completed.returncode == code
    assert message in completed.stderr


@pytest.mark.skipif(sys.platform == "win32", reason="signals and /proc")
async def test_ctrl_c_ends_the_steps_and_the_next_run_goes_on(
    tmp_path: Path, install_plugin: Callable[..., Path], run_vmeet: RunVmeet
) -> None:
    packages = install_plugin("slow-denoiser", SLOW)
    sound(tmp_path / "a.flac")
    options = ["--denoiser", "slow", "--options", f'{{"folder": "{tmp_path}"}}']
    command = [
        sys.executable,
        "-c",
        "import sys; from vmeet_core.cli import main; sys.exit(main())",
        "process",
        "a.flac",
    ]
    running = await asyncio.create_subprocess_exec(
        *command, *options, cwd=tmp_path, env=os.environ | {"PYTHONPATH": str(packages)}, stderr=subprocess.PIPE
    )
    await appeared(tmp_path / "started")
    running.send_signal(signal.SIGINT)
    _, errors = await asyncio.wait_for(running.communicate(), 20)
    assert running.returncode == 130
    assert b"Traceback" not in errors
    await gone(int((tmp_path / "pid").read_text()))
    (tmp_path / "go").touch()
    completed = await asyncio.to_thread(run_vmeet, "process", "a.flac", *options, packages=packages)
    assert completed.returncode == 0, completed.stderr
    assert "Sound of a: done (done before)" in completed.stderr
    assert "audio-denoised.flac" in made(completed)


def test_the_result_equals_that_of_the_plugin_itself(tmp_path: Path, shared_data: Path, run_vmeet: RunVmeet) -> None:
    """Through 48 kHz and back, nothing is lost: SI-SDR and PESQ differ by less than 0.05."""
    metrics = pytest.importorskip("vmeet_core.evaluate.metrics", reason="the extra evaluate is not installed")
    pytest.importorskip("pesq", reason="the extra evaluate is not installed")
    weights = Path(__file__).parents[2] / "weights"
    if not (weights / "dtln_model_1.onnx").is_file():
        pytest.skip("the weights of dtln are absent: vmeet weights fetch dtln")
    from vmeet_core.media.denoise import denoise_array
    from vmeet_core.media.resampler import resample
    from vmeet_core.plugins import discover, load_provider
    from vmeet_core.settings import load_settings

    settings = load_settings(None, {"VMEET_WEIGHTS__DIR": str(weights)})
    registry = discover()
    provider = registry.get("denoisers", "dtln")
    engine = load_provider(settings, registry, "denoisers", "dtln", tmp_path)
    clean, noisy = (read_all(shared_data / "denoise" / f"p232_003.{kind}.flac", 16_000) for kind in ("clean", "noisy"))
    direct = denoise_array(noisy, 16_000, engine, provider.options())
    completed = run_vmeet(
        *("process", shared_data / "denoise" / "p232_003.noisy.flac", "--out", "out", "--denoiser", "dtln"),
        VMEET_WEIGHTS__DIR=str(weights),
    )
    assert completed.returncode == 0, completed.stderr
    kept = resample(read_all(tmp_path / "out" / "audio-denoised.flac", RATE_HZ), RATE_HZ, 16_000)
    assert len(kept) == len(clean)
    assert metrics.si_sdr_db(clean, kept) == pytest.approx(metrics.si_sdr_db(clean, direct), abs=0.05)
    assert metrics.pesq_wb(clean, kept) == pytest.approx(metrics.pesq_wb(clean, direct), abs=0.05)
    assert metrics.si_sdr_db(clean, direct) > metrics.si_sdr_db(clean, noisy) + 3
