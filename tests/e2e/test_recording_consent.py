"""Who is recorded, in real browsers: told in the lobby, asked, opted out, left out by the host, and what is kept."""

import asyncio
from pathlib import Path
from typing import Any

import browsers
import pytest
from left_out import assert_nothing_of_those_left_out
from playwright.async_api import Locator, Page, expect

from vmeet_core.manifest import Joined, LeftOut, SegmentStarted, read_manifest
from vmeet_core.timeline import build_timeline

pytestmark = pytest.mark.browser
RECORDED_S = 3


class Journal:
    """Of the one recording that runs."""

    def __init__(self, server: browsers.Server) -> None:
        self._recordings = server.folder / "data" / "recordings"

    @property
    def folder(self) -> Path:
        (folder,) = self._recordings.iterdir()
        return folder

    def id_of(self, name: str) -> str:
        (identity,) = {e.participant_id for e in read_manifest(self.folder) if isinstance(e, Joined) and e.name == name}
        return identity

    def files(self, name: str) -> int:
        """How many files of somebody there are."""
        identity = self.id_of(name)
        return sum(
            isinstance(event, SegmentStarted) and event.participant_id == identity
            for event in read_manifest(self.folder)
        )

    async def has(self, name: str, files: int) -> None:
        """Somebody's microphone and camera are recorded, for as long as there should be something of them."""
        async with asyncio.timeout(20):
            while await asyncio.to_thread(self.files, name) < files:
                await asyncio.sleep(0.1)
        await asyncio.sleep(RECORDED_S)


def row(page: Page, name: str) -> Locator:
    return page.get_by_test_id("people-list").get_by_role("listitem").filter(has_text=name)


def sign(page: Page, name: str) -> Locator:
    """On the tile of somebody who is not recorded."""
    tile = page.get_by_test_id("tile").filter(has_text=name)
    return tile.get_by_role("img", name="Is not being recorded")


async def join_from_lobby(page: Page, name: str) -> None:
    await page.get_by_test_id("name").fill(name)
    await page.get_by_test_id("join").click()
    await page.locator("vmeet-call[data-state=in]").wait_for(timeout=30_000)


@pytest.mark.parametrize("presets", ['[meetings.default]\nrecording_choice = "opt-out"\n'])
async def test_told_asked_and_left_out(server: browsers.Server, chromium: Any, presets: str) -> None:
    meeting = server.new_meeting()
    anna, ben, carla = [await browsers.new_page(chromium) for _ in range(3)]
    await browsers.enter(anna, server.url + meeting["url"], "Anna", meeting)
    await ben.goto(server.url + meeting["url"])
    await expect(ben.get_by_test_id("lobby-may-record")).to_be_visible()
    await anna.get_by_test_id("toggle-recording").click()
    await anna.get_by_test_id("confirm-yes").click()
    await expect(anna.get_by_role("log")).to_contain_text("Anna has started to record this meeting.")
    await expect(ben.get_by_test_id("lobby-recording")).to_contain_text("Anna started it.", timeout=15_000)

    journal = Journal(server)
    await ben.get_by_role("radio", name="No, leave me out").check()
    await join_from_lobby(ben, "Ben")
    await expect(ben.get_by_test_id("recording-dialog")).to_contain_text("You are left out")
    await ben.get_by_test_id("recording-ok").click()
    await expect(ben.get_by_test_id("recording-badge")).to_contain_text("without you")
    await expect(sign(anna, "Ben")).to_be_visible()

    await browsers.enter(carla, server.url + meeting["url"], "Carla")
    await carla.get_by_test_id("recording-ok").click()
    await journal.has("Carla", 2)
    assert journal.files("Ben") == 0
    await anna.get_by_test_id("toggle-people").click()
    await row(anna, "Carla").get_by_role("switch", name="Record Carla").click()
    await expect(carla.get_by_role("log")).to_contain_text("The host has left you out")
    await expect(carla.get_by_role("log")).to_contain_text("What was recorded of you before stays")
    await expect(sign(ben, "Carla")).to_be_visible()
    await expect(row(anna, "Ben").get_by_role("switch")).to_have_attribute("aria-disabled", "true")

    for page in (ben, carla):  # the same people again, straight back into the meeting
        await page.reload()
        await page.locator("vmeet-call[data-state=in]").wait_for(timeout=30_000)
        await page.get_by_test_id("recording-ok").click()
        await expect(page.get_by_test_id("recording-badge")).to_contain_text("without you")
    await expect(anna.locator("vmeet-tile[data-picture]")).to_have_count(3, timeout=20_000)
    before = journal.files("Carla")
    await ben.get_by_test_id("toggle-people").click()
    await row(ben, "Ben").get_by_role("switch", name="Record me").click()
    await expect(sign(anna, "Ben")).to_have_count(0)
    await journal.has("Ben", 2)
    assert journal.files("Carla") == before
    await anna.get_by_test_id("toggle-recording").click()
    await anna.get_by_test_id("confirm-yes").click()
    await expect(anna.get_by_test_id("recording-badge")).to_be_hidden(timeout=10_000)
    for page in (anna, ben, carla):  # three cameras would take the time that the film needs
        await page.get_by_test_id("leave").click()

    found = await browsers.finished(server)
    assert sorted(found["people"]) == ["Anna", "Ben", "Carla"]
    assert browsers.result(server, found, "video").exists()
    assert_nothing_of_those_left_out(journal.folder)
    check_times(journal)


def check_times(journal: Journal) -> None:
    """Whoever is left out has no place in the film, and no file that goes on into that time."""
    events = read_manifest(journal.folder)
    people = {person.name: person for person in build_timeline(events, lambda file: 0).people}
    words = [(e.participant_id, e.left_out, e.by) for e in events if isinstance(e, LeftOut)]
    assert (journal.id_of("Ben"), True, "self") in words
    assert (journal.id_of("Carla"), True, "host") in words
    assert people["Carla"].present[-1].end_s < people["Ben"].present[0].start_s
    for person in people.values():
        for track in person.tracks:
            for segment in track.segments:
                (span,) = person.present
                assert span.start_s - 0.5 <= segment.start_s
                assert segment.end_s <= span.end_s + 0.5
