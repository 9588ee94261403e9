"""Live effects in real browsers with the real server: preview, self-view, and what another person sees."""

import asyncio
import os
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

import browsers
import pytest
import room_filter
from PIL import Image
from playwright.async_api import Page, expect

pytestmark = pytest.mark.browser
GREEN, BLUE = (0x20, 0x60, 0x3C), (0x10, 0x20, 0xE0)
CHANGED_WITHIN_S = 0.5
#: The colour near a corner of a video, where the camera has a room and the filter paints.
CORNER = """(video) => {
    const canvas = document.createElement('canvas');
    [canvas.width, canvas.height] = [64, 36];
    const context = canvas.getContext('2d');
    context.drawImage(video, 0, 0, 64, 36);
    const { data } = context.getImageData(3, 3, 4, 4);
    return [0, 1, 2].map((part) => {
        let sum = 0;
        for (let at = part; at < data.length; at += 4) sum += data[at];
        return sum / (data.length / 4);
    });
}"""
#: Milliseconds from the click on a background to the first picture whose corner has its colour.
CHANGE = """async ([name, wanted]) => {
    const video = document.querySelector("vmeet-tile.own video");
    const close = (colour) => colour.every((part, index) => Math.abs(part - wanted[index]) < 40);
    const since = performance.now();
    document.querySelector(`.background[data-background='${name}'] input`).click();
    while (performance.now() - since < 8000) {
        await new Promise((resolve) => video.requestVideoFrameCallback(resolve));
        if (close(window.corner(video))) return performance.now() - since;
    }
    return null;
}"""

#: Notes how the effects stand, one after another.
WATCH = """() => {
    const status = document.querySelector('vmeet-effect-status');
    window.standings = [];
    const note = () => {
        const { standing } = status.dataset;
        if (standing !== window.standings.at(-1)) window.standings.push(standing);
    };
    new MutationObserver(note).observe(status, { attributes: true, attributeFilter: ['data-standing'] });
}"""


@pytest.fixture
def presets() -> str:
    """A meeting whose filter hides the room, and one that corrects the light."""
    return (
        '[meetings.default]\nframe_filters = ["room"]\n'
        '[meetings.default.options.room]\neffect = "replace"\nbackground = "#20603c"\n'
        '[meetings.light]\nframe_filters = ["brightness"]\n'
        + ('[meetings.people]\nframe_filters = ["pointrend"]\n' if has_pointrend() else "")
    )


def has_pointrend() -> bool:
    return any(each.name == "pointrend" for each in entry_points(group="vmeet"))


