"""The first page: create a meeting, join one, see what plugins there are."""

from typing import Any

import pytest
from playwright.async_api import BrowserContext, Page, expect

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]
STRENGTH = {"type": "number", "title": "Strength", "minimum": 0, "maximum": 1, "default": 1}
KEY_NEEDED = (401, {"error": {"code": "key-needed", "message": "this server asks for its access key"}})


def provider(name: str, **changes: Any) -> dict[str, Any]:
    schema = {"type": "object", "properties": {"strength": STRENGTH}}
    described = {"name": name, "title": name.upper(), "licence": "MIT", "leaves_host": False, "allowed": True}
    return {**described, "reason": None, "options_schema": schema, **changes}


CHOICES = {
    "presets": {"default": {"denoiser": "dtln", "options": {"dtln": {"strength": 0.5}}}, "plain": {}},
    "providers": {
        "denoisers": [
            provider("dtln"),
            provider("cloud", leaves_host=True, allowed=False, reason="media would leave this server"),
        ],
        "frame_filters": [provider("brightness")],
        "transcribers": [],
        "video_enhancers": [],
    },
    "problems": [{"plugin": "broken", "distribution": "broken 1.0", "reason": "no torch", "remedy": "install it"}],
}
CREATED = {"id": "abcd1234", "title": "Plan", "host_key": "hk", "url": "/m/abcd1234"}


@pytest.fixture
def home(site: Any) -> Any:
    site.answers["GET /api/choices"] = (200, CHOICES)
    site.answers["POST /api/meetings"] = (201, CREATED)
    return site


async def open_options(page: Page) -> None:
    await page.goto("/")
    await page.get_by_text("Processing options").click()


async def test_a_meeting_is_created_and_its_link_shown(page: Page, home: Any) -> None:
    await page.goto("/")
    await page.get_by_test_id("title").fill("Plan")
    await page.get_by_test_id("create").click()
    await expect(page.get_by_test_id("link")).to_have_value(f"{home.url}/m/abcd1234")
    await expect(page.get_by_test_id("enter")).to_have_attribute("href", "/m/abcd1234")
    assert home.bodies["POST /api/meetings"] == {
        "title": "Plan",
        "preset": "default",
        "choices": {"denoiser": "dtln", "frame_filters": [], "options": {"dtln": {"strength": 0.5}}},
    }
    assert await page.evaluate("() => localStorage.getItem('vmeet.host.abcd1234')") == "hk"


async def test_choices_and_options_are_sent(page: Page, home: Any) -> None:
    await open_options(page)
    await page.get_by_label("BRIGHTNESS").check()
    await page.get_by_test_id("choice-denoiser").get_by_text("Settings").click()
    await page.get_by_test_id("choice-denoiser").get_by_label("Strength").fill("0.25")
    await page.get_by_test_id("create").click()
    await page.get_by_test_id("created").wait_for()
    sent = home.bodies["POST /api/meetings"]["choices"]
    assert sent["frame_filters"] == ["brightness"]
    assert sent["options"] == {"dtln": {"strength": 0.25}, "brightness": {"strength": 1}}


async def test_what_people_may_change_is_asked_where_there_is_something_to_change(page: Page, home: Any) -> None:
    await open_options(page)
    select = page.get_by_label("What people may change for themselves")
    await expect(select).to_be_hidden()
    await page.get_by_label("BRIGHTNESS").check()
    await expect(select).to_have_value("everything")
    await select.select_option("options")
    await page.get_by_test_id("create").click()
    await page.get_by_test_id("created").wait_for()
    assert home.bodies["POST /api/meetings"]["choices"]["people_may_change"] == "options"


