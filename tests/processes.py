"""Watching other processes and the traces that they leave."""

import asyncio
from pathlib import Path


async def appeared(path: Path, within_s: float = 60.0) -> None:
    """Another process makes the file: it has no event to wait for."""
    async with asyncio.timeout(within_s):
        while not await asyncio.to_thread(path.exists):
            await asyncio.sleep(0.02)


def is_running(pid: int) -> bool:
    """A zombie runs no more: whoever was its parent has not looked yet."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


async def gone(pid: int, within_s: float = 10.0) -> None:
    async with asyncio.timeout(within_s):
        while is_running(pid):
            await asyncio.sleep(0.02)
