"""SIGKILL at any moment: of the server while it records, of the server and of workers while they process.

    python benchmarks/killmatrix.py --kills 200 [--seed 1] [--disk full] [--database locked] [--keep FOLDER]

A real server records two people whose pictures are numbered, some of them in several parts, and denoises them. It is
killed at random moments of a recording (also while one begins and while one ends), and at the start, in the middle and
at the border of steps (the file is there, its row is not yet): the server, the step's process, or both. After each kill
the server is started again. At the end every recording must be there up to at most a second before its kill, without a
hole, play in Chromium, and have the results of a run that nobody disturbs. One JSON object is the last line: ``lost``
counts the recordings of which that is not true, ``why`` says what was wrong.

With ``--disk full`` the server's data lie on a small disk that is full while people record and while steps write; with
``--database locked`` somebody else locks its database again and again, for ten seconds each time.
"""

import argparse
import asyncio
import contextlib
import itertools
import json
import os
import random
import signal
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from http import HTTPStatus
from pathlib import Path
from typing import Any, Literal, NamedTuple

import aiohttp
import browsers
from killmatrix_disk import INSIDE, FullDisk, enter_namespace
from killmatrix_hindrance import Hindrance
from killmatrix_lock import LockedDatabase
from killmatrix_people import Person
from killmatrix_truth import MOST_MISSING_S, Told, Truth, differing, missing_s
from leak_peers import until
from playwright.async_api import Page

from vmeet_core.pipeline.views import ProcessRequest

Victim = Literal["server", "worker", "both"]
Point = Literal["start", "middle", "border"]
#: steps of files of each person, which are asked for
OF_PEOPLE = ("person-picture", "person-video", "person-audio", "phrases")
OF_PARTS = ("sound-parts", "denoise-parts")  #: what only recordings have that are longer than a part
OF_ALL = ("prepare", "audio", "denoise", "mix", "mix-denoised", "layout", "join", "thumbnail")
OF_MEETINGS = ("voices", "captions", "chapters")
STEPS = (*OF_ALL, *OF_MEETINGS, *OF_PEOPLE, *OF_PARTS)
POINTS: tuple[Point, ...] = ("start", "middle", "border")
LONGEST_S = 4.0  #: of a recording until its kill
IN_PARTS_S = (11.0, 45.0)  #: of one in parts: from 35 s on, work on it begins while it runs
PRESET = '[meetings.default]\ndenoiser = "dtln"\n'
RECORDING = "part_s = 10\n"
TOLD_S = 20.0
STEP_S = 60.0  #: within this time a step has to come to the point at which it is to be killed
DONE_S = 600.0
LOOK_S = 0.005
STARTS_S = 90.0  #: what the server waits for at its start: its database, also while that is locked again and again
RESULTS = "results"
TONES_HZ = (330.0, 550.0)


class StepKill(NamedTuple):
    """Who is killed, and when: ``step`` is the first word of the step's name."""

    victim: Victim
    step: str
    point: Point


