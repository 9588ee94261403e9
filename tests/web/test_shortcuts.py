"""The keys of a meeting and the help that lists them."""

import re
from typing import Any

import pytest
from meeting_room import MeetingRoom, enter_room
from playwright.async_api import Page, expect

from vmeet_core.server.app import WEB

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]
SOURCE = (WEB / "js" / "shortcuts.js").read_text(encoding="utf-8")
KEYS = re.findall(r'key: "(.)"', SOURCE)


async def test_the_help_lists_every_key(page: Page, site: Any) -> None:
    await enter_room(page, site, MeetingRoom())
    await page.keyboard.press("?")
    listed = page.get_by_test_id("help-dialog").locator("kbd")
    await expect(listed).to_have_text([*KEYS, "Esc"])
    assert len(set(KEYS)) == len(KEYS) >= 11


async def test_labels_name_the_key_that_works(page: Page, site: Any) -> None:
    await enter_room(page, site, MeetingRoom(host=True))
    labels = await page.locator("vmeet-toolbar button").evaluate_all("(all) => all.map((each) => each.ariaLabel)")
    assert {key for label in labels if label for key in re.findall(r"\((.)\)", label)} == set(KEYS)


async def test_a_key_with_another_input_method_works_by_its_place(page: Page, site: Any) -> None:
    await enter_room(page, site, MeetingRoom())
    press = "new KeyboardEvent('keydown', { key: 'ㄏ', code: 'KeyC', bubbles: true, cancelable: true })"
    await page.evaluate(f"document.body.dispatchEvent({press})")
    await expect(page.locator("vmeet-chat")).to_be_visible()
