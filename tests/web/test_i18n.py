"""Both languages are whole, and the page changes between them."""

import re
from typing import Any

import pytest
from playwright.async_api import Page, expect

from vmeet_core.server.app import WEB

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]
MODULES = [path for path in (WEB / "js").rglob("*.js") if path.parent.name != "i18n"]
SOURCE = "\n".join(path.read_text(encoding="utf-8") for path in MODULES)
READ = "async () => { const m = await import('/static/js/i18n.js'); return m.CATALOGUES; }"


def texts(entry: Any) -> list[str]:
    return list(entry.values()) if isinstance(entry, dict) else [entry]


def placeholders(entry: Any) -> set[str]:
    return {name for text in texts(entry) for name in re.findall(r"{(\w+)}", text)}


async def test_both_languages_say_everything(blank: Page) -> None:
    catalogues = await blank.evaluate(READ)
    english, chinese = catalogues["en"], catalogues["zh-Hant"]
    assert english.keys() == chinese.keys()
    for key, entry in english.items():
        assert placeholders(entry) == placeholders(chinese[key]), key
        assert all(texts(entry) + texts(chinese[key])), key


async def test_no_text_is_missing_and_none_is_left_over(blank: Page) -> None:
    keys = set((await blank.evaluate(READ))["en"])
    named = set(re.findall(r'(?:t|tLabel|tTitle|tPlaceholder|title|yes|text): "([\w.-]+\.[\w.-]+)"', SOURCE))
    named |= set(re.findall(r'\b(?:t|say)\((?:[\w.]+, )?"([\w.-]+)"', SOURCE))
    assert named <= keys
    literals = set(re.findall(r'"([\w.-]+)"', SOURCE))
    patterns = [re.sub(r"\\\$\\{[^}]*\\}", ".*", re.escape(each)) for each in re.findall(r"`([a-z]+\.[^`]*)`", SOURCE)]
    unused = {key for key in keys - literals if not any(re.fullmatch(pattern, key) for pattern in patterns)}
    assert not unused


async def test_what_is_said_again_is_not_written_again(blank: Page) -> None:
    script = """async () => {
        const { say } = await import('/static/js/i18n.js');
        const element = document.createElement('p');
        const observer = new MutationObserver(() => {});
        observer.observe(element, { childList: true, characterData: true, subtree: true });
        const writes = (key, params) => {
            say(element, key, params);
            return observer.takeRecords().length > 0;
        };
        const ben = { name: 'Ben' };
        return [writes('close'), writes('close'), writes('call.came', ben), writes('call.came', ben), writes('close')];
    }"""
    assert await blank.evaluate(script) == [True, False, True, False, True]


@pytest.mark.parametrize(
    ("wanted", "chosen"),
    [
        (["zh-TW", "en"], "zh-Hant"),
        (["zh-HK"], "zh-Hant"),
        (["de", "en-GB"], "en"),
        (["en-US", "zh-TW"], "en"),
        (["fr"], "en"),
        ([], "en"),
    ],
)
async def test_the_language_follows_the_browser(blank: Page, wanted: list[str], chosen: str) -> None:
    script = "async (wanted) => (await import('/static/js/i18n.js')).chooseLanguage(wanted)"
    assert await blank.evaluate(script, wanted) == chosen


async def test_plurals_numbers_and_sizes_follow_the_language(blank: Page) -> None:
    script = """async () => {
        const m = await import('/static/js/i18n.js');
        const say = () => [m.t('lobby.people', {count: 1}), m.t('lobby.people', {count: 1200}), m.formatSize(1536000)];
        const english = say();
        m.setLanguage('zh-Hant');
        return [...english, ...say(), m.formatClock(3723), m.formatClock(65)];
    }"""
    assert await blank.evaluate(script) == [
        "1 person is here", "1,200 people are here", "1.5 MB",
        "已有 1 人在會議中", "已有 1,200 人在會議中", "1.5 MB",
        "1:02:03", "1:05",
    ]  # fmt: skip


async def test_the_switch_changes_the_page_and_is_remembered(page: Page) -> None:
    await page.goto("/recordings")
    await expect(page.locator("html")).to_have_attribute("lang", "en")
    await expect(page.get_by_role("heading", name="Recordings")).to_be_visible()
    await page.get_by_test_id("language").click()
    await expect(page.locator("html")).to_have_attribute("lang", "zh-Hant")
    await expect(page.get_by_role("heading", name="錄影")).to_be_visible()
    assert await page.title() == "錄影 · VMeet"
    await page.reload()
    await expect(page.get_by_role("heading", name="錄影")).to_be_visible()
    await expect(page.get_by_test_id("language")).to_have_text("English")


async def test_every_trouble_with_a_device_has_a_text(blank: Page) -> None:
    keys = set((await blank.evaluate(READ))["en"])
    source = (WEB / "js" / "local-media.js").read_text(encoding="utf-8")
    union = re.search(r"@typedef {([^}]*)} DeviceProblem", source)
    assert union
    problems = re.findall(r'"(\w+)"', union[1])
    assert len(problems) >= 6
    assert {f"problem.{kind}-{each}" for kind in ("camera", "microphone") for each in problems} <= keys
