"""REST: the recordings, their files and the jobs that process them."""

import asyncio
import logging
import mimetypes
from collections.abc import Awaitable
from pathlib import Path
from typing import Any

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from vmeet_core.pipeline.views import FilesWanted, JobView
from vmeet_core.plugins import Registry
from vmeet_core.search import QueryError, parse_query
from vmeet_core.server.api_meetings import check_choices
from vmeet_core.server.errors import ApiError, ModelT, read_body
from vmeet_core.server.export import Exports, attachment
from vmeet_core.server.hall import Hall, UnknownRecording
from vmeet_core.server.keeper import Keeper
from vmeet_core.server.store import RecordingRow
from vmeet_core.server.upload_files import UPLOAD
from vmeet_core.settings import Language, LayoutName, Numbers, Preset, Script, SpeechSource

SERVED = ("results", "segments", UPLOAD)
MAX_NAME_CHARS = 80
logger = logging.getLogger(__name__)


class Change(BaseModel):
    """Body of ``PATCH /api/recordings/{id}``."""

    model_config = ConfigDict(extra="forbid")
    kept: bool


class NewJob(BaseModel):
    """Body of ``POST /api/recordings/{id}/jobs``."""

    model_config = ConfigDict(extra="forbid")
    denoiser: str | None = Field(default=None, max_length=64)
    transcriber: str | None = Field(default=None, max_length=64)
    language: Language = "auto"
    script: Script = "traditional-tw"
    numbers: Numbers = "as-spoken"
    transcribe_from: SpeechSource = "original"
    options: dict[str, dict[str, Any]] = {}
    layout: LayoutName | None = None
    files: FilesWanted = "meeting"
    name: str = Field(default="", max_length=MAX_NAME_CHARS)


class NewName(BaseModel):
    """Body of ``PATCH /api/jobs/{id}``."""

    model_config = ConfigDict(extra="forbid")
    name: str = Field(max_length=MAX_NAME_CHARS)


class ListQuery(BaseModel):
    """What ``GET /api/recordings`` may be asked with."""

    model_config = ConfigDict(extra="forbid")
    q: str = ""
    limit: int = Field(default=50, ge=1, le=200)
    offset: int = Field(default=0, ge=0, le=1_000_000_000)


