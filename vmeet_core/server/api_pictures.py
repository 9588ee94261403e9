"""REST: the background pictures, our own and those that people upload for a meeting.

Whoever is in a meeting may see and upload them: names of uploads cannot be guessed, and a meeting is known by its link.
"""

import asyncio
import hashlib
import time
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from aiohttp import web

from vmeet_core.effects.picture_shelf import FOLDER, is_upload_name
from vmeet_core.effects.pictures import (
    BUILT_IN,
    FORMATS,
    MOST_BYTES,
    TITLES,
    UnknownType,
    encoded_jpeg,
    smaller_jpeg,
)
from vmeet_core.server.errors import ApiError, error_response
from vmeet_core.server.hall import Hall
from vmeet_core.server.picture_decoder import decoded_upload
from vmeet_core.server.picture_store import DiskNearlyFull, PictureStore
from vmeet_core.server.places import NoPlace, Places
from vmeet_core.server.upload_rate import UploadRate, UploadsTooFast
from vmeet_core.settings import Settings

PICTURES: web.AppKey[PictureStore] = web.AppKey("pictures", PictureStore)  #: where an embedding program finds them
MOST_UPLOADS = 8  #: at one time, of all meetings: each is held in memory until it has been decoded
MOST_SHOWN = 64  #: pictures asked for at one time
UPLOAD_S = 120.0  #: a slower upload makes way for others
MIN_WIDTH_PX, MAX_WIDTH_PX = 16, 1920
BUSY_S = 5
FOREVER = "private, max-age=31536000, immutable"  #: the name of an upload tells its content
FOR_NOW = "private, max-age=3600"  #: our own may look different in another version
ResultT = TypeVar("ResultT")


class PicturesApi:
    """Handlers; ``add_to`` puts their routes into an application."""

    def __init__(self, settings: Settings, hall: Hall) -> None:
        self._hall = hall
        self._store = PictureStore(Path(settings.server.data_dir) / FOLDER, settings.recording.min_free_bytes)
        self._rate = UploadRate()
        self._uploads = Places(MOST_UPLOADS)
        self._shown = Places(MOST_SHOWN)
        self._drawn: dict[str, bytes] = {}  # our own as JPEGs
        self._decoding = asyncio.Lock()
        self._thread: ThreadPoolExecutor | None = None

    def add_to(self, app: web.Application) -> None:
        app[PICTURES] = self._store
        app.cleanup_ctx.append(self._life)
        app.router.add_get("/api/pictures", self.index)
        app.router.add_get("/api/pictures/{name}", self.show)
        app.router.add_post("/api/meetings/{id}/pictures", self.upload)

    async def _life(self, app: web.Application) -> AsyncIterator[None]:
        with ThreadPoolExecutor(1, "pictures") as self._thread:
            await self._in_thread(self._store.tidy)
            yield

    async def _in_thread(self, work: Callable[[], ResultT]) -> ResultT:
        """One thing at a time, off the event loop."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)

    async def index(self, request: web.Request) -> web.Response:
        """Our own pictures, by name and title."""
        return web.json_response({"pictures": [{"name": name, "title": dict(TITLES[name])} for name in BUILT_IN]})

    async def show(self, request: web.Request) -> web.Response:
        """A picture as a JPEG, as wide as ``width_px`` says or less: none is made larger."""
        name, width_px = request.match_info["name"], _width_px(request)
        try:
            with self._shown.taken():
                jpeg = await self._in_thread(lambda: self._jpeg(name, width_px))
        except NoPlace:
            return _busy()
        if jpeg is None:
            raise ApiError(404, "unknown-picture", "there is no picture of this name; one nobody used may have gone")
        etag = hashlib.sha256(jpeg).hexdigest()[:32]
        known = any(tag.value in (etag, "*") for tag in request.if_none_match or ())
        response = web.Response(status=304) if known else web.Response(body=jpeg, content_type="image/jpeg")
        response.etag = etag
        response.headers["Cache-Control"] = FOREVER if is_upload_name(name) else FOR_NOW
        return response

    def _jpeg(self, name: str, width_px: int) -> bytes | None:
        if name in BUILT_IN and name not in self._drawn:
            self._drawn[name] = encoded_jpeg(BUILT_IN[name]())
        jpeg = self._drawn.get(name) or self._store.read(name)
        return jpeg and smaller_jpeg(jpeg, width_px)

    async def upload(self, request: web.Request) -> web.Response:
        """Keep the picture that is the body; its name can be named in the options of effects."""
        meeting = await self._hall.store.meeting(request.match_info["id"])
        if meeting is None:
            raise ApiError(404, "unknown-meeting", "there is no meeting with this link; ask the host for a new one")
        if (request.content_length or 0) > MOST_BYTES:
            raise _too_large()
        try:
            self._rate.admit(meeting.id, time.monotonic())
        except UploadsTooFast as error:
            return _later(ApiError(429, "too-fast", str(error)), error.wait_s)
        try:
            with self._uploads.taken():
                name = await self._keep(await _body(request))
        except NoPlace:
            return _busy()
        return web.json_response({"name": name}, status=201)

    async def _keep(self, upload: bytes) -> str:
        """Raises ApiError."""
        try:
            async with self._decoding:
                jpeg = await decoded_upload(upload)
            return await self._in_thread(lambda: self._store.add(jpeg))
        except UnknownType as error:
            raise ApiError(415, "wrong-type", f"{error}; save it as one of {', '.join(FORMATS)}") from error
        except ValueError as error:
            raise ApiError(422, "bad-picture", str(error)) from error
        except DiskNearlyFull as error:
            raise ApiError(507, "disk-full", str(error)) from error


def _width_px(request: web.Request) -> int:
    text = request.query.get("width_px", str(MAX_WIDTH_PX))
    width_px = int(text) if text.isascii() and text.isdecimal() and len(text) <= 4 else 0
    if not MIN_WIDTH_PX <= width_px <= MAX_WIDTH_PX:
        text = f"width_px is a whole number from {MIN_WIDTH_PX} to {MAX_WIDTH_PX}"
        raise ApiError(422, "bad-width", text, "width_px")
    return width_px


async def _body(request: web.Request) -> bytes:
    """No more of it than the limit is ever held. Raises ApiError."""
    body = bytearray()
    try:
        async with asyncio.timeout(UPLOAD_S):
            async for chunk in request.content.iter_any():
                body += chunk
                if len(body) > MOST_BYTES:
                    raise _too_large()
    except TimeoutError:
        text = f"the picture did not come within {UPLOAD_S:g} s; a smaller one does"
        raise ApiError(408, "too-slow", text) from None
    return bytes(body)


def _too_large() -> ApiError:
    return ApiError(413, "too-large", f"a picture may have {MOST_BYTES >> 20} MiB; save it smaller")


def _busy() -> web.Response:
    text = f"the server is busy with other pictures; try again in {BUSY_S} s"
    return _later(ApiError(503, "busy", text), BUSY_S)


def _later(error: ApiError, wait_s: int) -> web.Response:
    response = error_response(error)
    response.headers["Retry-After"] = str(wait_s)
    return response
