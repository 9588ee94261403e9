"""Media from real peers, through the server's two connections, to real peers."""

import asyncio
from typing import Any

import pytest

from vmeet_core.sfu.connections import BadDescription, PublishConnection


def attach(subscriber: Any, index: int, publisher: Any) -> tuple[str, str]:
    """Show a publisher in a slot; returns the slot's MIDs."""
    slot = subscriber.server.slots[index]
    slot.audio.attach(publisher.server.sources["microphone"] if publisher else None)
    slot.video.attach(publisher.server.sources["camera"] if publisher else None)
    return slot.mids


async def brightness(subscriber: Any, mid: str, wanted: int) -> None:
    """Wait for a picture of about this brightness."""
    async with asyncio.timeout(10):
        while True:
            frame = await subscriber.frame(mid)
            if abs(float(frame.to_ndarray(format="gray").mean()) - wanted) < 25:
                return


async def test_sound_and_picture_arrive(peers: Any) -> None:
    publisher = await peers.publisher(brightness=90)
    subscriber = await peers.subscriber()
    audio_mid, video_mid = attach(subscriber, 0, publisher)
    await brightness(subscriber, video_mid, 90)
    picture = await subscriber.frame(video_mid)
    assert (picture.width, picture.height) == (320, 240)
    sound = await subscriber.frame(audio_mid)
    assert abs(sound.to_ndarray()).max() > 1000


async def test_a_slot_is_switched_without_negotiation(peers: Any) -> None:
    first, second = await peers.publisher(brightness=60), await peers.publisher(brightness=200)
    subscriber = await peers.subscriber()
    _, video_mid = attach(subscriber, 0, first)
    await brightness(subscriber, video_mid, 60)
    attach(subscriber, 0, second)
    await brightness(subscriber, video_mid, 200)
    attach(subscriber, 0, first)
    await brightness(subscriber, video_mid, 60)
    assert subscriber.offers == 1


async def test_a_freed_slot_falls_silent(peers: Any) -> None:
    publisher = await peers.publisher()
    subscriber = await peers.subscriber()
    _, video_mid = attach(subscriber, 0, publisher)
    await subscriber.frame(video_mid)
    attach(subscriber, 0, None)
    sent = subscriber.server.slots[0].video.packets_sent
    await asyncio.sleep(0.3)
    assert subscriber.server.slots[0].video.packets_sent == sent


async def test_the_pool_grows_and_keeps_what_plays(peers: Any) -> None:
    publisher = await peers.publisher(brightness=60)
    subscriber = await peers.subscriber(slots=2)
    _, video_mid = attach(subscriber, 0, publisher)
    await brightness(subscriber, video_mid, 60)
    assert len(subscriber.server.slots) == 4
    await subscriber.server.ensure(5)
    assert len(subscriber.server.slots) == 8
    _, last_mid = attach(subscriber, 7, publisher)
    await brightness(subscriber, last_mid, 60)
    subscriber.drain(video_mid)
    await brightness(subscriber, video_mid, 60)
    assert subscriber.offers == 2


async def test_muted_sources_reach_nobody(peers: Any) -> None:
    publisher = await peers.publisher(brightness=60)
    subscriber = await peers.subscriber()
    _, video_mid = attach(subscriber, 0, publisher)
    await brightness(subscriber, video_mid, 60)
    camera, egress = publisher.server.sources["camera"], subscriber.server.slots[0].video
    camera.set_muted(True)
    sent = egress.packets_sent
    await asyncio.sleep(0.3)
    assert egress.packets_sent == sent
    camera.set_muted(False)
    async with asyncio.timeout(5):
        while egress.packets_sent == sent:
            await asyncio.sleep(0.02)
    subscriber.drain(video_mid)
    await brightness(subscriber, video_mid, 60)


@pytest.mark.parametrize("side", ["publisher", "server"])
async def test_lost_packets_are_sent_again(peers: Any, drop: Any, side: str) -> None:
    publisher = await peers.publisher(brightness=60)
    subscriber = await peers.subscriber()
    _, video_mid = attach(subscriber, 0, publisher)
    await brightness(subscriber, video_mid, 60)
    if side == "publisher":
        drop(publisher.pc, lambda n: n % 20 == 0)
    else:
        send, count = subscriber.server.media.send_rtp, 0

        def lossy(data: bytes) -> bool:
            nonlocal count
            count += 1
            return True if count % 20 == 0 else send(data)

        for slot in subscriber.server.slots:
            slot.video._send_rtp = lossy
    subscriber.drain(video_mid)
    await asyncio.sleep(4)
    assert subscriber.received(video_mid) > 0.9 * 4 * 30


@pytest.mark.parametrize(
    "sdp",
    [
        "garbage",
        "v=0\r\nm=audio",
        "v=0\r\no=- 0 0 IN IP4 0\r\ns=-\r\nt=0 0\r\nm=video 9 UDP/TLS/RTP/SAVPF 200\r\n",
        "\x00" * 50,
    ],
)
async def test_a_bad_offer_is_refused(sdp: str) -> None:
    connection = PublishConnection([])
    with pytest.raises(BadDescription):
        await connection.negotiate(sdp, {"0": "camera"})
    await connection.close()


async def test_an_offer_without_the_promised_section_is_refused(peers: Any) -> None:
    publisher = await peers.publisher()
    connection = PublishConnection([])
    with pytest.raises(BadDescription, match="no media section with MID '9'"):
        await connection.negotiate(publisher.pc.localDescription.sdp, {"9": "camera"})
    await connection.close()


async def test_a_microphone_that_is_a_picture_is_refused(peers: Any) -> None:
    publisher = await peers.publisher()
    connection = PublishConnection([])
    with pytest.raises(BadDescription, match="which is no microphone"):
        await connection.negotiate(publisher.pc.localDescription.sdp, {"1": "microphone"})
    await connection.close()


@pytest.mark.parametrize("candidate", ["garbage", "candidate:1 1 udp", "candidate:a b c d e f g h"])
async def test_a_bad_candidate_is_refused(peers: Any, candidate: str) -> None:
    publisher = await peers.publisher()
    with pytest.raises(BadDescription):
        await publisher.server.add_candidate(candidate, "0")


async def test_garbage_packets_do_not_end_the_connection(peers: Any) -> None:
    publisher = await peers.publisher(brightness=60)
    subscriber = await peers.subscriber()
    for data in (b"\x80", b"\x90" + bytes(11), b"\xff" * 40, b"\xa0" + bytes(10) + b"\xff"):
        publisher.server.media._guarded(publisher.server._on_rtp, data)
        publisher.server.media._guarded(publisher.server._on_rtcp, data)
    assert publisher.server.media.packet_errors == 8
    _, video_mid = attach(subscriber, 0, publisher)
    await brightness(subscriber, video_mid, 60)


async def test_receiver_reports_and_bandwidth_go_back(peers: Any) -> None:
    publisher = await peers.publisher()
    async with asyncio.timeout(10):
        while True:
            stats = await publisher.pc.getStats()
            kinds = {s.kind for s in stats.values() if s.type == "remote-inbound-rtp"}
            if kinds == {"audio", "video"} and publisher.server._remb_bps:
                break
            await asyncio.sleep(0.1)
