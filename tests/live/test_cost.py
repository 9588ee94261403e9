"""What tracks cost adds up, survives its journey, and what is not known counts as expensive."""

import json

import pytest

from vmeet_core.live.cost import UNKNOWN_DENOISER, UNKNOWN_FILTER, Cost, Costs

COSTS = Costs(Cost(0.3, 0.1), {"blur": Cost(0.4, 0.05), "light": Cost(0.1, 0.02)}, {"quiet": Cost(0.05, 0.05)})


def test_pictures_cost_their_codec_and_each_filter() -> None:
    assert COSTS.picture(["blur", "light"]) == pytest.approx(Cost(0.8, 0.17))
    assert COSTS.picture([]) == Cost(0.3, 0.1)


def test_voices_cost_their_denoiser() -> None:
    assert COSTS.sound(["quiet"]) == Cost(0.05, 0.05)


def test_what_is_not_known_is_expensive() -> None:
    assert COSTS.picture(["new"]) == pytest.approx(COSTS.codec + UNKNOWN_FILTER)
    assert COSTS.sound(["new"]) == UNKNOWN_DENOISER


def test_costs_survive_their_journey() -> None:
    assert Costs.from_json(json.loads(json.dumps(COSTS.as_json()))) == COSTS