async def test_live_choices_of_a_preset_are_shown_and_sent(page: Page, home: Any) -> None:
    live = {"frame_filters": ["brightness"], "live_denoiser": "dtln", "people_may_change": "nothing"}
    fields = ["frame_filters", "denoiser", "live_denoiser", "transcriber", "video_enhancer"]
    presets = {"default": {**live, "denoiser": None, "options": {}}}
    home.answers["GET /api/choices"] = (200, {**CHOICES, "presets": presets, "fields": fields})
    await open_options(page)
    await expect(page.get_by_label("BRIGHTNESS")).to_be_checked()
    await expect(page.get_by_test_id("choice-live_denoiser").get_by_label("DTLN")).to_be_checked()
    await expect(page.get_by_test_id("people-may-change")).to_have_value("nothing")
    await page.get_by_test_id("create").click()
    await page.get_by_test_id("created").wait_for()
    sent = home.bodies["POST /api/meetings"]["choices"]
    assert {key: sent[key] for key in live} == live
    assert sent["options"]["dtln"] == {"strength": 1}


async def test_how_speech_is_written_down_is_asked_with_the_transcriber(page: Page, home: Any) -> None:
    providers = {"transcribers": [provider("asrt", options_schema={}, languages=["zh"])]}
    home.answers["GET /api/choices"] = (200, {**CHOICES, "providers": providers})
    await open_options(page)
    await expect(page.get_by_label("Spoken language")).to_be_hidden()
    await page.get_by_label("ASRT").check()
    await page.get_by_label("Spoken language").select_option(label="Chinese")
    await page.get_by_label("Chinese characters").select_option("simplified")
    await page.get_by_label("Numbers").select_option("digits")
    await page.get_by_test_id("create").click()
    await expect(page.get_by_test_id("created")).to_be_visible()
    sent = home.bodies["POST /api/meetings"]["choices"]
    speech = {"language": "zh", "script": "simplified", "numbers": "digits", "transcribe_from": "original"}
    assert {key: sent[key] for key in ("transcriber", *speech)} == {"transcriber": "asrt", **speech}


async def test_captions_alone_ask_how_speech_is_written_down(page: Page, home: Any) -> None:
    providers = {"transcribers": [provider("asrt", options_schema={}, languages=["zh"])]}
    fields = ["transcriber", "live_transcriber", "language", "script", "numbers"]
    home.answers["GET /api/choices"] = (200, {**CHOICES, "providers": providers, "fields": fields})
    await open_options(page)
    await page.get_by_test_id("choice-live_transcriber").get_by_label("ASRT").check()
    await page.get_by_label("Spoken language").select_option(label="Chinese")
    await page.get_by_test_id("create").click()
    await expect(page.get_by_test_id("created")).to_be_visible()
    sent = home.bodies["POST /api/meetings"]["choices"]
    assert (sent["transcriber"], sent["live_transcriber"], sent["language"]) == (None, "asrt", "zh")


async def test_a_preset_brings_its_own_choices(page: Page, home: Any) -> None:
    await open_options(page)
    await expect(page.get_by_label("DTLN")).to_be_checked()
    await page.get_by_test_id("preset").select_option("plain")
    await expect(page.get_by_label("DTLN")).not_to_be_checked()
    await expect(page.get_by_label("None")).to_be_checked()


async def test_what_is_not_allowed_is_shown_with_its_reason(page: Page, home: Any) -> None:
    await open_options(page)
    cloud = page.get_by_label("CLOUD")
    await expect(cloud).to_be_disabled()
    await expect(page.get_by_text("Not available: media would leave this server")).to_be_visible()
    await expect(page.get_by_test_id("choice-transcriber")).to_have_count(0)


async def test_a_wrong_option_keeps_the_form(page: Page, home: Any) -> None:
    await open_options(page)
    denoiser = page.get_by_test_id("choice-denoiser")
    await denoiser.get_by_text("Settings").click()
    await denoiser.get_by_label("Strength").fill("7")
    await denoiser.get_by_text("Settings").click()
    await page.get_by_test_id("create").click()
    await expect(denoiser.get_by_label("Strength")).to_be_focused()
    await expect(page.get_by_text("At most 1.")).to_be_visible()
    assert "POST /api/meetings" not in home.bodies


async def test_the_servers_complaint_goes_to_its_field(page: Page, home: Any) -> None:
    error = {"code": "bad-choice", "message": "too strong for us", "field": "choices.options.dtln.strength"}
    home.answers["POST /api/meetings"] = (422, {"error": error})
    await open_options(page)
    await page.get_by_test_id("create").click()
    await expect(page.get_by_text("too strong for us")).to_be_visible()
    await expect(page.get_by_test_id("choice-denoiser").get_by_label("Strength")).to_be_focused()


