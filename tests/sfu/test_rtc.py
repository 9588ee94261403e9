"""The private names of aiortc that we depend on."""

import asyncio

import pytest
from aiortc.rtcdtlstransport import RTCDtlsTransport

from vmeet_core.sfu import rtc


def test_the_installed_aiortc_is_the_one_we_know() -> None:
    assert rtc.self_test() == []


def test_a_name_that_has_gone_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(RTCDtlsTransport, "_handle_rtp_data")
    assert any("RTCDtlsTransport._handle_rtp_data" in problem for problem in rtc.self_test())


def test_other_arguments_are_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(RTCDtlsTransport, "_handle_rtcp_data", lambda self, data, more: None)
    assert any("_handle_rtcp_data" in problem for problem in rtc.self_test())


async def test_no_server_is_asked_by_default() -> None:
    connection = rtc.new_connection([])
    transceiver = connection.addTransceiver("audio")
    gatherer = transceiver.receiver.transport.transport.iceGatherer
    assert gatherer._connection.stun_server is None
    assert gatherer._connection.turn_server is None
    await connection.close()


def test_nothing_is_sent_before_there_is_a_path() -> None:
    transport = rtc.MediaTransport(lambda data: None, lambda data: None)
    assert not transport.send_rtp(b"x")
    assert not transport.send_rtcp(b"x")


async def test_a_handler_that_fails_is_counted_and_contained() -> None:
    def fails(data: bytes) -> None:
        raise KeyError(data)

    transport = rtc.MediaTransport(fails, fails)
    await asyncio.gather(transport._handle_rtp_data(b"x", 0), transport._handle_rtcp_data(b"x"))
    assert transport.packet_errors == 2
