"""Real browsers in a meeting over bad networks. benchmarks/network.py measures the same for longer and stricter."""

import asyncio

import network
import pytest
from network_channel import Conditions
from network_probe import Person
from playwright.async_api import expect

pytestmark = pytest.mark.browser
MEASURE_S = 10.0
SETTLE_S = 6.0  # the loss is noticed, and what arrives is played a little later from then on
OUTAGE_S = 5.0
HEALED_WITHIN_S = 10.0
MOVED_WITHIN_S = 5.0


def lose(people: list[Person], share: float) -> None:
    for person in people:
        person.line.change(up=Conditions(loss=share), down=Conditions(loss=share))


async def test_lost_packets_are_repaired(two_people: list[Person]) -> None:
    lose(two_people, 0.05)
    await asyncio.sleep(SETTLE_S)
    pages = await network.watch(two_people, MEASURE_S)
    assert all(person.line.counts["up"].lost > 20 for person in two_people)
    for pair in network.pairs(pages):
        assert network.decoded_share(*pair)["share"] > 0.97
        assert network.freeze_share(*pair) < 0.03


async def test_sound_goes_on_while_a_fifth_is_lost(two_people: list[Person]) -> None:
    lose(two_people, 0.2)
    await asyncio.sleep(SETTLE_S)
    for person in two_people:
        await person.listen()
    await asyncio.sleep(MEASURE_S)
    for person in two_people:
        heard = await person.gaps_s()
        assert len(heard) == 1
        assert max(next(iter(heard.values())), default=0.0) <= 0.2


async def test_an_outage_heals_and_nobody_has_left(two_people: list[Person]) -> None:
    anna, ben = two_people
    anna.line.black_out(True)
    await asyncio.sleep(OUTAGE_S)
    anna.line.black_out(False)
    healed_s = await network.heal(two_people, HEALED_WITHIN_S)
    assert None not in healed_s, f"pictures at Anna's and at Ben's after {healed_s} s"
    assert [(await person.look()).left for person in two_people] == [[], []]
    await expect(anna.page.get_by_test_id("tile")).to_have_count(2)
    await expect(ben.page.get_by_test_id("tile")).to_have_count(2)


async def test_another_address_is_followed(two_people: list[Person]) -> None:
    assert max(await network.move(*two_people, MEASURE_S)) < MOVED_WITHIN_S
    assert [(await person.look()).left for person in two_people] == [[], []]