class Matrix:
    """The server, what it was killed at, and what it must still have. ``hindrance`` comes on top of the kills."""

    def __init__(self, folder: Path, seed: int, hindrance: Hindrance) -> None:
        self.server = browsers.Server(folder, PRESET, recording=RECORDING)
        self.hindrance = hindrance
        self.random = random.Random(seed)
        self.truths: dict[str, Truth] = {}
        self.kills: Counter[str] = Counter()

    @property
    def recordings_dir(self) -> Path:
        return self.server.folder / "data" / "recordings"

    # ---- kills ----

    async def kill_server(self) -> float:
        """Its Unix time; the server is gone when this returns."""
        process = self.server.process
        assert process is not None
        if process.poll() is not None:
            self.hindrance.faults.append(f"the server ended by itself: {process.returncode}")
        killed_s = time.time()
        process.kill()
        await asyncio.to_thread(process.wait)
        return killed_s

    async def restart(self) -> None:
        """After a kill. Raises RuntimeError when it does not answer."""
        await self.hindrance.killed()
        await self.server.start(STARTS_S)
        await self.hindrance.restarted()

    def kill_workers(self) -> bool:
        """The processes of all steps that run now; False when there are none."""
        assert self.server.process is not None
        killed = False
        for pid in _children(self.server.process.pid):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
                killed = True
        return killed

    async def kill_recording(self, in_parts: bool) -> str | None:
        """Record two people and kill the server at a random moment; the recording's id, if anybody was told of it."""
        how = self.random.choices(("while", "begin", "end"), (0.7, 0.15, 0.15))[0]
        told = Told()
        async with aiohttp.ClientSession(self.server.url) as http, _people(http, self.server) as people:
            if how == "begin":
                await self.hindrance.before_recording()
            await people[0].send(type="recording-control", action="start")
            if how == "begin":
                await asyncio.sleep(self.random.uniform(0, 0.15))
            else:
                await until(lambda: people[0].recording, TOLD_S)
                told.hear(people[0].recording)
                await asyncio.sleep(self.random.uniform(*IN_PARTS_S) if in_parts else self.random.uniform(0, LONGEST_S))
            if how == "end":
                told.stopped_s = time.time()
                await people[0].send(type="recording-control", action="stop")
                await asyncio.sleep(self.random.uniform(0, 0.4))
            told.hear(people[0].recording)
            if how != "begin":
                await self.hindrance.while_recording(people, told)
            told.hear(people[0].recording)
            told.killed_s = await self.kill_server()
        self.kills[f"recording{' in parts' if in_parts else ''}, {how}"] += 1
        await self.restart()
        if told.recording_id is not None:
            self.truths[told.recording_id] = Truth(told, people)
        return told.recording_id

    async def kill_step(self, recording_id: str, kill: StepKill) -> bool:
        """Wait for the point and kill; False when the job ended before it came."""
        if kill.step in OF_PEOPLE and not await self._ask_for_files_of_people(recording_id):
            return False
        if not await self._reached(recording_id, kill):
            return False
        await self.hindrance.at_step()
        if kill.victim != "server" and not self.kill_workers() and kill.victim == "worker":
            await self.hindrance.restarted()
            return False
        if kill.victim != "worker":
            await self.kill_server()
            await self.restart()
        else:
            await self.hindrance.restarted()
        self.kills[f"{kill.step}, {kill.point}, {kill.victim}"] += 1
        return True

    async def _ask_for_files_of_people(self, recording_id: str) -> bool:
        """False where the server refuses it, as it does while it does not know yet that the recording has ended."""
        body = ProcessRequest(files="per-person").model_dump(include={"files"})
        url = f"{self.server.url}/api/recordings/{recording_id}/jobs"
        async with aiohttp.ClientSession() as http, http.post(url, json=body) as answer:
            return answer.status == HTTPStatus.CREATED

    async def _reached(self, recording_id: str, kill: StepKill) -> bool:
        deadline_s = time.monotonic() + STEP_S
        while time.monotonic() < deadline_s:
            job = (await asyncio.to_thread(self.server.get, f"/api/recordings/{recording_id}"))["job"]
            if job is not None and job["state"] not in ("queued", "running"):
                return False
            running = [step for step in (job or {"steps": []})["steps"] if step["state"] == "running"]
            for step in running:
                if step["name"].split(":")[0] == kill.step:
                    return await self._at_point(recording_id, job["id"], step["name"], kill.point)
            await asyncio.sleep(LOOK_S)
        return False

    async def _at_point(self, recording_id: str, job_id: str, step: str, point: Point) -> bool:
        if point == "start":
            await asyncio.sleep(self.random.uniform(0, 0.3))
            return True
        folder = self.recordings_dir / recording_id / RESULTS / job_id
        before = _files(folder)
        wait_s = self.random.uniform(0.3, 1.5) if point == "middle" else STEP_S
        deadline_s = time.monotonic() + wait_s
        while time.monotonic() < deadline_s and _files(folder) == before:  # noqa: ASYNC110  # a disk has no event
            await asyncio.sleep(0.001)
        return True

    # ---- afterwards ----

    async def settle(self) -> dict[str, dict[str, Any]]:
        """All recordings, once no job runs any more, or as they are when some still do after a long time."""
        deadline_s = time.monotonic() + DONE_S
        while True:
            found = await asyncio.to_thread(self._all_recordings)
            is_settled = all(each["state"] in ("ready", "failed", "recorded") for each in found)
            if is_settled or time.monotonic() > deadline_s:
                return {each["id"]: each for each in found}
            await asyncio.sleep(0.5)

    def _all_recordings(self) -> list[dict[str, Any]]:
        """The list comes in pages."""
        found: list[dict[str, Any]] = []
        while True:
            page = self.server.get(f"/api/recordings?limit=200&offset={len(found)}")
            found += page["recordings"]
            if len(found) >= page["total"] or not page["recordings"]:
                return found

    def folders(self) -> set[str]:
        """Recordings on the disk."""
        return {path.name for path in self.recordings_dir.iterdir()}


