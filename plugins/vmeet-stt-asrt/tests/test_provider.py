"""The provider against the contract, and what it says where no model is configured."""

import re
from importlib.metadata import entry_points, version
from pathlib import Path
from typing import ClassVar

import asrt_reference as reference
import pytest
from vmeet_stt_asrt import AsrtProvider, AsrtSettings, register_transcribers

from vmeet_core.hookspecs import Permanent
from vmeet_core.testing import Subject, TranscriberConformance, local_host


class TestAsrt(TranscriberConformance):
    settings: ClassVar[AsrtSettings]

    @pytest.fixture(autouse=True)
    def use(self, settings: AsrtSettings) -> None:
        type(self).settings = settings

    @classmethod
    def subject(cls) -> Subject:
        return Subject(AsrtProvider(), local_host(), cls.settings)


def test_the_entry_point_offers_one_transcriber() -> None:
    (point,) = entry_points(group="vmeet", name="asrt")
    (provider,) = point.load().register_transcribers()
    assert (provider.name, provider.version, provider.languages) == ("asrt", version("vmeet-stt-asrt"), ("zh",))
    assert [each.name for each in register_transcribers()] == ["asrt"]


def test_without_a_model_it_says_what_to_configure() -> None:
    with pytest.raises(Permanent) as caught:
        AsrtProvider().load(AsrtSettings(), local_host())
    for name in (
        "[plugins.transcribers.asrt]",
        "model =",
        "labels =",
        "sha256 =",
        "size_bytes =",
        "vmeet weights fetch asrt",
    ):
        assert name in str(caught.value)


def test_a_keras_file_without_labels_says_what_to_configure(tmp_path: Path) -> None:
    model = reference.save(reference.random_layers(30), tmp_path / "model.h5")
    with pytest.raises(Permanent, match=r"set labels .*dict\.txt of the same ASRT release"):
        AsrtProvider().load(AsrtSettings(model=model), local_host())


def test_what_is_no_onnx_model_is_refused(tmp_path: Path) -> None:
    (tmp_path / "model.onnx").write_bytes(b"<html>")
    with pytest.raises(Permanent, match=re.escape("model.onnx is no ONNX model")):
        AsrtProvider().load(AsrtSettings(model=tmp_path / "model.onnx"), local_host())
