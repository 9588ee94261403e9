"""What the settings refuse."""

import pytest
from pydantic import ValidationError
from vmeet_stt_asrt import AsrtSettings

SHA256 = "0" * 64


@pytest.mark.parametrize(("name", "digest"), [("model", "sha256"), ("labels", "labels_sha256")])
def test_a_url_must_be_pinned(name: str, digest: str) -> None:
    with pytest.raises(ValidationError, match=f"{name} is a URL, so {digest} must say what file it is"):
        AsrtSettings.model_validate({name: "https://example.org/file"})
    AsrtSettings.model_validate({name: "https://example.org/file", digest: SHA256})
    AsrtSettings.model_validate({name: "/a/path"})


@pytest.mark.parametrize("digest", ["0" * 63, "G" * 64, "A" * 64])
def test_a_digest_is_64_lower_case_digits(digest: str) -> None:
    with pytest.raises(ValidationError, match="sha256"):
        AsrtSettings(model="/a/path", sha256=digest)


@pytest.mark.parametrize(("name", "value"), [("threads", 0), ("threads", 17), ("beam", 0), ("beam", 51)])
def test_numbers_have_bounds(name: str, value: int) -> None:
    with pytest.raises(ValidationError, match=name):
        AsrtSettings.model_validate({name: value})
