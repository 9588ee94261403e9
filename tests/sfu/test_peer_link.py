"""The end of a connection, whoever waits for it."""

import asyncio
from typing import Any

import pytest

from vmeet_core.sfu import rtc
from vmeet_core.sfu.peer_link import PeerLink


async def close_and_cancel(link: PeerLink, rounds: int) -> None:
    """Whoever closes it is cancelled when the loop has gone round this often."""
    closer = asyncio.create_task(link.close())
    for _ in range(rounds):
        await asyncio.sleep(0)
    closer.cancel()
    await asyncio.gather(closer, return_exceptions=True)


@pytest.mark.parametrize("rounds", range(4))
async def test_it_ends_though_whoever_closes_it_is_cancelled(peers: Any, rounds: int) -> None:
    link = (await peers.publisher()).server
    ice = rtc.ice_of(link.pc.getTransceivers()[0])
    await close_and_cancel(link, rounds)
    async with asyncio.timeout(10):
        await link.close()
        await link.pc.close()  # waits for the first one
    assert link.state == "closed"
    assert ice.closed


@pytest.mark.parametrize("rounds", range(1, 3))
async def test_it_ends_where_aiortc_closes_it_for_the_other_side_and_whoever_follows_is_cancelled(
    peers: Any, rounds: int
) -> None:
    publisher = await peers.publisher()
    link = publisher.server
    followers: list[asyncio.Task[None]] = []
    link.pc.on("signalingstatechange", lambda: followers.append(asyncio.create_task(close_and_cancel(link, rounds))))
    await publisher.pc.close()
    async with asyncio.timeout(10):
        while not followers:
            await asyncio.sleep(0.01)
        await asyncio.gather(*followers)
        await asyncio.gather(link.close(), link.pc.close())
    assert link.state == "closed"
