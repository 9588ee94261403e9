"""A disk that is full: a small file system of the run's own, in a mount namespace of its own, that gets no larger."""

import asyncio
import contextlib
import os
import random
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from killmatrix_hindrance import Hindrance
from killmatrix_people import Person
from killmatrix_truth import Told
from leak_peers import until

ROOM_BYTES = 1 << 30  #: while it is not full; it takes memory only for what is written
RECORDING_SPARE_BYTES = 64 << 10  #: at most so much is left when it is filled up while people record
STEP_SPARE_BYTES = 400 << 10  #: and while a step runs, which shall have begun to write
NOTICE_S = 20.0
FULL_S = 4.0  #: at most so long a step runs on a full disk before the kill
BEGINS_FULL_S = 10.0  #: at most so long a server that is started waits for room: it gives up opening after 15 s
INSIDE = "--inside-namespace"


def enter_namespace() -> None:
    """Run this program again where its mounts are seen by nobody else and go with it. Raises SystemExit."""
    if shutil.which("unshare") is None:
        sys.exit("a full disk needs Linux and unshare (Debian: util-linux)")
    as_root = [] if os.geteuid() == 0 else ["--map-root-user"]
    os.execvp("unshare", ["unshare", "--mount", *as_root, sys.executable, *sys.argv, INSIDE])


class SmallDisk:
    """A tmpfs on ``folder``, whose size is changed while it is in use."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self._mount("mount", "-t", "tmpfs", "-o", f"size={ROOM_BYTES}", "vmeet-small-disk", str(folder))

    def fill(self, spare_bytes: int) -> None:
        """From now on no more than ``spare_bytes`` can be written."""
        while True:
            usage = shutil.disk_usage(self._folder)
            with contextlib.suppress(subprocess.CalledProcessError):  # more was written meanwhile
                self._resize(usage.used + spare_bytes)
                return

    def free(self) -> None:
        """There is room again."""
        self._resize(ROOM_BYTES)

    def _resize(self, size_bytes: int) -> None:
        self._mount("mount", "-o", f"remount,size={size_bytes}", str(self._folder))

    def unmount(self) -> None:
        """What was on it is gone, as soon as nobody has it open any more."""
        self._mount("umount", "--lazy", str(self._folder))

    @staticmethod
    def _mount(*command: str) -> None:
        subprocess.run(command, check=True, capture_output=True)


class FullDisk(Hindrance):
    """The server's data lie on a small disk. It is full while people record, while recordings begin and while steps
    write; there is room again before the server is started anew, or some time after that.
    """

    def __init__(self, folder: Path, seed: int) -> None:
        super().__init__()
        self._folder = folder
        self._disk = SmallDisk(folder)
        self._random = random.Random(f"{seed} disk")
        self._full = False
        self._full_disks = 0
        self._notices: list[str] = []
        self._starts_while_full = 0
        self._freeing: asyncio.Task[None] | None = None

    async def _fill(self, most_spare_bytes: int) -> None:
        spare_bytes = int(self._random.uniform(0, 1) ** 2 * most_spare_bytes)
        await asyncio.to_thread(self._disk.fill, spare_bytes)
        self._full, self._full_disks = True, self._full_disks + 1

    async def _free(self) -> None:
        if self._full:
            await asyncio.to_thread(self._disk.free)
            self._full = False

    async def before_recording(self) -> None:
        if self._random.random() < 0.5:
            await self._fill(RECORDING_SPARE_BYTES // 8)

    async def while_recording(self, people: list[Person], told: Told) -> None:
        """It stops by itself, and everybody is told why; one time in four the kill comes before that."""
        if self._full:
            return
        told.full_s = time.time()
        await self._fill(RECORDING_SPARE_BYTES)
        if self._random.random() < 0.25:
            await asyncio.sleep(self._random.uniform(0, 1))
            return
        try:
            await until(lambda: not any(person.recording for person in people), NOTICE_S)
        except TimeoutError:
            self.faults.append(f"nobody was told within {NOTICE_S:.0f} s that {told.recording_id} has stopped")
            return
        for person in people:
            if told.stopped_s == float("inf") and "full" not in (person.recording_reason or ""):
                self.faults.append(f"{person.name} was told: {person.recording_reason!r}")
        self._notices.append(str(people[0].recording_reason))

    async def at_step(self) -> None:
        await self._fill(STEP_SPARE_BYTES)
        await asyncio.sleep(self._random.uniform(0, FULL_S))

    async def killed(self) -> None:
        if self._random.random() < 0.5:
            await self._free()
        if self._full:
            self._starts_while_full += 1
            self._freeing = asyncio.create_task(self._free_later())

    async def _free_later(self) -> None:
        await asyncio.sleep(self._random.uniform(0, BEGINS_FULL_S))
        await self._free()

    async def restarted(self) -> None:
        if self._freeing is not None:
            await self._freeing
            self._freeing = None
        await self._free()

    async def end(self) -> None:
        await self._free()

    def figures(self) -> dict[str, Any]:
        return {
            "full_disks": self._full_disks,
            "starts_while_full": self._starts_while_full,
            "notices": sorted(set(self._notices)),
        }

    def close(self, kept: Path | None) -> None:
        """The small disk goes; what lies on it is copied to ``kept``."""
        if kept is not None:
            shutil.copytree(self._folder, kept, dirs_exist_ok=True)
        self._disk.unmount()
