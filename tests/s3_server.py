"""An S3 server of a package, as a process on loopback, and how fsspec reaches it."""

import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import fsspec

BUCKET = "vmeet-area"
MOTO = Path(sys.executable).parent / "moto_server"


@contextmanager
def s3_server(log: Path) -> Iterator[str]:
    """Its address; it holds nothing yet, and takes any credentials."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with log.open("ab") as output:
        command = [str(MOTO), "-H", "127.0.0.1", "-p", str(port)]
        server = subprocess.Popen(command, stdout=output, stderr=output)
    try:
        until_s = time.monotonic() + 60
        while not _answers(port):
            assert server.poll() is None, log.read_text()
            assert time.monotonic() < until_s, log.read_text()
            time.sleep(0.1)
        yield f"http://127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait()


def make_bucket(address: str) -> None:
    system: Any = fsspec.filesystem("s3", endpoint_url=address)
    system.mkdir(BUCKET)


def _answers(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True
