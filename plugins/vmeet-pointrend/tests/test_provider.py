"""The provider against the contract, and what it says of itself."""

import subprocess
import sys
from dataclasses import replace
from importlib.metadata import entry_points, version
from typing import ClassVar

import numpy as np
import pytest
from vmeet_pointrend import MODEL, PointRendProvider, register_frame_filters
from vmeet_pointrend.settings import PointRendSettings

from vmeet_core.color import Plane
from vmeet_core.effects.options import EffectOptions
from vmeet_core.hookspecs import Engine, Host, Permanent
from vmeet_core.testing import FrameFilterConformance, flat_picture, local_host


class TestPointRend(FrameFilterConformance):
    its_host: ClassVar[Host]

    @pytest.fixture(autouse=True)
    def weights(self, host: Host) -> None:
        type(self).its_host = host

    @classmethod
    def provider(cls) -> PointRendProvider:
        return PointRendProvider()

    @classmethod
    def host(cls) -> Host:
        return cls.its_host


def test_the_entry_point_offers_one_filter_that_protects_privacy() -> None:
    (point,) = entry_points(group="vmeet", name="pointrend")
    (provider,) = point.load().register_frame_filters()
    assert (provider.name, provider.version) == ("pointrend", version("vmeet-pointrend"))
    assert provider.protects_privacy
    assert not provider.leaves_host
    assert [each.name for each in register_frame_filters()] == ["pointrend"]


def test_the_package_carries_its_weights(host: Host) -> None:
    assert host.weight_path(MODEL).stat().st_size == MODEL.size_bytes < 10_000_000


def test_it_loads_with_the_weights_of_the_package(host: Host) -> None:
    assert isinstance(PointRendProvider().load(PointRendSettings(), host), Engine)


def test_backgrounds_are_those_of_the_host(host: Host) -> None:
    asked = []

    def picture(name: str) -> Plane:
        asked.append(name)
        return np.full((9, 16, 3), 255, np.uint8)

    engine = PointRendProvider().load(PointRendSettings(), replace(host, picture=picture))
    name = "u" + 32 * "0"
    shown = engine.open(EffectOptions(background=name)).process(flat_picture(90, 160), 0.0)
    assert asked == [name]
    assert np.median(shown.y) == 235


def test_an_absent_weight_is_named_before_the_runtime_is_touched() -> None:
    with pytest.raises(Permanent, match=r"pointrend\.onnx"):
        PointRendProvider().load(PointRendSettings(), local_host())


def test_offering_it_needs_neither_opencv_nor_a_model_runtime() -> None:
    code = (
        "import sys, vmeet_pointrend; vmeet_pointrend.register_frame_filters(); "
        "print([name for name in ('cv2', 'onnxruntime', 'torch', 'detectron2') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
