"""web/js/links.js finds addresses in texts, and only those that are safe to follow."""

from typing import Any

import pytest
from playwright.async_api import Page

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]
SPLIT = "async (texts) => { const m = await import('/static/js/links.js'); return texts.map((t) => m.splitLinks(t)); }"


async def split(page: Page, *texts: str) -> list[list[dict[str, Any]]]:
    found: list[list[dict[str, Any]]] = await page.evaluate(SPLIT, list(texts))
    for text, parts in zip(texts, found, strict=True):
        assert "".join(part["text"] for part in parts) == text
    return found


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("see https://a.example/x.", "https://a.example/x"),
        ("(https://a.example/x)", "https://a.example/x"),
        ("https://a.example/wiki/Fish_(animal), or", "https://a.example/wiki/Fish_(animal)"),
        ("在https://a.example/報表。謝謝", "https://a.example/報表"),
        ("「http://a.example/」", "http://a.example/"),
        ("網址：HTTPS://A.example/b？真的嗎", "HTTPS://A.example/b"),
        ('<a href="https://a.example/">', "https://a.example/"),
        ("https://a.example/?q=1&r=2#part!", "https://a.example/?q=1&r=2#part"),
    ],
)
async def test_an_address_ends_where_the_sentence_goes_on(blank: Page, text: str, address: str) -> None:
    parts = (await split(blank, text))[0]
    assert [part["text"] for part in parts if part["href"]] == [address]


@pytest.mark.parametrize(
    "text",
    [
        "javascript:alert(1)",
        "data:text/html,x",
        "ftp://a.example/",
        "https://",
        "https://bank.example@other.example/",
        "a.example",
        "https://a.example:99999/",
    ],
)
async def test_what_is_no_address_of_the_web_stays_text(blank: Page, text: str) -> None:
    parts = (await split(blank, text))[0]
    assert [part["href"] for part in parts] == [None]


async def test_signs_that_turn_the_direction_end_an_address(blank: Page) -> None:
    parts = (await split(blank, "https://a.example/\u202egnp.exe"))[0]
    assert [part["href"] for part in parts] == ["https://a.example/", None]


async def test_several_addresses_and_none(blank: Page) -> None:
    several, none, empty = await split(blank, "https://a.example https://b.example", "nothing", "")
    assert [part["href"] for part in several] == ["https://a.example/", None, "https://b.example/"]
    assert none == [{"text": "nothing", "href": None}]
    assert empty == []
