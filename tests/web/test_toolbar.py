"""The buttons of a meeting: panels, screen, and what is behind "more" on a phone."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from meeting_room import MeetingRoom, enter_room, person
from playwright.async_api import Browser, Page, expect

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]
PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
# A picture that is drawn here stands in for a screen: headless browsers have none.
SHARE = """navigator.mediaDevices.getDisplayMedia = async () => {
    const canvas = document.createElement('canvas');
    canvas.getContext('2d').fillRect(0, 0, 9, 9);
    window.shared = canvas.captureStream(5);
    return window.shared;
};"""
REFUSE = "navigator.mediaDevices.getDisplayMedia = async () => { throw new DOMException('no', 'NotAllowedError'); };"
BREAK = "navigator.mediaDevices.getDisplayMedia = async () => { throw new DOMException('odd', 'AbortError'); };"
REMOVE = "delete MediaDevices.prototype.getDisplayMedia;"


@pytest_asyncio.fixture(loop_scope="session")
async def phone(chromium: Browser, site: Any) -> AsyncIterator[Page]:
    context = await chromium.new_context(
        base_url=site.url, locale="en-US", permissions=["camera", "microphone"], reduced_motion="reduce", **PHONE
    )
    page = await context.new_page()
    await page.add_init_script(REMOVE)
    yield page
    await context.close()


async def test_one_panel_at_a_time(page: Page, site: Any) -> None:
    await enter_room(page, site, MeetingRoom())
    people, chat = page.get_by_test_id("toggle-people"), page.get_by_test_id("toggle-chat")
    await people.click()
    await expect(page.get_by_test_id("people-list")).to_be_visible()
    await chat.click()
    await expect(page.get_by_test_id("people-list")).to_be_hidden()
    await expect(people).to_have_attribute("aria-expanded", "false")
    await expect(chat).to_have_attribute("aria-expanded", "true")
    await chat.click()
    await expect(page.locator(".side-panel:visible")).to_have_count(0)


async def test_the_own_screen_is_shared_and_no_longer(page: Page, site: Any) -> None:
    room = MeetingRoom()
    await page.add_init_script(SHARE)
    await enter_room(page, site, room)
    button = page.get_by_test_id("toggle-screen")
    await expect(button).to_have_attribute("aria-pressed", "false")
    await page.keyboard.press("s")
    await room.wait_for(type="mute", source="screen", muted=False)
    await expect(button).to_have_attribute("aria-pressed", "true")
    await expect(button).to_have_attribute("title", "Stop sharing (S)")
    await expect(page.get_by_test_id("notices")).to_contain_text("You are sharing your screen")
    room.heard.clear()
    await button.click()
    await room.wait_for(type="mute", source="screen", muted=True)
    await expect(button).to_have_attribute("aria-pressed", "false")
    await expect(page.get_by_test_id("notices")).to_contain_text("no longer shared")


@pytest.mark.parametrize(("script", "text"), [(REFUSE, "Your screen is not shared."), (BREAK, "could not be shared")])
async def test_a_screen_that_cannot_be_shared_is_explained(page: Page, site: Any, script: str, text: str) -> None:
    await page.add_init_script(script)
    await enter_room(page, site, MeetingRoom())
    await page.get_by_test_id("toggle-screen").click()
    await expect(page.get_by_test_id("notices").locator(".notice.warning")).to_have_count(1)
    await expect(page.get_by_test_id("notices")).to_contain_text(text)
    await expect(page.get_by_test_id("toggle-screen")).to_have_attribute("aria-pressed", "false")


async def test_screens_of_others_are_announced(page: Page, site: Any) -> None:
    room = MeetingRoom()
    await enter_room(page, site, room)
    await room.send(type="participant", participant=person("ben", "Ben", muted=[]))
    await expect(page.get_by_test_id("notices")).to_contain_text("Ben is sharing the screen")
    await room.send(type="participant", participant=person("ben", "Ben"))
    await expect(page.get_by_test_id("notices")).to_contain_text("Ben no longer shares the screen")
    await expect(page.get_by_test_id("notices")).not_to_contain_text("is sharing")


async def test_a_screen_that_was_shared_before_is_no_news(page: Page, site: Any) -> None:
    room = MeetingRoom()
    room.people = [person("ben", "Ben", muted=[])]
    await enter_room(page, site, room)
    await room.send(type="participant", participant=person("carla", "Carla"))
    await expect(page.get_by_test_id("notices")).to_contain_text("Carla joined")
    await expect(page.get_by_test_id("notices")).not_to_contain_text("sharing")


async def test_a_phone_has_every_button_within_its_width(phone: Page, site: Any) -> None:
    await enter_room(phone, site, MeetingRoom(host=True))
    assert await phone.evaluate("document.documentElement.scrollWidth <= innerWidth")
    for name in ("toggle-microphone", "toggle-camera", "toggle-chat", "toggle-people", "more", "leave"):
        await expect(phone.get_by_test_id(name)).to_be_in_viewport(ratio=1)
    await expect(phone.get_by_test_id("toggle-recording")).to_be_hidden()
    await phone.get_by_test_id("more").click()
    for name in ("toggle-recording", "copy-link", "open-statistics", "open-streams", "open-devices", "open-help"):
        await expect(phone.get_by_test_id(name)).to_be_in_viewport(ratio=1)
    await expect(phone.get_by_test_id("toggle-screen")).to_be_hidden()


async def test_the_menu_closes_by_escape_and_by_a_touch_elsewhere(phone: Page, site: Any) -> None:
    await enter_room(phone, site, MeetingRoom())
    more, inside = phone.get_by_test_id("more"), phone.get_by_test_id("copy-link")
    await more.click()
    await expect(inside).to_be_visible()
    await phone.keyboard.press("Escape")
    await expect(inside).to_be_hidden()
    await expect(more).to_be_focused()
    await more.click()
    await phone.get_by_test_id("stage").click(position={"x": 5, "y": 5})
    await expect(inside).to_be_hidden()
    await expect(more).to_have_attribute("aria-expanded", "false")


async def test_without_a_way_to_share_the_key_says_so(phone: Page, site: Any) -> None:
    await enter_room(phone, site, MeetingRoom())
    await phone.keyboard.press("s")
    await expect(phone.get_by_test_id("notices")).to_contain_text("cannot share a screen")


async def test_a_window_that_grows_shows_what_was_behind_more(page: Page, site: Any) -> None:
    await page.set_viewport_size({"width": 700, "height": 600})
    await enter_room(page, site, MeetingRoom(host=True))
    record = page.get_by_test_id("toggle-recording")
    await expect(record).to_be_hidden()
    await page.set_viewport_size({"width": 800, "height": 600})
    await expect(record).to_be_visible()
    await expect(page.get_by_test_id("open-devices")).to_be_hidden()
    await page.set_viewport_size({"width": 1280, "height": 600})
    await expect(page.get_by_test_id("open-devices")).to_be_visible()
    await expect(page.get_by_test_id("more")).to_be_hidden()
