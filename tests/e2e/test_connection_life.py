"""Media that no longer comes through is carried by new connections, while the socket and the page stay as they are."""

import asyncio

import pytest
from network_channel import Conditions
from network_probe import Person
from playwright.async_api import Page

pytestmark = pytest.mark.browser
DEAD = Conditions(loss=1.0)
REPLACED_WITHIN_S = 25.0
HEALED_WITHIN_S = 10.0
REMEMBER = """() => {
    const { session } = document.querySelector("vmeet-call");
    window.first = { publisher: session.links.publisher, receiver: session.links.receiver };
    window.states = [];
    window.tiles = [...document.querySelectorAll("vmeet-tile")];
    session.addEventListener("state", ({ detail }) => window.states.push(detail));
}"""
REPLACED = """() => {
    const { publisher, receiver } = document.querySelector("vmeet-call").session.links;
    return publisher !== window.first.publisher && receiver !== window.first.receiver;
}"""
PICTURES_STAY = """() => {
    const tiles = [...document.querySelectorAll("vmeet-tile")];
    return tiles.length === 2 && tiles.every((tile, index) => tile === window.tiles[index] && tile.video.srcObject);
}"""


async def replaced(page: Page) -> None:
    async with asyncio.timeout(REPLACED_WITHIN_S):
        while not await page.evaluate(REPLACED):
            await asyncio.sleep(0.2)


async def sees(person: Person, other: str, frames: int) -> None:
    """So many more pictures of someone come, by whatever connection."""
    async with asyncio.timeout(HEALED_WITHIN_S):
        while (await person.look()).video(other, "framesDecoded") < frames:
            await asyncio.sleep(0.2)


async def test_dead_media_is_replaced_without_leaving_the_meeting(two_people: list[Person]) -> None:
    anna, ben = two_people
    me, other = (await anna.look()).me, (await ben.look()).me
    await anna.page.evaluate(REMEMBER)
    anna.line.change(up=DEAD, down=DEAD)
    await replaced(anna.page)
    assert await anna.page.evaluate(PICTURES_STAY)
    before = int((await ben.look()).video(me, "framesDecoded"))
    anna.line.change(up=Conditions(), down=Conditions())
    await asyncio.gather(sees(anna, other, 10), sees(ben, me, before + 10))
    assert await anna.page.evaluate("window.states") == []
    assert await anna.page.evaluate("document.querySelector('vmeet-call').session.links.fading") is None
