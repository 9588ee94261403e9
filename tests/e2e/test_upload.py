"""A file is uploaded on the page: interrupted, gone on with, processed, played, kept, exported, deleted."""

import asyncio
import io
import zipfile
from pathlib import Path
from typing import Any

import browsers
import numpy as np
import pytest
from material import beep, write_pictures
from playwright.async_api import Page, expect

from vmeet_core.media.audio import AudioWriter
from vmeet_core.media.mux import join

pytestmark = pytest.mark.browser
LENGTH_S = 3.0


@pytest.fixture
def presets() -> str:
    return "[meetings.default]\n"


@pytest.fixture
def film(tmp_path: Path) -> Path:
    """Some seconds, and 40 MB that no player minds: enough to be interrupted."""
    write_pictures(tmp_path / "picture.mkv", LENGTH_S, codec="h264", size_px=(640, 360))
    with AudioWriter(tmp_path / "sound.flac", 48_000) as writer:
        writer.write(beep(1.0)(np.arange(round(LENGTH_S * 48_000)) / 48_000).astype(np.float32))
    path = tmp_path / "週會 talk.mp4"
    join(path, tmp_path / "picture.mkv", tmp_path / "sound.flac")
    padding = 40_000_000
    with path.open("ab") as file:
        file.write((padding + 8).to_bytes(4, "big") + b"free" + bytes(padding))
    return path


async def slow_down(page: Page, bytes_per_s: int) -> Any:
    """So that an upload can be met in the middle; -1 ends it."""
    session = await page.context.new_cdp_session(page)
    await session.send("Network.enable")
    await limit(session, bytes_per_s)
    return session


async def limit(session: Any, bytes_per_s: int) -> None:
    conditions = {"offline": False, "latency": 0, "downloadThroughput": -1, "uploadThroughput": bytes_per_s}
    await session.send("Network.emulateNetworkConditions", conditions)


async def begin(page: Page, film: Path, title: str | None = None) -> None:
    await expect(page.get_by_test_id("upload-button")).to_be_visible()
    await page.get_by_test_id("upload-file").set_input_files(film)
    await expect(page.get_by_test_id("upload-title")).to_have_value(film.stem)
    if title is not None:
        await page.get_by_test_id("upload-title").fill(title)
    await page.get_by_test_id("upload-start").click()


async def there(server: Any, at_least: int) -> int:
    """How much of the only upload has come, once it is enough."""
    async with asyncio.timeout(60):
        while True:
            uploads = (await asyncio.to_thread(server.get, "/api/uploads"))["uploads"]
            if uploads and uploads[0]["offset_bytes"] >= at_least:
                return int(uploads[0]["offset_bytes"])
            await asyncio.sleep(0.05)


async def test_from_the_file_to_the_player(server: Any, chromium: Any, film: Path) -> None:
    page = await browsers.new_page(chromium)
    await page.goto(server.url + "/recordings")
    session = await slow_down(page, 1_500_000)
    await begin(page, film, "週會")
    row = page.get_by_test_id("upload")
    await expect(row).to_have_attribute("data-state", "sending")
    await there(server, 200_000)

    await page.get_by_test_id("upload-pause").click()
    await expect(row).to_have_attribute("data-state", "paused")
    await expect(page.get_by_test_id("upload-resume")).to_be_focused()
    paused_at = await there(server, 200_000)
    await asyncio.sleep(1)
    assert await there(server, 200_000) == paused_at

    await page.keyboard.press("Enter")
    await expect(row).to_have_attribute("data-state", "sending")
    await there(server, paused_at + 1)
    server.process.kill()
    await asyncio.to_thread(server.process.wait, 10)
    await expect(row).to_have_attribute("data-state", "waiting", timeout=20_000)
    await server.start()
    after_kill = await there(server, paused_at)

    page.on("dialog", lambda dialog: dialog.accept())  # the page asks before it is left
    await page.reload()
    await expect(row).to_contain_text("Choose “週會 talk.mp4” again to go on")
    other = film.with_name("other.mp4")
    other.write_bytes(b"x")
    async with page.expect_file_chooser() as choosing:
        await page.get_by_test_id("upload-choose").click()
    await (await choosing.value).set_files(other)
    await expect(page.get_by_role("log")).to_contain_text("This is not the same file")
    session = await slow_down(page, -1)
    async with page.expect_file_chooser() as choosing:
        await page.get_by_test_id("upload-choose").click()
    await (await choosing.value).set_files(film)
    await expect(page.get_by_role("log")).to_contain_text("“週會” has been uploaded", timeout=60_000)
    assert after_kill > 0
    await session.detach()
    await expect(row).to_have_count(0)
    card = page.get_by_test_id("recording")
    await expect(card).to_contain_text("Uploaded: 週會 talk.mp4")

    found = await browsers.finished(server)
    original = server.folder / "data" / "recordings" / found["id"] / "upload" / "original.mp4"
    assert await asyncio.to_thread(original.read_bytes) == await asyncio.to_thread(film.read_bytes)
    await expect(card.get_by_test_id("state")).to_have_text("Ready")
    await card.get_by_role("link", name="週會").click()
    player = page.get_by_test_id("video")
    await player.evaluate("video => video.play()")
    await expect(player).not_to_have_js_property("currentTime", 0, timeout=20_000)
    assert await player.evaluate("video => video.duration") == pytest.approx(LENGTH_S, abs=0.2)
    await review(page, server, found)


