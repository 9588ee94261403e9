"""Live captions in real browsers with the real server: what one person says, everyone reads."""

import asyncio
import re
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

import browsers
import pytest
from playwright.async_api import Page, expect
from transcriber_kinds import TRANSCRIBERS

pytestmark = pytest.mark.browser
WEIGHTS = Path(__file__).parents[2] / "weights"
SAID_WITHIN_MS = 45_000  # a process that loads a model, and a phrase
GONE_WITHIN_MS = 30_000


@pytest.fixture
def presets(use_plugin: Any) -> str:
    """One whose transcriber needs no model, one with Whisper, and one without captions."""
    use_plugin("tone-transcribers", TRANSCRIBERS)
    tables = '[meetings.default]\nlive_transcriber = "tones"\nlanguage = "en"\n[meetings.none]\n'
    return tables + ('[meetings.whisper]\nlive_transcriber = "whisper"\nlanguage = "zh"\n' if has_whisper() else "")


def has_whisper() -> bool:
    """The plugin, its weights, and somebody who speaks."""
    is_installed = any(each.name == "whisper" for each in entry_points(group="vmeet"))
    return is_installed and any(WEIGHTS.glob("whisper_base_*")) and (browsers.SHARED / "mandarin").is_dir()


async def entered(
    chromium: Any, server: browsers.Server, preset: str, *names: str, locale: str = "en-US"
) -> list[Page]:
    meeting = server.new_meeting(preset=preset)
    pages = []
    for name in names:
        page = await browsers.new_page(chromium, locale=locale)
        await browsers.enter(page, f"{server.url}/m/{meeting['id']}", name)
        pages.append(page)
    return pages


async def mute(page: Page) -> None:
    await page.get_by_test_id("toggle-microphone").click()


async def test_everyone_reads_what_is_said_until_the_microphone_is_off(server: browsers.Server, chromium: Any) -> None:
    anna, ben = await entered(chromium, server, "default", "Anna", "Ben")
    await mute(ben)
    for page in (anna, ben):
        await expect(page.get_by_test_id("captions-badge")).to_be_visible()
        said = page.get_by_test_id("caption").filter(has=page.locator(".name", has_text="Anna"))
        await expect(said.first).to_contain_text(re.compile(r"\d"), timeout=SAID_WITHIN_MS)
    await mute(anna)
    await expect(ben.get_by_test_id("caption")).to_have_count(0, timeout=GONE_WITHIN_MS)


async def test_a_meeting_without_captions_has_none(server: browsers.Server, chromium: Any) -> None:
    (page,) = await entered(chromium, server, "none", "Anna")
    await asyncio.sleep(5)
    await expect(page.get_by_test_id("captions-badge")).to_be_hidden()
    await expect(page.get_by_test_id("caption")).to_have_count(0)


@pytest.mark.skipif(not has_whisper(), reason="Whisper, its weights or somebody who speaks is not here")
async def test_mandarin_is_read_in_traditional_characters(server: browsers.Server, chromium: Any) -> None:
    """Of the four sentences that the microphone repeats, words of at least two are read right."""
    (anna,) = await entered(chromium, server, "whisper", "王小明", locale="zh-TW")
    read = ""
    async with asyncio.timeout(SAID_WITHIN_MS / 1000 + 20):
        while sum(words in read for words in ("國", "土地", "設施", "電量")) < 2:
            await asyncio.sleep(0.3)
            read += "".join(await anna.get_by_test_id("caption").all_inner_texts())
    assert "国" not in read
    assert "设" not in read
