"""What aiortc gives whoever builds a meeting with it: MediaRelay, which decodes once and encodes for everyone.

Started by the forwarding benchmark: ``python forwarding_mediarelay_server.py ADDRESS PORT``.
"""

import sys
from typing import Any

from aiohttp import web
from aiortc import RTCConfiguration, RTCPeerConnection, RTCSessionDescription
from aiortc.contrib.media import MediaRelay
from forwarding_path import gather_only


class Relay:
    """One publisher, any number of watchers."""

    def __init__(self) -> None:
        self._relay = MediaRelay()
        self._tracks: list[Any] = []
        self._connections: list[RTCPeerConnection] = []

    def _connection(self) -> RTCPeerConnection:
        connection = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        self._connections.append(connection)
        return connection

    async def publish(self, request: web.Request) -> web.Response:
        """The offer of whoever sends."""
        connection = self._connection()
        connection.on("track", self._tracks.append)
        return await self._answer(connection, request)

    async def watch(self, request: web.Request) -> web.Response:
        """The offer of somebody who receives."""
        connection = self._connection()
        for track in self._tracks:
            connection.addTrack(self._relay.subscribe(track))
        return await self._answer(connection, request)

    async def _answer(self, connection: RTCPeerConnection, request: web.Request) -> web.Response:
        await connection.setRemoteDescription(RTCSessionDescription(await request.text(), "offer"))
        await connection.setLocalDescription(await connection.createAnswer())
        return web.Response(text=connection.localDescription.sdp)


def main() -> None:
    address, port = sys.argv[1], int(sys.argv[2])
    gather_only(address)
    relay, app = Relay(), web.Application()
    app.router.add_post("/publish", relay.publish)
    app.router.add_post("/watch", relay.watch)
    web.run_app(app, host=address, port=port, print=None)


if __name__ == "__main__":
    main()
