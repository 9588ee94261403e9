"""Sharing a screen: by a click, until either button stops it."""

from typing import Any

import pytest
from playwright.async_api import Page

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]
# A canvas stands for the screen: headless browsers have none. It answers when `choose` is called.
SETUP = """async () => {
    const { ScreenShare, canShareScreen } = await import('/static/js/screen-share.js');
    const share = window.share = new ScreenShare();
    window.log = [];
    share.addEventListener('change', () => window.log.push(share.on));
    share.addEventListener('trouble', (event) => window.log.push(event.detail));
    window.tracks = [];
    navigator.mediaDevices.getDisplayMedia = (wanted) => new Promise((resolve, reject) => {
        window.wanted = wanted;
        window.refuse = (name) => reject(new DOMException('no', name));
        window.choose = () => {
            const stream = document.createElement('canvas').captureStream(5);
            window.tracks.push(stream.getVideoTracks()[0]);
            resolve(stream);
        };
    });
    return canShareScreen();
}"""


async def start(page: Page, answer: str) -> Any:
    await page.evaluate(f"async () => {{ const started = window.share.start(); {answer}; await started; }}")
    return await page.evaluate("() => window.log")


async def test_it_asks_for_sharp_text_at_a_low_rate(blank: Page) -> None:
    assert await blank.evaluate(SETUP)
    assert await start(blank, "window.choose()") == [True]
    assert await blank.evaluate("() => window.share.track.contentHint") == "detail"
    assert await blank.evaluate("() => window.wanted.video.frameRate.max") == 15


async def test_it_ends_with_the_button_of_the_page(blank: Page) -> None:
    await blank.evaluate(SETUP)
    await start(blank, "window.choose()")
    await blank.evaluate("() => window.share.stop()")
    assert await blank.evaluate("() => [window.log, window.tracks[0].readyState]") == [[True, False], "ended"]


async def test_it_ends_with_the_button_of_the_browser(blank: Page) -> None:
    await blank.evaluate(SETUP)
    await start(blank, "window.choose()")
    await blank.evaluate("() => window.tracks[0].dispatchEvent(new Event('ended'))")
    assert await blank.evaluate("() => [window.log, window.share.on]") == [[True, False], False]


async def test_to_choose_nothing_is_no_trouble(blank: Page) -> None:
    await blank.evaluate(SETUP)
    assert await start(blank, "window.refuse('NotAllowedError')") == []


async def test_a_system_that_cannot_is_told(blank: Page) -> None:
    await blank.evaluate(SETUP)
    assert await start(blank, "window.refuse('NotReadableError')") == ["NotReadableError: no"]


async def test_stopping_before_the_choice_wins(blank: Page) -> None:
    await blank.evaluate(SETUP)
    assert await start(blank, "window.share.stop(); window.choose()") == []
    assert await blank.evaluate("() => [window.share.on, window.tracks[0].readyState]") == [False, "ended"]


async def test_where_there_is_no_such_thing_the_page_knows(blank: Page) -> None:
    await blank.evaluate("() => { MediaDevices.prototype.getDisplayMedia = undefined; }")
    script = "async () => (await import('/static/js/screen-share.js')).canShareScreen()"
    assert await blank.evaluate(script) is False