@contextlib.asynccontextmanager
async def _people(http: aiohttp.ClientSession, server: browsers.Server) -> Any:
    meeting = await asyncio.to_thread(server.new_meeting)
    people = [Person(name, tone_hz) for name, tone_hz in zip(("王小明", "Ben"), TONES_HZ, strict=True)]
    try:
        for person in people:
            await person.enter(http, meeting)
            await person.send_media()
        yield people
    finally:
        for person in people:
            await person.close()


def _children(pid: int) -> Iterator[int]:
    """The processes of steps, by their parent."""
    for path in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError, IndexError):
            parent = int((path / "stat").read_text().rpartition(")")[2].split()[1])
            if parent == pid and b"vmeet_core.pipeline.child" in (path / "cmdline").read_bytes():
                yield int(path.name)


def _files(folder: Path) -> set[str]:
    """The finished files of a job."""
    with contextlib.suppress(FileNotFoundError):
        return {path.name for path in folder.iterdir() if not path.name.startswith(".")}
    return set()


def step_kills(seed: int) -> Iterator[StepKill]:
    """Every step at every point, in an order that chance makes; for ever."""
    chance = random.Random(seed)
    victims: tuple[Victim, ...] = ("server", "worker", "both")
    while True:
        every = [StepKill(*each) for each in itertools.product(victims, STEPS, POINTS)]
        chance.shuffle(every)
        yield from every


async def run(matrix: Matrix, kills: int, most_s: float, seed: int, report: Callable[[str], None]) -> None:
    """All the kills, or as many as there is time for; the server runs when this returns."""
    wanted, deadline_s = step_kills(seed), time.monotonic() + most_s
    await matrix.hindrance.begin()
    await matrix.server.start()
    while matrix.kills.total() < kills and time.monotonic() < deadline_s:
        due = [next(wanted) for _ in range(2)]
        recording_id = await matrix.kill_recording(any(kill.step in OF_PARTS for kill in due))
        report(f"{matrix.kills.total()} kills, {len(matrix.truths)} recordings")
        for kill in due:
            if recording_id is None or matrix.kills.total() >= kills:
                break
            await matrix.kill_step(recording_id, kill)
    await matrix.hindrance.end()


async def plays(page: Page, url: str) -> str:
    """Empty, or why not: it begins, it can be sought in, and it comes to its end."""
    found: str = await page.evaluate(
        """async (url) => {
            const video = document.createElement('video');
            video.muted = true;
            const event = (name) => new Promise((resolve, reject) => {
                video.addEventListener(name, () => resolve(''), { once: true });
                video.addEventListener('error', () => reject(video.error.message), { once: true });
                setTimeout(() => reject(name + ' did not come'), 20000);
            });
            try {
                const loaded = event('loadeddata');
                video.src = url;
                await loaded;
                if (!(video.duration > 0)) return 'no duration';
                const sought = event('seeked');
                video.currentTime = Math.max(0, video.duration - 0.5);
                await sought;
                const ended = event('ended');
                await video.play();
                await ended;
                return '';
            } catch (reason) { return String(reason); }
        }""",
        url,
    )
    return found


