"""The pictures that can be put behind a person, by name: our own, and uploads from a folder.

An upload is kept as ``NAME.jpg``; its name tells its content, so a file never changes. Needs numpy and Pillow only.
"""

import contextlib
import hashlib
import os
import re
import threading
from collections import OrderedDict
from pathlib import Path

from vmeet_core.color import Plane
from vmeet_core.effects.pictures import BUILT_IN, built_in, decode_picture

FOLDER = "pictures"  #: of uploads, in the server's data folder
MOST_OPEN = 4  #: uploads in memory: up to 11 MB each
_UPLOADED = re.compile(r"u[0-9a-f]{32}", re.ASCII)


def upload_name(jpeg: bytes) -> str:
    """The name of an upload: 128 bits of the SHA-256 of the file as it is kept. Nobody guesses it."""
    return "u" + hashlib.sha256(jpeg).hexdigest()[:32]


def is_upload_name(name: str) -> bool:
    """Whether it has the form of one: such a name is no path."""
    return _UPLOADED.fullmatch(name) is not None


def upload_file(folder: Path, name: str) -> Path:
    """Where an upload is kept. Raises ValueError for a name of another form."""
    if not is_upload_name(name):
        raise ValueError(f"{name!r} is no name of an uploaded picture")
    return folder / f"{name}.jpg"


class PictureShelf:
    """Call it with a name. The last few uploads stay decoded; several threads may share it."""

    def __init__(self, folder: Path) -> None:
        """``folder`` has the uploads; it may be absent."""
        self._folder = folder
        self._open: OrderedDict[str, Plane] = OrderedDict()
        self._lock = threading.Lock()

    def __call__(self, name: str) -> Plane:
        """(height, width, 3) uint8, read-only. Raises ValueError for a name that is unknown, or no longer known."""
        if not is_upload_name(name):
            return built_in(name)
        with self._lock:
            picture = self._open.pop(name, None)
            file = upload_file(self._folder, name)
            with contextlib.suppress(OSError):  # it has been cleared away, or is not ours
                os.utime(file)  # the server clears away first what nobody has used for longest
            self._open[name] = _read(file) if picture is None else picture
            if len(self._open) > MOST_OPEN:
                self._open.popitem(last=False)
            return self._open[name]

    def draw(self) -> None:
        """Draw our own now: each takes a tenth of a second, which is long while pictures wait."""
        for name in BUILT_IN:
            built_in(name)


def _read(file: Path) -> Plane:
    try:
        picture = decode_picture(file.read_bytes())
    except OSError as error:
        raise ValueError(f"the uploaded picture {file.stem!r} is not here any more; upload it again") from error
    except ValueError as error:
        raise ValueError(f"the uploaded picture {file.stem!r} cannot be read: {error}") from error
    picture.flags.writeable = False
    return picture
