"""The tus protocol, version 1.0.0 (https://tus.io/protocols/resumable-upload): core, creation, expiration, checksum and
termination; and the unfinished uploads as JSON for the page.
"""

import base64
import binascii
import json
import re
from collections.abc import Awaitable, Callable
from email.utils import formatdate
from typing import Any, NamedTuple

from aiohttp import web
from pydantic import ValidationError

from vmeet_core.media.media_check import NoMedia
from vmeet_core.plugins import Registry
from vmeet_core.server.api_meetings import check_choices
from vmeet_core.server.errors import ApiError, error_response
from vmeet_core.server.hall import Hall
from vmeet_core.server.places import NoPlace
from vmeet_core.server.upload_files import DiskNearlyFull
from vmeet_core.server.upload_store import UploadRow
from vmeet_core.server.uploads import (
    ALGORITHMS,
    Checksum,
    Superseded,
    TooLarge,
    TooManyUploads,
    TooSlow,
    UnknownUpload,
    Uploads,
    WrongChecksum,
    WrongOffset,
)
from vmeet_core.settings import Preset

VERSION = "1.0.0"
EXTENSIONS = "creation,expiration,checksum,termination"
PART_TYPE = "application/offset+octet-stream"
PATH = "/api/uploads"
MOST_METADATA_CHARS = 4096
MOST_TITLE_CHARS, MOST_FILENAME_CHARS = 120, 255
MOST_MODIFIED_MS = 10**15
BUSY_S = 5
WRONG_CHECKSUM = 460  #: a status of the checksum extension alone
NONE = "none"
PROVIDERS = ("denoiser", "transcriber")
CHOICES = (*PROVIDERS, "language", "script", "numbers", "transcribe_from")
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Metadata(NamedTuple):
    """What is told of a file when its upload begins."""

    filename: str
    title: str
    modified_ms: int | None
    preset: Preset


