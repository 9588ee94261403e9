"""Connections that break off."""

import socket
import threading
from contextlib import suppress


class CuttingProxy:
    """Passes bytes on to a port; the first ``cuts`` connections break off once they have carried ``after_bytes``."""

    def __init__(self, port: int, cuts: int, after_bytes: int) -> None:
        self._to, self._cuts, self._after_bytes = port, cuts, after_bytes
        self.connections = 0
        self._sockets: list[socket.socket] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        self._threads = [threading.Thread(target=self._accept)]
        self._threads[0].start()

    def close(self) -> None:
        for each in (self._listener, *self._sockets):
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()
        for thread in self._threads:
            thread.join()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            most = self._after_bytes if self.connections <= self._cuts else None
            server = socket.create_connection(("127.0.0.1", self._to))
            self._sockets += [client, server]
            for source, target, limit in ((client, server, most), (server, client, None)):
                self._threads.append(threading.Thread(target=self._carry, args=(source, target, limit)))
                self._threads[-1].start()

    def _carry(self, source: socket.socket, target: socket.socket, limit: int | None) -> None:
        carried = 0
        with suppress(OSError):
            while data := source.recv(65_536):
                carried += len(data)
                if limit is not None and carried > limit:
                    break
                target.sendall(data)
        for each in (source, target):
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
