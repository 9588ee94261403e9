"""A meeting is recorded, processed, found on the recordings page, played, and deleted."""

import asyncio
from pathlib import Path
from typing import Any

import av
import browsers
import numpy as np
import pytest
from playwright.async_api import Page, expect

pytestmark = pytest.mark.browser
RECORD_S = 8

#: A camera that flashes white and a microphone that beeps, both for 0.2 s at the same moments, once a second.
FLASH_AND_BEEP = """
navigator.mediaDevices.getUserMedia = async (wanted) => {
  window.context ||= new AudioContext();
  const stream = new MediaStream();
  if (wanted.video) {
    const canvas = Object.assign(document.createElement("canvas"), { width: 640, height: 360 });
    const brush = canvas.getContext("2d");
    setInterval(() => {
      brush.fillStyle = window.context.currentTime % 1 < 0.2 ? "white" : "black";
      brush.fillRect(0, 0, 640, 360);
      brush.fillStyle = "grey";
      brush.fillRect(10 * Math.random(), 0, 2, 2);
    }, 10);
    stream.addTrack(canvas.captureStream(30).getVideoTracks()[0]);
  }
  if (wanted.audio) {
    const tone = new OscillatorNode(window.context, { frequency: 1000 });
    const gate = new GainNode(window.context, { gain: 0 });
    const sink = new MediaStreamAudioDestinationNode(window.context);
    const first = Math.ceil(window.context.currentTime);
    for (let second = first; second < first + 120; second++) {
      gate.gain.setValueAtTime(0.5, second);
      gate.gain.setValueAtTime(0, second + 0.2);
    }
    tone.connect(gate).connect(sink);
    tone.start();
    stream.addTrack(sink.stream.getAudioTracks()[0]);
  }
  return stream;
};
"""


async def record(host: Page, seconds: float) -> float:
    """Start, wait, stop; returns how long it ran by the page's clock, in seconds."""
    await host.get_by_test_id("toggle-recording").click()
    await host.get_by_test_id("confirm-yes").click()
    await expect(host.get_by_test_id("recording-badge")).to_be_visible(timeout=10_000)
    began_s = asyncio.get_running_loop().time()
    await asyncio.sleep(seconds)
    await host.get_by_test_id("toggle-recording").click()
    if await host.get_by_test_id("confirm-yes").count():
        await host.get_by_test_id("confirm-yes").click()
    lasted_s = asyncio.get_running_loop().time() - began_s
    await expect(host.get_by_test_id("recording-badge")).to_be_hidden(timeout=10_000)
    return lasted_s


async def finished(server: Any, timeout_s: float = 150) -> dict[str, Any]:
    """The only recording, once it is processed."""
    async with asyncio.timeout(timeout_s):
        while True:
            found = (await asyncio.to_thread(server.get, "/api/recordings"))["recordings"]
            if found and found[0]["state"] in ("ready", "failed"):
                assert found[0]["state"] == "ready", found[0]["job"]
                return dict(found[0])
            await asyncio.sleep(0.3)


def result(server: Any, recording: dict[str, Any], name: str) -> Path:
    return Path(server.folder / "data" / "recordings" / recording["id"] / recording["job"]["results"][name])


def onsets_s(times: Any, loud: Any) -> list[float]:
    """The moments at which something begins."""
    starts = np.flatnonzero(loud[1:] & ~loud[:-1]) + 1
    return [float(times[i]) for i in starts]


def flashes_s(video: Path) -> list[float]:
    with av.open(str(video)) as container:
        frames = [(frame.time, frame.to_ndarray(format="gray").mean()) for frame in container.decode(video=0)]
    levels = np.array([level for _, level in frames])
    return onsets_s([time for time, _ in frames], levels > 100)


def beeps_s(video: Path) -> list[float]:
    resampler = av.AudioResampler("flt", "mono", 16_000)
    with av.open(str(video)) as container:
        parts = [p.to_ndarray()[0] for f in container.decode(audio=0) for p in resampler.resample(f)]
    sound = np.abs(np.concatenate(parts))
    envelope = np.maximum.reduceat(sound, np.arange(0, len(sound), 80))
    quiet = np.convolve(envelope > 0.25 * envelope.max(), np.ones(20), mode="full")[: len(envelope)] > 0
    return onsets_s(np.arange(len(envelope)) * 80 / 16_000, quiet)