class RecordingsApi:
    """Handlers; ``add_to`` puts their routes into an application."""

    def __init__(self, registry: Registry, hall: Hall, keeper: Keeper, exports: Exports) -> None:
        self._registry = registry
        self._hall = hall
        self._keeper = keeper
        self._exports = exports

    def add_to(self, app: web.Application) -> None:
        app.router.add_get("/api/recordings", self.index)
        app.router.add_get("/api/recordings/{id}", self.show)
        app.router.add_delete("/api/recordings/{id}", self.delete)
        app.router.add_patch("/api/recordings/{id}", self.change)
        app.router.add_get("/api/recordings/{id}/export", self.export)
        app.router.add_get("/api/retention", self.retention)
        app.router.add_get("/api/recordings/{id}/files/{path:.+}", self.file)
        app.router.add_post("/api/recordings/{id}/jobs", self.process)
        app.router.add_post("/api/jobs/{id}/cancel", self.cancel)
        app.router.add_post("/api/jobs/{id}/retry", self.retry)
        app.router.add_post("/api/jobs/{id}/front", self.move_to_front)
        app.router.add_patch("/api/jobs/{id}", self.rename)
        app.router.add_get("/api/jobs/{id}/steps/{step}/log", self.log)
        app.router.add_get("/api/events", self._hall.events.stream)

    async def index(self, request: web.Request) -> web.Response:
        """Recordings, newest first; with ``q`` those in which all its words occur, best first, with the places."""
        wanted = _query(request, ListQuery)
        try:
            terms = parse_query(wanted.q)
        except QueryError as error:
            raise ApiError(422, "bad-query", str(error), "q") from None
        if wanted.q.strip():
            page = await self._hall.store.search(terms, wanted.limit, wanted.offset)
        else:
            page = await self._hall.store.page(wanted.limit, wanted.offset)
        recordings = await self._hall.describe_all(page.rows)
        if wanted.q.strip():
            for each in recordings:
                each["hits"] = [hit._asdict() for hit in page.hits.get(each["id"], [])]
        return web.json_response({"recordings": recordings, "total": page.total, "offset": wanted.offset})

    async def show(self, request: web.Request) -> web.Response:
        """One recording with all its jobs and files."""
        row = await self._row(request)
        jobs = await self._hall.pipeline.jobs(row.id)
        answer = await self._hall.describe(row, jobs)
        answer["jobs"] = [await asyncio.to_thread(self._shown, row, job) for job in jobs]
        answer["files"] = self._files(row, jobs)
        return web.json_response(answer)

    def _shown(self, row: RecordingRow, job: JobView) -> dict[str, Any]:
        """The job, with what it made and somebody has deleted under ``missing``."""
        folder = self._hall.recordings_dir / row.id
        there = {name: path for name, path in job.results.items() if (folder / path).is_file()}
        missing = sorted(job.results.keys() - there.keys())
        return {**job.model_dump(mode="json"), "results": there, "missing": missing}

    def _files(self, row: RecordingRow, jobs: list[JobView]) -> list[dict[str, Any]]:
        folder = self._hall.recordings_dir / row.id
        found: dict[str, dict[str, Any]] = {}
        for job in jobs:
            for name, relative in job.results.items():
                path = folder / relative
                if path.is_file():
                    found[relative] = {
                        "name": name,
                        "title": path.name,
                        "job_id": job.id,
                        "url": f"/api/recordings/{row.id}/files/{relative}",
                        "size_bytes": path.stat().st_size,
                        "type": mimetypes.guess_type(path.name)[0] or "application/octet-stream",
                    }
        return [*found.values()]

    async def delete(self, request: web.Request) -> web.Response:
        """Everything of a recording, for good."""
        row = await self._row(request)
        if row.state == "recording":
            raise ApiError(409, "still-recording", "this recording still runs; stop it in the meeting first")
        try:
            await self._hall.delete(row.id)
        except OSError as error:
            logger.exception("recording %s cannot be deleted", row.id)
            text = f"some of its files cannot be deleted ({error.strerror}); the server tries again by itself"
            raise ApiError(500, "not-all-deleted", text) from error
        return web.Response(status=204)

    async def change(self, request: web.Request) -> web.Response:
        """Keep it for good, or no longer."""
        row = await self._row(request)
        body = await read_body(request, Change)
        await self._hall.store.change_recording(row.id, kept=body.kept)
        await self._hall.tell(row.id)
        return web.json_response(await self._hall.describe(await self._row(request)))

    async def export(self, request: web.Request) -> web.StreamResponse:
        """Everything of it as a zip file."""
        row = await self._row(request)
        if row.state == "recording":
            raise ApiError(409, "still-recording", "this recording still runs; stop it in the meeting first")
        return await self._exports.answer(request, row)

    async def retention(self, request: web.Request) -> web.Response:
        """What is deleted by itself, and what is next."""
        return web.json_response(await self._keeper.describe())

    async def file(self, request: web.Request) -> web.StreamResponse:
        """A result or a segment, with ranges; ``?download=1`` saves it under a telling name."""
        row = await self._row(request)
        folder = (self._hall.recordings_dir / row.id).resolve()
        path = (folder / request.match_info["path"]).resolve()
        inside = path.is_relative_to(folder) and path.relative_to(folder).parts[:1] in [(name,) for name in SERVED]
        if not inside or not path.is_file():
            raise ApiError(404, "unknown-file", "this recording has no such file")
        headers = {"Cache-Control": "private, max-age=3600", "X-Content-Type-Options": "nosniff"}
        if request.query.get("download") or path.relative_to(folder).parts[0] == UPLOAD:
            # What people upload is never shown as a page of this site, whatever it is.
            headers["Content-Disposition"] = attachment(_saved_name(row, path))
        return web.FileResponse(path, headers=headers)

    async def process(self, request: web.Request) -> web.Response:
        """Run the pipeline again with other choices; what there is stays."""
        row = await self._row(request)
        body = await read_body(request, NewJob)
        if row.state == "recording":
            raise ApiError(409, "still-recording", "this recording still runs; stop it in the meeting first")
        preset = Preset(**body.model_dump(exclude={"files", "name"}))
        check_choices(self._hall.settings, self._registry, preset)
        try:
            job_id = await self._hall.process(
                row.id, preset, files=body.files, priority="later", name=body.name.strip()
            )
        except UnknownRecording:
            raise _unknown() from None
        jobs = await self._hall.pipeline.jobs(row.id)
        await self._hall.tell(row.id)
        return web.json_response(next(j.model_dump(mode="json") for j in jobs if j.id == job_id), status=201)

    async def cancel(self, request: web.Request) -> web.Response:
        """Stop a job; its finished steps stay."""
        return await self._told(self._hall.cancel_job(request.match_info["id"]))

    async def retry(self, request: web.Request) -> web.Response:
        """Run what a job that has ended has not done, or what was deleted since."""
        return await self._told(self._hall.retry_job(request.match_info["id"]))

    async def move_to_front(self, request: web.Request) -> web.Response:
        """Let a job go before all others."""
        return await self._told(self._hall.move_job_to_front(request.match_info["id"]))

    async def rename(self, request: web.Request) -> web.Response:
        """Call what came of a job something else."""
        body = await read_body(request, NewName)
        return await self._told(self._hall.rename_job(request.match_info["id"], body.name.strip()))

    async def _told(self, doing: Awaitable[None]) -> web.Response:
        try:
            await doing
        except LookupError:
            raise ApiError(404, "unknown-job", "there is no such job") from None
        return web.Response(status=204)

    async def log(self, request: web.Request) -> web.StreamResponse:
        """The whole log of a step, as text."""
        try:
            path = await self._hall.pipeline.log_file(request.match_info["id"], request.match_info["step"])
        except LookupError as error:
            raise ApiError(404, "unknown-step", str(error)) from None
        if not path.is_file():
            raise ApiError(404, "no-log", "there is no log of this step: it has not run, or its log was deleted")
        headers = {"Content-Type": "text/plain; charset=utf-8", "Cache-Control": "no-store"}
        return web.FileResponse(path, headers=headers)

    async def _row(self, request: web.Request) -> RecordingRow:
        row = await self._hall.store.recording(request.match_info["id"])
        if row is None:
            raise _unknown()
        return row


def _query(request: web.Request, model: type[ModelT]) -> ModelT:
    """The parameters of the address as a model. Raises ApiError that names the first wrong one."""
    try:
        return model.model_validate(dict(request.query))
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(map(str, first["loc"])) or None
        raise ApiError(422, "bad-query", f"{field or 'the address'}: {first['msg']}", field) from None


def _unknown() -> ApiError:
    return ApiError(404, "unknown-recording", "there is no such recording; it may have been deleted")


def _saved_name(row: RecordingRow, path: Path) -> str:
    if row.filename and path.parent.name == UPLOAD:
        return row.filename
    return f"{row.title}-{row.id[:15]}-{path.name}"
