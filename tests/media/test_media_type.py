"""What names and first bytes tell."""

from pathlib import Path

import pytest

from vmeet_core.media.media_type import HEAD_BYTES, kept_suffix, told_by_head, told_by_name


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("a.mp4", True),
        ("週會.MKV", True),
        ("a.opus", True),
        ("a.txt", False),
        ("a.jpg", False),
        ("a.html", False),
        ("a.ts", None),
        ("a", None),
        ("a.mp4.part", None),
        ("a.xyz", None),
    ],
)
def test_names(name: str, told: bool | None) -> None:
    assert told_by_name(Path(name)) is told


@pytest.mark.parametrize(
    ("head", "told"),
    [
        (b"\x00\x00\x00\x20ftypisom" + bytes(20), True),
        (b"\x00\x00\x00\x20ftypheic" + bytes(20), False),
        (b"RIFF\x00\x00\x00\x00WAVEfmt ", True),
        (b"RIFF\x00\x00\x00\x00WEBPVP8 ", False),
        (b"\x1aE\xdf\xa3\xa3", True),
        (b"OggS\x00", True),
        (b"", False),
        (b"%PDF-1.7", False),
        (b"PK\x03\x04", False),
        (b"\x89PNG\r\n\x1a\n", False),
        ("一段文字，沒有聲音。\n".encode() * 500, False),
        ("一段文字".encode()[:-1], False),
        (b"#EXTM3U\n", False),
        (b"\xef\xbb\xbf<?xml", False),
        (b"G" + bytes(187) + b"G" + bytes(187), None),  # MPEG-TS
        (b"\xff\xfb\x90\x00" + bytes(400), None),  # MP3
        (bytes(500), None),
        (b"words, then not\x00\x01", None),
    ],
)
def test_first_bytes(head: bytes, told: bool | None) -> None:
    assert told_by_head(head) is told


def test_a_character_that_the_limit_cuts_is_still_text() -> None:
    for shift in range(3):
        text = b"x" * shift + "字".encode() * HEAD_BYTES
        assert told_by_head(text[:HEAD_BYTES]) is False


@pytest.mark.parametrize(("name", "suffix"), [("a.MP4", ".mp4"), ("a.html", ""), ("a.mp4.exe", ""), ("a", "")])
def test_suffixes_that_are_kept(name: str, suffix: str) -> None:
    assert kept_suffix(name) == suffix
