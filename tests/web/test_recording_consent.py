"""What people see of being recorded, and what they can say about it: lobby, notices, list of people, tiles, badge."""

import re
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from meeting_room import MEETING, QUIET, MeetingRoom, enter_room, person
from playwright.async_api import Browser, Locator, Page, expect

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]
PHONE: Any = {"viewport": {"width": 360, "height": 740}, "has_touch": True, "is_mobile": True}
RUNNING = {"active": True, "recording_id": "r1", "started_at_s": 1e9, "started_by": "Ben"}


async def open_lobby(page: Page, site: Any, **about: Any) -> None:
    site.answers["GET /api/meetings/abcd"] = (200, {**MEETING, **about})
    await page.goto("/m/abcd")
    await page.get_by_test_id("join").wait_for()


async def join(page: Page, name: str = "Ann") -> None:
    await page.get_by_test_id("name").fill(name)
    await page.get_by_test_id("join").click()
    await page.locator("vmeet-call[data-state=in]").wait_for()


def row(page: Page, name: str) -> Locator:
    return page.get_by_test_id("people-list").get_by_role("listitem").filter(has_text=name)


@pytest_asyncio.fixture(loop_scope="session")
async def phone(chromium: Browser, site: Any) -> AsyncIterator[Page]:
    context = await chromium.new_context(
        base_url=site.url, locale="en-US", permissions=["camera", "microphone"], reduced_motion="reduce", **PHONE
    )
    yield await context.new_page()
    await context.close()


async def test_the_lobby_follows_what_happens_meanwhile(page: Page, site: Any) -> None:
    await open_lobby(page, site)
    await expect(page.get_by_test_id("lobby-may-record")).to_contain_text("The host can record this meeting")
    await expect(page.get_by_test_id("consent")).to_have_count(0)
    site.answers["GET /api/meetings/abcd"] = (200, {**MEETING, "recording": True, "recording_started_by": "Ben"})
    notice = page.get_by_role("status").filter(has_text="This meeting is being recorded. Ben started it.")
    await expect(notice).to_be_visible(timeout=10_000)
    described = await page.get_by_test_id("join").get_attribute("aria-describedby")
    assert await notice.get_attribute("id") == described
    room = MeetingRoom(recording=RUNNING)
    site.on_socket = room
    await join(page)
    message = await room.wait_for(type="join")
    assert (message["told"], message["recorded"]) == (True, None)


async def test_a_recording_that_the_lobby_did_not_tell_of_waits_until_it_is_read(page: Page, site: Any) -> None:
    room = MeetingRoom(recording=RUNNING)
    room.own = {"left_out": "unanswered"}
    await enter_room(page, site, room)
    assert (await room.wait_for(type="join"))["told"] is False
    await expect(page.get_by_test_id("recording-dialog")).to_contain_text("Ben started it.")
    assert not [message for message in room.heard if message["type"] == "recording-seen"]
    await page.keyboard.press("Enter")
    await room.wait_for(type="recording-seen")


@pytest.mark.parametrize(("choice", "click", "sent"), [
    ("opt-out", None, True), ("opt-out", "consent-no", False), ("opt-in", None, None), ("opt-in", "consent-yes", True),
])  # fmt: skip
async def test_the_lobby_asks_where_there_is_a_choice(
    page: Page, site: Any, choice: str, click: str | None, sent: bool | None
) -> None:
    await open_lobby(page, site, recording_choice=choice)
    await expect(page.get_by_role("group", name="May you be recorded?")).to_be_visible()
    if click is not None:
        await page.get_by_test_id(click).focus()
        await page.keyboard.press("Space")
    room = MeetingRoom(recording_choice=choice)
    site.on_socket = room
    await join(page)
    assert (await room.wait_for(type="join"))["recorded"] is sent


async def test_the_beginning_is_told_until_it_is_read(page: Page, site: Any) -> None:
    room = MeetingRoom()
    await enter_room(page, site, room)
    await room.send(type="recording", recording=RUNNING, reason=None)
    log = page.get_by_role("log")
    notice = log.locator(".notice").filter(has_text="Ben has started to record this meeting.")
    await expect(notice).to_be_visible()
    for number in range(6):
        await room.send(type="participant", participant=person(f"p{number}", f"Person {number}"))
    await expect(log).to_contain_text("Person 5 joined")
    await expect(notice).to_be_visible()
    await expect(log.locator(".notice")).to_have_count(4)
    await expect(page.get_by_test_id("recording-badge")).to_contain_text("started by Ben")
    await notice.get_by_role("button", name="Close").click()
    await expect(notice).to_have_count(0)
    await expect(page.get_by_test_id("recording-badge")).to_be_visible()


async def test_an_opt_in_asks_when_it_begins_and_takes_no_answer_for_none(page: Page, site: Any) -> None:
    room = MeetingRoom(recording_choice="opt-in")
    room.own = {"left_out": "unanswered"}
    await enter_room(page, site, room)
    await room.send(type="recording", recording=RUNNING, reason=None)
    dialog = page.get_by_test_id("consent-dialog")
    await expect(dialog).to_contain_text("May you be recorded?")
    await expect(page.get_by_test_id("recording-without-you")).to_be_visible()
    await page.keyboard.press("Escape")
    await expect(dialog).to_have_count(0)
    assert not [message for message in room.heard if message["type"].startswith("recording-")]
    await page.keyboard.press("p")
    await expect(row(page, "Ann")).to_contain_text("Not recorded: no answer yet")
    await row(page, "Ann").get_by_role("switch", name="Record me").click()
    await room.wait_for(type="recording-choice", recorded=True)
    await room.send(type="participant", participant=person("me", "Ann", left_out=None))
    await expect(page.get_by_role("log")).to_contain_text("You are recorded from now on.")
    await expect(page.get_by_test_id("recording-without-you")).to_be_hidden()


