"""WHIP (RFC 9725) and WHEP (draft-ietf-wish-whep): programs publish to a meeting and watch it with a bearer token.

These addresses alone are open to pages of every origin: no cookie is looked at, the token is what admits.
"""

import contextlib
import functools
import hmac
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

from aiohttp import web

from vmeet_core.meetings import StreamKind, stream_token
from vmeet_core.protocol import MAX_NAME_CHARS, clean_name
from vmeet_core.server.errors import ApiError, error_response
from vmeet_core.server.hall import Hall
from vmeet_core.server.ice_servers import page_ice_servers
from vmeet_core.server.live_meeting import LiveMeeting
from vmeet_core.server.stream_session import StreamSession
from vmeet_core.server.streams import Refusal, Streams, StreamsFull
from vmeet_core.settings import Settings
from vmeet_core.sfu.network import Network
from vmeet_core.sfu.peer_link import BadDescription
from vmeet_core.sfu.stream_offer import BadOffer, StreamOffer, UnsupportedOffer, read_fragment

STREAMS: web.AppKey[Streams] = web.AppKey("streams", Streams)  #: where an embedding program finds them
MAX_SDP_BYTES = 64 * 1024
SDP, FRAGMENT = "application/sdp", "application/trickle-ice-sdpfrag"
DEFAULT_NAME = "Stream"
RETRY_S = 10
OPEN_TO_ALL = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Expose-Headers": "Location, Link, ETag, Accept-Patch, Accept-Post, WWW-Authenticate, Retry-After",
    "Cache-Control": "no-store",
}
PREFLIGHT = {
    "Access-Control-Allow-Methods": "OPTIONS, GET, POST, PATCH, DELETE",
    "Access-Control-Allow-Headers": "Authorization, Content-Type, If-Match",
    "Access-Control-Max-Age": "86400",
    "Accept-Post": SDP,
    "Accept-Patch": FRAGMENT,
}
Handler = Callable[["StreamsApi", web.Request], Awaitable[web.Response]]


def open_to_all(handler: Handler) -> Callable[..., Awaitable[web.Response]]:
    """Answers, errors among them, that a page of any origin may read."""

    @functools.wraps(handler)
    async def handle(api: "StreamsApi", request: web.Request) -> web.Response:
        try:
            response = await handler(api, request)
        except ApiError as error:
            response = error_response(error)
            if error.status == 401:
                response.headers["WWW-Authenticate"] = 'Bearer realm="VMeet"'
            if error.status == 503:
                response.headers["Retry-After"] = str(RETRY_S)
        response.headers.update(OPEN_TO_ALL)
        return response

    return handle


class StreamsApi:
    """Handlers; ``add_to`` puts their routes into an application."""

    def __init__(self, settings: Settings, hall: Hall, network: Network) -> None:
        self._settings = settings
        self._hall = hall
        self.streams = Streams(network)

    def add_to(self, app: web.Application) -> None:
        app[STREAMS] = self.streams
        app.cleanup_ctx.append(self._life)
        app.on_shutdown.append(self._end)
        endpoint = "/api/meetings/{id}/{kind:whip|whep}"
        session = endpoint + "/{session}"
        app.router.add_route("OPTIONS", endpoint, self.preflight)
        app.router.add_route("OPTIONS", session, self.preflight)
        app.router.add_get(endpoint, self.nothing)
        app.router.add_post(endpoint, self.begin)
        app.router.add_get(session, self.show)
        app.router.add_patch(session, self.trickle)
        app.router.add_delete(session, self.end)

    async def _life(self, app: web.Application) -> AsyncIterator[None]:
        async with self.streams.running():
            yield

    async def _end(self, app: web.Application) -> None:
        await self.streams.close()

    @open_to_all
    async def preflight(self, request: web.Request) -> web.Response:
        """What a browser asks before a page of another origin may go on; no token comes with it."""
        return web.Response(headers=PREFLIGHT)

    @open_to_all
    async def nothing(self, request: web.Request) -> web.Response:
        """The address of an endpoint has nothing to show (RFC 9725, section 4.1)."""
        return web.Response(status=204)

    @open_to_all
    async def begin(self, request: web.Request) -> web.Response:
        """An offer comes, the answer goes: 201 with the address of the session."""
        kind = await self._admit(request)
        with _refusals():
            offer = StreamOffer(await _body(request, SDP))
            name = _name(request)
            live = await self._live(request)
            if kind == "whip":
                session, answer = await self.streams.publish(live, offer, name)
            else:
                session, answer = await self.streams.watch(live, offer)
        headers: list[tuple[str, str]] = [
            ("Location", f"{request.path}/{session.id}"),
            ("ETag", session.etag),
            ("Accept-Patch", FRAGMENT),
            *(("Link", link) for link in self._links(session.id)),
        ]
        response = web.Response(status=201, text=answer, content_type=SDP)
        response.headers.extend(headers)
        return response

    def _links(self, session_id: str) -> list[str]:
        """STUN and TURN servers (RFC 9725, section 4.6)."""
        servers = page_ice_servers(self._settings, session_id, time.time())
        return [link_header(server) for server in servers]

    async def _live(self, request: web.Request) -> LiveMeeting:
        live = await self._hall.live(request.match_info["id"])
        if live is None:
            raise _unknown_meeting()
        return live

    @open_to_all
    async def show(self, request: web.Request) -> web.Response:
        """Nothing of a session that goes on; of one that the server has ended, the reason."""
        await self._session(request)
        return web.Response(status=204)

    @open_to_all
    async def trickle(self, request: web.Request) -> web.Response:
        """Candidates of the program are taken and not needed; a restart of ICE is refused."""
        session = await self._session(request)
        with _refusals():
            fragment = read_fragment(await _body(request, FRAGMENT))
        if fragment.ice_username not in (None, session.ice_username):
            text = "ICE is not restarted here, nor need it be: the path follows the program's address. Send a new offer"
            raise ApiError(422, "no-ice-restart", text)
        _check_etag(request, session)
        return web.Response(status=204)

    @open_to_all
    async def end(self, request: web.Request) -> web.Response:
        """The program says goodbye; of a session that the server has ended it may do so too."""
        await self._admit(request)
        found = self._find(request)
        if isinstance(found, StreamSession):
            await self.streams.end(found)
        return web.Response()

    # ---- who asks, and for what ----

    async def _admit(self, request: web.Request) -> StreamKind:
        """Raises ApiError without the token of the meeting."""
        kind = _kind(request)
        meeting = await self._hall.store.meeting(request.match_info["id"])
        if meeting is None:
            raise _unknown_meeting()
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer":
            raise ApiError(401, "token-needed", "this address asks for a bearer token, which the meeting's host has")
        if not hmac.compare_digest(
            token.strip().encode(errors="surrogateescape"), stream_token(meeting, kind).encode()
        ):
            raise ApiError(401, "wrong-token", f"this is not the {kind.upper()} token of the meeting")
        return kind

    async def _session(self, request: web.Request) -> StreamSession:
        """Raises ApiError when it is not there."""
        await self._admit(request)
        found = self._find(request)
        if isinstance(found, Refusal):
            raise ApiError(409, "stream-refused", found.reason)
        return found

    def _find(self, request: web.Request) -> StreamSession | Refusal:
        found = self.streams.find(request.match_info["id"], _kind(request), request.match_info["session"])
        if found is None:
            raise ApiError(404, "unknown-session", "there is no such session: it has ended, or never was")
        return found


