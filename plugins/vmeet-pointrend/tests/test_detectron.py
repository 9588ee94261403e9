"""The optional backend: how it refuses where detectron2 is absent, and how it joins the masks of people."""

import importlib.util
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from vmeet_pointrend import PointRendProvider
from vmeet_pointrend.detectron import DetectronFinder, check_packages, existing, joined, limited_size, load_detectron
from vmeet_pointrend.engine import PointRendEngine
from vmeet_pointrend.settings import PointRendSettings

from vmeet_core.effects.options import EffectOptions
from vmeet_core.hookspecs import Host, Permanent
from vmeet_core.testing import flat_picture, person_picture

SIZE = (90, 160)
PERSON, DOG = 0, 16


def block(top: int, left: int) -> NDArray[np.bool_]:
    mask = np.zeros(SIZE, bool)
    mask[top : top + 30, left : left + 40] = True
    return mask


MASKS = np.stack([block(0, 0), block(10, 20), block(50, 100), block(60, 0)])
CLASSES = np.array([PERSON, PERSON, DOG, PERSON])


class Tensor:
    """As much of torch's as is used."""

    def __init__(self, array: NDArray[Any]) -> None:
        self._array = array

    def numpy(self) -> NDArray[Any]:
        return self._array


class Instances(SimpleNamespace):
    def to(self, device: str) -> "Instances":
        assert device == "cpu"
        return self


def settings() -> PointRendSettings:
    return PointRendSettings(backend="detectron2", config="config.yaml", checkpoint="model.pkl")


@pytest.mark.skipif(importlib.util.find_spec("detectron2") is not None, reason="detectron2 is built here")
def test_where_detectron2_is_absent_it_says_what_is_missing_and_how_to_build_it(host: Host) -> None:
    with pytest.raises(Permanent) as caught:
        PointRendProvider().load(settings(), host)
    said = str(caught.value)
    assert "detectron2, not installed here" in said
    assert "pip install --no-build-isolation 'git+" in said
    assert 'backend = "onnx"' in said


def test_every_package_that_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def find_spec(name: str) -> object | None:
        return None if name in absent else object()

    monkeypatch.setattr(importlib.util, "find_spec", find_spec)
    absent = {"torch", "torchvision", "detectron2"}
    with pytest.raises(Permanent, match="wants torch, torchvision, detectron2, not"):
        check_packages()
    absent = {"detectron2.projects.point_rend"}
    with pytest.raises(Permanent, match=r"wants detectron2\.projects\.point_rend, not"):
        check_packages()
    absent = set()
    check_packages()


def test_a_file_that_is_missing_is_named(tmp_path: Path) -> None:
    (tmp_path / "there").touch()
    assert existing(tmp_path / "there") == tmp_path / "there"
    for absent in (tmp_path / "model.pkl", tmp_path, None):
        with pytest.raises(Permanent, match=f"wants the file {absent}"):
            existing(absent)


def test_what_the_settings_say_reaches_detectron2(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config, checkpoint = tmp_path / "config.yaml", tmp_path / "model.pkl"
    for path in (config, checkpoint):
        path.touch()
    done: list[Any] = []
    cfg = SimpleNamespace(
        MODEL=SimpleNamespace(ROI_HEADS=SimpleNamespace()),
        merge_from_file=lambda path: done.append(path),
        freeze=lambda: done.append("frozen"),
    )
    point_rend = SimpleNamespace(add_pointrend_config=lambda given: done.append(given is cfg))
    for name, module in {
        "detectron2.config": SimpleNamespace(get_cfg=lambda: cfg),
        "detectron2.engine": SimpleNamespace(DefaultPredictor=lambda given: done.append(vars(given.MODEL))),
        "detectron2.projects": SimpleNamespace(point_rend=point_rend),
    }.items():
        monkeypatch.setitem(sys.modules, name, module)
    monkeypatch.setitem(sys.modules, "detectron2", SimpleNamespace())
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: object())
    given = PointRendSettings(backend="detectron2", config=config, checkpoint=checkpoint, least_score=0.7)
    load_detectron(given, "cuda")
    heads = SimpleNamespace(SCORE_THRESH_TEST=0.7)
    model = {"ROI_HEADS": heads, "WEIGHTS": str(checkpoint), "DEVICE": "cuda"}
    assert done == [True, str(config), "frozen", model]


def test_people_are_joined_and_nothing_else() -> None:
    union = joined(MASKS, CLASSES, SIZE)
    assert (union.dtype, union.shape) == (np.float32, SIZE)
    assert np.array_equal(union, (MASKS[0] | MASKS[1] | MASKS[3]).astype(np.float32))


@pytest.mark.parametrize("kept", [[], [2]])
def test_nobody_is_an_empty_mask(kept: list[int]) -> None:
    assert np.array_equal(joined(MASKS[kept], CLASSES[kept], SIZE), np.zeros(SIZE, np.float32))


@pytest.mark.parametrize(
    ("size", "limited"),
    [((720, 1280), (360, 640)), ((1280, 720), (640, 360)), ((90, 160), (90, 160)), ((4, 6400), (1, 640))],
)
def test_large_pictures_are_halved_and_small_ones_stay(size: tuple[int, int], limited: tuple[int, int]) -> None:
    assert limited_size(size) == limited


def test_the_predictor_gets_blue_first_and_its_masks_become_a_picture() -> None:
    given = []

    def predict(bgr: NDArray[np.uint8]) -> dict[str, Instances]:
        given.append(bgr)
        return {"instances": Instances(pred_masks=Tensor(MASKS), pred_classes=Tensor(CLASSES))}

    frame = flat_picture(*SIZE)
    blue = type(frame)(frame.y, np.full_like(frame.u, 200), frame.v)
    finder = DetectronFinder(predict)
    assert np.array_equal(finder.mask(blue), joined(MASKS, CLASSES, SIZE))
    (bgr,) = given
    assert (bgr.shape, bgr.dtype, bgr.flags.c_contiguous) == ((*SIZE, 3), np.uint8, True)
    assert bgr[..., 0].mean() > bgr[..., 2].mean() + 50
    shown = PointRendEngine(finder).open(EffectOptions(background="#ffffff")).process(person_picture(*SIZE), 0.0)
    assert (shown.y[35:60, 100:] == 235).all()