async def review(page: Page, server: Any, found: dict[str, Any]) -> None:
    """Kept, exported, deleted."""
    await page.get_by_test_id("keep").click()
    await expect(page.get_by_test_id("keep")).to_have_attribute("aria-pressed", "true")
    assert server.get(f"/api/recordings/{found['id']}")["kept"] is True
    async with page.expect_download() as downloading:
        await page.get_by_test_id("export").click()
    download = await downloading.value
    assert download.suggested_filename.startswith("週會-2")
    data = await asyncio.to_thread((await download.path()).read_bytes)
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert archive.testzip() is None
        assert any(name.endswith("/upload/original.mp4") for name in archive.namelist())
    await page.get_by_test_id("delete").click()
    await expect(page.get_by_test_id("delete-dialog")).to_contain_text("“週會” and all its files are deleted for good")
    await page.get_by_test_id("confirm-yes").click()
    await page.wait_for_url("**/recordings", timeout=10_000)
    assert not (server.folder / "data" / "recordings" / found["id"]).exists()


async def test_what_is_no_recording_is_refused_and_an_upload_cancelled(
    server: Any, chromium: Any, film: Path, tmp_path: Path
) -> None:
    page = await browsers.new_page(chromium, locale="zh-TW")
    await page.goto(server.url + "/recordings")
    (tmp_path / "words.mp4").write_text("no film at all " * 100)
    await begin(page, tmp_path / "words.mp4")
    await expect(page.get_by_test_id("upload-fault")).to_contain_text("這不是影片或聲音檔")
    await expect(page.get_by_test_id("upload-resume")).to_have_count(0)
    await page.get_by_test_id("upload-close").click()
    await expect(page.get_by_test_id("upload")).to_have_count(0)
    await expect(page.get_by_test_id("upload-button")).to_be_focused()
    await slow_down(page, 1_500_000)
    await begin(page, film)
    await there(server, 200_000)
    await page.get_by_test_id("upload-cancel").click()
    await page.get_by_test_id("confirm-yes").click()
    await expect(page.get_by_test_id("upload")).to_have_count(0)
    assert server.get("/api/uploads")["uploads"] == []
    assert list((server.folder / "data" / "recordings").iterdir()) == []


async def test_dropped_on_a_phone_and_seen_by_another_page(server: Any, chromium: Any, film: Path) -> None:
    context = await chromium.new_context(viewport={"width": 360, "height": 740}, locale="en-US")
    page = await context.new_page()
    await page.goto(server.url + "/recordings")
    other = await browsers.new_page(chromium)
    await other.goto(server.url + "/recordings")
    await slow_down(page, 3_000_000)
    drop = """async () => {
        const data = new DataTransfer();
        data.items.add(new File([new Uint8Array(30e6)], 'big.mkv'));
        const main = document.querySelector('main');
        main.dispatchEvent(new DragEvent('dragover', {dataTransfer: data, bubbles: true, cancelable: true}));
        main.dispatchEvent(new DragEvent('drop', {dataTransfer: data, bubbles: true, cancelable: true}));
    }"""
    await expect(page.get_by_test_id("upload-button")).to_be_visible()
    await page.evaluate(drop)
    await page.get_by_test_id("upload-start").click()
    await expect(page.get_by_test_id("upload")).to_have_attribute("data-state", "sending")
    await expect(other.get_by_test_id("upload")).to_contain_text("big")
    assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    await expect(page.get_by_test_id("upload-fault")).to_contain_text("no sound or video file", timeout=30_000)
    await expect(other.get_by_test_id("upload")).to_have_count(0)
    await context.close()
