"""Which picture is large."""

from typing import Any

import pytest
from playwright.async_api import Page

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]
RUN = """async (steps) => {
    const { Spotlight } = await import('/static/js/spotlight.js');
    const spotlight = new Spotlight();
    return steps.map(([what, key, screens]) => {
        if (what === 'toggle') spotlight.toggle(key, screens);
        if (what === 'clear') spotlight.clear(screens);
        if (what === 'forget') spotlight.forget(key);
        return spotlight.large(screens);
    });
}"""
A, B = "ann/screen", "ben/screen"


@pytest.mark.parametrize(
    ("steps", "large"),
    [
        ([["", "", []], ["", "", [A]], ["", "", [A, B]], ["", "", [A]]], ["", A, B, A]),
        ([["toggle", A, [A]], ["toggle", A, [A]]], ["", A]),
        ([["toggle", A, [A]], ["", "", [A, B]]], ["", B]),
        ([["toggle", "ben", []], ["", "", [A]], ["toggle", "ben", [A]]], ["ben", "ben", A]),
        ([["toggle", "ben", []], ["toggle", "carla", []], ["forget", "carla", []]], ["ben", "carla", ""]),
        ([["toggle", A, [A]], ["forget", A, []], ["", "", [A]]], ["", "", A]),
        ([["toggle", "ben", [A]], ["clear", "", [A]]], ["ben", ""]),
    ],
    ids=["latest-screen", "dismiss-and-back", "new-screen", "own-choice-first", "gone", "shared-again", "clear"],
)
async def test_the_large_picture(blank: Page, steps: list[Any], large: list[str]) -> None:
    assert await blank.evaluate(RUN, steps) == large
