"""Real browsers in a real meeting: what the end-to-end tests and the meeting benchmark share.

Chromium runs headless with a fake camera and microphone fed from files; the server is a process of its own.
"""

import asyncio
import contextlib
import json
import os
import shutil
import socket
import subprocess
import sys
import urllib.request
import wave
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import av
import numpy as np
from playwright.async_api import Browser, Page, async_playwright, expect

WIDTH_PX, HEIGHT_PX, FPS, LOOP_S = 640, 360, 30, 6
SHARED = Path(__file__).parents[2] / "shared" / "data"
CAN_LISTEN_S = 30.0
# A click returns here when the page has settled, which on a busy machine is much later.
NOTE_CONFIRMED = """() => {
    window.confirmedAt_ms = [];
    if (window.notesConfirmed) return;
    window.notesConfirmed = true;
    document.addEventListener("click", (event) => {
        const confirms = event.composedPath().some((each) => each.dataset?.testid === "confirm-yes");
        if (confirms) window.confirmedAt_ms.push(performance.now());
    }, true);
}"""


def chromium_path() -> str | None:
    """Where Chromium is, if it is installed."""
    return shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


def page_browser_path() -> str | None:
    """For pages alone: the same engine without the rest of a browser, which has a new page in a third of the time."""
    return shutil.which("chromium-headless-shell") or chromium_path()


def make_media(folder: Path, width_px: int = WIDTH_PX, height_px: int = HEIGHT_PX) -> tuple[Path, Path]:
    """A camera (y4m) and a microphone (wav) file: a talking head and speech where there are any, else made up."""
    camera, microphone = folder / "camera.y4m", folder / "microphone.wav"
    clip = SHARED / "talking-heads" / "room-720p.mp4"
    size = (width_px, height_px)
    pictures = _clip_pictures(clip, *size) if clip.exists() else _drawn_pictures(*size)
    with camera.open("wb") as file:
        file.write(b"YUV4MPEG2 W%d H%d F%d:1 Ip A1:1 C420jpeg\n" % (*size, FPS))
        for _, picture in zip(range(LOOP_S * FPS), pictures, strict=False):
            file.write(b"FRAME\n" + picture.tobytes())
    speech = sorted((SHARED / "mandarin").glob("*.flac"))[:4]
    samples = np.concatenate([_read_sound(path) for path in speech]) if speech else _drawn_sound()
    with wave.open(str(microphone), "wb") as file:
        file.setparams((1, 2, 48_000, 0, "NONE", ""))
        file.writeframes((np.clip(samples, -1, 1) * 32767).astype("<i2").tobytes())
    return camera, microphone


def _clip_pictures(clip: Path, width_px: int, height_px: int) -> Iterator[Any]:
    while True:
        with av.open(str(clip)) as container:
            for frame in container.decode(video=0):
                yield frame.reformat(width_px, height_px, "yuv420p").to_ndarray()


