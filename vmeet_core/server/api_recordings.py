"""REST: the recordings, their files and the jobs that process them."""

import mimetypes
from pathlib import Path
from typing import Any
from urllib.parse import quote

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field

from vmeet_core.pipeline.views import FilesWanted, JobView
from vmeet_core.plugins import Registry
from vmeet_core.server.api_meetings import check_choices
from vmeet_core.server.errors import ApiError, read_body
from vmeet_core.server.hall import Hall
from vmeet_core.server.store import RecordingRow
from vmeet_core.settings import LayoutName, Preset

SERVED = ("results", "segments")


class NewJob(BaseModel):
    """Body of ``POST /api/recordings/{id}/jobs``."""

    model_config = ConfigDict(extra="forbid")
    denoiser: str | None = Field(default=None, max_length=64)
    options: dict[str, dict[str, Any]] = {}
    layout: LayoutName | None = None
    files: FilesWanted = "meeting"


class RecordingsApi:
    """Handlers; ``add_to`` puts their routes into an application."""

    def __init__(self, registry: Registry, hall: Hall) -> None:
        self._registry = registry
        self._hall = hall

    def add_to(self, app: web.Application) -> None:
        app.router.add_get("/api/recordings", self.index)
        app.router.add_get("/api/recordings/{id}", self.show)
        app.router.add_delete("/api/recordings/{id}", self.delete)
        app.router.add_get("/api/recordings/{id}/files/{path:.+}", self.file)
        app.router.add_post("/api/recordings/{id}/jobs", self.process)
        app.router.add_post("/api/jobs/{id}/cancel", self.cancel)
        app.router.add_post("/api/jobs/{id}/retry", self.retry)
        app.router.add_get("/api/events", self._hall.events.stream)

    async def index(self, request: web.Request) -> web.Response:
        """All recordings, newest first."""
        rows = await self._hall.store.recordings()
        return web.json_response({"recordings": [await self._hall.describe(row) for row in rows]})

    async def show(self, request: web.Request) -> web.Response:
        """One recording with all its jobs and files."""
        row = await self._row(request)
        jobs = await self._hall.pipeline.jobs(row.id)
        answer = await self._hall.describe(row, jobs)
        answer["jobs"] = [job.model_dump(mode="json") for job in jobs]
        answer["files"] = self._files(row, jobs)
        return web.json_response(answer)

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
        await self._hall.delete(row)
        return web.Response(status=204)

    async def file(self, request: web.Request) -> web.StreamResponse:
        """A result or a segment, with ranges; ``?download=1`` saves it under a telling name."""
        row = await self._row(request)
        folder = (self._hall.recordings_dir / row.id).resolve()
        path = (folder / request.match_info["path"]).resolve()
        inside = path.is_relative_to(folder) and path.relative_to(folder).parts[:1] in [(name,) for name in SERVED]
        if not inside or not path.is_file():
            raise ApiError(404, "unknown-file", "this recording has no such file")
        headers = {"Cache-Control": "private, max-age=3600", "X-Content-Type-Options": "nosniff"}
        if request.query.get("download"):
            headers["Content-Disposition"] = _attachment(row, path)
        return web.FileResponse(path, headers=headers)

    async def process(self, request: web.Request) -> web.Response:
        """Run the pipeline again with other choices; what there is stays."""
        row = await self._row(request)
        body = await read_body(request, NewJob)
        if row.state == "recording":
            raise ApiError(409, "still-recording", "this recording still runs; stop it in the meeting first")
        preset = Preset(denoiser=body.denoiser, options=body.options, layout=body.layout)
        check_choices(self._hall.settings, self._registry, preset)
        job_id = await self._hall.process(row.id, preset, body.files)
        jobs = await self._hall.pipeline.jobs(row.id)
        await self._hall.tell(row.id)
        return web.json_response(next(j.model_dump(mode="json") for j in jobs if j.id == job_id), status=201)

    async def cancel(self, request: web.Request) -> web.Response:
        """Stop a job; its finished steps stay."""
        try:
            await self._hall.pipeline.cancel(request.match_info["id"])
        except LookupError:
            raise ApiError(404, "unknown-job", "there is no such job") from None
        return web.Response(status=204)

    async def retry(self, request: web.Request) -> web.Response:
        """Run what a failed or cancelled job has not done."""
        try:
            await self._hall.pipeline.retry(request.match_info["id"])
        except LookupError:
            raise ApiError(404, "unknown-job", "there is no such job") from None
        return web.Response(status=204)

    async def _row(self, request: web.Request) -> RecordingRow:
        row = await self._hall.store.recording(request.match_info["id"])
        if row is None:
            raise ApiError(404, "unknown-recording", "there is no such recording; it may have been deleted")
        return row


def _attachment(row: RecordingRow, path: Path) -> str:
    name = f"{row.title}-{row.id[:15]}-{path.name}"
    return f"attachment; filename*=UTF-8''{quote(name, safe='')}"
