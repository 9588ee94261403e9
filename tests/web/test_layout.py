"""Where the pictures go."""

from itertools import combinations
from typing import Any

import pytest
from playwright.async_api import Page

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]
AREAS = [(1264, 640), (1000, 560), (374, 680), (1900, 900), (760, 300)]
ARRANGE = "async ([people, area]) => (await import('/static/js/layout.js')).arrange(people, area)"


async def arrange(page: Page, count: int, area: tuple[int, int], own: int = -1, large: int = -1) -> Any:
    people = {"count": count, "own": own, "large": large}
    return await page.evaluate(ARRANGE, [people, {"width": area[0], "height": area[1]}])


def overlap(a: dict[str, float], b: dict[str, float]) -> bool:
    slack = 0.01
    apart_x = a["x"] + a["width"] <= b["x"] + slack or b["x"] + b["width"] <= a["x"] + slack
    return not apart_x and not (a["y"] + a["height"] <= b["y"] + slack or b["y"] + b["height"] <= a["y"] + slack)


def inside(rect: dict[str, float], width: float, height: float) -> bool:
    across = rect["x"] >= -0.01 and rect["x"] + rect["width"] <= width + 0.01
    return across and rect["y"] >= -0.01 and rect["y"] + rect["height"] <= height + 0.01


@pytest.mark.parametrize("area", AREAS)
@pytest.mark.parametrize("large", [-1, 0])
async def test_up_to_nine_people_fit_without_scrolling(blank: Page, area: tuple[int, int], large: int) -> None:
    for count in range(1, 10):
        found = await arrange(blank, count, area, large=large)
        assert found["height"] == area[1]
        assert len(found["rects"]) == count
        assert all(inside(rect, *area) and rect["width"] > 60 for rect in found["rects"])
        assert not any(overlap(a, b) for a, b in combinations(found["rects"], 2))


@pytest.mark.parametrize("area", AREAS)
@pytest.mark.parametrize("count", [30, 100])
async def test_a_crowd_stays_recognisable(blank: Page, area: tuple[int, int], count: int) -> None:
    found = await arrange(blank, count, area)
    assert all(inside(rect, area[0], found["height"]) and rect["width"] >= 110 for rect in found["rects"])
    assert not any(overlap(a, b) for a, b in combinations(found["rects"], 2))


async def test_with_two_people_the_own_picture_floats(blank: Page) -> None:
    other, own = (await arrange(blank, 2, (1264, 640), own=1))["rects"]
    assert other["width"] * other["height"] > 0.85 * 1264 * 640
    assert own["width"] < other["width"] / 3
    assert inside(own, 1264, 640)


async def test_three_people_are_not_cut_to_tall_strips(blank: Page) -> None:
    for rect in (await arrange(blank, 3, (1264, 640)))["rects"]:
        assert rect["width"] / rect["height"] >= 4 / 3 - 0.01
