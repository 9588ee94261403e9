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
from transcriber_kinds import TRANSCRIBERS

from vmeet_core.media.audio import AudioWriter, read_all
from vmeet_core.media.mux import join
from vmeet_core.media.transcript import read_transcript

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


LARGER = """
from vmeet_core.hookspecs import Options, VideoEnhancerProvider, hookimpl

class Larger(VideoEnhancerProvider):
    api, name, title, licence, options, scale = 1, "larger", "Larger", "MIT", Options, 2
    def load(self, server_settings, host):
        raise AssertionError("an enhancer that is refused is not loaded")

@hookimpl
def register_video_enhancers():
    return [Larger()]
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
        "folder: holds no sound or video file",
        "absent.mp4: no such file",
    ):
        assert message in completed.stderr
    assert "Traceback" not in completed.stderr
    assert (tmp_path / "out" / "good.flac.vmeet" / "meeting.m4a").is_file()
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["good.flac.vmeet"]


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (("--denoiser", "nothing"), 1, '--denoiser: no installed plugin offers "nothing" among the denoisers. '),
        (("--transcriber", "nothing"), 1, '--transcriber: no installed plugin offers "nothing"'),
        (("--video-enhancer", "nothing"), 1, '--video-enhancer: no installed plugin offers "nothing"'),
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


async def started(tmp_path: Path, packages: Path, *arguments: str) -> asyncio.subprocess.Process:
    """``vmeet process`` in the background."""
    main = "import sys; from vmeet_core.cli import main; sys.exit(main())"
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", main, "process", *arguments),
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": os.pathsep.join([str(packages), os.environ.get("PYTHONPATH", "")])},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


@pytest.mark.skipif(sys.platform == "win32", reason="signals and /proc")
async def test_ctrl_c_ends_the_steps_and_the_next_run_goes_on(
    tmp_path: Path, install_plugin: Callable[..., Path], run_vmeet: RunVmeet
) -> None:
    packages = install_plugin("slow-denoiser", SLOW)
    sound(tmp_path / "a.flac")
    options = ["--denoiser", "slow", "--options", f'{{"folder": "{tmp_path}"}}']
    running = await started(tmp_path, packages, "a.flac", *options)
    await appeared(tmp_path / "started")
    running.send_signal(signal.SIGINT)
    _, errors = await asyncio.wait_for(running.communicate(), 20)
    assert running.returncode == 130
    assert b"Traceback" not in errors
    assert b"Run the same command again" in errors
    await gone(int((tmp_path / "pid").read_text()))
    (tmp_path / "go").touch()
    completed = await asyncio.to_thread(run_vmeet, "process", "a.flac", *options, packages=packages)
    assert completed.returncode == 0, completed.stderr
    assert "Sound of a: done (done before)" in completed.stderr
    assert "audio-denoised.flac" in made(completed)


def test_an_enhancer_that_is_installed_is_not_left_out_in_silence(
    tmp_path: Path, run_vmeet: RunVmeet, install_plugin: Callable[..., Path]
) -> None:
    packages = install_plugin("larger", LARGER)
    sound(tmp_path / "a.flac")
    completed = run_vmeet("process", "a.flac", "--video-enhancer", "larger", packages=packages)
    assert completed.returncode == 1
    assert 'cannot run "larger" here' in completed.stderr
    unknown = run_vmeet("process", "a.flac", "--video-enhancer", "lager", packages=packages)
    assert 'Did you mean "larger"?' in unknown.stderr
    assert run_vmeet("process", "a.flac", "--video-enhancer", "none", packages=packages).returncode == 0


def test_what_is_said_is_written_down(tmp_path: Path, run_vmeet: RunVmeet, install_plugin: Callable[..., Path]) -> None:
    packages = install_plugin("tones", TRANSCRIBERS)
    sound(tmp_path / "a.flac")
    options = ["--transcriber", "tones", "--language", "zh", "--script", "simplified"]
    given = ["--options", f'{{"trace": "{tmp_path / "trace"}"}}']
    completed = run_vmeet("process", "a.flac", *options, *given, packages=packages)
    assert completed.returncode == 0, completed.stderr
    transcript = read_transcript(tmp_path / "a.flac.vmeet" / "transcript.json")
    assert [each.text for each in transcript.utterances] == ["1000"]
    assert transcript.utterances[0].start_s == pytest.approx(1.0, abs=0.05)
    assert (list(transcript.people.values()), transcript.script) == ([""], "simplified")
    assert (tmp_path / "trace").read_text().split()[1] == "zh"
    for wrong, message in (
        (["--language", "Chinese, I think"], "--language: "),
        (["--transcribe-from", "denoised"], "--transcribe-from: without a denoiser"),
    ):
        refused = run_vmeet("process", "a.flac", "--transcriber", "tones", *wrong, packages=packages)
        assert refused.returncode == 1
        assert message in refused.stderr


def test_a_folder_is_walked_and_one_bad_file_does_not_stop_the_others(tmp_path: Path, run_vmeet: RunVmeet) -> None:
    talks = tmp_path / "talks"
    (talks / "b").mkdir(parents=True)
    (talks / ".hidden").mkdir()
    for name in ("a.flac", "b/c.flac", ".hidden.flac", ".hidden/d.flac"):
        sound(talks / name, 1.0)
    (talks / "b" / "c.flac").rename(talks / "b" / "no-suffix")  # its content tells
    (talks / "broken.mp4").write_bytes(b"half a download")
    (talks / "notes.txt").write_text("words")
    (talks / "data.bin").write_bytes(bytes(10_000))
    first = run_vmeet("process", "talks")
    assert first.returncode == 1
    assert [Path(line).parent.name for line in first.stdout.splitlines()[::3]] == ["a.flac.vmeet", "no-suffix.vmeet"]
    assert "[1/3] talks/a.flac" in first.stderr
    assert "broken.mp4 is no media file" in first.stderr
    assert "vmeet: 3 files: 2 done, 1 failed, 2 in folders left out, being no sound or video" in first.stderr
    again = run_vmeet("process", "talks", "talks/a.flac")
    assert "vmeet: 3 files: 2 done before, 1 failed" in again.stderr
    assert not list(talks.rglob("meeting.m4a.vmeet"))


def test_a_folder_with_out_keeps_its_shape(tmp_path: Path, run_vmeet: RunVmeet) -> None:
    for name in ("one/x/a.flac", "two/a.flac"):
        (tmp_path / name).parent.mkdir(parents=True)
        sound(tmp_path / name, 1.0)
    completed = run_vmeet("process", "one", "two", "--out", "out")
    assert completed.returncode == 0, completed.stderr
    assert (tmp_path / "out/one/x/a.flac.vmeet/meeting.m4a").is_file()
    assert (tmp_path / "out/two/a.flac.vmeet/meeting.m4a").is_file()
    single = run_vmeet("process", "one", "--out", "one/here")  # inside what is walked
    assert (tmp_path / "one/here/x/a.flac.vmeet/meeting.m4a").is_file()
    assert run_vmeet("process", "one", "--out", "one/here").returncode == single.returncode == 0
    assert not (tmp_path / "one/here/here").exists()


@pytest.mark.skipif(sys.platform == "win32", reason="signals")
async def test_killed_in_every_step_it_goes_on(
    tmp_path: Path, install_plugin: Callable[..., Path], run_vmeet: RunVmeet
) -> None:
    """The command is killed as soon as each step has begun, again and again until it comes through."""
    packages = install_plugin("observer", "")
    write_pictures(tmp_path / "a.mkv", 2.0, codec="h264", size_px=(320, 180))
    join(tmp_path / "talk.mp4", tmp_path / "a.mkv", sound(tmp_path / "a.flac"))
    undisturbed = run_vmeet("process", "talk.mp4", "--out", "whole")
    done: set[str] = set()
    kills = 0
    while True:
        running = await started(tmp_path, packages, "talk.mp4", "--out", "killed")
        assert running.stderr is not None
        ended = None
        async for line in running.stderr:
            title = line.decode().partition("talk.mp4: ")[2].partition(": done")[0]
            if title and "done before" not in line.decode() and title != "Read the file":
                assert title not in done, "a step that was done is done again"
                done.add(title)
                ended = title
                running.kill()  # the next step has just begun
                kills += 1
                break
        if ended is None:
            assert await running.wait() == 0
            break
        await running.communicate()
    assert kills >= 5
    last = run_vmeet("process", "talk.mp4", "--out", "killed")
    assert made(last) == made(undisturbed)
    for name in made(last) - {"meeting.mp4"}:
        assert (tmp_path / "killed" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes(), name
    assert not list((tmp_path / "killed").rglob("*.partial"))


@pytest.mark.skipif(sys.platform == "win32", reason="fcntl")
async def test_two_at_once_do_not_share_a_folder(
    tmp_path: Path, install_plugin: Callable[..., Path], run_vmeet: RunVmeet
) -> None:
    packages = install_plugin("slow-denoiser", SLOW)
    sound(tmp_path / "a.flac")
    options = ["--denoiser", "slow", "--options", f'{{"folder": "{tmp_path}"}}']
    running = await started(tmp_path, packages, "a.flac", *options)
    await appeared(tmp_path / "started")
    second = await asyncio.to_thread(run_vmeet, "process", "a.flac", *options, packages=packages)
    assert second.returncode == 1
    assert "is being processed by another vmeet" in second.stderr
    (tmp_path / "go").touch()
    await running.communicate()
    assert running.returncode == 0


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
