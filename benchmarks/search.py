"""How long the list of recordings and a search over transcripts take, from the request to the last byte of the answer.

    python benchmarks/search.py [--recordings 1000] [--phrases 600] [--rounds 5]

Builds a server's data in a temporary folder: transcripts of about an hour of speech each (600 phrases of Chinese, with
English in between, drawn from vocabularies with the frequencies of speech), and apart from it ten recordings of five
hours with their files and jobs. Starts the server on it, and asks over HTTP. With PostgreSQL installed (Debian's) the
same again with a server of its own in that folder. The last line is JSON: for each database the slowest of the medians
of all kinds of queries (`search_ms`, each in `queries_ms`), the median of the list (`list_ms`), and what was found.
"""

import argparse
import asyncio
import json
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from aiohttp import ClientSession, web

from vmeet_core.database import Address, Database, sqlite_address
from vmeet_core.meetings import Choices, Meeting
from vmeet_core.pipeline.job import Job, Log, Step
from vmeet_core.pipeline.spec import Output, StepSpec
from vmeet_core.pipeline.store import JobStore
from vmeet_core.pipeline.views import ProcessRequest
from vmeet_core.plugins import discover
from vmeet_core.search import Phrase
from vmeet_core.server.app import build_app
from vmeet_core.server.store import Store
from vmeet_core.settings import Settings, load_settings

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
from postgresql_server import PostgresqlServer, programs

BEGAN_S = 1.79e9
PEOPLE = ("王小明", "Zoë Lang", "陳怡君", "Tom Baker")
LONG_S, LONG_RECORDINGS, PART_S = 5 * 3600, 10, 60
PARTS = LONG_S // PART_S
SEGMENTS = PARTS * len(PEOPLE) * 2  # sound and picture of each
COMMITS = 20
PART_KINDS = ("sound", "denoise", "voices", "layout")
STEPS = PARTS * len(PART_KINDS) + 16  # what is made of the parts, too
RARE = "量子糾纏"  #: in one transcript: something rare
HAN_FIRST, HAN = 0x4E00, 3500
COMMON = "的是我們在有這個不會了大家說要一下可以然後就對好早安今天時間問題"
WORDS = 4000

#: Kinds of queries: one and two characters, common and rare, runs, words, prefixes, several words, nothing to find.
QUERIES = (
    "的",
    "早",
    "早安",
    "我們",
    "今天的問題",
    RARE,
    "w",
    "wo1",
    "word12",
    "早安 word3",
    "的 是 我",
    "王小明 早安",
    "没有",
)


