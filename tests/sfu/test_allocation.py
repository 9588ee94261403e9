"""Who gets which layer: order of priority, size as shown, frame rate against sharpness, and the budget."""

import timeit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vmeet_core.sfu.allocation import Layer, Picture, allocate, make_ladder, make_ladders, next_step_bps

UP_TO = (0.5, 0.7, 1.0)


def camera(
    key: str, shown_px: int = 720, priority: int = 1, full_bps: float = 1.5e6, small_bps: float = 150e3
) -> Picture:
    layers = [
        Layer(index, temporal, bps * part, height_px)
        for index, bps, height_px in ((0, small_bps, 180), (1, full_bps, 720))
        for temporal, part in enumerate(UP_TO)
    ]
    return Picture(key, priority, shown_px, tuple(reversed(layers)))  # the order does not matter


def chosen(pictures: list[Picture], budget_bps: float) -> dict[object, tuple[int, int] | None]:
    return {key: x and (x.index, x.temporal) for key, x in allocate(pictures, budget_bps).items()}


@pytest.mark.parametrize(
    ("budget_bps", "layer"),
    [
        (74e3, None),
        (75e3, (0, 0)),
        (110e3, (0, 1)),
        (200e3, (0, 2)),
        (900e3, (0, 2)),  # the full picture at a quarter of the frame rate is worth less than the small one
        (1.1e6, (1, 1)),  # at half the rate it is worth more
        (2e6, (1, 2)),
    ],
)
def test_a_large_tile_climbs_from_small_to_full(budget_bps: float, layer: tuple[int, int] | None) -> None:
    assert chosen([camera("a")], budget_bps) == {"a": layer}


def test_a_small_tile_never_gets_the_full_picture() -> None:
    assert chosen([camera("a", shown_px=180)], 10e6) == {"a": (0, 2)}
    assert chosen([camera("a", shown_px=240)], 10e6) == {"a": (0, 2)}
    assert chosen([camera("a", shown_px=241)], 10e6) == {"a": (1, 2)}


def test_a_tile_of_half_the_height_keeps_the_frame_rate_until_all_fits() -> None:
    assert chosen([camera("a", shown_px=360)], 1.1e6) == {"a": (0, 2)}
    assert chosen([camera("a", shown_px=360)], 1.5e6) == {"a": (1, 2)}


def test_the_only_layer_is_sent_though_it_is_larger_than_shown() -> None:
    only = Picture("a", 1, 90, (Layer(0, 0, 1e6, 720),))
    assert chosen([only], 2e6) == {"a": (0, 0)}


def test_a_screen_prefers_sharpness() -> None:
    screen = camera("screen", priority=0, shown_px=1080)
    assert chosen([screen], 900e3) == {"screen": (1, 0)}
    assert chosen([camera("a", shown_px=1080)], 900e3) == {"a": (0, 2)}


def test_many_at_a_low_frame_rate_come_before_one_at_the_full() -> None:
    pictures = [camera("speaker")] + [camera(str(i), 180, 2) for i in range(6)]
    assert chosen(pictures, 7 * 75e3) == dict.fromkeys(("speaker", *"012345"), (0, 0))


def test_the_first_priority_climbs_before_the_next() -> None:
    pictures = [camera("other", 180, 2), camera("speaker")]
    assert chosen(pictures, 75e3 + 1.05e6) == {"speaker": (1, 1), "other": (0, 0)}
    assert chosen(pictures, 75e3 + 150e3 + 30e3) == {"speaker": (0, 2), "other": (0, 1)}


def test_equal_priorities_climb_together_in_the_order_given() -> None:
    pictures = [camera("a"), camera("b"), camera("c")]
    assert chosen(pictures, 3 * 75e3 + 2 * 30e3) == {"a": (0, 1), "b": (0, 1), "c": (0, 0)}


