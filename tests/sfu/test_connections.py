"""Media from real peers, through the server's two connections, to real peers."""

import asyncio
from typing import Any

import pytest

from vmeet_core.sfu.egress import Demand
from vmeet_core.sfu.network import Network
from vmeet_core.sfu.peer_link import BadDescription
from vmeet_core.sfu.publish_connection import PublishConnection


def attach(subscriber: Any, index: int, publisher: Any) -> tuple[str, str]:
    """Show a publisher in a slot; returns the slot's MIDs."""
    slot = subscriber.server.pairs[index]
    slot.audio.attach(publisher.server.sources["microphone"] if publisher else None)
    slot.video.show(publisher.server.pictures("camera") if publisher else ())
    slot.video.demand = Demand(0, 720)
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
    sent = subscriber.server.pairs[0].video.packets_sent
    await asyncio.sleep(0.3)
    assert subscriber.server.pairs[0].video.packets_sent == sent


async def test_the_pool_grows_and_keeps_what_plays(peers: Any) -> None:
    publisher = await peers.publisher(brightness=60)
    subscriber = await peers.subscriber(slots=2)
    _, video_mid = attach(subscriber, 0, publisher)
    await brightness(subscriber, video_mid, 60)
    assert len(subscriber.server.pairs) == 4
    await subscriber.server.ensure(5)
    assert len(subscriber.server.pairs) == 5
    _, last_mid = attach(subscriber, 4, publisher)
    await brightness(subscriber, last_mid, 60)
    subscriber.drain(video_mid)
    await brightness(subscriber, video_mid, 60)
    assert subscriber.offers == 2


async def test_muted_sources_reach_nobody(peers: Any) -> None:
    publisher = await peers.publisher(brightness=60)
    subscriber = await peers.subscriber()
    _, video_mid = attach(subscriber, 0, publisher)
    await brightness(subscriber, video_mid, 60)
    camera, egress = publisher.server.sources["camera"], subscriber.server.pairs[0].video
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
    # What a receiver that decodes in this very process thinks of its network is no matter of this test.
    subscriber.server._adaptation.on_remb = lambda bps, now_s: None  # type: ignore[method-assign]
    if side == "publisher":
        drop(publisher.pc, lambda n: n % 20 == 0)
    else:
        ice, count = subscriber.server.media._ice, 0
        ssrc = subscriber.server.pairs[0].video.ssrc.to_bytes(4, "big")

        class LossySocket:
            """Loses no repair: aiortc asks once for a packet, and then waits until its buffer overflows."""

            def sendto(self, data: bytes, address: Any) -> int:
                nonlocal count
                is_picture = data[8:12] == ssrc
                count += is_picture
                return len(data) if is_picture and count % 20 == 0 else socket.sendto(data, address)

            def sendmsg(self, buffers: Any, control: Any, flags: int, address: Any) -> None:
                size = int.from_bytes(control[0][2], "little")
                for at in range(0, len(buffers[0]), size):
                    self.sendto(buffers[0][at : at + size], address)

        socket, ice.sock = ice.sock, LossySocket()
    subscriber.drain(video_mid)
    began = publisher.video.frames
    await asyncio.sleep(4)
    sent = publisher.video.frames - began
    await asyncio.sleep(0.5)
    assert subscriber.received(video_mid) > 0.9 * sent
    if side == "server":
        assert subscriber.server.pairs[0].video.retransmitted > 0


@pytest.mark.parametrize(
    "sdp",
    [
        "garbage",
        "v=0\r\nm=audio",
        "v=0\r\no=- 0 0 IN IP4 0\r\ns=-\r\nt=0 0\r\nm=video 9 UDP/TLS/RTP/SAVPF 200\r\n",
        "\x00" * 50,
    ],
)
async def test_a_bad_offer_is_refused(network: Network, sdp: str) -> None:
    connection = PublishConnection(network)
    with pytest.raises(BadDescription):
        await connection.negotiate(sdp, {"0": "camera"})
    await connection.close()


