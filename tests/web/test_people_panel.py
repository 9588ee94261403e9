"""The list of people: who speaks, how well each is connected, who is away, what is a stream."""

from typing import Any

import pytest
from meeting_room import MeetingRoom, enter_room, person
from playwright.async_api import Locator, Page, expect

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]


def measured(**loss: float) -> dict[str, Any]:
    """A statistics message in which only the loss of each person differs."""
    rest = {"jitter_s": 0.004, "rtt_s": 0.02, "sent_bps": 1.5e6, "received_bps": 8e5}
    people = [{"participant_id": identity, "loss": share, **rest} for identity, share in loss.items()]
    whole = {"estimate_bps": 2e6, "received_bps": 1e6, "received_loss": 0.01, "rtt_s": 0.02}
    return {"type": "statistics", **whole, "sent": [], "received": [], "people": people}


async def open_people(page: Page, site: Any, room: MeetingRoom) -> None:
    await enter_room(page, site, room)
    await page.keyboard.press("p")


def row(page: Page, name: str) -> Locator:
    return page.get_by_test_id("people-list").get_by_role("listitem").filter(has_text=name)


async def test_who_speaks_is_marked(page: Page, site: Any) -> None:
    room = MeetingRoom(speaker_id="ben")
    await open_people(page, site, room)
    await expect(row(page, "Ben").get_by_role("img", name="Is speaking")).to_be_visible()
    await room.send(type="speaker", participant_id="me")
    await expect(row(page, "Ann").get_by_role("img", name="Is speaking")).to_be_visible()
    await expect(row(page, "Ben").get_by_role("img", name="Microphone is on")).to_be_visible()
    await room.send(type="participant", participant=person("ben", "Ben", muted=["microphone"]))
    await room.send(type="speaker", participant_id="ben")
    await expect(row(page, "Ben").get_by_role("img", name="Microphone is off")).to_be_visible()


async def test_bars_say_how_well_each_is_connected(page: Page, site: Any) -> None:
    room = MeetingRoom()
    await open_people(page, site, room)
    await expect(row(page, "Ben").get_by_role("img", name="Connection: not known")).to_be_visible()
    await room.send(**measured(ben=0.05, me=0.0))
    await expect(row(page, "Ben").get_by_role("img", name="Connection: fair")).to_be_visible()
    await expect(row(page, "Ann").get_by_role("img", name="Connection: good")).to_be_visible()
    await room.send(**measured(ben=0.3, me=0.0))
    await expect(row(page, "Ben").get_by_role("img", name="Connection: poor")).to_be_visible()


async def test_someone_away_is_shown_as_reconnecting(page: Page, site: Any) -> None:
    room = MeetingRoom()
    await open_people(page, site, room)
    await room.send(**measured(ben=0.0))
    await room.send(type="participant", participant=person("ben", "Ben", connected=False))
    await expect(row(page, "Ben")).to_contain_text("Reconnecting…")
    await expect(row(page, "Ben").get_by_role("img", name="Connection: not known")).to_be_visible()
    await room.send(type="participant", participant=person("ben", "Ben"))
    await expect(row(page, "Ben")).not_to_contain_text("Reconnecting…")


async def test_streams_and_shared_screens_have_a_sign(page: Page, site: Any) -> None:
    room = MeetingRoom()
    room.people = [person("obs", "Studio", is_stream=True), person("ben", "Ben", muted=[])]
    await open_people(page, site, room)
    await expect(row(page, "Studio")).to_contain_text("Stream")
    await expect(row(page, "Studio").locator(".avatar svg")).to_be_visible()
    await expect(row(page, "Ben").get_by_role("img", name="Shares the screen")).to_be_visible()
    await expect(row(page, "Ben").locator(".avatar svg")).to_have_count(0)


async def test_a_row_stays_the_same_element(page: Page, site: Any) -> None:
    room = MeetingRoom()
    await open_people(page, site, room)
    await row(page, "Ben").evaluate("(each) => { each.marked = true; }")
    await room.send(type="participant", participant=person("ben", "Benjamin"))
    await expect(row(page, "Benjamin")).to_be_visible()
    assert await row(page, "Benjamin").evaluate("(each) => each.marked") is True
    await room.send(type="participant-left", participant_id="ben", reason="left")
    await expect(page.get_by_test_id("people-list").get_by_role("listitem")).to_have_count(1)
