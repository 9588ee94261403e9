"""The private names of aiortc that we depend on, and what we make of them."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiortc import RTCConfiguration, RTCPeerConnection, RTCSessionDescription, rtcicetransport
from aiortc.rtcdtlstransport import SRTP_AEAD_AES_128_GCM, SRTP_AES128_CM_SHA1_80, RTCDtlsTransport
from aiortc.rtcicetransport import RTCIceTransport

from vmeet_core.sfu import rtc
from vmeet_core.sfu.network import Network


@pytest.fixture
async def network() -> AsyncIterator[Network]:
    network = Network(addresses=("127.0.0.1",))
    await network.open()
    yield network
    await network.close()


@pytest.fixture
async def server(network: Network) -> AsyncIterator[RTCPeerConnection]:
    connection = network.new_connection()
    yield connection
    await connection.close()


@pytest.fixture
async def browser() -> AsyncIterator[RTCPeerConnection]:
    connection = RTCPeerConnection(RTCConfiguration(iceServers=[]))
    connection.addTransceiver("video")
    yield connection
    await connection.close()


# ---- the self-test ----


def test_the_installed_aiortc_is_the_one_we_know() -> None:
    assert rtc.self_test() == []


def test_a_name_that_has_gone_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(RTCPeerConnection, "_RTCPeerConnection__createDtlsTransport")
    assert any("RTCPeerConnection._RTCPeerConnection__createDtlsTransport" in problem for problem in rtc.self_test())


def test_other_arguments_are_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(RTCDtlsTransport, "_set_role", lambda self, role, more: None)
    assert any("RTCDtlsTransport._set_role" in problem for problem in rtc.self_test())


def test_an_attribute_that_has_gone_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    original = RTCIceTransport.__init__

    def without_send(self: Any, gatherer: Any) -> None:
        original(self, gatherer)
        del self._send

    monkeypatch.setattr(RTCIceTransport, "__init__", without_send)
    assert rtc.self_test() == ["RTCIceTransport._send is not there"]


def test_something_new_that_is_asked_of_ice_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    source = rtc.inspect.getsource(rtcicetransport)
    monkeypatch.setattr(rtc.inspect, "getsource", lambda module: source + "\nself._connection.restart()\n")
    assert rtc.self_test() == ["IceLite.restart is not there"]


# ---- ICE ----


async def test_aiortc_uses_our_ice(server: RTCPeerConnection, network: Network) -> None:
    transceiver = server.addTransceiver("audio")
    ice = rtc.ice_of(transceiver)
    assert network.connections == {ice.local_username: ice}
    assert transceiver.receiver.transport.transport.iceGatherer._connection is ice


async def test_all_transceivers_share_one_transport(server: RTCPeerConnection, network: Network) -> None:
    transceivers = [server.addTransceiver(kind) for kind in ("audio", "video", "video")]
    assert len({rtc.dtls_of(transceiver) for transceiver in transceivers}) == 1
    assert len(network.connections) == 1


async def test_another_connection_has_no_ice_of_ours(browser: RTCPeerConnection) -> None:
    with pytest.raises(TypeError, match="does not go through a Network"):
        rtc.ice_of(browser.getTransceivers()[0])


async def test_an_offer_says_lite_and_leaves_the_role_open(server: RTCPeerConnection) -> None:
    server.addTransceiver("audio")
    await server.setLocalDescription(await server.createOffer())
    lines = server.localDescription.sdp.splitlines()
    assert lines.index("a=ice-lite") < lines.index(next(line for line in lines if line.startswith("m=")))
    assert "a=setup:actpass" in lines
    assert "a=end-of-candidates" in lines


async def test_receivers_keep_no_bandwidth_estimate(server: RTCPeerConnection) -> None:
    receiver: Any = server.addTransceiver("video").receiver
    assert receiver._RTCRtpReceiver__remote_bitrate_estimator is None


# ---- DTLS ----


async def answered(server: RTCPeerConnection, browser: RTCPeerConnection, setup: str = "actpass") -> str:
    """The server's answer to the browser's offer, whose DTLS role is ``setup``."""
    await browser.setLocalDescription(await browser.createOffer())
    offer = browser.localDescription.sdp.replace("a=setup:actpass", f"a=setup:{setup}")
    await server.setRemoteDescription(RTCSessionDescription(offer, "offer"))
    for transceiver in server.getTransceivers():
        rtc.intercept_receiver(transceiver, lambda _: None)
        rtc.intercept_sender(transceiver, lambda _: None)
    await server.setLocalDescription(await server.createAnswer())
    answer: str = server.localDescription.sdp
    return answer


@pytest.mark.parametrize(("offered", "role"), [("actpass", "passive"), ("active", "passive"), ("passive", "active")])
async def test_the_server_is_the_dtls_server_where_it_may_choose(
    server: RTCPeerConnection, browser: RTCPeerConnection, offered: str, role: str
) -> None:
    assert f"a=setup:{role}" in (await answered(server, browser, offered)).splitlines()


async def connect(server: RTCPeerConnection, browser: RTCPeerConnection, setup: str = "actpass") -> RTCDtlsTransport:
    answer = await answered(server, browser, setup)
    dtls = rtc.dtls_of(server.getTransceivers()[0])
    assert not rtc.is_connected(dtls)
    assert rtc.srtp_sessions(dtls) is None
    done = asyncio.Event()
    dtls.on("statechange", lambda: done.set() if rtc.is_connected(dtls) else None)
    if setup == "passive":
        browser.getTransceivers()[0].receiver.transport._set_role("server")
    await browser.setRemoteDescription(RTCSessionDescription(answer, "answer"))
    await asyncio.wait_for(done.wait(), 10)
    return dtls


def profile(dtls: Any) -> bytes:
    return bytes(dtls._ssl.get_selected_srtp_profile())


async def test_aes_gcm_is_preferred(server: RTCPeerConnection, browser: RTCPeerConnection) -> None:
    dtls = await connect(server, browser)
    assert profile(dtls) == SRTP_AEAD_AES_128_GCM.openssl_profile
    assert rtc.srtp_sessions(dtls) is not None


async def test_an_offer_that_wants_to_be_the_dtls_server_connects(
    server: RTCPeerConnection, browser: RTCPeerConnection
) -> None:
    dtls = await connect(server, browser, setup="passive")
    assert rtc.srtp_sessions(dtls) is not None


async def test_who_knows_only_the_older_profile_gets_it(server: RTCPeerConnection, browser: RTCPeerConnection) -> None:
    browser.getTransceivers()[0].receiver.transport._srtp_profiles = [SRTP_AES128_CM_SHA1_80]
    dtls = await connect(server, browser)
    assert profile(dtls) == SRTP_AES128_CM_SHA1_80.openssl_profile


# ---- senders and receivers ----


async def test_senders_and_receivers_are_intercepted(server: RTCPeerConnection, browser: RTCPeerConnection) -> None:
    seen: list[str] = []
    done = asyncio.Event()
    transceiver = server.addTransceiver("video", direction="sendrecv")
    await answered(server, browser)

    def on_sender(parameters: Any) -> None:
        seen.append(f"sender {parameters.muxId}")

    def on_receiver(parameters: Any) -> None:
        seen.append(f"receiver {parameters.muxId}")
        done.set()

    rtc.intercept_sender(transceiver, on_sender)
    rtc.intercept_receiver(transceiver, on_receiver)
    await browser.setRemoteDescription(server.localDescription)
    await asyncio.wait_for(done.wait(), 10)
    assert seen == [f"sender {transceiver.mid}", f"receiver {transceiver.mid}"]


async def test_the_sdp_has_our_stream_and_ssrcs(server: RTCPeerConnection) -> None:
    transceiver = server.addTransceiver("video", direction="sendonly")
    rtc.set_stream_id(transceiver, "slot-7")
    ssrc, rtx_ssrc = rtc.sender_ssrcs(transceiver)
    await server.setLocalDescription(await server.createOffer())
    sdp = server.localDescription.sdp
    assert "a=msid:slot-7 " in sdp
    assert f"a=ssrc-group:FID {ssrc} {rtx_ssrc}" in sdp
