"""What tells the model in a folder from another one, without reading hundreds of megabytes."""

import hashlib
from pathlib import Path

_PIECE_BYTES = 1 << 16


def fingerprint(folder: Path) -> str:
    """Of names, sizes, beginnings and ends of the files in ``folder``; "absent" where it cannot be read."""
    digest = hashlib.sha256()
    try:
        for path in sorted(each for each in folder.iterdir() if each.is_file()):
            size_bytes = path.stat().st_size
            digest.update(f"{path.name}\0{size_bytes}\0".encode())
            with path.open("rb") as file:
                digest.update(file.read(_PIECE_BYTES))
                file.seek(max(0, size_bytes - _PIECE_BYTES))
                digest.update(file.read(_PIECE_BYTES))
    except OSError:
        return "absent"
    return digest.hexdigest()[:16]
