"""Three people meet in real browsers."""

import asyncio
from typing import Any

import browsers
import pytest
from playwright.async_api import Page, expect

pytestmark = pytest.mark.browser
GONE_WITHIN_S = 10


async def three_people(server: Any, chromium: Any) -> tuple[dict[str, Any], list[Page]]:
    meeting = server.new_meeting()
    pages = [await browsers.new_page(chromium) for _ in range(3)]
    for page, name in zip(pages, ("王小明", "Ben", "Carla"), strict=True):
        host = meeting if name == "王小明" else None
        await browsers.enter(page, server.url + meeting["url"], name, host)
    return meeting, pages


async def until(page: Page, condition: str, timeout_s: float = 15) -> Any:
    """Wait until an expression over ``s`` (the page's statistics as a list) holds."""
    read = "const s = Object.values(await document.querySelector('vmeet-meeting').stats())"
    script = f"async () => {{ {read}; return {condition}; }}"
    async with asyncio.timeout(timeout_s):
        while not (found := await page.evaluate(script)):
            await asyncio.sleep(0.1)
    return found


def tile(page: Page, name: str) -> Any:
    return page.get_by_test_id("tile").filter(has_text=name)


async def test_three_people_see_and_hear_each_other(server: Any, chromium: Any) -> None:
    _, pages = await three_people(server, chromium)
    for page in pages:
        await until(page, "s.length === 2 && s.every(p => p.framesDecoded > 30 && p.width === 640)")
        await until(page, "s.every(p => p.totalAudioEnergy > 0 && p.audioBytes > 2000)")
        await expect(page.get_by_test_id("tile")).to_have_count(3)
    names = {person["name"] for person in (await browsers.stats(pages[2])).values()}
    assert names == {"王小明", "Ben"}


async def test_mute_camera_off_and_leave(server: Any, chromium: Any) -> None:
    _, (anna, ben, carla) = await three_people(server, chromium)
    await until(anna, "s.length === 2 && s.every(p => p.framesDecoded > 10)")
    await ben.get_by_test_id("toggle-microphone").click()
    await expect(tile(anna, "Ben")).to_have_attribute("data-muted", "")
    before = await until(anna, "s.find(p => p.name === 'Ben').audioBytes")
    await asyncio.sleep(1)
    assert await until(anna, "s.find(p => p.name === 'Ben').audioBytes") == before
    await ben.get_by_test_id("toggle-microphone").click()
    await until(anna, f"s.find(p => p.name === 'Ben').audioBytes > {before} + 1000")
    await ben.get_by_test_id("toggle-camera").click()
    await expect(tile(anna, "Ben")).to_have_attribute("data-camera-off", "")
    frames = await until(anna, "s.find(p => p.name === 'Ben').framesDecoded")
    await asyncio.sleep(1)
    assert await until(anna, "s.find(p => p.name === 'Ben').framesDecoded") <= frames + 2
    await ben.get_by_test_id("toggle-camera").click()
    await until(anna, f"s.find(p => p.name === 'Ben').framesDecoded > {frames} + 20")
    await carla.get_by_test_id("leave").click()
    await expect(tile(anna, "Carla")).to_have_count(0, timeout=3000)


async def test_reload_returns_as_the_same_person(server: Any, chromium: Any) -> None:
    _, (anna, ben, _) = await three_people(server, chromium)
    person = await tile(anna, "Ben").get_attribute("data-participant-id")
    await ben.reload()
    await ben.locator("vmeet-call[data-state=in]").wait_for(timeout=20_000)
    await until(ben, "s.length === 2 && s.every(p => p.framesDecoded > 10)")
    await until(anna, "s.length === 2 && s.every(p => p.framesDecoded > 10)")
    assert await tile(anna, "Ben").get_attribute("data-participant-id") == person
    await expect(anna.get_by_test_id("tile")).to_have_count(3)


async def test_a_killed_tab_is_gone_for_the_others(server: Any, chromium: Any) -> None:
    _, (anna, ben, _) = await three_people(server, chromium)
    await expect(tile(anna, "Ben")).to_have_count(1)
    session = await ben.context.new_cdp_session(ben)
    crash = asyncio.ensure_future(session.send("Page.crash"))
    await expect(tile(anna, "Ben")).to_have_count(0, timeout=GONE_WITHIN_S * 1000)
    crash.cancel()
    await asyncio.gather(crash, return_exceptions=True)


async def test_a_second_page_of_the_same_person_wins(server: Any, chromium: Any) -> None:
    meeting = server.new_meeting()
    first = await browsers.new_page(chromium)
    await browsers.enter(first, server.url + meeting["url"], "Ben")
    second = await first.context.new_page()
    await second.add_init_script("/* another tab */")
    copied = await first.evaluate("JSON.stringify(sessionStorage)")
    await second.add_init_script(f"for (const [k, v] of Object.entries({copied})) sessionStorage.setItem(k, v);")
    await second.goto(server.url + meeting["url"])
    await second.locator("vmeet-call[data-state=in]").wait_for(timeout=20_000)
    await expect(first.get_by_test_id("ended")).to_have_attribute("data-reason", "replaced", timeout=10_000)
    await expect(second.get_by_test_id("tile")).to_have_count(1)


async def test_an_unknown_meeting_says_so(server: Any, chromium: Any) -> None:
    page = await browsers.new_page(chromium)
    await page.goto(f"{server.url}/m/nowhere")
    await expect(page.locator("vmeet-meeting")).to_contain_text("no meeting", timeout=10_000, ignore_case=True)
