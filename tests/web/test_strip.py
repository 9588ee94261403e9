"""Who is in a strip that has no room for all."""

import pytest
from playwright.async_api import Page

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]
RUN = """async ([people, room, speakers]) => {
    const { Strip } = await import('/static/js/strip.js');
    const strip = new Strip();
    return speakers.map((speaker) => {
        strip.speaks(speaker);
        return strip.choose(people, room, speaker, 'me').join(' ');
    });
}"""
PEOPLE = ["a", "b", "c", "d", "e", "me"]


async def test_with_room_for_all_everyone_keeps_the_place(blank: Page) -> None:
    assert await blank.evaluate(RUN, [PEOPLE, 6, ["", "e", "a"]]) == ["a b c d e me"] * 3


async def test_a_speaker_comes_in_and_nobody_else_moves(blank: Page) -> None:
    found = await blank.evaluate(RUN, [PEOPLE, 4, ["", "a", "e", "d", "a"]])
    assert found == ["a b c me", "a b c me", "a b e me", "a d e me", "a d e me"]


async def test_whoever_was_silent_longest_makes_way(blank: Page) -> None:
    found = await blank.evaluate(RUN, [PEOPLE, 3, ["a", "b", "c", "b", "d"]])
    assert found == ["a b me", "a b me", "c b me", "c b me", "d b me"]


async def test_those_who_left_are_replaced(blank: Page) -> None:
    script = """async () => {
        const { Strip } = await import('/static/js/strip.js');
        const strip = new Strip();
        strip.choose(['a', 'b', 'c', 'd'], 2, '', '');
        return strip.choose(['b', 'c', 'd'], 2, '', '');
    }"""
    assert await blank.evaluate(script) == ["b", "c"]