async def judged(matrix: Matrix, with_chromium: bool, report: Callable[[str], None]) -> dict[str, Any]:
    """What is wrong with each recording, and the worst of what is missing."""
    found = await matrix.settle()
    why: dict[str, list[str]] = {name: ["a folder without a recording"] for name in matrix.folders() - found.keys()}
    worst_s, differ = 0.0, 0
    for number, (recording_id, truth) in enumerate(matrix.truths.items(), start=1):
        report(f"looking at {number} of {len(matrix.truths)}")
        faults = why.setdefault(recording_id, [])
        row = found.get(recording_id)
        if row is None:
            faults.append("it is gone")
            continue
        folder = matrix.recordings_dir / recording_id
        lacks_s, holes = await asyncio.to_thread(missing_s, folder, truth, row["duration_s"])
        worst_s = max(worst_s, lacks_s)
        if lacks_s > MOST_MISSING_S:
            faults.append(f"its last {lacks_s:.2f} s are missing")
        faults += holes
        if row["state"] != "ready":
            if truth.due_s > MOST_MISSING_S:
                faults.append(f"its job is {row['state']}: {_errors(row)}")
            continue
        unlike = await differing(folder, row["job"])
        differ += bool(unlike)
        faults += [f"{name} is not what an undisturbed run gives" for name in unlike]
    if with_chromium:
        await _watch(matrix, found, why)
    faulty = {name: faults for name, faults in why.items() if faults}
    if matrix.hindrance.faults:
        faulty["the server"] = matrix.hindrance.faults
    return {
        "kills": matrix.kills.total(),
        "lost": len(faulty),
        "worst_missing_s": round(worst_s, 3),
        "results_differ": differ,
        **matrix.hindrance.figures(),
        "recordings": len(matrix.truths),
        "why": faulty,
        "by_moment": dict(sorted(matrix.kills.items())),
    }


async def _watch(matrix: Matrix, found: dict[str, Any], why: dict[str, list[str]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        media = browsers.make_media(Path(folder), 64, 36)
        async with browsers.browser(media) as chromium:
            page = await browsers.new_page(chromium)
            await page.goto(matrix.server.url + "/recordings")
            for recording_id in matrix.truths:
                job = found.get(recording_id, {}).get("job") or {"results": {}}
                for name in ("video", "sound"):
                    if name in job["results"]:
                        url = f"/api/recordings/{recording_id}/files/{job['results'][name]}"
                        if fault := await plays(page, url):
                            why[recording_id].append(f"Chromium: {fault}")


def _errors(row: dict[str, Any]) -> str:
    job = row["job"] or {"steps": []}
    return "; ".join(f"{step['name']}: {step['error']}" for step in job["steps"] if step["error"])


def hindrance_of(arguments: argparse.Namespace, folder: Path) -> Hindrance:
    """What the options ask for."""
    if arguments.disk == "full":
        return FullDisk(folder / "data", arguments.seed)
    if arguments.database == "locked":
        return LockedDatabase(folder / "data" / "vmeet.sqlite3", arguments.seed)
    return Hindrance()


async def main_async(arguments: argparse.Namespace, folder: Path) -> dict[str, Any]:
    def report(text: str) -> None:
        print(text, flush=True)

    began_s = time.monotonic()
    hindrance = hindrance_of(arguments, folder)
    matrix = Matrix(folder, arguments.seed, hindrance)
    try:
        await run(matrix, arguments.kills, arguments.minutes * 60, arguments.seed, report)
        result = await judged(matrix, not arguments.without_chromium, report)
    finally:
        await hindrance.end()
        await asyncio.to_thread(matrix.server.stop)
        if isinstance(hindrance, FullDisk):
            await asyncio.to_thread(hindrance.close, folder / "kept-data" if arguments.keep else None)
    return result | {"seed": arguments.seed, "minutes": round((time.monotonic() - began_s) / 60, 1)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--minutes", type=float, default=float("inf"), help="kill no longer than that, then judge")
    parser.add_argument("--seed", type=int, default=1)
    harder = parser.add_mutually_exclusive_group()
    harder.add_argument("--disk", choices=("full",), help="with a disk that is full now and then (Linux)")
    harder.add_argument("--database", choices=("locked",), help="with a database that is locked now and then")
    parser.add_argument("--keep", type=Path, help="a folder for the server's data, which is kept")
    parser.add_argument("--without-chromium", action="store_true")
    parser.add_argument(INSIDE, action="store_true", dest="is_inside", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.disk and not arguments.is_inside:
        enter_namespace()
    with contextlib.ExitStack() as stack:
        folder = arguments.keep or Path(stack.enter_context(tempfile.TemporaryDirectory()))
        folder.mkdir(parents=True, exist_ok=True)
        result = asyncio.run(main_async(arguments, folder))
    print(json.dumps(result, ensure_ascii=False))


if __name__ == "__main__":
    main()
