"""The bake-off of frame filters, with filters whose masks are known."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from material import write_pictures
from true_mask import TrueMask, TrueMaskOptions, soft_mask

from vmeet_core.builtin import BrightnessOptions, BrightnessProvider
from vmeet_core.evaluate.comparison import CompareError, Comparison, Contestant, compare
from vmeet_core.evaluate.frame_filters import EVALUATOR, METRICS, error_map, find_items, score
from vmeet_core.evaluate.matting import still_alpha
from vmeet_core.evaluate.portraits import Scene, read_portrait
from vmeet_core.evaluate.report import as_html, as_json, as_text
from vmeet_core.hookspecs import Engine, Frame, FrameStream
from vmeet_core.testing import local_host
from vmeet_core.testing.fakes import ChromaKeyOptions

MakePortraits = Callable[..., Path]
MASKS = ("iou", "boundary_f", "iou_16x9", "boundary_f_16x9")


class Odd(Engine[FrameStream]):
    """Does to each picture what ``change`` says."""

    def __init__(self, change: Callable[[Frame], Any]) -> None:
        self.change = change

    def open(self, options: Any) -> FrameStream:
        change = self.change

        class Stream(FrameStream):
            def process(self, frame: Frame, pts_s: float) -> Frame:
                return change(frame)

        return Stream()


def contestant(name: str, engine: Engine[FrameStream], options: Any) -> Contestant:
    return Contestant(name, name.title(), "1", lambda: engine, options)


def held(folder: Path, *contestants: Contestant) -> Comparison:
    return compare(EVALUATOR, folder, contestants, lambda *progress: None)


def brightness() -> Contestant:
    return contestant("brightness", BrightnessProvider().load(None, local_host()), BrightnessOptions())


@pytest.mark.parametrize("in_rgb", [False, True])
def test_the_true_mask_scores_one(make_portraits: MakePortraits, in_rgb: bool) -> None:
    folder = make_portraits("a")
    (portrait,) = find_items(folder)
    scores = score(portrait, TrueMask(folder), TrueMaskOptions(in_rgb=in_rgb))
    assert {name: scores[name] for name in MASKS} == dict.fromkeys(MASKS, 1.0)
    assert scores["ms_per_frame"] > 0


def test_a_mask_that_is_too_large_costs_what_it_should(make_portraits: MakePortraits) -> None:
    folder = make_portraits("a")
    (portrait,) = find_items(folder)
    scene, options = read_portrait(portrait), TrueMaskOptions(grow_px=4)
    scores = score(portrait, TrueMask(folder), options)
    large = soft_mask(scene, options) >= 0.5
    assert scores["iou"] == pytest.approx(scene.truth.sum() / large.sum(), abs=1e-6)
    assert scores["boundary_f"] < 0.5  # 0.8 % of 150 pixels are 2
    assert scores["boundary_f_16x9"] > 0.9  # 0.8 % of 1469 pixels are 12, and 4 are not much there


def test_what_has_no_background_is_only_timed(make_portraits: MakePortraits) -> None:
    result = held(make_portraits("a", "b"), brightness())
    assert result.means()["brightness"].keys() == {"ms_per_frame", "n"}
    assert result.failures == []
    reason = 'brightness: no masks, only its time: it has no option "background"'
    assert reason in as_text(result)
    assert "no masks, only its time" in as_html(result)
    assert result.exhibits == ()


def test_what_goes_wrong_with_one_leaves_the_others(make_portraits: MakePortraits) -> None:
    folder = make_portraits("a")
    options = ChromaKeyOptions()
    result = held(
        folder,
        contestant("crashes", Odd(lambda frame: frame.none), options),
        contestant("true", TrueMask(folder), TrueMaskOptions()),
        contestant("shrinks", Odd(lambda frame: Frame(frame.y[::2], frame.u, frame.v)), options),
        Contestant("absent", "Absent", "1", lambda: 1 / 0, options),
    )
    assert [str(failure) for failure in result.failures] == [
        "crashes: a: it raised AttributeError: 'Frame' object has no attribute 'none'",
        "shrinks: a: process() gave plane y (60, 90) uint8 for (120, 90) uint8",
        "absent: it raised ZeroDivisionError: division by zero",
    ]
    means = result.means()
    assert list(means) == ["true", "crashes", "shrinks", "absent"]
    assert means["true"]["iou"] == 1
    assert [means[name] for name in ("crashes", "shrinks", "absent")] == [{"n": 0}] * 3
    assert '"crashes": {' in as_json(result)
    assert as_html(result).count("it raised") == 2


def test_a_background_that_does_nothing_is_told(make_portraits: MakePortraits) -> None:
    result = held(make_portraits("a"), contestant("lazy", Odd(lambda frame: frame), ChromaKeyOptions()))
    assert 'its option "background" does nothing by itself' in as_text(result)
    assert result.failures == []


def test_pictures_show_the_worst_the_median_and_the_best(make_portraits: MakePortraits) -> None:
    folder = make_portraits("a", "b", "c", "d")
    result = held(folder, contestant("true", TrueMask(folder), TrueMaskOptions(grow_px=2)))
    assert [exhibit.rank for exhibit in result.exhibits] == ["worst", "median", "best"]
    assert len({exhibit.item for exhibit in result.exhibits}) == 3
    page = as_html(result)
    assert page.count('src="data:image/jpeg;base64,') == 12
    assert "紅色為露出的背景" in page


@pytest.mark.parametrize(("count", "ranks"), [(1, ["best"]), (2, ["worst", "best"])])
def test_fewer_pictures_are_shown_once(make_portraits: MakePortraits, count: int, ranks: list[str]) -> None:
    folder = make_portraits(*"ab"[:count])
    result = held(folder, contestant("true", TrueMask(folder), TrueMaskOptions()))
    assert [exhibit.rank for exhibit in result.exhibits] == ranks


def test_errors_are_red_where_background_shows_and_blue_where_the_person_is_cut() -> None:
    scene = Scene(np.zeros((1, 4, 3), np.uint8), np.array([[True, True, False, False]]))
    pixels = error_map(scene, np.array([[1, 0, 1, 0]], np.float32))[0].tolist()
    assert pixels == [[178] * 3, [40, 110, 230], [230, 60, 40], [178] * 3]


def test_clips_have_their_own_figures(make_portraits: MakePortraits, tmp_path: Path) -> None:
    folder = make_portraits("a")
    write_pictures(folder / "film.mkv", 0.5)
    keeps = Odd(lambda frame: frame)
    result = held(folder, contestant("keeps", keeps, ChromaKeyOptions()), brightness())
    means = result.means()
    assert means["keeps"]["flicker"] == 0
    assert (means["keeps"]["n"], means["brightness"]["n"]) == (2, 2)
    assert "flicker" not in means["brightness"]
    page = as_html(result)
    table = page.partition("<h3>Flicker")[2].partition("</table>")[0]
    assert "film.mkv" in table
    assert "<th scope=row>a</th>" not in table


def test_no_folder_and_an_empty_folder_are_named(tmp_path: Path) -> None:
    with pytest.raises(CompareError, match="nowhere is no folder"):
        find_items(tmp_path / "nowhere")
    with pytest.raises(CompareError, match=r"has no pictures: put NAME\.jpg and NAME\.png \(the person's mask\) there"):
        find_items(tmp_path)


def test_bad_material_is_told_before_anything_is_loaded(make_portraits: MakePortraits) -> None:
    folder = make_portraits("a", "b")
    (folder / "b.jpg").write_text("nothing")
    with pytest.raises(CompareError, match=r"b\.jpg cannot be read as a picture"):
        held(folder, Contestant("never", "Never", "1", lambda: pytest.fail("loaded"), ChromaKeyOptions()))


def test_real_portraits(shared_data: Path) -> None:
    folder = shared_data / "portraits"
    portraits = find_items(folder)
    assert len(portraits) == 40
    engine = TrueMask(folder)
    for portrait in portraits[::8]:
        scene = read_portrait(portrait)
        for options, tolerance in ((TrueMaskOptions(soften_px=3), 2), (TrueMaskOptions(soften_px=3, in_rgb=True), 3)):
            found = still_alpha(engine, options, scene.frame)
            assert np.max(np.abs(found - soft_mask(scene, options))) <= tolerance / 255, portrait.name
    scores = score(portraits[0], engine, TrueMaskOptions())
    assert [scores[name] for name in MASKS] == [1, 1, 1, 1]


def test_every_metric_is_documented() -> None:
    text = (Path(__file__).parents[2] / "docs/compare.md").read_text(encoding="utf-8")
    for metric in METRICS:
        assert f"| `{metric.name}` | {metric.unit} | {'higher' if metric.better > 0 else 'lower'} |" in text
