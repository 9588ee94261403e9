"""A double of the server that gives access tokens, on a socket of this machine."""

import json
import threading
from collections import deque
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs


class TokenDouble:
    """The OAuth server that a key file names: a signed assertion in, an access token out."""

    TOKEN = "ya29.A-TOKEN-THAT-NOBODY-MAY-READ"

    def __init__(self) -> None:
        self.answers: deque[tuple[int, bytes]] = deque()
        self.asked = 0
        double = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                form = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
                assert form["grant_type"] == ["urn:ietf:params:oauth:grant-type:jwt-bearer"]
                assert form["assertion"][0].count(".") == 2
                double.asked += 1
                token = {"access_token": double.TOKEN, "expires_in": 3600, "token_type": "Bearer"}
                code, body = double.answers.popleft() if double.answers else (200, json.dumps(token).encode())
                self.send_response(code)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: Any) -> None: ...

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})
        self._thread.start()
        self.address = f"http://127.0.0.1:{self._server.server_port}/token"

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
