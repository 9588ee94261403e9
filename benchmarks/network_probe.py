"""What a page in a meeting sends, receives and hears, whatever the page's own code looks like.

The probe watches the page's peer connections and its socket: the protocol's messages say whose media is where.
"""

import asyncio
import itertools
from pathlib import Path
from typing import Any, NamedTuple

import browsers
import numpy as np
from network_emulator import Emulator, Line
from playwright.async_api import Browser, Page

BLOCK_S = 0.01  #: the browser hands sound over in blocks of so much
TONE = Path(__file__).with_name("network_tone.js").read_text(encoding="utf-8")
PROBE = Path(__file__).with_suffix(".js").read_text(encoding="utf-8")
QUIET = 0.1  #: a share of the usual level: below it there is a gap in the tone


class Look(NamedTuple):
    """A page at one moment. ``sent`` holds the outbound statistics by source, ``received`` those of each of the others:
    ``audio`` and ``video`` (inbound) and ``paused``; ``left`` are those whom the page was told to be gone."""

    at_s: float
    me: str
    left: list[str]
    statistics: dict[str, Any] | None
    sent: dict[str, dict[str, Any]]
    received: dict[str, dict[str, Any]]

    def video(self, person: str, name: str) -> float:
        """A figure of the picture received of someone; 0 while there is none."""
        return float(self.received.get(person, {}).get("video", {}).get(name) or 0)

    def audio(self, person: str, name: str) -> float:
        """A figure of the sound received of someone; 0 while there is none."""
        return float(self.received.get(person, {}).get("audio", {}).get(name) or 0)

    def received_bytes(self) -> float:
        """Of all sound and pictures."""
        return sum(self.audio(each, "bytesReceived") + self.video(each, "bytesReceived") for each in self.received)


class Person(NamedTuple):
    """Someone in a meeting, behind a line of their own."""

    page: Page
    line: Line

    async def look(self) -> Look:
        """The page's statistics now."""
        return Look(**await self.page.evaluate("networkProbe.look()"))

    async def listen(self) -> None:
        """Follow the sound of the others from now on."""
        await self.page.evaluate("networkProbe.listen()")

    async def gaps_s(self) -> dict[str, list[float]]:
        """The gaps in the tone of each of the others since ``listen``."""
        levels = await self.page.evaluate("networkProbe.levels")
        return {person: gaps_s(heard) for person, heard in levels.items()}


def gaps_s(levels: list[tuple[float, float]]) -> list[float]:
    """Lengths of the stretches in which a tone is quiet or no sound comes at all.

    ``levels`` are the beginnings in seconds and the levels of the blocks. Raises ValueError where nothing is heard.
    """
    times = np.array([at_s for at_s, _ in levels])
    loud = np.array([level for _, level in levels])
    usual = float(np.median(loud)) if len(loud) else 0.0
    if usual < 0.01:
        raise ValueError("the tone is not heard at all")
    ends = [times[0] - BLOCK_S, *times[loud >= QUIET * usual], times[-1] + BLOCK_S]
    steps = [after - before - BLOCK_S for before, after in itertools.pairwise(ends)]
    return [round(float(step), 3) for step in steps if step > BLOCK_S / 2]


async def arrive(
    chromium: Browser,
    emulator: Emulator,
    server: browsers.Server,
    meeting: dict[str, Any],
    name: str,
    script: str = TONE,
) -> Person:
    """Someone joins by a line that is perfect for now; ``script`` runs in the page first."""
    line = emulator.new_line(seed=sum(name.encode()))
    page = await browsers.new_page(chromium, script)
    await line.put_between(page)
    await page.add_init_script(PROBE)
    origin = await asyncio.to_thread(line.origin, ("127.0.0.1", server.port))
    await browsers.enter(page, origin + meeting["url"], name)
    return Person(page, line)


async def seen_by_all(people: list[Person], frames: int = 30, timeout_s: float = 20) -> list[Look]:
    """Wait until everybody has decoded so many pictures of everybody else. Raises TimeoutError."""
    async with asyncio.timeout(timeout_s):
        while True:
            looks = [await person.look() for person in people]
            ids = {look.me for look in looks}
            if all(look.video(each, "framesDecoded") >= frames for look in looks for each in ids - {look.me}):
                return looks
            await asyncio.sleep(0.2)