class Speech:
    """Made-up speech; the same for the same seed."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)
        self._han = list(COMMON) + [chr(HAN_FIRST + 5 * number) for number in range(HAN)]
        self._words = [f"word{number}" for number in range(WORDS)]
        self._han_weights = _zipf(len(self._han))
        self._word_weights = _zipf(WORDS)

    def phrases(self, number: int) -> Iterator[Phrase]:
        """Six seconds each, some 25 characters of Chinese, every fifth with a few words of English."""
        for each in range(number):
            text = "".join(
                self._random.choices(self._han, cum_weights=self._han_weights, k=self._random.randint(10, 40))
            )
            if each % 5 == 0:
                words = self._random.choices(self._words, cum_weights=self._word_weights, k=self._random.randint(2, 8))
                text = f"{text[:10]}，{' '.join(words)} {text[10:]}"
            if each % 50 == 0:
                text = f"大家早安，{text}"
            yield Phrase(text, self._random.choice(PEOPLE), 6.0 * each, 6.0 * each + 5.5, "zh")


def _zipf(number: int) -> list[float]:
    total, sums = 0.0, []
    for rank in range(1, number + 1):
        total += 1 / rank
        sums.append(total)
    return sums


async def fill(address: Address, recordings: int, phrases: int) -> float:
    """Recordings with transcripts; how long writing one of them took, in seconds."""
    database = await Database.open(address)
    store, speech = Store(database), Speech(1)
    await store.add_meeting(Meeting("m", "", "key", "plain", Choices()))
    began_s = time.perf_counter()
    for number in range(recordings):
        name, meeting = f"r{number:05}", Meeting("m", f"會議 {number}", "key", "plain", Choices())
        said = list(speech.phrases(phrases))
        if number == recordings // 2:
            said[-1] = said[-1]._replace(text=f"關於{RARE}")
        await store.add_recording(name, meeting, BEGAN_S + 7200 * number)
        await store.finish_recording(name, 3600.0, list(PEOPLE), None)
        await store.set_transcript(name, "job", said)
    took_s = (time.perf_counter() - began_s) / recordings
    await database.close()
    return took_s


async def fill_long(address: Address, folder: Path) -> float:
    """Ten recordings of five hours: segments, results, and a job with the steps of all their parts; how long it takes
    to write that one step has ended, in seconds.
    """
    database = await Database.open(address)
    store, jobs = Store(database), JobStore(database)
    await store.add_meeting(Meeting("m", "", "key", "plain", Choices()))
    for number in range(LONG_RECORDINGS):
        name = f"long{number}"
        await store.add_recording(name, Meeting("m", f"Long {number}", "key", "plain", Choices()), BEGAN_S + number)
        await store.finish_recording(name, LONG_S, list(PEOPLE), None)
        await asyncio.to_thread(_files, folder / name)
        steps = [_step(each) for each in range(STEPS)]
        job = Job(f"job{number}", name, folder / name, ProcessRequest(), BEGAN_S, steps, state="running")
        await jobs.save(job)
        began_s = time.perf_counter()
        for step in steps[-COMMITS:]:
            step.state = "done"
            await jobs.save(job)
        took_s = (time.perf_counter() - began_s) / COMMITS
        job.state = "done"
        await jobs.save(job)
    await database.close()
    return took_s


def _files(folder: Path) -> None:
    (folder / "segments").mkdir(parents=True)
    (folder / "results").mkdir()
    for number in range(SEGMENTS):
        (folder / "segments" / f"{number}.mkv").write_bytes(b"x")
    for number in range(STEPS):
        (folder / "results" / f"{number}.flac").write_bytes(b"x")


def _step(number: int) -> Step:
    """Of a part, most of them; that knows the files of its time."""
    part, kind = divmod(number, len(PART_KINDS))
    is_part = part < PARTS
    name = f"{PART_KINDS[kind]}:{part}" if is_part else f"audio:{number}"
    files = {f"segments/{part * 8 + each}.mkv": "0" * 64 for each in range(8)} if is_part else {}
    spec = StepSpec(
        name=name,
        title="Sound",
        function="a:b",
        version=1,
        params={"segments": [{"file": file, "start_s": 0.25, "duration_s": 59.96} for file in files]},
        outputs={"out": Output(result=f"picture:{name}", file=f"{number}.flac")},
        files=files,
        group=PART_KINDS[kind] if is_part else "",
        group_title="Parts" if is_part else "",
    )
    log = Log([f"line {line} of what a step may say" for line in range(40)])
    return Step(spec, f"key{number}", state="running", seconds=60.0, log=log, outputs={"out": f"results/{number}.flac"})


def settings_for(folder: Path, address: Address) -> Settings:
    """A server over this data."""
    settings = load_settings(None, {})
    database = "" if address.file else address.url.render_as_string(hide_password=False)
    server = settings.server.model_copy(update={"data_dir": folder, "database": database})
    return settings.model_copy(update={"server": server})


async def asked(settings: Settings, questions: dict[str, dict[str, Any]], rounds: int) -> dict[str, tuple[float, int]]:
    """For each question the median time of an answer in ms (the first is not counted), and how many were found."""
    runner = web.AppRunner(build_app(settings, discover()))
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    found = {}
    async with ClientSession(f"http://127.0.0.1:{runner.addresses[0][1]}") as session:
        for name, params in questions.items():
            times_ms, total = [], 0
            for _ in range(rounds + 1):
                began_s = time.perf_counter()
                async with session.get("/api/recordings", params=params) as response:
                    answer = await response.json()
                    total = answer["total"]
                times_ms.append((time.perf_counter() - began_s) * 1000)
            found[name] = (round(statistics.median(times_ms[1:]), 1), total)
    await runner.cleanup()
    return found


@contextmanager
def databases(folder: Path) -> Iterator[dict[str, list[Address]]]:
    """Two empty ones of each kind that there is."""
    found = {"sqlite": [sqlite_address(folder / name / "vmeet.sqlite3") for name in ("texts", "long")]}
    where = programs()
    if where is None:
        print("PostgreSQL is not installed: SQLite alone is measured")
        yield found
        return
    server = PostgresqlServer(where)
    server.start()
    try:
        yield {**found, "postgresql": [Address.parse(server.make_database()) for _ in range(2)]}
    finally:
        server.stop()
        server.remove()


async def measure(kind: str, addresses: list[Address], folder: Path, given: argparse.Namespace) -> dict[str, Any]:
    texts, long = folder / "texts", folder / "long" if kind == "sqlite" else folder / "long-postgresql"
    write_s = await fill(addresses[0], given.recordings, given.phrases)
    commit_s = await fill_long(addresses[1], long / "recordings")
    questions = {query: {"q": query, "limit": 20} for query in QUERIES}
    answers = await asked(settings_for(texts, addresses[0]), questions, given.rounds)
    listed = await asked(settings_for(long, addresses[1]), {"list": {}}, given.rounds)
    file = addresses[0].file
    return {
        "search_ms": max(ms for ms, _ in answers.values()),
        "list_ms": listed["list"][0],
        "queries_ms": {query: ms for query, (ms, _) in answers.items()},
        "found": {query: total for query, (_, total) in answers.items()},
        "write_transcript_ms": round(write_s * 1000),
        "commit_step_ms": round(commit_s * 1000, 1),
        "file_bytes": file.stat().st_size if file else None,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--recordings", type=int, default=1000, help="how many transcripts")
    parser.add_argument("--phrases", type=int, default=600, help="phrases of each")
    parser.add_argument("--rounds", type=int, default=5, help="how often each question is asked")
    given = parser.parse_args()
    figures: dict[str, Any] = {"recordings": given.recordings, "phrases": given.phrases}
    with tempfile.TemporaryDirectory() as name, databases(Path(name)) as found:
        for kind, addresses in found.items():
            figures[kind] = asyncio.run(measure(kind, addresses, Path(name), given))
            print(kind, json.dumps(figures[kind], ensure_ascii=False, indent=1))
    print(json.dumps(figures, ensure_ascii=False))


if __name__ == "__main__":
    main()
