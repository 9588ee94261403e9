"""The connection details: what is sent and received, everyone's connection, and that they follow the server."""

from typing import Any

import pytest
from meeting_room import MeetingRoom, enter_room
from playwright.async_api import Locator, Page, expect

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]
SENT = {"source": "camera", "bitrate_bps": 1.42e6, "loss": 0.004, "jitter_s": 0.005, "rtt_s": 0.021}
RECEIVED = [
    {"participant_id": "ben", "source": "camera", "layer": "small", "temporal": 1, "bitrate_bps": 9e4},
    {"participant_id": "ben", "source": "screen", "layer": None, "temporal": 0, "bitrate_bps": 0},
]
BEN = {"participant_id": "ben", "loss": 0.05, "jitter_s": 0.02, "rtt_s": None, "sent_bps": 8e5, "received_bps": 1.5e6}
WHOLE = {"type": "statistics", "estimate_bps": 2.4e6, "received_bps": 1.3e6, "received_loss": 0.0123, "rtt_s": 0.0234}


def statistics(**changes: Any) -> dict[str, Any]:
    return {**WHOLE, "sent": [SENT], "received": RECEIVED, "people": [BEN], **changes}


def rows(page: Page, table: str) -> Locator:
    return page.get_by_test_id(f"statistics-{table}").locator("tbody tr")


async def open_details(page: Page, site: Any, room: MeetingRoom) -> None:
    await enter_room(page, site, room)
    await page.keyboard.press("i")
    await expect(page.get_by_test_id("statistics-dialog")).to_be_visible()


async def test_nothing_is_said_before_anything_is_measured(page: Page, site: Any) -> None:
    room = MeetingRoom()
    await open_details(page, site, room)
    await expect(page.get_by_text("Nothing has been measured yet.")).to_be_visible()
    await expect(page.get_by_test_id("statistics-sent")).to_be_hidden()
    await room.send(**statistics())
    await expect(page.get_by_text("Nothing has been measured yet.")).to_be_hidden()
    await expect(rows(page, "sent")).to_have_text(["Camera1.4 Mb/s0.4%5 ms21 ms"])


async def test_what_is_received_by_picture(page: Page, site: Any) -> None:
    room = MeetingRoom()
    await open_details(page, site, room)
    await room.send(**statistics())
    await expect(page.get_by_text("You send nothing at the moment.")).to_be_hidden()
    await expect(rows(page, "received")).to_have_text(
        ["Bensmall · half of the frames90 kb/s", "Ben’s screennot sent now–"]
    )
    facts = page.get_by_test_id("received-facts")
    await expect(facts).to_have_text("Your connection carries2.4 Mb/sBitrate1.3 Mb/sLoss1.2%Round trip23 ms")


async def test_everyone_with_bars(page: Page, site: Any) -> None:
    room = MeetingRoom()
    await open_details(page, site, room)
    await room.send(**statistics())
    await expect(rows(page, "everyone")).to_have_text(["Ben5%20 ms–800 kb/s1.5 Mb/s"])
    await expect(rows(page, "everyone").get_by_role("img", name="Connection: fair")).to_be_visible()


async def test_they_are_there_at_once_when_known_already(page: Page, site: Any) -> None:
    room = MeetingRoom()
    await enter_room(page, site, room)
    await room.send(**statistics())
    await page.get_by_test_id("toggle-people").click()
    await expect(page.get_by_test_id("people-list").get_by_role("img", name="Connection: fair")).to_be_visible()
    await page.get_by_test_id("open-statistics").click()
    await expect(rows(page, "sent")).to_have_count(1)


async def test_values_change_in_place(page: Page, site: Any) -> None:
    room = MeetingRoom()
    await open_details(page, site, room)
    await room.send(**statistics())
    place = page.get_by_role("region", name="What you send")
    await place.focus()
    await rows(page, "sent").evaluate("(each) => { each.marked = true; }")
    await room.send(**statistics(sent=[{**SENT, "loss": 0.2}, {**SENT, "source": "screen"}], received=[]))
    await expect(rows(page, "sent")).to_have_text(["Camera1.4 Mb/s20%5 ms21 ms", "Screen1.4 Mb/s0.4%5 ms21 ms"])
    await expect(place).to_be_focused()
    assert await rows(page, "sent").first.evaluate("(each) => each.marked") is True
    await expect(page.get_by_test_id("statistics-received")).to_be_hidden()
    await room.send(**statistics(sent=[]))
    await expect(page.get_by_text("You send nothing at the moment.")).to_be_visible()


async def test_they_speak_the_language_of_the_page(page: Page, site: Any) -> None:
    room = MeetingRoom()
    await enter_room(page, site, room)
    await page.get_by_test_id("language").click()
    await room.send(**statistics())
    await page.keyboard.press("i")
    await expect(rows(page, "sent")).to_have_text(["攝影機1.4 Mb/秒0.4%5 毫秒21 毫秒"])
