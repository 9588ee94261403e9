"""web/js/chat-log.js: each message once, texts as the server takes them."""

import pytest
from meeting_room import chat_entry
from playwright.async_api import Page

from vmeet_core.protocol import Chat, clean_text

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]


async def test_no_message_twice_and_a_bounded_number(blank: Page) -> None:
    script = """async (entries) => {
        const { ChatLog } = await import('/static/js/chat-log.js');
        const log = new ChatLog();
        const fresh = [...entries, ...entries].filter((entry) => log.add(entry)).length;
        const again = log.add({ ...entries[0], at_s: 5 });
        for (let number = 10; number < 700; number++) log.add({ ...entries[0], number });
        return [fresh, again, log.entries.length, log.known.size, log.entries.at(-1).number];
    }"""
    entries = [chat_entry(number, "hello") for number in (1, 2, 3)]
    assert await blank.evaluate(script, entries) == [3, True, 500, 500, 699]


async def test_texts_are_cleaned_as_the_server_wants_them(blank: Page) -> None:
    script = "async (texts) => { const m = await import('/static/js/chat-log.js'); return texts.map(m.cleanText); }"
    texts = ["  a\r\nb\rc ", "x\u0000\u0007y\tz", "e\u0301", "早安\n", "\n \t", "\U0001f44d"]
    cleaned = await blank.evaluate(script, texts)
    assert cleaned == ["a\nb\nc", "xy\tz", "\u00e9", "早安", "", "\U0001f44d"]
    assert [clean_text(text) for text in cleaned if text] == [text for text in cleaned if text]


async def test_length_is_counted_as_the_server_counts(blank: Page) -> None:
    script = "async (text) => (await import('/static/js/chat-log.js')).lengthOf(text)"
    text = "\U0001f44d早a" * 600
    assert await blank.evaluate(script, text) == len(text) == len(Chat(text=text).text)
