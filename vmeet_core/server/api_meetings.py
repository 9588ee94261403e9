"""REST: what can be chosen, creating a meeting, and the signalling socket."""

from typing import Annotated, Any

from aiohttp import WSCloseCode, web
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from vmeet_core import protocol
from vmeet_core.hookspecs import Provider
from vmeet_core.meetings import Choices
from vmeet_core.plugins import NOT_RUN, Registry, allowed, missing_weights, unfit, weight_store, weights_of
from vmeet_core.server.errors import ApiError, read_body
from vmeet_core.server.hall import Hall
from vmeet_core.server.socket import HARD_LIMIT_BYTES, Session
from vmeet_core.settings import KINDS, Kind, Preset, Settings

Title = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=120)]
KEYS_OF_KIND: dict[Kind, tuple[str, ...]] = {
    "frame_filters": ("frame_filters",),
    "video_enhancers": ("video_enhancer",),
    "transcribers": ("transcriber", "live_transcriber"),
    "denoisers": ("denoiser", "live_denoiser"),
}


class NewMeeting(BaseModel):
    """Body of ``POST /api/meetings``."""

    model_config = ConfigDict(extra="forbid")
    title: Title
    preset: str = Field(max_length=64)
    choices: Choices = Choices()


def check_choices(settings: Settings, registry: Registry, preset: Preset) -> None:
    """Raises ApiError for the first choice that cannot be had: absent, not allowed, bad options, no weights."""
    chosen = settings.model_copy(update={"meetings": {"choices": preset}})
    for problem in [*unfit(chosen, registry), *missing_weights(chosen, registry, weight_store(settings))]:
        field = problem.key.removeprefix("meetings.")
        raise ApiError(422, "bad-choice", f"{problem.message} {problem.remedy}".strip(), field)


class MeetingsApi:
    """Handlers; ``add_to`` puts their routes into an application."""

    def __init__(self, settings: Settings, registry: Registry, hall: Hall) -> None:
        self._settings = settings
        self._registry = registry
        self._hall = hall
        self._weights = weight_store(settings)

    def add_to(self, app: web.Application) -> None:
        app.router.add_get("/api/choices", self.choices)
        app.router.add_get("/api/plugins", self.plugins)
        app.router.add_post("/api/meetings", self.create)
        app.router.add_get("/api/meetings/{id}", self.show)
        app.router.add_get("/api/meetings/{id}/socket", self.socket)

    async def choices(self, request: web.Request) -> web.Response:
        """Presets, the providers of each kind with the schema of their options, and the fields that are acted on."""
        presets = {name: preset.model_dump(mode="json") for name, preset in self._settings.meetings.items()}
        providers = {kind: [self._provider(kind, p) for p in self._registry.providers[kind].values()] for kind in KINDS}
        fields = [key for keys in KEYS_OF_KIND.values() for key in keys if key not in NOT_RUN]
        fields += ["layout", "language", "script", "numbers", "transcribe_from"]
        answer = {"presets": presets, "providers": providers, "fields": fields, "problems": self._problems()}
        return web.json_response(answer)

    def _problems(self) -> list[dict[str, str]]:
        return [problem._asdict() for problem in self._registry.problems]

    def _provider(self, kind: Kind, provider: Provider[Any]) -> dict[str, Any]:
        reason = self._why_not(kind, provider)
        described: dict[str, Any] = {
            "name": provider.name,
            "title": provider.title,
            "licence": provider.licence,
            "leaves_host": provider.leaves_host,
            "allowed": reason is None,
            "reason": reason,
            "options_schema": provider.options.model_json_schema(),
        }
        for name in ("protects_privacy", "scale", "languages"):
            if hasattr(provider, name):
                described[name] = getattr(provider, name)
        return described

    def _why_not(self, kind: Kind, provider: Provider[Any]) -> str | None:
        if all(key in NOT_RUN for key in KEYS_OF_KIND[kind]):
            return "this version of VMeet does not run it yet"
        return allowed(self._settings, provider) or self._missing_weights(kind, provider)

    def _missing_weights(self, kind: Kind, provider: Provider[Any]) -> str | None:
        needed = weights_of(self._settings, kind, provider)
        if all(self._weights.state(weight) == "present" for weight in needed):
            return None
        return f"its model files are missing; run: vmeet weights fetch {provider.name}"

    async def plugins(self, request: web.Request) -> web.Response:
        """Installed plugins, and those that could not be used."""
        plugins = [plugin._asdict() for plugin in self._registry.plugins]
        return web.json_response({"plugins": plugins, "problems": self._problems()})

    async def create(self, request: web.Request) -> web.Response:
        """A new meeting; 422 names the choice that cannot be had."""
        body = await read_body(request, NewMeeting)
        preset = self._settings.meetings.get(body.preset)
        if preset is None:
            names = ", ".join(self._settings.meetings)
            raise ApiError(422, "unknown-preset", f"there is no preset {body.preset!r}; there are: {names}", "preset")
        check_choices(self._settings, self._registry, body.choices.over(preset))
        meeting = await self._hall.create(body.title, body.preset, body.choices)
        answer = {"id": meeting.id, "title": meeting.title, "host_key": meeting.host_key, "url": f"/m/{meeting.id}"}
        return web.json_response(answer, status=201)

    async def show(self, request: web.Request) -> web.Response:
        """What somebody with the link may know before coming in."""
        meeting = await self._hall.store.meeting(request.match_info["id"])
        if meeting is None:
            raise ApiError(404, "unknown-meeting", "there is no meeting with this link; ask the host for a new one")
        recording, plan = self._hall.recording(meeting.id), self._hall.captions_of(meeting)
        answer = {
            "id": meeting.id,
            "title": meeting.title,
            "preset": meeting.preset,
            "choices": meeting.choices.model_dump(mode="json", exclude_unset=True),
            "people": self._hall.people(meeting.id),
            "recording": recording.active,
            "recording_started_by": recording.started_by,
            "recording_choice": self._hall.recording_choice_of(meeting),
            "effects": self._hall.effects_of(meeting).described(),
            "captions": plan.described() if plan is not None else None,
        }
        return web.json_response(answer)

    async def socket(self, request: web.Request) -> web.WebSocketResponse:
        """Signalling; an unknown meeting is told over the socket, since a page cannot read a refused upgrade."""
        socket = web.WebSocketResponse(max_msg_size=HARD_LIMIT_BYTES, heartbeat=30, compress=False)
        await socket.prepare(request)
        live = await self._hall.live(request.match_info["id"])
        if live is None:
            text = "there is no meeting with this link; ask the host for a new one"
            await socket.send_str(protocol.Error(code="unknown-meeting", message=text, fatal=True).model_dump_json())
            await socket.close(code=WSCloseCode.POLICY_VIOLATION)
            return socket
        await Session(live, socket).run()
        return socket
