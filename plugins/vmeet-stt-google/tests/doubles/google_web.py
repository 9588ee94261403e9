"""A double of the web's speech API, on a socket of this machine."""

import io
import json
import socket
import threading
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple
from urllib.parse import parse_qs, urlsplit

import av
import numpy as np

RATE_HZ = 16_000
_LONGEST_S = 30.0  # it waits no longer for a test


class WebRequest(NamedTuple):
    query: dict[str, str]
    content_type: str
    seconds: float
    peak: float


class WebDouble:
    """The speech API of browsers: FLAC in, lines of JSON out, in chunks as Google sends them.

    ``next`` holds what it does with the coming requests, in turn; then it answers with ``text``.
    """

    def __init__(self) -> None:
        self.text, self.confidence = "今天天氣很好", 0.93
        self.next: deque[Callable[[BaseHTTPRequestHandler], None]] = deque()
        self.requests: list[WebRequest] = []
        self.stopped = threading.Event()
        double = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            timeout = _LONGEST_S

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                double.requests.append(_web_request(self, body))
                with suppress(OSError):  # the client has given up
                    (double.next.popleft() if double.next else double.answer)(self)

            def log_message(self, *_: Any) -> None: ...

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})
        self._thread.start()
        self.endpoint = f"http://127.0.0.1:{self._server.server_port}/speech-api/v2/recognize"

    def answer(self, handler: BaseHTTPRequestHandler) -> None:
        result = {"alternative": [{"transcript": self.text, "confidence": self.confidence}, {"transcript": "今天"}]}
        self.send(handler, {"result": []}, {"result": [result | {"final": True}], "result_index": 0})

    def nothing(self, handler: BaseHTTPRequestHandler) -> None:
        """What it says of sound without speech."""
        self.send(handler, {"result": []})

    def send(self, handler: BaseHTTPRequestHandler, *lines: object) -> None:
        self._head(handler, chunked=True)
        for line in lines:
            self._chunk(handler, json.dumps(line).encode() + b"\n")
        handler.wfile.write(b"0\r\n\r\n")

    def status(self, code: int, reason: str | None = None, **headers: str) -> Callable[[BaseHTTPRequestHandler], None]:
        """An error of the HTTP sort, with a page for people."""

        def send(handler: BaseHTTPRequestHandler) -> None:
            handler.send_response(code, reason)
            for name, value in headers.items():
                handler.send_header(name.replace("_", "-"), value)
            self._body(handler, b"<html><title>Error</title></html>")

        return send

    def page(self, body: bytes) -> Callable[[BaseHTTPRequestHandler], None]:
        """200 with some other content."""

        def send(handler: BaseHTTPRequestHandler) -> None:
            handler.send_response(200)
            self._body(handler, body)

        return send

    def hang_up(self, handler: BaseHTTPRequestHandler) -> None:
        """No byte of an answer."""
        _shut(handler)

    def break_off(self, handler: BaseHTTPRequestHandler) -> None:
        """After the first line, which by itself would mean silence."""
        self._head(handler, chunked=True)
        self._chunk(handler, b'{"result":[]}\n')
        _shut(handler)

    def drip(self, handler: BaseHTTPRequestHandler) -> None:
        """A byte now and then, so that no time limit between two bytes ever runs out."""
        self._head(handler, chunked=True)
        until_s = time.monotonic() + _LONGEST_S
        while time.monotonic() < until_s and not self.stopped.wait(0.05):
            self._chunk(handler, b" ")

    def stall(self, seconds: float) -> Callable[[BaseHTTPRequestHandler], None]:
        """Silent for so long, then the answer."""

        def wait(handler: BaseHTTPRequestHandler) -> None:
            self.stopped.wait(seconds)
            self.answer(handler)

        return wait

    def close(self) -> None:
        self.stopped.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def _head(self, handler: BaseHTTPRequestHandler, chunked: bool) -> None:
        handler.send_response(200)
        handler.send_header("Content-Type", "application/json; charset=utf-8")
        handler.send_header("Transfer-Encoding", "chunked")
        handler.end_headers()

    def _chunk(self, handler: BaseHTTPRequestHandler, data: bytes) -> None:
        handler.wfile.write(b"%x\r\n%b\r\n" % (len(data), data))

    def _body(self, handler: BaseHTTPRequestHandler, body: bytes) -> None:
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)


def _shut(handler: BaseHTTPRequestHandler) -> None:
    handler.close_connection = True
    handler.connection.shutdown(socket.SHUT_RDWR)


def _web_request(handler: BaseHTTPRequestHandler, body: bytes) -> WebRequest:
    query = {name: values[0] for name, values in parse_qs(urlsplit(handler.path).query).items()}
    with av.open(io.BytesIO(body)) as file:
        stream = file.streams.audio[0]
        assert (stream.codec.name, stream.rate, stream.channels, stream.format.name) == ("flac", RATE_HZ, 1, "s16")
        sound = np.concatenate([frame.to_ndarray()[0] for frame in file.decode(stream)])
    return WebRequest(query, handler.headers["Content-Type"], len(sound) / RATE_HZ, np.abs(sound).max() / 32_768)
