"""A server whose live filters fail on demand, and meetings in which every receiver looks for what must not be seen."""

import asyncio
import itertools
import os
import random
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path
from typing import Any, Literal, NamedTuple
from unittest import mock

import aiohttp
import av
import leak_filter
from aiohttp import web
from leak_peers import SMALL_PX, Camera, Page, Seen, Viewer, Watcher, until
from leak_scene import ROWS, Look, look
from leak_witness import PersonLog, Witness
from PIL import Image

from vmeet_core.media.frames import planes_of
from vmeet_core.plugins import discover
from vmeet_core.server.app import HALL, build_app
from vmeet_core.settings import Preset, Settings, load_settings

LOSS = 0.05
MARK_S = 90.0  #: within this time a failure that was asked for has to happen: on a busy machine pictures are few
OUTCOME_S = 30.0  #: and within this time something has to be shown after it
TRY_S = 0.7  #: between wishes while no worker can take the camera
THUMBNAIL_S = 300.0
PRESET = Preset(frame_filters=("leaky", "tint"), options={})
Entry = Literal["off", "tint", "update", "restart"]


class Failure(NamedTuple):
    """One forced failure. ``entry`` is how the filter comes to have it: switched on from off, or from a filter that
    protects nothing; by other options of the filter that runs; or by running it anew together with another one.
    ``waits``: until the card is there, before it is wished for again.
    """

    number: int
    kind: leak_filter.Kind
    where: leak_filter.Where
    entry: Entry
    after: int
    times: int
    variant: int
    waits: bool

    @property
    def options(self) -> dict[str, Any]:
        """Those of the filter."""
        names = ("kind", "where", "after", "number", "times", "variant")
        return {name: getattr(self, name) for name in names}


class Outcome(NamedTuple):
    """``shown`` is what was shown next, after ``shown_s``: None where nothing was."""

    failure: Failure
    shown: Literal["card", "again"] | None
    shown_s: float
    reason: str


class Found(NamedTuple):
    """Of a viewer or a recording: pictures while privacy was asked for, and raw ones; of these, those that may be."""

    name: str
    pictures: int
    watched: int
    leaks: list[Seen]
    allowed: dict[int, int]  #: raw pictures that may be, by height


class Stage:
    """The server; ``address`` is its URL."""

    def __init__(self, address: str, app: web.Application, http: aiohttp.ClientSession, witness: Witness) -> None:
        self.address = address
        self.http = http
        self.witness = witness
        self.hall = app[HALL]
        self.marks = Path(os.environ[leak_filter.MARKS])

    @property
    def deaths(self) -> int:
        """How many workers have died."""
        return self.hall.engines.pictures.deaths

    @property
    def unlimited(self) -> int:
        """How often a filter got all the memory that it wanted."""
        return len(list(self.marks.glob("*-unlimited")))


@contextmanager
def installed(folder: Path) -> Iterator[None]:
    """The filter is a plugin, here and in the workers; its marks lie in ``folder``."""
    info, marks = folder / "leak_filter-1.dist-info", folder / "marks"
    info.mkdir(parents=True)
    marks.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: leak-filter\nVersion: 1\n")
    (info / "entry_points.txt").write_text("[vmeet]\nleak-filter = leak_filter\n")
    paths = [str(folder), str(Path(__file__).parent)]
    python_path = os.pathsep.join([*paths, os.environ.get("PYTHONPATH", "")])
    environment = {"PYTHONPATH": python_path, leak_filter.MARKS: str(marks)}
    with mock.patch.dict(os.environ, environment), mock.patch.object(sys, "path", [*paths, *sys.path]):
        yield


def settings_for(folder: Path, workers: int) -> Settings:
    """Everything is kept in ``folder``."""
    settings = load_settings(None, {})
    changes = {
        "server": settings.server.model_copy(update={"data_dir": folder / "data"}),
        "recording": settings.recording.model_copy(update={"min_free_bytes": 0}),
        "live": settings.live.model_copy(update={"workers": workers}),
        "meetings": {"leak": PRESET},
    }
    return settings.model_copy(update=changes)