async def test_any_other_failure_is_told_with_the_servers_words(page: Page, home: Any) -> None:
    home.answers["POST /api/meetings"] = (500, {"error": {"code": "internal", "message": "the disk is on fire"}})
    await page.goto("/")
    await page.get_by_test_id("create").click()
    await expect(page.get_by_test_id("failure")).to_contain_text("The server had a problem.")
    await expect(page.get_by_test_id("failure")).to_contain_text("the disk is on fire")
    await expect(page.get_by_test_id("create")).to_be_enabled()


async def test_a_server_with_a_key_asks_for_it(page: Page, home: Any) -> None:
    home.answers["GET /api/choices"] = KEY_NEEDED
    home.answers["POST /api/login"] = (401, {"error": {"code": "wrong-key", "message": "no"}})
    await page.goto("/")
    await page.get_by_test_id("key").fill("guess")
    await page.get_by_test_id("key-submit").click()
    await expect(page.get_by_test_id("failure")).to_contain_text("That is not the access key.")
    home.answers["POST /api/login"] = (200, {"ok": True})
    home.answers["GET /api/choices"] = (200, CHOICES)
    await page.get_by_test_id("key").fill("right")
    await page.get_by_test_id("key-submit").click()
    await expect(page.get_by_test_id("create")).to_be_visible()
    assert home.bodies["POST /api/login"] == {"key": "right"}


async def test_plugin_problems_are_named_with_their_remedy(page: Page, home: Any) -> None:
    plugin = {
        "name": "dtln",
        "distribution": "vmeet-denoise-dtln",
        "version": "0.1",
        "providers": [["denoisers", "dtln"]],
    }
    home.answers["GET /api/plugins"] = (200, {"plugins": [plugin], "problems": CHOICES["problems"]})
    await page.goto("/")
    await expect(page.get_by_test_id("plugins")).to_have_text("1 plugin problem")
    await page.get_by_test_id("plugins").click()
    dialog = page.get_by_test_id("plugins-dialog")
    await expect(dialog).to_contain_text("no torch")
    await expect(dialog).to_contain_text("Remedy: install it")
    await expect(dialog).to_contain_text("Denoiser: dtln")
    await page.keyboard.press("Escape")
    await expect(dialog).to_have_count(0)


@pytest.mark.parametrize("typed", ["abcd1234", "{url}/m/abcd1234", "{url}/m/abcd1234/?x=1"])
async def test_joining_by_link_or_code(page: Page, home: Any, typed: str) -> None:
    home.answers["GET /api/meetings/abcd1234"] = (200, {"id": "abcd1234", "title": "Plan", "people": 1})
    await page.goto("/")
    await page.get_by_test_id("join-link").fill(typed.format(url=home.url))
    await page.get_by_test_id("join-name").fill("Ann")
    await page.get_by_test_id("join-submit").click()
    await page.wait_for_url("**/m/abcd1234")
    await expect(page.get_by_test_id("name")).to_have_value("Ann")


@pytest.mark.parametrize("typed", ["", "a b", "javascript:alert(1)//m/abcd", "https://example.org/elsewhere"])
async def test_what_is_no_link_is_refused(page: Page, home: Any, typed: str) -> None:
    await page.goto("/")
    await page.get_by_test_id("join-link").fill(typed)
    await page.get_by_test_id("join-submit").click()
    await expect(page.get_by_text("This is no link or code of a meeting.")).to_be_visible()


async def test_the_link_can_be_copied(context: BrowserContext, page: Page, home: Any) -> None:
    await context.grant_permissions(["clipboard-read", "clipboard-write"])
    await page.goto("/")
    await page.get_by_test_id("create").click()
    await page.get_by_test_id("copy").click()
    await expect(page.get_by_test_id("copy")).to_have_text("Copied")
    assert await page.evaluate("() => navigator.clipboard.readText()") == f"{home.url}/m/abcd1234"
