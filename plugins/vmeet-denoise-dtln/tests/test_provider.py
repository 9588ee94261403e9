"""The provider against the contract, and what it says of itself."""

from collections.abc import Callable
from importlib.metadata import entry_points, version
from pathlib import Path
from typing import ClassVar

import pytest
from pydantic import ValidationError
from vmeet_denoise_dtln import DtlnOptions, DtlnProvider, DtlnSettings, register_denoisers

from vmeet_core.hookspecs import Host, Permanent, Weight
from vmeet_core.testing import DenoiserConformance, local_host

WeightPath = Callable[[Weight], Path]


class TestDtln(DenoiserConformance):
    weight_path: ClassVar[WeightPath]

    @pytest.fixture(autouse=True)
    def weights(self, weight_path: WeightPath) -> None:
        type(self).weight_path = staticmethod(weight_path)

    @classmethod
    def provider(cls) -> DtlnProvider:
        return DtlnProvider()

    @classmethod
    def host(cls) -> Host:
        return local_host(cls.weight_path)


def test_the_entry_point_offers_one_denoiser() -> None:
    (point,) = entry_points(group="vmeet", name="dtln")
    (provider,) = point.load().register_denoisers()
    assert (provider.name, provider.version) == ("dtln", version("vmeet-denoise-dtln"))
    assert [each.name for each in register_denoisers()] == ["dtln"]


@pytest.mark.parametrize("strength", [-0.1, 1.1, "much"])
def test_a_wrong_strength_is_refused(strength: object) -> None:
    with pytest.raises(ValidationError, match="strength"):
        DtlnOptions(strength=strength)


@pytest.mark.parametrize("threads", [0, 17, 1.5])
def test_wrong_threads_are_refused(threads: object) -> None:
    with pytest.raises(ValidationError, match="threads"):
        DtlnSettings(threads=threads)


def test_an_absent_weight_is_named_before_the_runtime_is_touched() -> None:
    with pytest.raises(Permanent, match=r"dtln_model_1\.onnx"):
        DtlnProvider().load(DtlnSettings(), local_host())