async def test_an_offer_without_the_promised_section_is_refused(peers: Any, network: Network) -> None:
    publisher = await peers.publisher()
    connection = PublishConnection(network)
    with pytest.raises(BadDescription, match="no media section with MID '9'"):
        await connection.negotiate(publisher.pc.localDescription.sdp, {"9": "camera"})
    await connection.close()


async def test_a_microphone_that_is_a_picture_is_refused(peers: Any, network: Network) -> None:
    publisher = await peers.publisher()
    connection = PublishConnection(network)
    with pytest.raises(BadDescription, match="which is no microphone"):
        await connection.negotiate(publisher.pc.localDescription.sdp, {"1": "microphone"})
    await connection.close()


@pytest.mark.parametrize("candidate", ["garbage", "candidate:1 1 udp", "candidate:a b c d e f g h"])
async def test_a_bad_candidate_is_refused(peers: Any, candidate: str) -> None:
    publisher = await peers.publisher()
    with pytest.raises(BadDescription):
        await publisher.server.add_candidate(candidate, "0")


async def test_bad_packets_do_not_end_the_connection(peers: Any) -> None:
    publisher = await peers.publisher(brightness=60)
    subscriber = await peers.subscriber()
    media = publisher.server.media
    for data in (b"\x80", b"\x90" + bytes(11), b"\x80" * 3000, b"\xa0" + bytes(10) + b"\xff"):
        media._ice.on_media(data)
    assert media.packet_errors == 4
    handler, raised = media._on_rtp, asyncio.Event()

    def broken(data: bytes) -> None:
        raised.set()
        raise RuntimeError("a fault of ours")

    media._on_rtp = broken
    await asyncio.wait_for(raised.wait(), 5)
    media._on_rtp = handler
    _, video_mid = attach(subscriber, 0, publisher)
    await brightness(subscriber, video_mid, 60)


async def test_receiver_reports_go_back(peers: Any) -> None:
    publisher = await peers.publisher()
    async with asyncio.timeout(10):
        while True:
            stats = await publisher.pc.getStats()
            kinds = {s.kind for s in stats.values() if s.type == "remote-inbound-rtp"}
            if kinds == {"audio", "video"}:
                break
            await asyncio.sleep(0.1)
    reports = {report.source: report for report in publisher.server.reports()}
    assert reports["camera"].bitrate_bps > 10_000
    assert reports["camera"].loss == 0


async def test_the_receiver_tells_how_it_does(peers: Any) -> None:
    publisher = await peers.publisher()
    subscriber = await peers.subscriber()
    attach(subscriber, 0, publisher)
    async with asyncio.timeout(15):
        while (report := subscriber.server.report()).rtt_s is None or report.estimate_bps is None:
            await asyncio.sleep(0.1)
    assert report.rtt_s < 1
    assert report.sent_bps > 10_000
    assert subscriber.server.pairs[0].video.report().layer == "full"


async def test_a_picture_that_nobody_shows_is_not_sent(peers: Any) -> None:
    publisher = await peers.publisher()
    subscriber = await peers.subscriber()
    _, video_mid = attach(subscriber, 0, publisher)
    await subscriber.frame(video_mid)
    video = subscriber.server.pairs[0].video
    video.demand = None
    await asyncio.sleep(0.1)
    sent = video.packets_sent
    await asyncio.sleep(0.4)
    assert video.packets_sent == sent
    assert video.paused
    video.demand = Demand(0, 720)
    subscriber.drain(video_mid)
    await subscriber.frame(video_mid)


async def test_a_screen_has_a_slot_of_its_own(peers: Any) -> None:
    publisher = await peers.publisher(brightness=60)
    subscriber = await peers.subscriber()
    await subscriber.server.ensure(1, screens=1)
    async with asyncio.timeout(10):
        while subscriber.offers < 2 or subscriber.server.screens[0].mid not in subscriber.tracks:
            await asyncio.sleep(0.02)
    slot = subscriber.server.screens[0]
    slot.video.show(publisher.server.pictures("camera"))
    slot.video.demand = Demand(0, 720)
    await brightness(subscriber, slot.mid, 60)
