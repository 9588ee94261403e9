"""What each page is sent follows what its network carries and what it shows, in real browsers."""

import asyncio
from collections.abc import Callable

import pytest
from network_channel import Conditions
from network_probe import Look, Person

pytestmark = pytest.mark.browser
THIN = Conditions(rate_bps=250_000)
SMALL_PX = 320
SET_VISIBILITY = """
(state) => {
  Object.defineProperty(document, "visibilityState", { get: () => state, configurable: true });
  document.dispatchEvent(new Event("visibilitychange"));
}
"""


async def become(person: Person, holds: Callable[[Look, Look], bool], within_s: float, period_s: float = 1.0) -> None:
    """Wait until a condition over two successive looks holds. Raises TimeoutError."""
    before = await person.look()
    async with asyncio.timeout(within_s):
        while True:
            await asyncio.sleep(period_s)
            now = await person.look()
            if holds(before, now):
                return
            before = now


def grown(before: Look, now: Look, who: str, name: str) -> float:
    return now.video(who, name) - before.video(who, name)


async def test_a_thin_line_carries_sound_and_a_small_picture(two_people: list[Person]) -> None:
    anna, ben = two_people
    who = (await ben.look()).me
    await become(anna, lambda _, now: now.video(who, "frameWidth") == 640, within_s=20)
    anna.line.change(down=THIN)
    await anna.listen()

    def steady(before: Look, now: Look) -> bool:
        small = 0 < now.video(who, "frameWidth") <= SMALL_PX
        return small and grown(before, now, who, "framesDecoded") >= 10 and not grown(before, now, who, "freezeCount")

    await become(anna, steady, within_s=10)
    assert max((await anna.gaps_s())[who], default=0.0) <= 0.2, "sound comes before pictures"
    anna.line.change(down=Conditions())
    await become(anna, lambda _, now: now.video(who, "frameWidth") == 640, within_s=40)


async def test_what_a_page_does_not_show_is_not_sent(two_people: list[Person]) -> None:
    anna, ben = two_people
    who = (await ben.look()).me
    await anna.page.evaluate(SET_VISIBILITY, "hidden")
    await become(anna, lambda before, now: not grown(before, now, who, "bytesReceived"), within_s=5)
    now = await anna.look()
    assert now.received[who]["paused"]
    await become(anna, lambda before, now: now.audio(who, "bytesReceived") > before.audio(who, "bytesReceived"), 2)
    await anna.page.evaluate(SET_VISIBILITY, "visible")
    await become(anna, lambda before, now: grown(before, now, who, "framesDecoded") >= 10, within_s=5)
    assert not (await anna.look()).received[who]["paused"]
