"""What all servers under test have in common."""

import abc
import asyncio
import contextlib
import sys
from pathlib import Path

import aiohttp
from forwarding_figures import Figures, Layout
from forwarding_load import Load
from forwarding_network import Place, ServerProcess

FLOWING_S = 60.0
FULL_S = 120.0  #: a server that adapts has learned by then what the path carries


class Server(abc.ABC):
    """One server, started for one measurement."""

    process: ServerProcess

    @abc.abstractmethod
    def __init__(self, where: Place, cores: set[int], folder: Path) -> None:
        """``folder`` holds its settings and its log."""

    @abc.abstractmethod
    async def start(self) -> None:
        """Returns when it answers. Raises RuntimeError with its log when it ended, TimeoutError when it hangs."""

    @abc.abstractmethod
    async def connect(self, layout: Layout, load: Load) -> None:
        """Let people in; their media are handed to ``load``. Raises RuntimeError when the server refuses."""

    async def flowing(self, layout: Layout, load: Load) -> None:
        """Until everybody gets everything. Raises RuntimeError that says who lacks what."""
        await load.flowing(layout.receivers, FLOWING_S)
        if not await load.full(FULL_S):
            print("not everything is forwarded: the server thinks that the network cannot carry it", file=sys.stderr)

    async def measure(self, layout: Layout, load: Load, seconds: float) -> Figures:
        """Over a window of so many seconds, while the load runs."""
        return await load.measure(layout, self.process.cpu_ns, seconds)

    @abc.abstractmethod
    async def stop(self) -> None:
        """End it, whatever state it is in."""


async def answering(http: aiohttp.ClientSession, path: str, process: ServerProcess, timeout_s: float) -> None:
    """Wait until a server answers HTTP. Raises RuntimeError with its log when it has ended."""
    async with asyncio.timeout(timeout_s):
        while True:
            process.check()
            with contextlib.suppress(aiohttp.ClientError):
                async with http.get(path):
                    return
            await asyncio.sleep(0.1)
