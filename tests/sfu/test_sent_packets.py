"""What was sent is found again by its transport-wide number, once."""

from itertools import count

from hypothesis import given, settings
from hypothesis import strategies as st

from vmeet_core.sfu.sent_packets import KEPT, WIRE_BYTES, SentPackets
from vmeet_core.sfu.transport_feedback import Arrivals


def ticking() -> SentPackets:
    """Sent at 0, 1, 2, ... s."""
    seconds = count()
    return SentPackets(lambda: float(next(seconds)))


def test_a_report_tells_what_became_of_each_packet() -> None:
    sent = ticking()
    assert [sent.next(size, ssrc=7, rtp_sequence=size + 5) for size in (100, 200, 300)] == [0, 1, 2]
    found = sent.match(Arrivals(0, [50.0, None, 50.5]))
    assert [(*each[:2], each.size_bytes - WIRE_BYTES) for each in found] == [
        (0.0, 50.0, 100), (1.0, None, 200), (2.0, 50.5, 300),
    ]  # fmt: skip
    assert [(each.ssrc, each.sequence) for each in found] == [(7, 105), (7, 205), (7, 305)]


def test_numbers_wrap_at_16_bits() -> None:
    sent = ticking()
    for _ in range(0x10000 - 2):
        sent.next(10)
    assert [sent.next(size) for size in (1, 2, 3, 4)] == [0xFFFE, 0xFFFF, 0, 1]
    found = sent.match(Arrivals(0xFFFE, [1.0, 1.1, 1.2, 1.3]))
    assert [each.size_bytes - WIRE_BYTES for each in found] == [1, 2, 3, 4]
    assert found[2].sent_s == float(0x10000)


def test_what_was_never_sent_is_unknown() -> None:
    sent = ticking()
    assert sent.match(Arrivals(0, [1.0])) == []
    sent.next(100)
    assert sent.match(Arrivals(1, [1.0, None])) == []
    assert sent.match(Arrivals(0x8000, [1.0])) == []
    assert len(sent.match(Arrivals(0xFFFF, [1.0, 1.0, 1.0]))) == 1


def test_what_is_too_old_is_unknown() -> None:
    sent = ticking()
    for _ in range(KEPT + 1):
        sent.next(100)
    assert sent.match(Arrivals(0, [1.0])) == []
    assert [each.sent_s for each in sent.match(Arrivals(1, [1.0]))] == [1.0]


def test_what_a_lost_report_would_have_told_is_named() -> None:
    sent = ticking()
    for number in range(6):
        sent.next(100, ssrc=7, rtp_sequence=number)
    sent.match(Arrivals(0, [1.0, None]))
    assert sent.untold == []
    sent.match(Arrivals(4, [1.2, 1.3]))
    assert [(each.sequence, each.arrived_s) for each in sent.untold] == [(2, None), (3, None)]
    sent.match(Arrivals(6, [1.4]))
    assert sent.untold == []


def test_a_report_of_long_ago_names_nothing() -> None:
    sent = ticking()
    for _ in range(3 * KEPT):
        sent.next(100)
    sent.match(Arrivals(3 * KEPT - 1, [1.0]))
    assert sent.untold == []
    sent.match(Arrivals(5, [1.0]))
    assert sent.untold == []


def test_an_arrival_is_told_once() -> None:
    sent = ticking()
    sent.next(100)
    assert len(sent.match(Arrivals(0, [1.0]))) == 1
    assert sent.match(Arrivals(0, [1.0])) == []
    assert sent.match(Arrivals(0, [None])) == []


def test_what_seemed_lost_may_be_found_later() -> None:
    sent = ticking()
    sent.next(100)
    assert [each.arrived_s for each in sent.match(Arrivals(0, [None]))] == [None]
    assert [each.arrived_s for each in sent.match(Arrivals(0, [2.0]))] == [2.0]


@settings(max_examples=50, deadline=None)
@given(
    st.integers(0, 9000),
    st.lists(
        st.tuples(
            st.integers(0, 0xFFFF), st.lists(st.one_of(st.none(), st.floats(0, 9, allow_subnormal=False)), max_size=50)
        )
    ),
)
def test_no_report_makes_up_packets(packets: int, reports: list[tuple[int, list[float | None]]]) -> None:
    sent = ticking()
    for _ in range(packets):
        sent.next(100)
    arrived = [
        each for base, times in reports for each in sent.match(Arrivals(base, times)) if each.arrived_s is not None
    ]
    assert len({each.sent_s for each in arrived}) == len(arrived)
    assert all(packets - KEPT <= each.sent_s < packets for each in arrived)
