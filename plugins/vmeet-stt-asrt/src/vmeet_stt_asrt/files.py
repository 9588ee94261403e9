"""The files that the settings name: where they are, and what tells them from others."""

import hashlib
from pathlib import Path

from vmeet_core.hookspecs import Host, Permanent
from vmeet_stt_asrt.settings import AsrtFile

HOW_TO_CONFIGURE = """asrt has no acoustic model: this package carries none. In vmeet.toml:
  [plugins.transcribers.asrt]
  model = "/path/to/model.h5"  # of an ASRT release, or a .onnx file of our own training
  labels = "/path/to/dict.txt" # for a .h5 file: of the same release
or, for each: { url = "https://...", sha256 = "64 hexadecimal digits", size_bytes = 7000000 },
and then run: vmeet weights fetch asrt (README.md of vmeet-stt-asrt says where releases are)"""
_CHUNK_BYTES = 1 << 20


def find(file: Path | AsrtFile, host: Host) -> Path:
    """Raises Permanent where it is absent."""
    if isinstance(file, AsrtFile):
        return host.weight_path(file.weight())
    if not file.is_file():
        raise Permanent(f"the file {file} of [plugins.transcribers.asrt] does not exist: correct it there")
    return file


def digest(path: Path) -> str:
    """The first 16 digits of its SHA-256; "absent" where it cannot be read."""
    found = hashlib.sha256()
    try:
        with path.open("rb") as file:
            while chunk := file.read(_CHUNK_BYTES):
                found.update(chunk)
    except OSError:
        return "absent"
    return found.hexdigest()[:16]
