"""A shared screen, and the size in which cameras are sent, in real browsers."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import browsers
import pytest
from playwright.async_api import Page, expect

pytestmark = pytest.mark.browser
SHARED_WITHIN_S = 15.0
LOOK_FOR_S = 12.0
RECEIVED = """async () => {
    const { session } = document.querySelector("vmeet-call");
    const [{ screen }] = [...(await session.receiver.statistics()).values()].filter((each) => each.screen);
    return screen ? [screen.frameWidth ?? 0, screen.framesDecoded ?? 0] : [0, 0];
}"""
SENT = """async () => {
    const { publisher } = document.querySelector("vmeet-call").session.links;
    const { mid } = publisher.transceivers.get("camera");
    const reports = [...(await publisher.pc.getStats()).values()];
    const sent = reports.find((each) => each.type === "outbound-rtp" && each.mid === mid);
    const path = reports.find((each) => each.type === "candidate-pair" && each.availableOutgoingBitrate);
    return {
        width_px: sent?.frameWidth ?? 0,
        limit: sent?.qualityLimitationReason ?? "none",
        target_bps: sent?.targetBitrate ?? 0,
        estimate_bps: path?.availableOutgoingBitrate ?? 0,
        frames_per_s: sent?.framesPerSecond ?? 0,
        rtt_s: path?.currentRoundTripTime ?? 0,
    };
}"""


@pytest.fixture
async def sharp_chromium(tmp_path_factory: pytest.TempPathFactory, media: Any) -> AsyncIterator[Any]:
    """With a camera of 1280x720."""
    async with browsers.browser(browsers.make_media(tmp_path_factory.mktemp("sharp"), 1280, 720)) as chromium:
        yield chromium


async def two_people(server: browsers.Server, chromium: Any) -> list[Page]:
    meeting = server.new_meeting()
    pages = [await browsers.new_page(chromium) for _ in range(2)]
    for page, name in zip(pages, ("Anna", "Ben"), strict=True):
        await browsers.enter(page, server.url + meeting["url"], name)
    return pages


async def test_a_shared_screen_is_seen_large_until_it_ends(server: browsers.Server, chromium: Any) -> None:
    anna, ben = await two_people(server, chromium)
    await anna.keyboard.press("s")
    screen = ben.get_by_test_id("screen-tile")
    await expect(screen).to_have_attribute("data-picture", "", timeout=SHARED_WITHIN_S * 1000)
    await expect(screen).to_have_class("pinned")
    width_px = await anna.evaluate("document.querySelector('vmeet-call').session.screen.track.getSettings().width")
    async with asyncio.timeout(SHARED_WITHIN_S):
        while (received := await ben.evaluate(RECEIVED))[1] < 20:
            await asyncio.sleep(0.2)
    assert received[0] == width_px
    await anna.keyboard.press("s")
    await expect(screen).to_have_count(0)
    await expect(anna.get_by_test_id("screen-tile")).to_have_count(0)


async def test_whoever_comes_later_sees_the_screen(server: browsers.Server, chromium: Any) -> None:
    meeting = server.new_meeting()
    anna = await browsers.new_page(chromium)
    await browsers.enter(anna, server.url + meeting["url"], "Anna")
    await anna.keyboard.press("s")
    await expect(anna.get_by_test_id("screen-tile")).to_have_attribute("data-picture", "", timeout=10_000)
    ben = await browsers.new_page(chromium)
    await browsers.enter(ben, server.url + meeting["url"], "Ben")
    await expect(ben.get_by_test_id("screen-tile")).to_have_attribute("data-picture", "", timeout=15_000)


async def test_a_good_network_carries_the_whole_camera(server: browsers.Server, sharp_chromium: Any) -> None:
    anna, ben = await two_people(server, sharp_chromium)
    clock = asyncio.get_running_loop()
    until_s = clock.time() + LOOK_FOR_S
    looks: list[dict[str, Any]] = []
    while clock.time() < until_s:
        looks.append(await anna.evaluate(SENT))
        await asyncio.sleep(0.5)
    seen = "\n".join(map(str, looks))
    assert looks[-1]["width_px"] == 1280, seen
    assert "bandwidth" not in {look["limit"] for look in looks}, seen
    assert [each["width"] for each in (await browsers.stats(ben)).values()] == [1280]
