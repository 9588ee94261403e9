"""The chat of a meeting: writing, reading, what is told while it is closed, what survives a lost connection."""

from typing import Any

import pytest
from meeting_room import MeetingRoom, chat_entry, enter_room
from playwright.async_api import Page, expect

from vmeet_core import protocol

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]
COMPOSED_ENTER = """(field, how) => field.dispatchEvent(
    new KeyboardEvent('keydown', { key: 'Enter', bubbles: true, cancelable: true, ...how }))"""


async def open_chat(page: Page, site: Any, room: MeetingRoom) -> None:
    await enter_room(page, site, room)
    await page.keyboard.press("c")
    await expect(page.get_by_test_id("chat-field")).to_be_focused()


def sent(room: MeetingRoom) -> list[str]:
    return [message["text"] for message in room.heard if message["type"] == "chat"]


async def test_enter_sends_and_shift_enter_begins_a_line(page: Page, site: Any) -> None:
    room = MeetingRoom()
    await open_chat(page, site, room)
    await page.keyboard.type("first")
    await page.keyboard.press("Shift+Enter")
    await page.keyboard.type("second ")
    await page.keyboard.press("Enter")
    assert (await room.wait_for(type="chat"))["text"] == "first\nsecond"
    message = page.get_by_test_id("chat-message")
    await expect(message).to_contain_text("You")
    await expect(message).to_have_class("own")
    await expect(message.locator(".text")).to_have_text("first\nsecond")
    await expect(page.get_by_test_id("chat-field")).to_have_value("")


@pytest.mark.parametrize("how", [{"isComposing": True}, {"keyCode": 229}])
async def test_the_enter_that_chooses_a_character_does_not_send(page: Page, site: Any, how: dict[str, Any]) -> None:
    room = MeetingRoom()
    await open_chat(page, site, room)
    field = page.get_by_test_id("chat-field")
    await field.fill("ㄋㄧˇ")
    await field.evaluate(COMPOSED_ENTER, how)
    await expect(field).to_have_value("ㄋㄧˇ")
    await field.fill("你好")
    await field.press("Enter")
    await room.wait_for(type="chat", text="你好")
    assert sent(room) == ["你好"]


async def test_nothing_but_spaces_is_not_sent(page: Page, site: Any) -> None:
    room = MeetingRoom()
    await open_chat(page, site, room)
    await page.keyboard.type("   ")
    await page.keyboard.press("Enter")
    await page.keyboard.type("x")
    await page.get_by_test_id("chat-send").click()
    await room.wait_for(type="chat", text="x")
    assert sent(room) == ["x"]


async def test_a_message_is_text_and_its_addresses_are_links(page: Page, site: Any) -> None:
    room = MeetingRoom()
    await open_chat(page, site, room)
    await room.write("<img src=x onerror=alert(1)> javascript:alert(1) https://a.example/b。好")
    message = page.get_by_test_id("chat-message")
    await expect(message).to_contain_text("<img src=x onerror=alert(1)>")
    assert await message.locator("img").count() == 0
    link = message.get_by_role("link")
    await expect(link).to_have_text("https://a.example/b")
    await expect(link).to_have_attribute("href", "https://a.example/b")
    await expect(link).to_have_attribute("target", "_blank")
    assert "noopener" in str(await link.get_attribute("rel"))


async def test_messages_are_read_out_with_name_and_time(page: Page, site: Any) -> None:
    room = MeetingRoom()
    await open_chat(page, site, room)
    await room.write("hello")
    await room.write("again")
    await expect(page.get_by_test_id("chat-list")).to_have_attribute("aria-live", "polite")
    second = page.get_by_test_id("chat-message").nth(1)
    await expect(second).to_have_class("follows")
    await expect(second.locator(".name")).to_have_text("Ben")
    assert await second.locator("time").get_attribute("datetime") == "2001-09-09T01:46:42.000Z"


async def test_a_closed_chat_tells_of_messages_and_counts_them(page: Page, site: Any) -> None:
    room = MeetingRoom()
    await enter_room(page, site, room)
    badge, button = page.get_by_test_id("chat-unread"), page.get_by_test_id("toggle-chat")
    await expect(badge).to_be_hidden()
    await room.write("one")
    await room.write("two")
    await expect(badge).to_have_text("2")
    await expect(button).to_have_attribute("aria-label", "Chat (C), 2 unread messages")
    notice = page.get_by_test_id("notices").locator("[data-key=chat]")
    await expect(notice).to_have_count(1)
    await expect(notice).to_contain_text("Ben wrotetwo")
    await notice.get_by_role("button", name="Open").click()
    await expect(page.get_by_test_id("chat-message")).to_have_count(2)
    await expect(button).to_have_attribute("aria-expanded", "true")
    await expect(badge).to_be_hidden()
    await expect(notice).to_have_count(0)


async def test_an_open_chat_needs_no_notice(page: Page, site: Any) -> None:
    room = MeetingRoom()
    await open_chat(page, site, room)
    await room.write("one")
    await expect(page.get_by_test_id("chat-message")).to_have_count(1)
    await expect(page.get_by_test_id("notices").locator("[data-key=chat]")).to_have_count(0)
    await expect(page.get_by_test_id("chat-unread")).to_be_hidden()


