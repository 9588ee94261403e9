"""What the settings may say, and what they may not."""

from typing import Any

import pytest
from pydantic import ValidationError
from vmeet_stt_sherpa.settings import SherpaArchive, SherpaOptions, SherpaSettings

DIGEST = "ab" * 32
ARCHIVE = {"url": "https://example.org/a/zipformer.tar.bz2?raw=1", "sha256": DIGEST, "size_bytes": 5}


def test_an_archive_is_a_weight_whose_name_tells_its_content() -> None:
    weight = SherpaArchive(**ARCHIVE).weight()
    assert (weight.name, weight.sha256, weight.size_bytes) == ("abababababab-zipformer.tar.bz2", DIGEST, 5)
    assert weight.sources[0].url == ARCHIVE["url"]


@pytest.mark.parametrize(
    "change",
    [
        {"url": "ftp://example.org/a.tar.bz2"},
        {"url": "file:///etc/a.tar.bz2"},
        {"url": "https://example.org/model.zip"},
        {"url": "https://example.org/.tar.bz2"},
        {"url": "https://example.org/a%2Fb.tar.bz2"},
        {"url": "https:///a.tar.bz2"},
        {"sha256": "AB" * 32},
        {"sha256": "ab"},
        {"size_bytes": 0},
    ],
)
def test_a_wrong_archive_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(ValidationError, match=next(iter(change))):
        SherpaSettings(archive=ARCHIVE | change)  # type: ignore[arg-type]


def test_archive_and_folder_exclude_one_another() -> None:
    with pytest.raises(ValidationError, match="give archive or folder, not both"):
        SherpaSettings(archive=ARCHIVE, folder="/srv/model")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "values", [{"threads": 0}, {"languages": ()}, {"languages": ("zh-TW",)}, {"precision": "fp16"}]
)
def test_other_wrong_settings_are_refused(values: dict[str, Any]) -> None:
    with pytest.raises(ValidationError, match=next(iter(values))):
        SherpaSettings(**values)


def test_a_wrong_weight_of_names_is_refused() -> None:
    with pytest.raises(ValidationError, match="hot_words_boost"):
        SherpaOptions(hot_words_boost=6)