def link_header(server: dict[str, str]) -> str:
    """``server`` as a Link header, with its credentials."""
    parameters = {"rel": "ice-server"}
    if "username" in server:
        credential = server.get("credential", "")
        parameters |= {"username": server["username"], "credential": credential, "credential-type": "password"}
    return "; ".join([f"<{server['urls']}>", *(f"{key}={_quoted(value)}" for key, value in parameters.items())])


def _quoted(text: str) -> str:
    """A quoted-string (RFC 9110, section 5.6.4)."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


@contextlib.contextmanager
def _refusals() -> Any:
    """What is wrong with an offer, as HTTP says it (RFC 9725, sections 4.2, 4.4.2 and 4.4.3)."""
    try:
        yield
    except BadOffer as error:
        raise ApiError(400, "bad-sdp", str(error)) from error
    except (UnsupportedOffer, BadDescription) as error:
        raise ApiError(406, "unsupported-offer", str(error)) from error
    except StreamsFull as error:
        raise ApiError(503, "full", str(error)) from error


async def _body(request: web.Request, content_type: str) -> str:
    if request.content_type != content_type:
        raise ApiError(415, "wrong-type", f"the body has to be {content_type}, not {request.content_type}")
    try:
        data = await request.read() if (request.content_length or 0) <= MAX_SDP_BYTES else None
    except web.HTTPRequestEntityTooLarge:  # it came in pieces
        data = None
    if data is None or len(data) > MAX_SDP_BYTES:
        raise ApiError(413, "too-large", f"a body may have {MAX_SDP_BYTES} bytes")
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        raise ApiError(400, "bad-sdp", f"the body is not UTF-8: {error}") from error


def _name(request: web.Request) -> str:
    try:
        name = clean_name(request.query.get("name", DEFAULT_NAME))
    except ValueError as error:
        raise ApiError(422, "bad-name", str(error), "name") from error
    if len(name) > MAX_NAME_CHARS:
        raise ApiError(422, "bad-name", f"a name may have {MAX_NAME_CHARS} characters", "name")
    return name


def _check_etag(request: web.Request, session: StreamSession) -> None:
    """Some programs send ``*`` with every candidate, which RFC 9725 keeps for a restart: it matches too."""
    given = request.headers.get("If-Match")
    if given is None:
        raise ApiError(428, "etag-needed", "send the ETag of the session as If-Match")
    if given not in (session.etag, "*"):
        raise ApiError(412, "wrong-etag", "If-Match does not hold the ETag of this resource")


def _kind(request: web.Request) -> StreamKind:
    return "whip" if request.match_info["kind"] == "whip" else "whep"


def _unknown_meeting() -> ApiError:
    return ApiError(404, "unknown-meeting", "there is no meeting with this link; ask the host for a new one")