async def test_reading_above_is_not_disturbed(page: Page, site: Any) -> None:
    room = MeetingRoom()
    room.chat = [chat_entry(number, f"line {number}\n" * 3) for number in range(1, 31)]
    await open_chat(page, site, room)
    scroller, newer = page.get_by_test_id("chat-scroller"), page.get_by_test_id("chat-newer")
    await expect(page.get_by_text("line 30").first).to_be_in_viewport()
    await scroller.evaluate("(each) => { each.scrollTop = 100; }")
    await expect(page.get_by_text("line 30").first).not_to_be_in_viewport()
    await room.write("the newest")
    await expect(newer).to_be_visible()
    assert await scroller.evaluate("(each) => each.scrollTop") == 100
    await newer.click()
    await expect(page.get_by_text("the newest")).to_be_in_viewport()
    await expect(newer).to_be_hidden()
    await room.write("one more")
    await expect(page.get_by_text("one more")).to_be_in_viewport()


async def test_a_longer_draft_does_not_hide_the_newest(page: Page, site: Any) -> None:
    room = MeetingRoom()
    room.chat = [chat_entry(number, f"line {number}") for number in range(1, 60)]
    await open_chat(page, site, room)
    await page.get_by_test_id("chat-field").fill("a\n" * 6)
    await expect(page.get_by_text("line 59")).to_be_in_viewport(ratio=1)


async def test_the_limit_is_shown_near_the_end_and_kept(page: Page, site: Any) -> None:
    room = MeetingRoom()
    await open_chat(page, site, room)
    field, count = page.get_by_test_id("chat-field"), page.get_by_test_id("chat-count")
    await field.fill("早" * (protocol.MAX_CHAT_CHARS - 201))
    await expect(count).to_be_hidden()
    await field.fill("早" * (protocol.MAX_CHAT_CHARS - 1))
    await expect(count).to_have_text("1 character left")
    await field.fill("早" * (protocol.MAX_CHAT_CHARS + 3))
    await expect(count).to_have_text("3 characters too many")
    await field.press("Enter")
    await expect(page.get_by_test_id("chat-fault")).to_contain_text("too long")
    await expect(field).to_have_attribute("aria-invalid", "true")
    await field.fill("早" * protocol.MAX_CHAT_CHARS)
    await field.press("Enter")
    await room.wait_for(type="chat")
    assert [len(text) for text in sent(room)] == [protocol.MAX_CHAT_CHARS]


async def test_without_a_connection_the_text_stays(page: Page, site: Any) -> None:
    room = MeetingRoom()
    await open_chat(page, site, room)
    await page.evaluate("document.querySelector('vmeet-call').session.signalling.close()")
    await page.get_by_test_id("chat-field").fill("important")
    await page.keyboard.press("Enter")
    await expect(page.get_by_test_id("chat-fault")).to_contain_text("Not sent")
    await expect(page.get_by_test_id("chat-field")).to_have_value("important")


async def test_a_text_lost_with_the_connection_comes_back(page: Page, site: Any) -> None:
    room = MeetingRoom()
    room.echoes = False
    await open_chat(page, site, room)
    await page.keyboard.type("important")
    await page.keyboard.press("Enter")
    await room.wait_for(type="chat")
    await page.keyboard.type("next")
    assert room.socket is not None
    await room.socket.close()
    await expect(page.get_by_test_id("chat-field")).to_have_value("important\nnext")
    await expect(page.get_by_test_id("chat-fault")).to_contain_text("Not sent")


async def test_a_refused_text_comes_back(page: Page, site: Any) -> None:
    room = MeetingRoom()
    room.echoes = False
    await open_chat(page, site, room)
    await page.keyboard.type("too soon")
    await page.keyboard.press("Enter")
    await room.wait_for(type="chat")
    await room.send(type="error", code="too-large", message="more than 10 texts in 10 s", fatal=False)
    await expect(page.get_by_test_id("chat-field")).to_have_value("too soon")
    await expect(page.get_by_test_id("notices")).to_contain_text("more than 10 texts in 10 s")


async def test_the_history_is_there_once_and_a_rejoin_adds_what_was_missed(page: Page, site: Any) -> None:
    room = MeetingRoom()
    room.chat = [chat_entry(1, "early")]
    await enter_room(page, site, room)
    await expect(page.get_by_test_id("chat-unread")).to_be_hidden()
    await room.write("live")
    await expect(page.get_by_test_id("chat-unread")).to_have_text("1")
    room.chat.append(chat_entry(3, "missed"))
    room.heard.clear()
    assert room.socket is not None
    await room.socket.close()
    await room.wait_for(type="join")
    await expect(page.get_by_test_id("chat-unread")).to_have_text("2")
    await page.get_by_test_id("toggle-chat").click()
    await expect(page.get_by_test_id("chat-message").locator(".text")).to_have_text(["early", "live", "missed"])


async def test_escape_closes_it_and_gives_the_focus_back(page: Page, site: Any) -> None:
    await open_chat(page, site, MeetingRoom())
    await page.keyboard.type("a draft")
    await page.keyboard.press("Escape")
    await expect(page.locator("vmeet-chat")).to_be_hidden()
    await expect(page.get_by_test_id("toggle-chat")).to_be_focused()
    await page.keyboard.press("c")
    await expect(page.get_by_test_id("chat-field")).to_have_value("a draft")


async def test_times_follow_the_language(page: Page, site: Any) -> None:
    room = MeetingRoom()
    room.chat = [chat_entry(1, "early")]
    await open_chat(page, site, room)
    time = page.get_by_test_id("chat-message").locator("time")
    english = await time.inner_text()
    await page.get_by_test_id("language").click()
    await expect(time).not_to_have_text(english)
    await expect(page.get_by_test_id("chat-field")).to_have_attribute("placeholder", "傳送訊息給所有人")
