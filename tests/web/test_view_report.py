"""What the page tells of the pictures on it."""

from typing import Any

import pytest
from playwright.async_api import Page

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]
VIEW = "async ([shown, ratio]) => (await import('/static/js/view-report.js')).viewOf(shown, ratio)"
REPORT = """async () => {
    const { ViewReport } = await import('/static/js/view-report.js');
    window.shown = [];
    window.reports = [];
    const report = (pictures) => window.reports.push([performance.now(), pictures.map((each) => each.participant_id)]);
    window.report = new ViewReport(document.body, () => {}, () => window.shown, report);
    window.report.start();
    window.see = (id, width = 160) => {
        window.shown = [{ id, source: 'camera', width, height: 90, large: false, speaker: false }];
        window.report.refresh();
    };
    window.wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
}"""


def shown(identity: str, width: float = 160, height: float = 90, **changes: Any) -> dict[str, Any]:
    usual = {"id": identity, "source": "camera", "width": width, "height": height, "large": False, "speaker": False}
    return {**usual, **changes}


async def test_what_matters_most_comes_first(blank: Page) -> None:
    pictures = [
        shown("small", 100, 60),
        shown("wide", 320, 180),
        shown("speaker", speaker=True),
        shown("screen", source="screen"),
        shown("large", large=True),
    ]
    found = await blank.evaluate(VIEW, [pictures, 1])
    assert [each["participant_id"] for each in found] == ["large", "screen", "speaker", "wide", "small"]


async def test_sizes_are_in_device_pixels_and_rounded(blank: Page) -> None:
    sizes = [(161, 90, 2), (1, 1, 1), (0, 0, 1), (100_000, 90, 1)]
    found = [(await blank.evaluate(VIEW, [[shown("ben", width, height)], ratio]))[0] for width, height, ratio in sizes]
    assert [(each["width_px"], each["height_px"]) for each in found] == [(336, 192), (16, 16), (16, 16), (16384, 96)]


async def test_no_more_than_the_server_takes(blank: Page) -> None:
    assert len(await blank.evaluate(VIEW, [[shown(str(number)) for number in range(100)], 1])) == 64


async def test_only_changes_are_told_and_not_too_often(blank: Page) -> None:
    await blank.evaluate(REPORT)
    script = """async () => {
        for (let width = 160; width < 760; width += 4) { window.see('ben', width); await window.wait(5); }
        await window.wait(400);
        const many = window.reports.length;
        window.see('ben', 756);
        await window.wait(400);
        const times = window.reports.map(([at]) => at);
        return [many, window.reports.length, Math.min(...times.slice(1).map((at, index) => at - times[index]))];
    }"""
    many, after, gap_ms = await blank.evaluate(script)
    assert 3 <= many <= 8
    assert after == many
    assert gap_ms >= 240


async def test_a_hidden_page_shows_nothing(blank: Page) -> None:
    await blank.evaluate(REPORT)
    hide = """async (state) => {
        Object.defineProperty(document, 'visibilityState', { get: () => state, configurable: true });
        document.dispatchEvent(new Event('visibilitychange'));
        return window.reports.at(-1)[1];
    }"""
    await blank.evaluate("async () => { window.see('ben'); await window.wait(300); }")
    assert await blank.evaluate("() => window.reports.at(-1)[1]") == ["ben"]
    assert await blank.evaluate(hide, "hidden") == []
    assert await blank.evaluate(hide, "visible") == ["ben"]
