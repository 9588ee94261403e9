"""web/js/quality.js: how many bars a connection has."""

from typing import Any

import pytest
from playwright.async_api import Page

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]
GOOD = {"loss": 0.001, "jitter_s": 0.004, "rtt_s": 0.02}


@pytest.mark.parametrize(
    ("change", "bars"),
    [
        ({}, 3),
        ({"rtt_s": None}, 3),
        ({"loss": 0.02}, 3),
        ({"loss": 0.03}, 2),
        ({"loss": 0.09}, 1),
        ({"rtt_s": 0.2}, 2),
        ({"rtt_s": 0.5}, 1),
        ({"jitter_s": 0.07}, 3),
        ({"jitter_s": 0.15}, 2),
        ({"jitter_s": 0.3, "rtt_s": None}, 1),
    ],
)
async def test_the_worst_measure_decides(blank: Page, change: dict[str, Any], bars: int) -> None:
    script = "async (connection) => (await import('/static/js/quality.js')).qualityOf(connection)"
    assert await blank.evaluate(script, {**GOOD, **change}) == bars
