"""A meeting is recorded, processed, found on the recordings page, played, and deleted."""

import asyncio
from typing import Any

import av
import browsers
import flash_and_beep
import pytest
from playwright.async_api import Page, expect

pytestmark = pytest.mark.browser
RECORD_S = 8


async def test_record_process_review_delete(server: Any, chromium: Any) -> None:
    meeting = server.new_meeting("週會 one")
    pages = [await browsers.new_page(chromium) for _ in range(3)]
    for page, name in zip(pages, ("王小明", "Ben", "Carla"), strict=True):
        await browsers.enter(page, server.url + meeting["url"], name, meeting if name == "王小明" else None)
    await expect(pages[1].get_by_test_id("toggle-recording")).to_be_hidden()
    recording_task = asyncio.create_task(browsers.record(pages[0], RECORD_S))
    await expect(pages[1].get_by_test_id("recording-badge")).to_be_visible(timeout=10_000)
    await expect(pages[2].get_by_test_id("recording-badge")).to_be_visible()
    lasted_s = await recording_task
    for page in pages:
        await page.get_by_test_id("leave").click()
    found = await browsers.finished(server)
    assert found["duration_s"] == pytest.approx(lasted_s, abs=0.5)
    assert sorted(found["people"]) == ["Ben", "Carla", "王小明"]

    with av.open(str(browsers.result(server, found, "video"))) as container:
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
    await expect(card.locator("img")).to_have_js_property("naturalWidth", 480)
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
    await files_of_each_person(page)
    page.on("dialog", lambda dialog: dialog.accept())
    await page.get_by_test_id("delete").click()
    await page.get_by_test_id("confirm-yes").click()
    await page.wait_for_url("**/recordings", timeout=10_000)
    assert server.get("/api/recordings") == {"recordings": [], "total": 0, "offset": 0}
    assert not (server.folder / "data" / "recordings" / found["id"]).exists()


async def files_of_each_person(page: Page) -> None:
    await page.get_by_test_id("person-files").click()
    for name in ("王小明", "Ben", "Carla"):
        link = page.get_by_role("link", name=f"Download: Video of {name}")
        await expect(link).to_be_visible(timeout=120_000)
    await expect(page.get_by_test_id("person-progress")).to_be_hidden(timeout=30_000)
    await expect(page.get_by_role("link", name="Download: Captions")).to_be_visible()
    await page.locator("vmeet-chapters summary").click()
    await expect(page.get_by_test_id("chapters")).to_contain_text("王小明, Ben, Carla joined")


@pytest.mark.parametrize("presets", ["[meetings.default]\n"])
async def test_picture_and_sound_stay_together(server: Any, chromium: Any, presets: str) -> None:
    meeting = server.new_meeting()
    page = await browsers.new_page(chromium, flash_and_beep.FLASH_AND_BEEP)
    await browsers.enter(page, server.url + meeting["url"], "Anna", meeting)
    await asyncio.sleep(2)
    await browsers.record(page, RECORD_S)
    found = await browsers.finished(server)
    video = browsers.result(server, found, "video")
    offset_s = flash_and_beep.offset_s(video, at_least=RECORD_S - 2)
    print(f"sound after picture: {1000 * offset_s:.0f} ms")
    assert abs(offset_s) < 0.08


@pytest.mark.parametrize("end", ["kill", "terminate"])
async def test_a_server_that_ends_while_recording_keeps_it(server: Any, chromium: Any, end: str) -> None:
    meeting = server.new_meeting()
    page = await browsers.new_page(chromium)
    await browsers.enter(page, server.url + meeting["url"], "Anna", meeting)
    await page.get_by_test_id("toggle-recording").click()
    await page.get_by_test_id("confirm-yes").click()
    await expect(page.get_by_test_id("recording-badge")).to_be_visible(timeout=10_000)
    await asyncio.sleep(4)
    getattr(server.process, end)()
    server.process.wait(10)
    await page.close()
    await server.start()
    found = await browsers.finished(server)
    assert found["duration_s"] > 3.2
    assert found["people"] == ["Anna"]
    with av.open(str(browsers.result(server, found, "video"))) as container:
        assert sum(1 for _ in container.decode(video=0)) > 3 * 30