def test_the_first_of_the_list_that_does_not_fit_leaves_room_for_others() -> None:
    dear = Picture("dear", 0, 720, (Layer(0, 0, 1e6, 720),))
    assert chosen([dear, camera("a")], 100e3) == {"dear": None, "a": (0, 0)}


def test_a_dearer_layer_that_is_worse_is_no_rung() -> None:
    still = camera("a", full_bps=140e3)  # nothing moves: the full picture costs less than the small one
    assert [(r.layer.index, r.layer.temporal) for r in make_ladder(still).rungs] == [(1, 0), (1, 1), (1, 2)]


def test_unknown_heights_and_sizes_are_guessed() -> None:
    layers = tuple(x._replace(height_px=0) for x in camera("a").layers)
    assert chosen([Picture("a", 1, 180, layers)], 10e6) == {"a": (0, 2)}
    assert chosen([Picture("a", 1, 0, layers)], 10e6) == {"a": (1, 2)}


def test_a_picture_without_temporal_layers_has_its_full_frame_rate() -> None:
    plain = Picture("a", 1, 720, (Layer(0, 0, 150e3, 180), Layer(1, 0, 1.5e6, 720)))
    assert chosen([plain], 2e6) == {"a": (1, 0)}


def test_a_layer_that_measures_nothing_is_not_free() -> None:
    assert chosen([Picture("a", 1, 180, (Layer(0, 0, 0.0, 180),))], 5e3) == {"a": None}


def test_nothing_to_show_and_no_layers() -> None:
    assert allocate([], 1e6) == {}
    assert allocate([Picture("a", 1, 720, ())], 1e6) == {"a": None}


def test_the_next_step_is_that_of_the_first_priority_at_the_cost_of_the_others() -> None:
    pictures = [camera("speaker"), camera("other", 180, 2)]
    ladders = make_ladders(pictures)
    standing = {"speaker": ladders["speaker"].rungs[2], "other": ladders["other"].rungs[2]}
    assert next_step_bps(ladders, standing) == pytest.approx(1.05e6 + 75e3)
    assert next_step_bps(ladders, {**standing, "other": None}) == pytest.approx(150e3)
    top = {key: ladder.rungs[-1] for key, ladder in ladders.items()}
    assert next_step_bps(ladders, top) == 0.0


layer_lists = st.lists(
    st.builds(
        Layer,
        st.integers(0, 2),
        st.integers(0, 2),
        st.floats(0, 3e6, allow_subnormal=False),
        st.sampled_from([0, 90, 180, 360, 720, 1080]),
    ),
    max_size=9,
    unique_by=lambda x: (x.index, x.temporal),
).map(tuple)
pictures = st.lists(
    st.builds(Picture, st.integers(), st.integers(0, 3), st.sampled_from([0, 90, 180, 400, 720, 2000]), layer_lists),
    max_size=8,
    unique_by=lambda p: p.key,
)


@given(pictures, st.floats(0, 1e7, allow_subnormal=False))
def test_any_choice_keeps_to_the_budget_and_leaves_nobody_out_without_need(
    shown: list[Picture], budget_bps: float
) -> None:
    result = allocate(shown, budget_bps)
    assert result == allocate(shown, budget_bps)
    assert set(result) == {p.key for p in shown}
    spent = sum(max(x.bitrate_bps, 10e3) for x in result.values() if x)
    assert spent <= budget_bps + 1e-3
    cheapest = sum(make_ladder(p).rungs[0].cost_bps for p in shown if p.layers)
    if cheapest <= budget_bps - 1e-3:
        assert all(result[p.key] is not None for p in shown if p.layers)


def test_ten_pictures_take_less_than_300_microseconds() -> None:
    ten = [camera(str(i), 720 if i == 0 else 180, 1 if i == 0 else 2) for i in range(10)]
    assert min(timeit.repeat(lambda: allocate(ten, 2e6), number=20, repeat=20)) / 20 < 300e-6
