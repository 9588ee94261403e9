"""Programs that are not ours publish to a meeting and watch it: FFmpeg, GStreamer, and Chromium by WHEP."""

import asyncio
import contextlib
import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, NamedTuple

import av
import browsers
import pytest
from aiohttp import ClientSession, web
from playwright.async_api import Page, expect

TESTS = Path(__file__).parents[1]
SYSTEM_PYTHON = "/usr/bin/python3"
PACKAGES = (
    "python3-gst-1.0 gir1.2-gst-plugins-bad-1.0 gstreamer1.0-plugins-base gstreamer1.0-plugins-good "
    "gstreamer1.0-plugins-bad gstreamer1.0-plugins-ugly gstreamer1.0-nice"
)


def skip_or_fail(text: str) -> None:
    if os.environ.get("CI"):
        pytest.fail(f"{text}, and CI does without no test")
    pytest.skip(text)


@pytest.fixture(scope="session")
def gstreamer() -> str:
    """The client's script; its elements are there."""
    script = str(TESTS / "gst_client.py")
    try:
        checked = subprocess.run([SYSTEM_PYTHON, script, "check"], capture_output=True, text=True, timeout=60)
        problem = "" if checked.returncode == 0 else (checked.stdout + checked.stderr).strip().splitlines()[-1]
    except OSError as error:
        problem = str(error)
    if problem:
        skip_or_fail(f"GStreamer is not complete ({problem}); on Debian: apt-get install {PACKAGES}")
    return script


class Meeting(NamedTuple):
    """A meeting and what its host may give to programs."""

    made: dict[str, Any]
    whip_url: str
    whip_token: str
    whep_url: str
    whep_token: str


@pytest.fixture
async def meeting(server: browsers.Server) -> Meeting:
    made = await asyncio.to_thread(server.new_meeting)
    async with (
        ClientSession() as session,
        session.ws_connect(f"{server.url}/api/meetings/{made['id']}/socket") as socket,
    ):
        await socket.send_json({"type": "join", "name": "Anna", "host_key": made["host_key"]})
        streams = (await socket.receive_json(timeout=10))["streams"]
        await socket.send_json({"type": "leave"})
    whip, whep = server.url + streams["whip_path"], server.url + streams["whep_path"]
    return Meeting(made, whip, streams["whip_token"], whep, streams["whep_token"])


class Program:
    """A client in a process of its own."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self.lines: list[str] = []

    async def says(self, text: str) -> None:
        """It prints this line."""
        async with asyncio.timeout(30):
            while not self.lines or self.lines[-1] != text:
                line = await self._out().readline()
                assert line, f"it ended: {self.lines}"
                self.lines.append(line.decode().strip())

    async def result(self) -> dict[str, Any]:
        """What it prints last."""
        self.lines += (await self._out().read()).decode().split("\n")
        await self._process.wait()
        return dict(json.loads([line for line in self.lines if line][-1]))

    def _out(self) -> asyncio.StreamReader:
        assert self._process.stdout is not None
        return self._process.stdout

    async def stop(self) -> None:
        if self._process.returncode is None:
            self._process.terminate()
            await self._process.wait()


@contextlib.asynccontextmanager
async def running(*command: object) -> AsyncIterator[Program]:
    """The client, stopped at the end."""
    process = await asyncio.create_subprocess_exec(*map(str, command), stdout=subprocess.PIPE)
    program = Program(process)
    try:
        yield program
    finally:
        await program.stop()


def publisher(gstreamer: str, meeting: Meeting, encoder: str = "vp8enc", bframes: int = 0, name: str = "Hall") -> Any:
    options = ("--encoder", encoder, "--bframes", bframes, "--seconds", 90)
    return running(SYSTEM_PYTHON, gstreamer, "publish", f"{meeting.whip_url}?name={name}", meeting.whip_token, *options)


def viewer(gstreamer: str, meeting: Meeting) -> Any:
    options = ("--frames", 40, "--seconds", 40)
    return running(SYSTEM_PYTHON, gstreamer, "watch", meeting.whep_url, meeting.whep_token, *options)


async def people(server: browsers.Server, meeting: Meeting) -> int:
    return int((await asyncio.to_thread(server.get, f"/api/meetings/{meeting.made['id']}"))["people"])


@pytest.mark.parametrize("encoder", ["vp8enc", "openh264enc", "x264enc"])
async def test_gstreamer_watches_what_gstreamer_publishes(gstreamer: str, meeting: Meeting, encoder: str) -> None:
    async with publisher(gstreamer, meeting, encoder) as publishing:
        await publishing.says("connected")
        async with viewer(gstreamer, meeting) as watching:
            seen = await watching.result()
    assert seen["status"] == 201
    assert seen["error"] == ""
    assert min(seen["video"], seen["audio"]) >= 40


async def test_gstreamer_watches_what_ffmpeg_publishes(gstreamer: str, meeting: Meeting, tmp_path: Path) -> None:
    if "whip" not in av.formats_available:
        skip_or_fail("this PyAV brings an FFmpeg without WHIP")
    command = (sys.executable, TESTS / "ffmpeg_client.py", meeting.whip_url, meeting.whip_token, tmp_path, 60)
    async with running(*command), viewer(gstreamer, meeting) as watching:
        seen = await watching.result()
    assert min(seen["video"], seen["audio"]) >= 40


async def test_b_frames_are_refused_with_the_remedy(gstreamer: str, meeting: Meeting, server: browsers.Server) -> None:
    headers = {"Authorization": f"Bearer {meeting.whip_token}"}
    async with ClientSession(headers=headers) as session:
        async with publisher(gstreamer, meeting, "x264enc", bframes=2) as publishing:
            await publishing.says("connected")
            async with asyncio.timeout(20):
                while "B-frames" not in await asyncio.to_thread(server.log):
                    await asyncio.sleep(0.1)
            await publishing.stop()
            location = (await publishing.result())["location"]
        async with session.get(location) as response:
            assert response.status == 409
            error = (await response.json())["error"]
    assert error["code"] == "stream-refused"
    assert "bframes=0" in error["message"]
    assert await people(server, meeting) == 0


async def test_a_publisher_that_says_goodbye_leaves_at_once(
    gstreamer: str, meeting: Meeting, server: browsers.Server
) -> None:
    async with publisher(gstreamer, meeting) as publishing:
        await publishing.says("connected")
    async with asyncio.timeout(20):
        while await people(server, meeting):
            await asyncio.sleep(0.1)


@pytest.fixture
async def elsewhere() -> AsyncIterator[str]:
    """The address of a page that is not VMeet's."""

    async def page(request: web.Request) -> web.Response:
        return web.Response(
            text="<!doctype html><title>viewer</title><video autoplay></video>", content_type="text/html"
        )

    app = web.Application()
    app.router.add_get("/", page)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    yield site.name
    await runner.cleanup()