def _drawn_pictures(width_px: int, height_px: int) -> Iterator[Any]:
    """A disc that wanders over a gradient, with some noise: about as hard to encode as a face."""
    random = np.random.default_rng(1)
    rows, columns = np.mgrid[0:height_px, 0:width_px]
    number = 0
    while True:
        centre = width_px * (0.5 + 0.2 * np.sin(number / 20))
        disc = (rows - height_px / 2) ** 2 + (columns - centre) ** 2 < (height_px / 3) ** 2
        luma = columns * 100 / width_px + 40 + 80 * disc + random.integers(-6, 6, rows.shape)
        planar = np.full((height_px * 3 // 2, width_px), 128, np.uint8)
        planar[:height_px] = np.clip(luma, 16, 235)
        yield planar
        number += 1


def _read_sound(path: Path) -> Any:
    resampler = av.AudioResampler("flt", "mono", 48_000)
    with av.open(str(path)) as container:
        return np.concatenate(
            [part.to_ndarray()[0] for f in container.decode(audio=0) for part in resampler.resample(f)]
        )


def _drawn_sound() -> Any:
    """Five seconds of tones that rise and fall like syllables."""
    times = np.arange(48_000 * 5) / 48_000
    return 0.3 * np.sin(2 * np.pi * (180 + 60 * np.sin(3 * times)) * times) * (np.sin(2 * np.pi * 2 * times) > -0.5)


class Server:
    """``vmeet serve`` as a process, on a free port, with its data in ``folder``.

    ``meetings`` are the tables of presets, ``server`` and ``recording`` more keys of their tables.
    """

    def __init__(
        self, folder: Path, meetings: str = "[meetings.default]\n", server: str = "", recording: str = ""
    ) -> None:
        self.folder = folder
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port: int = probe.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        weights = Path(__file__).parents[1] / "weights"
        server = f'[server]\nbind = "127.0.0.1:{self.port}"\ndata_dir = "data"\n{server}'
        settings = f'{server}[weights]\ndir = "{weights}"\n'
        recording = f"[recording]\nmin_free_bytes = 0\n{recording}"
        (folder / "vmeet.toml").write_text(settings + meetings + recording, encoding="utf-8")
        self.process: subprocess.Popen[bytes] | None = None

    async def start(self, within_s: float = CAN_LISTEN_S) -> None:
        """Returns when it answers. Raises RuntimeError with its log when it ends, TimeoutError when it is too late."""
        environment = {key: value for key, value in os.environ.items() if not key.startswith("VMEET_")}
        command = [str(Path(sys.executable).with_name("vmeet")), "--settings", str(self.folder / "vmeet.toml"), "serve"]
        with (self.folder / "server.log").open("ab") as log:
            self.process = await asyncio.to_thread(subprocess.Popen, command, stdout=log, stderr=log, env=environment)
        async with asyncio.timeout(within_s):
            while not await asyncio.to_thread(self._answers):
                if self.process.poll() is not None:
                    raise RuntimeError(f"the server ended:\n{self.log()}")
                await asyncio.sleep(0.1)

    def _answers(self) -> bool:
        try:
            return bool(self.get("/api/health")["ok"])
        except OSError:
            return False

    def log(self) -> str:
        """What it has printed."""
        return (self.folder / "server.log").read_text(encoding="utf-8")

    def get(self, path: str) -> Any:
        """A JSON answer."""
        with urllib.request.urlopen(self.url + path, timeout=20) as answer:
            return json.load(answer)

    def new_meeting(self, title: str = "早安", preset: str = "default") -> dict[str, Any]:
        """Create a meeting without a page."""
        body = json.dumps({"title": title, "preset": preset}).encode()
        request = urllib.request.Request(self.url + "/api/meetings", body, {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=20) as answer:
            made: dict[str, Any] = json.load(answer)
        return made

    def stop(self) -> None:
        """End it as Ctrl-C does, or for good when it does not listen."""
        if self.process is None:
            return
        self.process.terminate()
        try:
            self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait(10)


@contextlib.asynccontextmanager
async def browser(media: tuple[Path, Path]) -> AsyncIterator[Browser]:
    """Chromium with these files as camera and microphone. Raises RuntimeError when it is not installed."""
    path = chromium_path()
    if path is None:
        raise RuntimeError("Chromium is not installed; on Debian: apt-get install chromium")
    arguments = [
        "--use-fake-device-for-media-stream",
        "--use-fake-ui-for-media-stream",
        f"--use-file-for-fake-video-capture={media[0]}",
        f"--use-file-for-fake-audio-capture={media[1]}",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-background-networking",
        "--disable-component-update",
        "--no-first-run",
        "--autoplay-policy=no-user-gesture-required",
        "--allow-loopback-in-peer-connection",
    ]
    async with async_playwright() as playwright:
        chromium = await playwright.chromium.launch(executable_path=path, headless=True, args=arguments)
        yield chromium
        await chromium.close()


async def new_page(chromium: Browser, script: str = "", locale: str = "en-US") -> Page:
    """A page with storage of its own, as on another person's machine."""
    context = await chromium.new_context(
        viewport={"width": 900, "height": 640}, locale=locale, permissions=["camera", "microphone"]
    )
    page = await context.new_page()
    if script:
        await page.add_init_script(script)
    return page


async def enter(page: Page, url: str, name: str, host: dict[str, Any] | None = None) -> None:
    """Through the lobby into the meeting; ``host`` is what creating it answered, for its host."""
    if host is not None:
        await page.goto(url)
        await page.evaluate(
            "([id, key]) => localStorage.setItem(`vmeet.host.${id}`, key)", [host["id"], host["host_key"]]
        )
    await page.goto(url)
    await page.get_by_test_id("name").fill(name)
    await page.get_by_test_id("join").click()
    await page.locator("vmeet-call[data-state=in]").wait_for(timeout=30_000)


async def stats(page: Page) -> dict[str, dict[str, Any]]:
    """What the page receives, by participant."""
    found: dict[str, dict[str, Any]] = await page.evaluate("document.querySelector('vmeet-meeting').stats()")
    return found


async def record(host: Page, seconds: float) -> float:
    """Start, wait, stop; returns how long it ran, in seconds: from one click to the other, as the page saw them."""
    await host.evaluate(NOTE_CONFIRMED)
    await host.get_by_test_id("toggle-recording").click()
    await host.get_by_test_id("confirm-yes").click()
    await expect(host.get_by_test_id("recording-badge")).to_be_visible(timeout=10_000)
    await asyncio.sleep(seconds)
    await host.get_by_test_id("toggle-recording").click()
    await host.get_by_test_id("confirm-yes").click()
    await expect(host.get_by_test_id("recording-badge")).to_be_hidden(timeout=10_000)
    began_ms, ended_ms = await host.evaluate("window.confirmedAt_ms")
    return float(ended_ms - began_ms) / 1000


async def finished(server: Server, timeout_s: float = 150) -> dict[str, Any]:
    """The only recording, once it is processed."""
    async with asyncio.timeout(timeout_s):
        while True:
            found = (await asyncio.to_thread(server.get, "/api/recordings"))["recordings"]
            if found and found[0]["state"] in ("ready", "failed"):
                assert found[0]["state"] == "ready", found[0]["job"]
                return dict(found[0])
            await asyncio.sleep(0.3)


def result(server: Server, recording: dict[str, Any], name: str) -> Path:
    return Path(server.folder / "data" / "recordings" / recording["id"] / recording["job"]["results"][name])
