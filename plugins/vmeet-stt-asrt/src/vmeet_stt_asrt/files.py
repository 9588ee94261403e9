"""The files that the settings name: found, or brought into the weights folder, and checked before use."""

import hashlib
import urllib.error
import urllib.request
from pathlib import Path, PurePosixPath
from urllib.parse import urlsplit

from vmeet_core.hookspecs import Host, Permanent, Retryable, Source, Weight
from vmeet_core.weights import WeightError, WeightStore
from vmeet_stt_asrt.settings import is_url

HOW_TO_CONFIGURE = """asrt has no acoustic model: this package carries none. In vmeet.toml:
  [plugins.transcribers.asrt]
  model = "/path/or/https://..."    # a .h5 file of an ASRT release, or a .onnx file of train/export.py
  sha256 = "64 hexadecimal digits"  # needed for a URL
  labels = "/path/or/https://..."   # for a .h5 file: the dict.txt of the same release
  labels_sha256 = "..."             # needed for a URL
(README.md of vmeet-stt-asrt says where releases are.)"""
_TIMEOUT_S = 20.0
_CHUNK_BYTES = 1 << 20


def find(reference: str, sha256: str, host: Host) -> Path:
    """The file that a path or URL names, with the right SHA-256 where one is given.

    A URL is downloaded once, into ``host.weights_dir``. Raises Permanent where the file is absent, another one or
    cannot be had, Retryable where the server does not answer.
    """
    if is_url(reference):
        return _kept(reference, sha256, host)
    path = Path(reference).expanduser()
    if not path.is_file():
        raise Permanent(f"asrt wants the file {path}, which is not there ([plugins.transcribers.asrt])")
    if sha256 and (found := _digest(path)) != sha256:
        raise Permanent(f"the file {path} has the SHA-256 {found}, and [plugins.transcribers.asrt] wants {sha256}")
    return path


def _digest(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK_BYTES):
            digest.update(chunk)
    return digest.hexdigest()


def _kept(url: str, sha256: str, host: Host) -> Path:
    name = f"asrt-{sha256[:12]}{PurePosixPath(urlsplit(url).path).suffix.lower()}"
    kept = host.weights_dir / name
    size_bytes = kept.stat().st_size if kept.is_file() else _size_at(url)
    weight = Weight(name, sha256, size_bytes, "as its publisher says", (Source(url=url),))
    try:
        return WeightStore(host.weights_dir).fetch(weight)
    except WeightError as error:
        raise Permanent(str(error)) from None


def _size_at(url: str) -> int:
    request = urllib.request.Request(url, method="HEAD", headers={"User-Agent": "vmeet"})
    try:
        with urllib.request.urlopen(request, timeout=_TIMEOUT_S) as response:
            return int(response.headers["Content-Length"])
    except urllib.error.HTTPError as error:
        error.close()
        raise Permanent(f"{url} answered {error.code} {error.reason}") from None
    except (OSError, TimeoutError) as error:
        raise Retryable(f"{url} cannot be reached: {error}. Or download it yourself and name its path") from None
    except (TypeError, ValueError):
        raise Permanent(f"{url} does not say how long it is: download it yourself and name its path") from None