async def test_saying_no_is_told_shown_and_kept(page: Page, site: Any) -> None:
    room = MeetingRoom(recording_choice="opt-out")
    await enter_room(page, site, room)
    await room.send(type="recording", recording=RUNNING, reason=None)
    await page.get_by_role("log").get_by_role("button", name="No, leave me out").click()
    await room.wait_for(type="recording-choice", recorded=False)
    room.own = {"left_out": "self"}
    await room.send(type="participant", participant=person("me", "Ann", left_out="self"))
    await expect(page.get_by_role("log")).to_contain_text("What was recorded of you before stays")
    await expect(page.locator("vmeet-tile.own").get_by_role("img", name="Is not being recorded")).to_be_visible()
    await expect(page.get_by_test_id("recording-badge")).to_contain_text("without you")
    room.heard.clear()
    await page.reload()
    await page.locator("vmeet-call[data-state=in]").wait_for()
    assert (await room.wait_for(type="join"))["recorded"] is False


async def test_the_host_leaves_people_out(page: Page, site: Any) -> None:
    room = MeetingRoom(host=True, recording=QUIET)
    await enter_room(page, site, room)
    await page.keyboard.press("p")
    switch = row(page, "Ben").get_by_role("switch", name="Record Ben")
    await expect(switch).to_have_attribute("aria-checked", "true")
    await switch.focus()
    await page.keyboard.press("Enter")
    await room.wait_for(type="leave-out", participant_id="ben", left_out=True)
    await room.send(type="participant", participant=person("ben", "Ben", left_out="host"))
    await expect(row(page, "Ben")).to_contain_text("Left out by the host: not recorded")
    await expect(switch).to_have_attribute("aria-checked", "false")
    await expect(page.get_by_test_id("not-recorded").filter(visible=True)).to_have_count(0)
    await room.send(type="recording", recording=RUNNING, reason=None)
    ben = page.get_by_test_id("tile").filter(has_text="Ben")
    await expect(ben.get_by_role("img", name="Is not being recorded")).to_be_visible()
    await switch.click()
    await room.wait_for(type="leave-out", participant_id="ben", left_out=False)


async def test_whose_word_it_is_not_finds_the_switch_locked(page: Page, site: Any) -> None:
    room = MeetingRoom(recording_choice="opt-out", host=True)
    room.people = [
        person("ben", "Ben", left_out="self"),
        person("obs", "Studio", is_stream=True, left_out="unanswered"),
    ]
    await enter_room(page, site, room)
    await page.keyboard.press("p")
    locked = row(page, "Ben").get_by_role("switch", name="Ben has not agreed to be recorded")
    await expect(locked).to_have_attribute("aria-disabled", "true")
    await locked.click(force=True)
    await row(page, "Studio").get_by_role("switch", name="Record Studio").click()
    await room.wait_for(type="leave-out", participant_id="obs", left_out=False)
    assert len([message for message in room.heard if message["type"] == "leave-out"]) == 1


async def test_guests_have_no_switch_where_everyone_is_recorded(page: Page, site: Any) -> None:
    room = MeetingRoom()
    await enter_room(page, site, room)
    await page.keyboard.press("p")
    await expect(row(page, "Ann")).to_be_visible()
    await expect(page.get_by_role("switch")).to_have_count(0)
    await room.send(type="participant", participant=person("me", "Ann", left_out="host"))
    switch = row(page, "Ann").get_by_role("switch", name="The host has left you out of recordings")
    await expect(switch).to_have_attribute("aria-disabled", "true")


async def test_on_a_phone_all_of_it_is_there_in_chinese(phone: Page, site: Any) -> None:
    await open_lobby(phone, site, recording=True, recording_started_by="王小明", recording_choice="opt-out")
    await phone.evaluate("import('/static/js/i18n.js').then((module) => module.setLanguage('zh-Hant'))")
    await expect(phone.get_by_test_id("lobby-recording")).to_have_text("這場會議正在錄影，由王小明開始。")
    await phone.get_by_role("radio", name="不要錄下我").check()
    room = MeetingRoom(recording_choice="opt-out", recording={**RUNNING, "started_by": "王小明"})
    room.own = {"left_out": "self"}
    site.on_socket = room
    await join(phone)
    assert (await room.wait_for(type="join"))["recorded"] is False
    await expect(phone.get_by_test_id("recording-dialog")).to_contain_text("您已被排除")
    await phone.get_by_test_id("recording-ok").click()
    badge = phone.get_by_test_id("recording-badge")
    await expect(badge).to_contain_text(re.compile("錄影中.*由王小明開始.*不含您"))
    box, width = await badge.bounding_box(), phone.viewport_size
    assert box is not None
    assert width is not None
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= width["width"]
    await phone.get_by_test_id("toggle-people").click()
    switch = row(phone, "Ann").get_by_role("switch", name="錄下我")
    await switch.click()
    await room.wait_for(type="recording-choice", recorded=True)