WATCH = """async ([url, token]) => {
  const pc = (globalThis.pc = new RTCPeerConnection());
  const stream = (document.querySelector("video").srcObject = new MediaStream());
  pc.addTransceiver("audio", { direction: "recvonly" });
  pc.addTransceiver("video", { direction: "recvonly" });
  pc.ontrack = (event) => stream.addTrack(event.track);
  await pc.setLocalDescription(await pc.createOffer());
  const headers = { "Content-Type": "application/sdp", Authorization: `Bearer ${token}` };
  const answer = await fetch(url, { method: "POST", headers, body: pc.localDescription.sdp });
  globalThis.session = new URL(answer.headers.get("Location"), url).href;
  await pc.setRemoteDescription({ type: "answer", sdp: await answer.text() });
}"""
RECEIVED = """async () => {
  const found = {};
  for (const report of (await globalThis.pc.getStats()).values())
    if (report.type === "inbound-rtp") found[report.kind] = report;
  return [found.video?.framesDecoded ?? 0, found.video?.frameHeight ?? 0, found.audio?.totalAudioEnergy ?? 0];
}"""
END = """async (token) => (await fetch(globalThis.session, {
  method: "DELETE", headers: { Authorization: `Bearer ${token}` } })).status"""


async def until_decoded(page: Page, height_px: int) -> None:
    """More pictures of this height, and sound, come out of the decoders."""
    before = (await page.evaluate(RECEIVED))[0]
    async with asyncio.timeout(30):
        while True:
            frames, height, energy = await page.evaluate(RECEIVED)
            if frames > before + 30 and height == height_px and energy > 0:
                return
            await asyncio.sleep(0.2)


@pytest.mark.browser
async def test_a_page_elsewhere_watches_and_a_participant_sees_the_stream(
    gstreamer: str, meeting: Meeting, server: browsers.Server, chromium: Any, elsewhere: str
) -> None:
    viewing = await browsers.new_page(chromium)
    await viewing.goto(elsewhere)
    await viewing.evaluate(WATCH, [meeting.whep_url, meeting.whep_token])
    async with publisher(gstreamer, meeting, name="Hall%20camera") as publishing:
        await publishing.says("connected")
        await until_decoded(viewing, 240)
        participant = await browsers.new_page(chromium)
        await browsers.enter(participant, server.url + meeting.made["url"], "Ben")
        async with asyncio.timeout(30):
            while not any(p["framesDecoded"] > 30 for p in (await browsers.stats(participant)).values()):
                await asyncio.sleep(0.2)
        tile = participant.get_by_test_id("tile").filter(has_text="Hall camera")
        await expect(tile).to_have_count(1)
    await expect(tile).to_have_count(0, timeout=10_000)
    await until_decoded(viewing, browsers.HEIGHT_PX)
    assert await viewing.evaluate(END, meeting.whep_token) == 200
