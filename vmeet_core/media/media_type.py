"""Whether a file is sound or video, as far as its name or its first bytes tell; FFmpeg says the rest."""

import mimetypes
from pathlib import Path

HEAD_BYTES = 4096  #: what ``told_by_head`` wants to see, or the whole of a smaller file

SUFFIXES = frozenset(
    {
        *(".mp4", ".m4v", ".m4a", ".m4b", ".mov", ".qt", ".3gp", ".3g2", ".mkv", ".mka", ".webm", ".weba", ".avi"),
        *(".flv", ".f4v", ".wmv", ".wma", ".asf", ".mpg", ".mpeg", ".vob", ".m2ts", ".mxf", ".ogg", ".ogv", ".oga"),
        *(".opus", ".spx", ".flac", ".wav", ".w64", ".mp3", ".mp2", ".aac", ".aif", ".aiff", ".aifc", ".caf", ".amr"),
        *(".ac3", ".eac3", ".dv"),
    }
)  #: names that promise sound or video
_AMBIGUOUS = (".ts", ".mts", ".dat")  # also programs and whatever else
_OTHER_KINDS = ("text", "image", "font", "message", "model")
_MEDIA_HEADS = (
    b"\x1aE\xdf\xa3",
    b"OggS",
    b"fLaC",
    b"FLV\x01",
    b"caff",
    b"#!AMR",
    b"\x30\x26\xb2\x75",
    b"\x00\x00\x01\xba",
)
_OTHER_HEADS = (
    *(b"%PDF-", b"PK\x03\x04", b"PK\x05\x06", b"\x89PNG\r\n", b"GIF87a", b"GIF89a", b"BM", b"\x1f\x8b", b"BZh"),
    *(b"\xfd7zXZ\x00", b"\x28\xb5\x2f\xfd", b"7z\xbc\xaf", b"Rar!", b"\x7fELF", b"MZ", b"\xff\xd8\xff", b"II*\x00"),
    *(
        b"MM\x00*",
        b"SQLite format 3\x00",
        b"\xd0\xcf\x11\xe0",
        b"\x00\x00\x01\x00",
        b"8BPS",
        b"!<arch>",
        b"\xca\xfe\xba\xbe",
    ),
)
_STILL_BRANDS = (b"heic", b"heix", b"mif1", b"avif", b"crx ")
_RIFF_MEDIA = (b"WAVE", b"AVI ", b"AVIX")


def told_by_name(path: Path) -> bool | None:
    """True for sound and video, False for what is something else, None when the name does not tell."""
    suffix = path.suffix.lower()
    if suffix in SUFFIXES:
        return True
    kind = (mimetypes.guess_type(path.name)[0] or "").partition("/")[0]
    return False if kind in _OTHER_KINDS and suffix not in _AMBIGUOUS else None


def told_by_head(head: bytes) -> bool | None:
    """The same from the first ``HEAD_BYTES`` of a file; False is certain, True only likely."""
    if head[:4] == b"RIFF":
        return head[8:12] in _RIFF_MEDIA
    if head[4:8] == b"ftyp":
        return head[8:12] not in _STILL_BRANDS
    if head.startswith(_MEDIA_HEADS):
        return True
    if not head or head.startswith(_OTHER_HEADS) or _is_text(head):
        return False
    return None


def kept_suffix(name: str) -> str:
    """The suffix of a name if it promises sound or video, else "": of others nobody knows what programs make of it."""
    suffix = Path(name).suffix.lower()
    return suffix if suffix in SUFFIXES else ""


def _is_text(head: bytes) -> bool:
    """No container is readable throughout; playlists are, and they would have FFmpeg open other files."""
    try:
        text = head[:HEAD_BYTES].decode()
    except UnicodeDecodeError as error:
        if error.start < min(len(head), HEAD_BYTES) - 4:  # but a character may be cut in two
            return False
        text = head[: error.start].decode()
    return all(character.isprintable() or character in "\t\r\n\f\ufeff" for character in text)