class UploadsApi:
    """Handlers; ``add_to`` puts their routes into an application."""

    def __init__(self, registry: Registry, hall: Hall, uploads: Uploads) -> None:
        self._registry = registry
        self._hall = hall
        self._uploads = uploads

    def add_to(self, app: web.Application) -> None:
        app.router.add_route("OPTIONS", PATH, self.options)
        app.router.add_get(PATH, self.index, allow_head=False)
        app.router.add_post(PATH, _tus(self.create))
        path = PATH + "/{id}"
        app.router.add_get(path, self.show, allow_head=False)
        app.router.add_head(path, _tus(self.head))
        app.router.add_patch(path, _tus(self.part))
        app.router.add_delete(path, _tus(self.delete))
        app.router.add_post(path, _tus(self.overridden))

    # ---- for the page ----

    async def index(self, request: web.Request) -> web.Response:
        """Those that are unfinished, the oldest first, and how large a file may be."""
        rows = await self._uploads.store.all()
        described = [await self._uploads.describe(row) for row in rows]
        return web.json_response({"uploads": described, "max_bytes": self._uploads.rules.max_bytes})

    async def show(self, request: web.Request) -> web.Response:
        """One of them."""
        try:
            row = await self._row(request)
        except UnknownUpload as error:
            raise _try_again(error) from None
        return web.json_response(await self._uploads.describe(row))

    # ---- tus ----

    async def options(self, request: web.Request) -> web.Response:
        """What this server knows of tus."""
        headers = {
            "Tus-Resumable": VERSION,
            "Tus-Version": VERSION,
            "Tus-Extension": EXTENSIONS,
            "Tus-Max-Size": str(self._uploads.rules.max_bytes),
            "Tus-Checksum-Algorithm": ",".join(ALGORITHMS),
        }
        return web.Response(status=204, headers=headers)

    async def create(self, request: web.Request) -> web.Response:
        """A new upload."""
        length_bytes = _number(request, "Upload-Length")
        text = request.headers.get("Upload-Metadata", "")
        metadata = self._metadata(text)
        check_choices(self._hall.settings, self._registry, metadata.preset)
        if length_bytes == 0:
            raise ApiError(415, "no-media", "the file is empty")
        choices = metadata.preset.model_dump(mode="json", include={*CHOICES, "options"})
        row = await self._uploads.create(
            metadata.filename, metadata.title, length_bytes, metadata.modified_ms, text, choices
        )
        return web.Response(status=201, headers=await self._headers(row, 0) | {"Location": f"{PATH}/{row.id}"})

    async def head(self, request: web.Request) -> web.Response:
        """How much has come."""
        row = await self._row(request)
        headers = await self._headers(row, await self._uploads.offset_bytes(row))
        headers["Upload-Length"] = str(row.length_bytes)
        if row.metadata_text:
            headers["Upload-Metadata"] = row.metadata_text
        return web.Response(headers=headers)

    async def part(self, request: web.Request) -> web.Response:
        """More of it."""
        if request.content_type != PART_TYPE:
            raise ApiError(415, "bad-upload", f"the Content-Type of a part is {PART_TYPE}")
        row = await self._row(request)
        offset_bytes, checksum = _number(request, "Upload-Offset"), _checksum(request)
        if offset_bytes + (request.content_length or 0) > row.length_bytes:
            raise ApiError(413, "too-large", f"only {row.length_bytes} bytes were announced")
        offset_bytes = await self._uploads.receive(row, offset_bytes, request.content, checksum)
        return web.Response(status=204, headers=await self._headers(row, offset_bytes))

    async def delete(self, request: web.Request) -> web.Response:
        """Nothing of it stays."""
        await self._uploads.cancel((await self._row(request)).id)
        return web.Response(status=204)

    async def overridden(self, request: web.Request) -> web.StreamResponse:
        """For programs that can send nothing but GET and POST."""
        handlers: dict[str, Handler] = {"PATCH": self.part, "DELETE": self.delete, "HEAD": self.head}
        handler = handlers.get(request.headers.get("X-HTTP-Method-Override", "").upper())
        if handler is None:
            raise ApiError(405, "method-not-allowed", "send PATCH, HEAD or DELETE, or one as X-HTTP-Method-Override")
        return await handler(request)

    async def _row(self, request: web.Request) -> UploadRow:
        return await self._uploads.get(request.match_info["id"])

    async def _headers(self, row: UploadRow, offset_bytes: int) -> dict[str, str]:
        headers = {"Upload-Offset": str(offset_bytes), "Cache-Control": "no-store"}
        if offset_bytes < row.length_bytes:
            headers["Upload-Expires"] = formatdate(await self._uploads.expires_at_s(row), usegmt=True)
        return headers

    def _metadata(self, text: str) -> Metadata:
        """Raises ApiError."""
        values = _decoded(text)
        filename = _line(re.split(r"[/\\]", values.get("filename", ""))[-1], MOST_FILENAME_CHARS) or "file"
        title = _line(values.get("title", ""), MOST_TITLE_CHARS) or filename.rpartition(".")[0][:MOST_TITLE_CHARS]
        modified = values.get("modified_ms", "")
        modified_ms = int(modified) if re.fullmatch(r"[0-9]{1,15}", modified) else None
        return Metadata(filename, title or filename[:MOST_TITLE_CHARS], modified_ms, self._preset(values))

    def _preset(self, values: dict[str, str]) -> Preset:
        """What is named, else what the preset "default" has done with recordings."""
        default = self._hall.settings.meetings.get("default", Preset())
        if not values.keys() & set(CHOICES):
            return Preset(**default.model_dump(include={*CHOICES, "options"}))
        chosen: dict[str, Any] = {name: values[name] for name in CHOICES if name in values}
        for name in PROVIDERS:
            if chosen.get(name) in ("", NONE):
                chosen[name] = None
        try:
            return Preset.model_validate(chosen | {"options": json.loads(values.get("options", "{}"))})
        except ValidationError as error:
            field = str(error.errors()[0]["loc"][0])
            if field in CHOICES:
                raise ApiError(422, "bad-choice", f"{field}: {error.errors()[0]['msg']}", field) from None
            raise _bad_options() from None
        except ValueError:
            raise _bad_options() from None


