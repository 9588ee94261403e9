"""The host's dialog for other programs: addresses, tokens that are hidden until asked for, commands to copy."""

from typing import Any

import pytest
from meeting_room import MeetingRoom, enter_room
from playwright.async_api import Page, expect

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]
KEEP = "navigator.clipboard.writeText = async (text) => { window.copied = text; };"
FORBID = "navigator.clipboard.writeText = async () => { throw new DOMException('no', 'NotAllowedError'); };"


async def open_streams(page: Page, site: Any, script: str = KEEP) -> None:
    await page.add_init_script(script)
    await enter_room(page, site, MeetingRoom(host=True))
    await page.keyboard.press("b")
    await expect(page.get_by_test_id("stream-dialog")).to_be_visible()


async def copied(page: Page, testid: str) -> str:
    button = page.get_by_test_id(f"{testid}-copy")
    await button.click()
    await expect(button).to_have_text("Copied")
    return str(await page.evaluate("window.copied"))


async def test_addresses_are_whole_and_can_be_copied(page: Page, site: Any) -> None:
    await open_streams(page, site)
    await expect(page.get_by_test_id("whip-url")).to_have_value(f"{site.url}/whip/abcd")
    assert await copied(page, "whip-url") == f"{site.url}/whip/abcd"
    assert await copied(page, "whep-url") == f"{site.url}/whep/abcd"


async def test_a_token_is_dots_until_it_is_asked_for(page: Page, site: Any) -> None:
    await open_streams(page, site)
    for way, token in (("whip", "publish-token"), ("whep", "watch-token")):
        field, eye = page.get_by_test_id(f"{way}-token"), page.get_by_test_id(f"{way}-token-show")
        assert set(await field.input_value()) == {"•"}
        assert await copied(page, f"{way}-token") == token
        assert set(await field.input_value()) == {"•"}
        await eye.click()
        await expect(field).to_have_value(token)
        await expect(eye).to_have_attribute("aria-pressed", "true")
        await eye.click()
        assert set(await field.input_value()) == {"•"}


async def test_no_token_can_be_read_before(page: Page, site: Any) -> None:
    await open_streams(page, site)
    text = await page.get_by_test_id("stream-dialog").evaluate("(each) => each.outerHTML + each.innerText")
    assert "publish-token" not in text
    assert "watch-token" not in text


async def test_commands_are_copied_with_the_token(page: Page, site: Any) -> None:
    await open_streams(page, site)
    for testid, token in (("publish-ffmpeg", "publish-token"), ("watch-gstreamer", "watch-token")):
        part = page.get_by_test_id(testid)
        await part.locator("summary").click()
        await expect(part.locator("code")).to_contain_text("TOKEN")
        assert token in await copied(page, testid)
    await page.get_by_test_id("obs-help").locator("summary").click()
    await expect(page.get_by_test_id("obs-help")).to_contain_text("bframes=0")


async def test_without_a_clipboard_the_value_is_selected(page: Page, site: Any) -> None:
    await open_streams(page, site, FORBID)
    await page.get_by_test_id("whip-token-copy").click()
    field = page.get_by_test_id("whip-token")
    await expect(field).to_be_focused()
    selected = "(each) => each.value.slice(each.selectionStart, each.selectionEnd)"
    assert await field.evaluate(selected) == "publish-token"


@pytest.mark.parametrize("room", [MeetingRoom(), MeetingRoom(host=True, streams=None)], ids=["guest", "off"])
async def test_nobody_else_has_it(page: Page, site: Any, room: MeetingRoom) -> None:
    await enter_room(page, site, room)
    await expect(page.get_by_test_id("open-streams")).to_be_hidden()
    await page.keyboard.press("b")
    await page.keyboard.press("?")
    await expect(page.get_by_test_id("help-dialog")).to_be_visible()
    await expect(page.get_by_test_id("stream-dialog")).to_have_count(0)
