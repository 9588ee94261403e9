"""Downloads of URLs that stop and go on: HTTP range requests (RFC 9110, section 14) into a ``.part`` file."""

import http.client
import re
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple, NoReturn

from vmeet_core.hookspecs import Weight
from vmeet_core.weights.transfer import CHUNK_BYTES, Progress, SourceError, adopt

USER_AGENT = "vmeet"


class Patience(NamedTuple):
    """How long a download is waited for, and how often it is tried again."""

    stall_s: float = 20.0  #: no byte for so long is a failure
    tries: int = 6
    pause_s: float = 0.5  #: before the second try; doubles each time


class Interrupted(Exception):
    """This try failed; another may go on where it stopped."""


class Mismatch(Interrupted):
    """What is on the disk and what the server offers do not fit together: begin anew."""


def download(url: str, target: Path, weight: Weight, progress: Progress, patience: Patience) -> None:
    """Bring ``url`` to ``target``, going on from ``target``.part if there is one. Raises SourceError and OSError."""
    part = target.with_name(f"{target.name}.part")
    pause_s = patience.pause_s
    for attempt in range(1, patience.tries + 1):
        resumed = part.exists() and part.stat().st_size > 0
        try:
            _transfer(url, part, weight, progress, patience.stall_s)
            adopt(part, target, weight)
            return
        except SourceError:
            if not resumed:
                raise
            # The earlier piece may have been the bad one: try once more from the beginning.
            part.unlink(missing_ok=True)
        except Interrupted as error:
            if isinstance(error, Mismatch):
                part.unlink(missing_ok=True)
            if attempt == patience.tries:
                kept = "; what has come is kept, and the next try goes on from there" if part.exists() else ""
                raise SourceError(f"{error} ({attempt} tries{kept})") from None
            time.sleep(pause_s)
            pause_s *= 2
    raise SourceError(f"what it delivers was corrupt {patience.tries} times")


def _transfer(url: str, part: Path, weight: Weight, progress: Progress, stall_s: float) -> None:
    """Complete the ``.part`` file. Raises Interrupted where another try may help, else SourceError."""
    have = part.stat().st_size if part.exists() else 0
    if have == weight.size_bytes:
        return
    if have > weight.size_bytes:
        raise Mismatch("the part on the disk was too long")
    with _open(url, have, stall_s) as response:
        start = _start(response, have, weight.size_bytes)
        _copy(_chunks(response, stall_s), part, start, weight, progress)


@contextmanager
def _network(stall_s: float) -> Iterator[None]:
    """Turns what the network raises into Interrupted; what the disk raises must not pass through here."""
    try:
        yield
    except urllib.error.URLError as error:
        raise Interrupted(f"cannot be reached: {error.reason}") from None
    except TimeoutError:
        raise Interrupted(f"sent nothing for {stall_s:g} s") from None
    except (http.client.HTTPException, OSError) as error:
        raise Interrupted(f"broke off: {type(error).__name__} {error}") from None


@contextmanager
def _open(url: str, have: int, stall_s: float) -> Iterator[http.client.HTTPResponse]:
    headers = {"User-Agent": USER_AGENT, "Accept-Encoding": "identity"}
    if have:
        headers["Range"] = f"bytes={have}-"
    request = urllib.request.Request(url, headers=headers)
    with _network(stall_s):
        try:
            response = urllib.request.urlopen(request, timeout=stall_s)
        except urllib.error.HTTPError as error:
            error.close()
            _refuse(error.code, error.reason)
    with response:
        yield response


def _refuse(status: int, reason: str) -> NoReturn:
    if status == http.client.REQUESTED_RANGE_NOT_SATISFIABLE:
        raise Mismatch("refused to go on")
    text = f"answered {status} {reason}"
    if status >= 500 or status in (http.client.REQUEST_TIMEOUT, http.client.TOO_MANY_REQUESTS):
        raise Interrupted(text)
    raise SourceError(text)


def _start(response: http.client.HTTPResponse, have: int, size: int) -> int:
    """Where the body begins: after what we have, or at 0 from a server that ignores ranges."""
    if response.status == http.client.PARTIAL_CONTENT:
        match = re.fullmatch(r"bytes (\d+)-\d+/(\d+|\*)", response.headers.get("Content-Range", ""))
        if not match or int(match[1]) != have or match[2] not in (str(size), "*"):
            raise Mismatch("sent another range than the one asked for")
        return have
    length = response.headers.get("Content-Length")
    if length is not None and length != str(size):
        raise SourceError(f"offers {length} bytes instead of {size}")
    return 0


def _chunks(response: http.client.HTTPResponse, stall_s: float) -> Iterator[bytes]:
    """What each packet brings, so that progress shows and a stall is noticed in time."""
    while True:
        with _network(stall_s):
            chunk = response.read1(CHUNK_BYTES)
        if not chunk:
            return
        yield chunk


def _copy(chunks: Iterator[bytes], part: Path, start: int, weight: Weight, progress: Progress) -> None:
    done = start
    progress(weight.name, done, weight.size_bytes)
    with part.open("ab" if start else "wb") as file:
        for chunk in chunks:
            done += len(chunk)
            if done > weight.size_bytes:
                raise Mismatch(f"sends more than {weight.size_bytes} bytes")
            file.write(chunk)
            progress(weight.name, done, weight.size_bytes)
    if done < weight.size_bytes:
        raise Interrupted(f"broke off after {done} of {weight.size_bytes} bytes")
