"""What the settings take and refuse."""

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError
from vmeet_stt_asrt import AsrtFile, AsrtSettings

SHA256 = "0123456789abcdef" * 4


def published(**changed: Any) -> dict[str, Any]:
    return {"url": "https://example.org/a/model.base.h5", "sha256": SHA256, "size_bytes": 7_000_000} | changed


def test_a_file_is_a_path_or_an_address() -> None:
    settings = AsrtSettings.model_validate({"model": published(), "labels": "/srv/dict.txt"})
    assert settings.labels == Path("/srv/dict.txt")
    assert isinstance(settings.model, AsrtFile)
    weight = settings.model.weight()
    assert (weight.name, weight.sha256, weight.size_bytes) == ("0123456789ab-model.base.h5", SHA256, 7_000_000)
    assert weight.sources[0].url == "https://example.org/a/model.base.h5"


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"sha256": "0" * 63}, "sha256"),
        ({"sha256": "A" * 64}, "sha256"),
        ({"size_bytes": 0}, "size_bytes"),
        ({"url": "ftp://example.org/model.h5"}, "should begin with https://"),
        ({"url": "https://example.org/"}, "should end with the name of a file"),
        ({"url": "https://example.org/..%2fmodel.h5"}, "should end with the name of a file"),
        ({"url": "https://example.org/release.zip"}, r"model should be a file \.h5"),
    ],
)
def test_an_address_must_be_pinned_and_name_a_file(changed: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        AsrtSettings.model_validate({"model": published(**changed)})


def test_another_kind_of_model_is_refused() -> None:
    with pytest.raises(ValidationError, match=r"should be a file \.h5, \.hdf5, \.onnx, not model\.pt"):
        AsrtSettings.model_validate({"model": "/srv/model.pt"})


@pytest.mark.parametrize(("name", "value"), [("threads", 0), ("threads", 17), ("beam", 0), ("beam", 51)])
def test_numbers_have_bounds(name: str, value: int) -> None:
    with pytest.raises(ValidationError, match=name):
        AsrtSettings.model_validate({name: value})
