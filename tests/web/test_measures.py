"""web/js/measures.js writes measured values in the page's language."""

import pytest
from playwright.async_api import Page

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]


async def test_units_fit_the_value_and_the_language(blank: Page) -> None:
    script = """async () => {
        const m = await import('/static/js/measures.js');
        const { setLanguage } = await import('/static/js/i18n.js');
        const say = () => [m.formatBitrate(31_900), m.formatBitrate(999_600), m.formatBitrate(1_449_000),
          m.formatMilliseconds(0.0234), m.formatLoss(0.0123), m.formatLoss(0)];
        const english = say();
        setLanguage('zh-Hant');
        return [english, say(), [m.formatBitrate(null), m.formatMilliseconds(null), m.formatLoss(undefined)]];
    }"""
    english, chinese, unknown = await blank.evaluate(script)
    assert english == ["32 kb/s", "1 Mb/s", "1.4 Mb/s", "23 ms", "1.2%", "0%"]
    assert chinese == ["32 kb/秒", "1 Mb/秒", "1.4 Mb/秒", "23 毫秒", "1.2%", "0%"]
    assert unknown == ["–", "–", "–"]
