"""A local HTTP server that misbehaves on request, and a small model file."""

import hashlib
import random
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from vmeet_core.hookspecs import Source, Weight

CONTENT = random.Random(1).randbytes(300_000)


@dataclass
class Behaviour:
    """What the server does; ``script`` is taken from the front, one entry a request, and then it is well-behaved."""

    script: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)  #: the Range header of each request, or ""
    release: threading.Event = field(default_factory=threading.Event)  #: lets stalled requests go
    address: str = ""

    def weight(self, name: str = "model.onnx", content: bytes = CONTENT, size: int | None = None) -> Weight:
        digest = hashlib.sha256(content).hexdigest()
        source = Source(url=f"{self.address}/{name}")
        return Weight(name, digest, size or len(content), "MIT", (source,))


class Handler(BaseHTTPRequestHandler):
    behaviour: Behaviour

    def do_GET(self) -> None:
        asked = self.headers.get("Range", "")
        self.behaviour.requests.append(asked)
        act = self.behaviour.script.pop(0) if self.behaviour.script else "good"
        start = int(asked.removeprefix("bytes=").removesuffix("-")) if asked else 0
        getattr(self, f"_{act}")(start)

    def _head(self, start: int, status: int = 206, length: int | None = None, first: int | None = None) -> None:
        self.send_response(status if start else 200)
        self.send_header("Content-Length", str(len(CONTENT) - start if length is None else length))
        if start and status == 206:
            self.send_header(
                "Content-Range", f"bytes {start if first is None else first}-{len(CONTENT) - 1}/{len(CONTENT)}"
            )
        self.end_headers()

    def _good(self, start: int) -> None:
        self._head(start)
        self.wfile.write(CONTENT[start:])

    def _truncate(self, start: int) -> None:
        self._head(start)
        self.wfile.write(CONTENT[start : start + 100_000])

    def _stall(self, start: int) -> None:
        self._truncate(start)
        self.wfile.flush()
        self.behaviour.release.wait(30)

    def _mute(self, start: int) -> None:
        self.behaviour.release.wait(30)

    def _corrupt(self, start: int) -> None:
        self._head(start)
        self.wfile.write(bytes(len(CONTENT) - start))

    def _corrupt_piece(self, start: int) -> None:
        self._head(start)
        self.wfile.write(bytes(100_000))

    def _ignore_range(self, start: int) -> None:
        self._head(0)
        self.wfile.write(CONTENT)

    def _other_range(self, start: int) -> None:
        self._head(start, first=start + 1)
        self.wfile.write(CONTENT[start:])

    def _longer(self, start: int) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(CONTENT + b"more")

    def _other_size(self, start: int) -> None:
        self._head(0, length=5)
        self.wfile.write(b"short")

    def _refuse_range(self, start: int) -> None:
        self.send_error(416)

    def _absent(self, start: int) -> None:
        self.send_error(404, "Not Found")

    def _busy(self, start: int) -> None:
        self.send_error(503, "Service Unavailable")

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (the base class calls it so)
        pass


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Behaviour]:
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    behaviour = Behaviour()
    handler = type("ThisHandler", (Handler,), {"behaviour": behaviour})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as http_server:
        behaviour.address = f"http://127.0.0.1:{http_server.server_port}"
        thread = threading.Thread(target=http_server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield behaviour
        behaviour.release.set()
        http_server.shutdown()
        thread.join()


@pytest.fixture
def content() -> bytes:
    return CONTENT
