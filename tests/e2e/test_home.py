"""From the home page into a meeting, and who gets in where the server asks for a key."""

from pathlib import Path
from typing import Any

import browsers
import pytest
from playwright.async_api import expect

pytestmark = pytest.mark.browser


async def test_a_meeting_is_created_on_the_page_and_its_creator_is_the_host(server: Any, chromium: Any) -> None:
    page = await browsers.new_page(chromium, locale="zh-TW")
    await page.goto(server.url)
    await expect(page.locator("html")).to_have_attribute("lang", "zh-Hant")
    await page.get_by_test_id("title").fill("週一例會")
    await page.get_by_test_id("create").click()
    link = await page.get_by_test_id("link").input_value()
    assert link.startswith(server.url + "/m/")
    await page.get_by_test_id("enter").click()
    await page.get_by_test_id("name").fill("王小明")
    await page.get_by_test_id("join").click()
    await expect(page.get_by_test_id("toggle-recording")).to_be_visible(timeout=20_000)
    guest = await browsers.new_page(chromium)
    await browsers.enter(guest, link, "Ben")
    await expect(guest.get_by_test_id("toggle-recording")).to_be_hidden()
    await expect(guest.get_by_test_id("tile")).to_have_count(2)


async def test_the_choice_of_a_denoiser_reaches_the_meeting(server: Any, chromium: Any) -> None:
    page = await browsers.new_page(chromium)
    await page.goto(server.url)
    await page.get_by_test_id("processing-options").locator("summary").first.click()
    choice = page.get_by_test_id("choice-denoiser")
    await expect(choice).to_be_visible()
    await page.get_by_test_id("title").fill("quiet")
    await choice.get_by_role("radio").first.check()
    await page.get_by_test_id("create").click()
    meeting_id = (await page.get_by_test_id("link").input_value()).rsplit("/", 1)[1]
    chosen = server.get(f"/api/meetings/{meeting_id}")["choices"]
    assert "denoiser" in chosen, "the page must say that it wants none, rather than leave it to the preset"
    assert chosen["denoiser"] is None


async def test_a_guest_needs_no_key_but_recordings_do(tmp_path: Path, chromium: Any) -> None:
    server = browsers.Server(tmp_path, "[meetings.default]\n", server='access_key = "open sesame"\n')
    await server.start()
    try:
        host = await browsers.new_page(chromium)
        await host.goto(server.url)
        await host.get_by_test_id("key").fill("open sesame")
        await host.get_by_test_id("key-submit").click()
        await host.get_by_test_id("title").fill("closed")
        await host.get_by_test_id("create").click()
        link = await host.get_by_test_id("link").input_value()
        guest = await browsers.new_page(chromium)
        await browsers.enter(guest, link, "Ben")
        await guest.goto(server.url + "/recordings")
        await expect(guest.get_by_test_id("key-form")).to_be_visible()
    finally:
        server.stop()