def _bad_options() -> ApiError:
    return ApiError(422, "bad-choice", "options is a JSON object of objects, by provider", "options")


def _tus(handler: Handler) -> Handler:
    """Every answer says which version it is of; every failure is told as tus and the page know it."""

    async def answer(request: web.Request) -> web.StreamResponse:
        try:
            if request.headers.get("Tus-Resumable") != VERSION:
                raise ApiError(412, "tus-version", f"Tus-Resumable is to be {VERSION}")
            response = await handler(request)
        except ApiError as error:
            response = error_response(error)
        except (NoPlace, Superseded, TooSlow, TooManyUploads, UnknownUpload) as error:
            response = error_response(_try_again(error))
        except (NoMedia, TooLarge, WrongOffset, WrongChecksum, DiskNearlyFull) as error:
            response = error_response(_refused(error))
        response.headers["Tus-Resumable"] = VERSION
        if response.status == 412:
            response.headers["Tus-Version"] = VERSION
        if response.status in (429, 503):
            response.headers["Retry-After"] = str(BUSY_S)
        return response

    return answer


def _try_again(error: Exception) -> ApiError:
    if isinstance(error, UnknownUpload):
        return ApiError(404, "unknown-upload", "there is no such upload; it was cancelled, has expired, or is done")
    if isinstance(error, TooManyUploads):
        return ApiError(429, "too-many-uploads", "too many uploads are unfinished; go on with some, or cancel them")
    if isinstance(error, TooSlow):
        return ApiError(408, "too-slow", str(error))
    if isinstance(error, Superseded):
        return ApiError(409, "superseded", "another request went on with this upload; ask how much is there")
    return ApiError(503, "busy", f"the server is busy with other uploads; try again in {BUSY_S} s")


def _refused(error: Exception) -> ApiError:
    if isinstance(error, NoMedia):
        return ApiError(415, "no-media", f"this is no recording: {error}. Sound and video files are taken")
    if isinstance(error, WrongOffset):
        return ApiError(409, "wrong-offset", str(error))
    if isinstance(error, WrongChecksum):
        return ApiError(WRONG_CHECKSUM, "wrong-checksum", str(error))
    if isinstance(error, DiskNearlyFull):
        return ApiError(507, "disk-full", str(error))
    return ApiError(413, "too-large", str(error))


def _number(request: web.Request, header: str) -> int:
    text = request.headers.get(header, "")
    if not re.fullmatch(r"[0-9]{1,18}", text):
        raise ApiError(400, "bad-upload", f"{header} is to be a number of bytes")
    return int(text)


def _checksum(request: web.Request) -> Checksum | None:
    text = request.headers.get("Upload-Checksum")
    if text is None:
        return None
    algorithm, _, encoded = text.partition(" ")
    if algorithm not in ALGORITHMS:
        raise ApiError(400, "bad-upload", f"Upload-Checksum knows {', '.join(ALGORITHMS)}")
    try:
        return Checksum(algorithm, base64.b64decode(encoded, validate=True))
    except binascii.Error:
        raise ApiError(400, "bad-upload", "Upload-Checksum is to be an algorithm and a checksum in Base64") from None


def _decoded(text: str) -> dict[str, str]:
    """Raises ApiError."""
    if len(text) > MOST_METADATA_CHARS:
        raise ApiError(400, "bad-upload", f"Upload-Metadata may have {MOST_METADATA_CHARS} characters")
    values = {}
    for pair in filter(None, (each.strip() for each in text.split(","))):
        key, _, encoded = pair.partition(" ")
        try:
            values[key] = base64.b64decode(encoded, validate=True).decode()
        except ValueError:
            raise ApiError(400, "bad-upload", f"Upload-Metadata: {key} is no text in Base64") from None
    return values


def _line(text: Any, most_chars: int) -> str:
    """One line of what can be printed."""
    return "".join(each if each.isprintable() else " " for each in str(text)).strip()[:most_chars].strip()