@pytest.fixture(autouse=True)
def plugin(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """The filter ``room``, for the server that is started next."""
    folder = tmp_path_factory.mktemp("plugin")
    room_filter.install(folder)
    before = os.environ.get("PYTHONPATH")
    monkeypatch.setenv("PYTHONPATH", f"{folder}{os.pathsep}{before}" if before else str(folder))


def near(colour: list[float], wanted: tuple[int, int, int]) -> bool:
    """Whether a colour came through two encoders as this one."""
    return all(abs(part - each) < 40 for part, each in zip(colour, wanted, strict=True))


async def corner_becomes(page: Page, video: str, wanted: tuple[int, int, int], within_s: float = 20) -> None:
    seen: list[float] = []
    try:
        async with asyncio.timeout(within_s):
            while not seen or not near(seen, wanted):
                seen = await page.locator(video).evaluate(CORNER)
                await asyncio.sleep(0.05)
    except TimeoutError:
        raise AssertionError(f"{video} has {seen}, not {wanted}") from None


async def lobby(page: Page, url: str) -> None:
    """With its panel open and the filtered picture there."""
    await page.goto(url)
    await page.get_by_test_id("lobby-effects").get_by_text("Background and effects").click()
    shown = page.locator("vmeet-preview vmeet-own-picture")
    await expect(shown).to_have_attribute("data-shows", "received", timeout=20_000)


async def join(page: Page, name: str) -> None:
    await page.get_by_test_id("name").fill(name)
    await page.get_by_test_id("join").click()
    await page.locator("vmeet-call[data-state=in]").wait_for(timeout=30_000)


async def two(server: Any, chromium: Any, script: str = "") -> tuple[Page, Page]:
    """Anna, with effects and her panel open, and Ben, who watches."""
    url = server.url + server.new_meeting()["url"]
    anna, ben = [await browsers.new_page(chromium, script) for _ in range(2)]
    await lobby(anna, url)
    await corner_becomes(anna, "vmeet-preview video.received", GREEN)
    await join(anna, "Anna")
    await ben.goto(url)
    await ben.get_by_test_id("preview-camera").click()  # one camera is enough for two cores
    await join(ben, "Ben")
    await anna.get_by_test_id("toggle-effects").click()
    return anna, ben


ANNA = "vmeet-tile:not(.own) video"


async def test_what_the_lobby_shows_is_what_the_others_see(server: Any, chromium: Any) -> None:
    anna, ben = await two(server, chromium)
    await corner_becomes(ben, ANNA, GREEN)
    await corner_becomes(anna, "vmeet-tile.own video", GREEN)
    own = anna.locator("vmeet-tile.own")
    received = """(tile) => {
        const { session } = document.querySelector('vmeet-call');
        return [tile.track === session.ownPicture().video, tile.track !== session.media.camera.track];
    }"""
    assert await own.evaluate(received) == [True, True]
    assert await own.locator("audio").count() == 0, "nobody hears themselves"
    await expect(anna.get_by_test_id("effects-status-camera")).to_have_attribute("data-standing", "on")


async def test_a_filter_is_turned_off_and_on_again(server: Any, chromium: Any) -> None:
    anna, ben = await two(server, chromium)
    await corner_becomes(ben, ANNA, GREEN)
    switch = anna.get_by_role("switch", name="Room")
    await switch.uncheck()
    await expect(anna.get_by_test_id("effects-status-camera")).to_have_text("Off.")
    own = anna.locator("vmeet-tile.own")
    assert await own.evaluate("(tile) => tile.track === document.querySelector('vmeet-call').media.camera.track")
    async with asyncio.timeout(15):
        while near(await ben.locator(ANNA).evaluate(CORNER), GREEN):
            await asyncio.sleep(0.05)
    await switch.check()
    await corner_becomes(ben, ANNA, GREEN)
    await corner_becomes(anna, "vmeet-tile.own video", GREEN)
    await expect(anna.get_by_test_id("effects-status-camera")).to_have_attribute("data-standing", "on")


async def test_another_background_is_there_at_once(server: Any, chromium: Any) -> None:
    """In the self-view, which goes the whole way through the server."""
    url = server.url + server.new_meeting()["url"]
    anna = await browsers.new_page(chromium)
    await lobby(anna, url)
    await join(anna, "Anna")
    await anna.get_by_test_id("toggle-effects").click()
    await corner_becomes(anna, "vmeet-tile.own video", GREEN)
    await anna.get_by_test_id("own-colour").fill("#1020e0")
    await corner_becomes(anna, "vmeet-tile.own video", BLUE)
    await anna.evaluate(f"() => {{ window.corner = {CORNER}; }}")
    changes_ms = []
    for name, colour in [("#20603c", GREEN), ("own-colour", BLUE)] * 4:
        change_ms = await anna.evaluate(CHANGE, [name, colour])
        assert change_ms is not None, f"{name} never came"
        changes_ms.append(change_ms)
        await asyncio.sleep(0.3)
    assert sorted(changes_ms)[len(changes_ms) // 2] <= CHANGED_WITHIN_S * 1000, changes_ms


async def test_effects_are_remembered_for_another_meeting(server: Any, chromium: Any) -> None:
    url = server.url + server.new_meeting()["url"]
    anna = await browsers.new_page(chromium)
    await lobby(anna, url)
    await anna.get_by_test_id("own-colour").fill("#1020e0")
    await corner_becomes(anna, "vmeet-preview video.received", BLUE)
    await lobby(anna, server.url + server.new_meeting()["url"])
    await corner_becomes(anna, "vmeet-preview video.received", BLUE)


async def test_a_filter_that_fails_shows_a_card_and_goes_on_when_asked(server: Any, chromium: Any) -> None:
    anna, ben = await two(server, chromium)
    await corner_becomes(ben, ANNA, GREEN)
    await anna.get_by_label("Break").check()
    status = anna.get_by_test_id("effects-status-camera")
    await expect(status).to_have_attribute("data-standing", "failed", timeout=15_000)
    await expect(status).to_contain_text("it was asked to break")
    note = ben.get_by_test_id("tile").filter(has_text="Anna").get_by_test_id("tile-note")
    await expect(note).to_contain_text("Anna’s background filter has failed")
    await anna.evaluate(WATCH)
    await anna.get_by_test_id("effects-again").click()  # it begins anew, and breaks again
    await anna.wait_for_function("() => window.standings.join().endsWith('starting,failed')", timeout=15_000)
    await anna.get_by_label("Break").uncheck()
    await expect(status).to_have_attribute("data-standing", "on", timeout=15_000)
    await corner_becomes(ben, ANNA, GREEN)
    await expect(note).to_be_hidden()


async def test_joining_keeps_the_socket_and_the_connection(server: Any, chromium: Any) -> None:
    url = server.url + server.new_meeting()["url"]
    anna = await browsers.new_page(chromium)
    sockets: list[str] = []
    anna.on("websocket", lambda socket: sockets.append(socket.url))
    await lobby(anna, url)
    publisher = await anna.evaluate_handle("() => document.querySelector('vmeet-lobby').session.links.publisher")
    await join(anna, "Anna")
    await corner_becomes(anna, "vmeet-tile.own video", GREEN)
    await asyncio.sleep(3)  # longer than a page takes to come back
    assert len(sockets) == 1
    script = """(publisher) => {
        const { links } = document.querySelector('vmeet-call').session;
        return publisher === links.publisher && publisher.connected;
    }"""
    assert await publisher.evaluate(script)


@pytest.mark.parametrize("preset", ["light", "people"])
async def test_the_filters_that_come_with_vmeet(server: Any, chromium: Any, preset: str) -> None:
    if preset == "people" and not has_pointrend():
        pytest.skip("vmeet-pointrend is not installed")
    url = server.url + server.new_meeting(preset=preset)["url"]
    anna, ben = [await browsers.new_page(chromium) for _ in range(2)]
    await lobby(anna, url)
    await expect(anna.get_by_test_id("effects-status-camera")).to_have_attribute("data-standing", "on")
    await join(anna, "Anna")
    await ben.goto(url)
    await ben.get_by_test_id("preview-camera").click()
    await join(ben, "Ben")
    seen = ben.get_by_test_id("tile").filter(has_text="Anna")
    await expect(seen).to_have_attribute("data-picture", "", timeout=15_000)
    tracks = "(tile) => tile.track === document.querySelector('vmeet-call').session.ownPicture()?.video"
    async with asyncio.timeout(15):
        while not await anna.locator("vmeet-tile.own").evaluate(tracks):
            await asyncio.sleep(0.1)


async def test_a_picture_is_uploaded_and_can_be_chosen(server: Any, chromium: Any, tmp_path: Path) -> None:
    picture = tmp_path / "blue.png"
    Image.new("RGB", (320, 180), BLUE).save(picture)
    anna = await browsers.new_page(chromium)
    await lobby(anna, server.url + server.new_meeting()["url"])
    await expect(anna.get_by_text("Bookshelf")).to_be_visible()
    await anna.get_by_test_id("picture-file").set_input_files(picture)
    chosen = anna.locator(".background:has(input:checked)")
    await expect(chosen).to_contain_text("Your picture", timeout=15_000)
    loaded = "(image) => image.complete && image.naturalWidth"
    async with asyncio.timeout(10):
        while await chosen.locator("img").evaluate(loaded) != 320:
            await asyncio.sleep(0.1)
    await expect(anna.get_by_test_id("effects-status-camera")).to_have_attribute("data-standing", "on")
