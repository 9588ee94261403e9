"""Camera and microphone: permission, absence, off and on."""

from typing import Any

import pytest
from playwright.async_api import Page

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]
START = """async (wanted) => {
    const { LocalMedia } = await import('/static/js/local-media.js');
    window.media = new LocalMedia();
    await window.media.start(wanted);
}"""
STATE = """() => Object.fromEntries(['camera', 'microphone'].map((kind) => {
    const { on, problem, track } = window.media[kind];
    return [kind, { on, problem, live: track?.readyState === 'live', enabled: track?.enabled ?? null }];
}))"""
FAIL = """(name) => {
    navigator.mediaDevices.getUserMedia = async (wanted) => { throw new DOMException('no', name); };
}"""


async def state(page: Page) -> Any:
    return await page.evaluate(STATE)


async def test_both_devices_start_with_one_question(blank: Page) -> None:
    count = """() => {
        window.asked = 0;
        const ask = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
        navigator.mediaDevices.getUserMedia = (wanted) => { window.asked += 1; return ask(wanted); };
    }"""
    await blank.evaluate(count)
    await blank.evaluate(START, {"camera": True, "microphone": True})
    on = {"on": True, "problem": None, "live": True, "enabled": True}
    assert await state(blank) == {"camera": on, "microphone": on}
    assert await blank.evaluate("() => window.asked") == 1


async def test_a_camera_that_is_off_goes_dark_and_a_muted_microphone_stays(blank: Page) -> None:
    await blank.evaluate(START, {"camera": True, "microphone": True})
    camera = await blank.evaluate_handle("() => window.media.camera.track")
    await blank.evaluate(
        "() => Promise.all([window.media.set('camera', false), window.media.set('microphone', false)])"
    )
    assert await camera.evaluate("(track) => track.readyState") == "ended"
    assert await state(blank) == {
        "camera": {"on": False, "problem": None, "live": False, "enabled": None},
        "microphone": {"on": False, "problem": None, "live": True, "enabled": False},
    }
    await blank.evaluate("() => Promise.all([window.media.set('camera', true), window.media.set('microphone', true)])")
    assert all(each["on"] and each["live"] and each["enabled"] for each in (await state(blank)).values())


async def test_an_absent_camera_does_not_cost_the_microphone(blank: Page) -> None:
    only_sound = """() => {
        const ask = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
        navigator.mediaDevices.getUserMedia = (wanted) =>
            wanted.video ? Promise.reject(new DOMException('none', 'NotFoundError')) : ask(wanted);
    }"""
    await blank.evaluate(only_sound)
    await blank.evaluate(START, {"camera": True, "microphone": True})
    found = await state(blank)
    assert found["microphone"]["on"]
    assert found["camera"] == {"on": False, "problem": "missing", "live": False, "enabled": None}


@pytest.mark.parametrize(
    ("error", "problem"),
    [
        ("NotAllowedError", "denied"),
        ("NotFoundError", "missing"),
        ("OverconstrainedError", "missing"),
        ("NotReadableError", "busy"),
        ("InvalidStateError", "unknown"),
    ],
)
async def test_every_refusal_has_a_name(blank: Page, error: str, problem: str) -> None:
    await blank.evaluate(FAIL, error)
    await blank.evaluate(START, {"camera": True, "microphone": True})
    assert {each["problem"] for each in (await state(blank)).values()} == {problem}


async def test_turning_off_while_the_browser_still_asks_wins(blank: Page) -> None:
    await blank.evaluate(START, {"camera": False, "microphone": False})
    await blank.evaluate(
        "() => { const on = window.media.set('camera', true); window.media.set('camera', false); return on; }"
    )
    assert (await state(blank))["camera"] == {"on": False, "problem": None, "live": False, "enabled": None}


async def test_a_denied_permission_is_told_in_the_lobby_and_one_may_join(asking_page: Page, site: Any) -> None:
    page = asking_page
    site.answers["GET /api/meetings/abcd"] = (200, {"id": "abcd", "title": "Talk", "people": 0, "recording": False})
    await page.goto("/m/abcd")
    for kind in ("camera", "microphone"):
        problem = page.get_by_test_id(f"problem-{kind}")
        await problem.wait_for()
        assert f"does not allow the {kind}" in await problem.inner_text()
    await page.get_by_test_id("name").fill("Ann")
    await page.get_by_test_id("join").click()
    await page.locator("vmeet-call").wait_for()