@asynccontextmanager
async def running(folder: Path, workers: int, framerate_hz: int) -> AsyncIterator[Stage]:
    """A server on a free port, watched from inside."""
    witness = Witness(Camera.step_of(framerate_hz))
    with installed(folder), witness.watching():
        app = build_app(settings_for(folder, workers), discover())
        runner = web.AppRunner(app)
        await runner.setup()
        try:
            site = web.TCPSite(runner, "127.0.0.1", 0)
            await site.start()
            address = f"http://127.0.0.1:{runner.addresses[0][1]}"
            async with aiohttp.ClientSession(address) as http:
                yield Stage(address, app, http, witness)
        finally:
            await runner.cleanup()


class LeakMeeting:
    """One person with a camera, and everybody who might see what they must not. ``goes_off``: whether privacy is
    asked for only now and then. ``alone``: nobody else but a WHEP player, so that the recording's picture is theirs.
    """

    def __init__(
        self, stage: Stage, height_px: int, framerate_hz: int, goes_off: bool, seed: int, alone: bool = False
    ) -> None:
        self.goes_off = goes_off
        self.stage = stage
        self.camera = Camera(height_px, framerate_hz)
        self.anna = Page("Anna")
        self.full = Page("full", is_prompt=True)
        self.small = Page("small")
        self.lossy = Page("lossy", is_prompt=True, loss=LOSS, seed=seed)
        self.watcher = Watcher("whep")
        others = [] if alone else [self.full, self.small, self.lossy]
        self.main: Viewer = self.watcher if alone else self.full  #: gets the full picture
        self.viewers: list[Viewer] = [*others, self.anna, self.watcher]
        self.recordings: list[Path] = []
        self.random = random.Random(seed)
        self._meeting: dict[str, Any] = {}
        self._tinted = False  # whether the filter that protects nothing was wished for
        self._joining: asyncio.Task[None] | None = None

    @property
    def log(self) -> PersonLog:
        """What the witness knows of the camera."""
        return self.stage.witness.person(self.anna.id)

    async def begin(self) -> None:
        """Everybody comes in; the recording begins; the camera is turned on."""
        body = {"title": "leak", "preset": "leak"}
        async with self.stage.http.post("/api/meetings", json=body) as answer:
            answer.raise_for_status()
            self._meeting = await answer.json()
        for page in [each for each in self.viewers if isinstance(each, Page)]:
            await page.enter(self.stage.http, self._meeting)
        tile = {"participant_id": self.anna.id, "width_px": SMALL_PX * 16 // 9, "height_px": SMALL_PX}
        for page in [each for each in (self.small, self.anna) if each in self.viewers]:
            await page.send(type="view", pictures=[tile])
        await self.record()
        await self.anna.publish(self.camera)
        await self.watcher.enter(self.stage.http, self.anna.welcome["streams"])
        await until(lambda: self.log.is_dated, OUTCOME_S)
        await self.recover()
        if self.main is not self.watcher:
            self._joining = asyncio.create_task(self._join_now_and_then())

    async def _join_now_and_then(self) -> None:
        """Somebody comes in, looks for a moment, and goes."""
        while True:
            joiner = Page("joiner")
            self.viewers.append(joiner)
            try:
                await joiner.enter(self.stage.http, self._meeting)
                await until(lambda joiner=joiner: joiner.peer.connectionState == "connected", OUTCOME_S)  # type: ignore[misc]
                await asyncio.sleep(self.random.uniform(1, 4))
            finally:
                await joiner.close()
            await asyncio.sleep(self.random.uniform(0.5, 2))

    async def end(self) -> None:
        """Everybody leaves; twice is harmless."""
        if self._joining is not None:
            self._joining.cancel()
            await asyncio.gather(self._joining, return_exceptions=True)
        for viewer in self.viewers:
            await viewer.close()

    # ---- the recording ----

    async def record(self) -> None:
        """Begin to record."""
        await self.anna.send(type="recording-control", action="start")
        await until(lambda: self.anna.recording, OUTCOME_S)
        assert self.anna.recording is not None
        self.recordings.append(self.stage.hall.recordings_dir / self.anna.recording["recording_id"])

    async def stop_recording(self) -> None:
        """End it; it is processed."""
        await self.anna.send(type="recording-control", action="stop")
        await until(lambda: not self.anna.recording, OUTCOME_S)

    async def cancel_jobs(self) -> None:
        """Spare the time of processing what is decoded here anyway."""
        async with self.stage.http.get(f"/api/recordings/{self.recordings[-1].name}") as answer:
            jobs = (await answer.json())["jobs"]
        for job in jobs:
            await self.stage.http.post(f"/api/jobs/{job['id']}/cancel")

    async def thumbnail_contrast(self) -> float:
        """Of the pattern in the thumbnail that the pipeline makes of the latest recording. Raises TimeoutError."""
        path = f"/api/recordings/{self.recordings[-1].name}"
        async with asyncio.timeout(THUMBNAIL_S):
            while True:
                async with self.stage.http.get(path) as answer:
                    url = (await answer.json())["thumbnail"]
                if url:
                    break
                await asyncio.sleep(0.2)
        file = self.recordings[-1] / url.split("/files/")[1]
        with Image.open(file) as image:
            frame = av.VideoFrame.from_image(image.convert("RGB")).reformat(format="yuv420p")
        y = planes_of(frame)[0].copy()
        y[-2 * y.shape[0] // ROWS :, : y.shape[1] // 4] = y[0, 0]  # the name lies there
        return round(look(y).contrast, 2)

    # ---- one failure ----

    async def fail(self, failure: Failure) -> Outcome:
        """Let it happen, and see what is shown then. Raises TimeoutError where it does not happen."""
        await self._prepare(failure.entry)
        told = len(self.anna.reasons)
        await self._arm(failure)
        failed_s = float((self.stage.marks / f"{failure.number}-{failure.times - 1}").read_text())
        shown = await self._shown_after(failure, failed_s)
        await self.recover()
        how: Literal["card", "again"] | None = None
        if shown is not None:
            how = "card" if shown.look.is_card else "again"
        shown_s = shown.at_s - failed_s if shown is not None else OUTCOME_S
        return Outcome(failure, how, shown_s, "; ".join(self.anna.reasons[told:]))

    async def _wish(self, leaky: dict[str, Any], tinted: bool) -> None:
        self._tinted = tinted
        await self.anna.wish(leaky, {"name": "tint", "on": tinted, "options": {}})

    async def show_raw(self) -> None:
        """Privacy is asked for no more, and everybody sees it."""
        await self._wish(leaky(on=False), tinted=False)
        await self._until_raw()

    async def _prepare(self, entry: Entry) -> None:
        """From where the wish with the failure sets out."""
        if entry in ("off", "tint"):
            await self._wish(leaky(on=False), tinted=entry == "tint")
            await self._until_raw()
        await asyncio.sleep(self.random.uniform(0.0, 0.5))  # anywhere between two pictures

    async def _until_raw(self) -> None:
        """The proof that the pattern is seen when it is there: by all who may, in both sizes."""
        number = self.camera.number
        least_px: dict[Viewer, int] = {self.full: SMALL_PX + 1, self.small: 0, self.watcher: 0}
        wanted = {viewer: height_px for viewer, height_px in least_px.items() if viewer in self.viewers}

        def seen() -> bool:
            latest = {viewer: viewer.latest for viewer in wanted}
            return all(
                each is not None
                and each.is_raw
                and (each.background or 0) > number
                and each.height_px >= wanted[viewer]
                for viewer, each in latest.items()
            )

        await until(seen, OUTCOME_S)

    async def _arm(self, failure: Failure) -> None:
        """Wish for it until it has happened, as a person does who is told that it could not be done."""
        tinted = {"update": self._tinted, "restart": not self._tinted}.get(failure.entry, False)
        last = self.stage.marks / f"{failure.number}-{failure.times - 1}"
        await self._wish(leaky(**failure.options), tinted)
        async with asyncio.timeout(MARK_S):
            while not await _exists(last, TRY_S):
                if self.anna.state != "failed":
                    continue
                if failure.where == "update":
                    await self.recover()
                    tinted = self._tinted
                await self._wish(leaky(**failure.options), tinted)

    async def _shown_after(self, failure: Failure, failed_s: float) -> Seen | None:
        """What was shown next, None where nothing was in time."""
        number = self.camera.number
        wished_s = 0.0
        deadline_s = time.monotonic() + OUTCOME_S
        while time.monotonic() < deadline_s:
            shown = self._shown_since(failed_s, number)
            if shown is not None:
                return shown
            wished_s = await self._wish_again(wished_s, failure)
            await asyncio.sleep(0.01)
        return None

    async def _wish_again(self, wished_s: float, failure: Failure) -> float:
        """Where somebody does not wait for the card."""
        now_s = time.monotonic()
        if not failure.waits and self.anna.state == "failed" and now_s - wished_s > TRY_S:
            await self._wish(leaky(), tinted=False)
            return now_s
        return wished_s

    def _shown_since(self, since_s: float, number: int) -> Seen | None:
        """The first card or newer filtered picture that the receiver of the full picture has got."""
        later = itertools.takewhile(lambda seen: seen.at_s > since_s, reversed(self.main.seen))
        shown = [seen for seen in later if seen.look.is_card or _is_filtered_after(seen.look, number)]
        return shown[-1] if shown else None

    async def recover(self) -> None:
        """Until new filtered pictures are shown. Raises TimeoutError."""
        number = self.camera.number
        wished_s = 0.0

        def again() -> bool:
            return self.main.latest is not None and _is_filtered_after(self.main.latest, number)

        async with asyncio.timeout(MARK_S):
            while not (again() and self.anna.state == "on"):
                if self.anna.state in ("failed", "off") and time.monotonic() - wished_s > TRY_S:
                    wished_s = time.monotonic()
                    await self._wish(leaky(), tinted=False)
                await asyncio.sleep(0.02)

    # ---- what was seen ----

    def findings(self) -> list[Found]:
        """Of everybody who watched."""
        return [self._judge(viewer.name, viewer.seen) for viewer in self.viewers]

    def _judge(self, name: str, all_seen: list[Seen]) -> Found:
        found = Found(name, len(all_seen), sum(self.log.was_private(seen.at_s) for seen in all_seen), [], {})
        for index, seen in enumerate(all_seen):
            beside = all_seen[index - 1 : index + 2 : 2] if index else []
            neighbours = (beside[0].look, beside[1].look) if len(beside) == 2 else None
            if self.log.is_leak(seen.look, SMALL_PX, neighbours):
                found.leaks.append(seen)
            elif seen.look.is_raw:
                found.allowed[seen.look.height_px] = found.allowed.get(seen.look.height_px, 0) + 1
        return found

    def recorded(self) -> Found:
        """Of what lies on the disk; slow, so call it in a thread."""
        seen: list[Seen] = []
        for folder in self.recordings:
            for path in sorted((folder / "segments").glob("*-camera.mkv")):
                seen += [Seen(0.0, each) for each in _decoded(path)]
        judged = self._judge("recording", seen)
        return judged._replace(watched=len(seen) - sum(judged.allowed.values()))

    def longest_gap_s(self) -> float:
        """The longest time in which the receiver of the full picture got none."""
        times_s = [seen.at_s for seen in self.main.seen]
        return max((after - before for before, after in itertools.pairwise(times_s)), default=0.0)


def leaky(on: bool = True, **options: Any) -> dict[str, Any]:
    """A wish for the filter that fails, as told or not at all."""
    return {"name": "leaky", "on": on, "options": options}


def _is_filtered_after(shown: Look, number: int) -> bool:
    return not shown.is_raw and shown.person is not None and shown.person > number


async def _exists(path: Path, timeout_s: float) -> bool:
    """Whether the mark is there and written."""
    with suppress(TimeoutError):
        await until(lambda: path.exists() and path.stat().st_size, timeout_s)
        return True
    return False


def _decoded(path: Path) -> Iterator[Any]:
    with av.open(str(path)) as container:
        for frame in container.decode(video=0):
            yield look(planes_of(frame)[0])
