"""What goes again, and when."""

import pytest

from vmeet_core.sfu.packet import Wire, parse
from vmeet_core.sfu.rtx_stream import MAX_REPAIRS, RtxStream

WIRE = Wire(b"\x80" + bytes(11) + b"picture", 0, 0, 12)


class Way:
    def __init__(self) -> None:
        self.open = True
        self.sent: list[tuple[bytes, int, int, int]] = []

    def send_wire(
        self, wire: Wire, second: int, sequence: int, timestamp: int, ssrc: int, picture_id: int, tl0: int
    ) -> bool:
        if self.open:
            self.sent.append((wire.data, sequence, timestamp, ssrc))
        return self.open


@pytest.fixture
def way() -> Way:
    return Way()


@pytest.fixture
def rtx(way: Way) -> RtxStream:
    return RtxStream(7001, way)


def test_the_number_of_the_packet_stands_before_its_payload(rtx: RtxStream, way: Way) -> None:
    for out in (65_535, 3):
        assert rtx.send(bytearray(WIRE.data), WIRE, out, 98, 9000) == len(WIRE.data) + 2
    assert [(sequence, timestamp, ssrc) for _, sequence, timestamp, ssrc in way.sent] == [
        (0, 9000, 7001),
        (1, 9000, 7001),
    ]
    assert [parse(data).payload for data, *_ in way.sent] == [b"\xff\xffpicture", b"\x00\x03picture"]


def test_a_packet_that_could_not_be_sent_uses_up_no_number(rtx: RtxStream, way: Way) -> None:
    way.open = False
    assert rtx.send(bytearray(WIRE.data), WIRE, 1, 98, 0) == 0
    way.open = True
    rtx.send(bytearray(WIRE.data), WIRE, 1, 98, 0)
    assert way.sent[0][1] == 0


def test_a_repair_has_the_time_to_arrive(rtx: RtxStream) -> None:
    assert rtx.is_due(5, 0.04, 1.0)
    assert not rtx.is_due(5, 0.04, 1.03)
    assert rtx.is_due(6, 0.04, 1.03)
    assert rtx.is_due(5, 0.04, 1.05)


def test_a_repair_that_was_lost_itself_is_due_at_once(rtx: RtxStream) -> None:
    assert rtx.is_due(5, 0.04, 1.0)
    rtx.note(5)
    rtx.send(bytearray(WIRE.data), WIRE, 5, 98, 0)
    assert rtx.lose(0) == 5
    assert rtx.is_due(5, 0.04, 1.001)
    assert rtx.lose(0) is None, "told once"
    assert rtx.lose(17) is None, "padding"


def test_what_it_remembers_is_bounded(rtx: RtxStream) -> None:
    for out in range(3 * MAX_REPAIRS):
        rtx.is_due(out, 0.04, 1.0)
        rtx.note(out)
        rtx.send(bytearray(WIRE.data), WIRE, out & 0xFFFF, 98, 0)
    assert len(rtx._carried) <= MAX_REPAIRS
    assert len(rtx._repaired_s) <= MAX_REPAIRS