async def test_record_process_review_delete(server: Any, chromium: Any) -> None:
    meeting = server.new_meeting("週會 one")
    pages = [await browsers.new_page(chromium) for _ in range(3)]
    for page, name in zip(pages, ("王小明", "Ben", "Carla"), strict=True):
        await browsers.enter(page, server.url + meeting["url"], name, meeting if name == "王小明" else None)
    await expect(pages[1].get_by_test_id("toggle-recording")).to_be_hidden()
    recording_task = asyncio.create_task(record(pages[0], RECORD_S))
    await expect(pages[1].get_by_test_id("recording-badge")).to_be_visible(timeout=10_000)
    await expect(pages[2].get_by_test_id("recording-badge")).to_be_visible()
    lasted_s = await recording_task
    for page in pages:
        await page.get_by_test_id("leave").click()
    found = await finished(server)
    assert found["duration_s"] == pytest.approx(lasted_s, abs=0.5)
    assert sorted(found["people"]) == ["Ben", "Carla", "王小明"]

    with av.open(str(result(server, found, "video"))) as container:
        video, audio = container.streams.video[0], container.streams.audio[0]
        assert (video.codec_context.name, audio.codec_context.name) == ("h264", "aac")
        assert (container.duration or 0) / 1e6 == pytest.approx(found["duration_s"], abs=0.5)
        pictures = [frame.to_ndarray(format="gray") for frame in container.decode(video=0)]
    middle = pictures[len(pictures) // 2]
    height, width = middle.shape
    tiles = (middle[: height // 2, : width // 2], middle[: height // 2, width // 2 :], middle[height // 2 :])
    assert all(part.std() > 15 for part in tiles), "somebody's picture is missing from the grid"

    await review_and_delete(server, pages[0], found)


async def plays_past(player: Any, position_s: float) -> None:
    async with asyncio.timeout(15):
        while await player.evaluate("video => video.currentTime") <= position_s:
            await asyncio.sleep(0.1)


async def review_and_delete(server: Any, page: Page, found: dict[str, Any]) -> None:
    await page.goto(server.url + "/recordings")
    card = page.get_by_test_id("recording")
    await expect(card).to_contain_text("週會 one")
    await expect(card.locator("img")).to_have_js_property("complete", True)
    await page.goto(f"{server.url}/recordings/{found['id']}")
    player = page.locator("video")
    await player.evaluate("video => { video.muted = true; return video.play(); }")
    await plays_past(player, 1)
    assert await player.evaluate("video => video.videoWidth") == 1280
    assert await player.evaluate("video => video.duration") == pytest.approx(found["duration_s"], abs=0.5)
    if "video-original" in found["job"]["results"]:
        position_s = await player.evaluate("video => video.currentTime")
        await page.get_by_test_id("sound-original").check(force=True)
        await expect(player).to_have_js_property("paused", False)
        await plays_past(player, position_s)
    page.on("dialog", lambda dialog: dialog.accept())
    await page.get_by_test_id("delete").click()
    await page.get_by_test_id("confirm-yes").click()
    await page.wait_for_url("**/recordings", timeout=10_000)
    assert server.get("/api/recordings") == {"recordings": []}
    assert not (server.folder / "data" / "recordings" / found["id"]).exists()


@pytest.mark.parametrize("presets", ["[meetings.default]\n"])
async def test_picture_and_sound_stay_together(server: Any, chromium: Any, presets: str) -> None:
    meeting = server.new_meeting()
    page = await browsers.new_page(chromium, FLASH_AND_BEEP)
    await browsers.enter(page, server.url + meeting["url"], "Anna", meeting)
    await asyncio.sleep(2)
    await record(page, RECORD_S)
    found = await finished(server)
    video = result(server, found, "video")
    flashes, beeps = flashes_s(video), beeps_s(video)
    assert len(flashes) >= RECORD_S - 2
    assert len(beeps) >= RECORD_S - 2
    offsets_s = [min((beep - flash for beep in beeps), key=abs) for flash in flashes[1:-1]]
    print(f"sound after picture: median {1000 * float(np.median(offsets_s)):.0f} ms")
    assert abs(float(np.median(offsets_s))) < 0.08


async def test_a_kill_while_recording_keeps_it(server: Any, chromium: Any) -> None:
    meeting = server.new_meeting()
    page = await browsers.new_page(chromium)
    await browsers.enter(page, server.url + meeting["url"], "Anna", meeting)
    await page.get_by_test_id("toggle-recording").click()
    await page.get_by_test_id("confirm-yes").click()
    await expect(page.get_by_test_id("recording-badge")).to_be_visible(timeout=10_000)
    await asyncio.sleep(4)
    server.process.kill()
    server.process.wait(10)
    await page.close()
    await server.start()
    found = await finished(server)
    assert found["duration_s"] > 3.2
    assert found["people"] == ["Anna"]
    with av.open(str(result(server, found, "video"))) as container:
        assert sum(1 for _ in container.decode(video=0)) > 3 * 30
