"""What the emulated network does to packets, without any socket."""

import itertools

import pytest
from network_channel import Channel, Conditions, Counts

PACKET_BYTES = 972  # 1000 with its headers


def fates(conditions: Conditions, packets: int = 20_000, seed: int = 1) -> list[bool]:
    channel = Channel(seed)
    channel.conditions = conditions
    return [channel.admit(PACKET_BYTES, number / 100) is not None for number in range(packets)]


def test_a_perfect_network_passes_everything_at_once() -> None:
    channel = Channel(1)
    assert [channel.admit(PACKET_BYTES, now_s) for now_s in (1.0, 1.0, 2.5)] == [1.0, 1.0, 2.5]
    assert channel.counts == Counts(passed=3)


def test_loss_is_random_and_repeatable() -> None:
    first = fates(Conditions(loss=0.2))
    assert first == fates(Conditions(loss=0.2))
    assert first != fates(Conditions(loss=0.2), seed=2)
    assert first.count(False) / len(first) == pytest.approx(0.2, abs=0.01)


@pytest.mark.parametrize("burst_packets", [1.0, 3.0, 8.0])
def test_bursts_have_their_length_and_their_share(burst_packets: float) -> None:
    passed = fates(Conditions(loss=0.1, burst_packets=burst_packets))
    bursts = [len(list(run)) for got_through, run in itertools.groupby(passed) if not got_through]
    assert sum(bursts) / len(bursts) == pytest.approx(burst_packets, rel=0.1)
    assert sum(bursts) / len(passed) == pytest.approx(0.1, abs=0.02)


@pytest.mark.parametrize("burst_packets", [None, 3.0])
def test_no_loss_and_total_loss(burst_packets: float | None) -> None:
    assert all(fates(Conditions(loss=0, burst_packets=burst_packets), 1000))
    assert not any(fates(Conditions(loss=1, burst_packets=burst_packets), 1000))


def test_the_rate_is_limited_and_the_queue_bounded() -> None:
    channel = Channel(1)
    channel.conditions = Conditions(rate_bps=80_000, queue_s=0.25)  # a packet takes 0.1 s
    arrivals = [channel.admit(PACKET_BYTES, 0.0) for _ in range(6)]
    assert arrivals[:3] == pytest.approx([0.1, 0.2, 0.3])
    assert arrivals[3:] == [None] * 3
    assert channel.counts == Counts(passed=3, overflowed=3)
    assert channel.admit(PACKET_BYTES, 0.1) == pytest.approx(0.4), "the queue has moved on by one"
    assert channel.admit(PACKET_BYTES, 9.0) == pytest.approx(9.1), "an idle line saves nothing up"


def test_jitter_delays_but_keeps_the_order() -> None:
    channel = Channel(1)
    channel.conditions = Conditions(delay_s=0.05, jitter_s=0.04)
    sent = [number / 100 for number in range(500)]
    arrivals = [channel.admit(PACKET_BYTES, now_s) or 0.0 for now_s in sent]
    waits = [there - here for there, here in zip(arrivals, sent, strict=True)]
    assert arrivals == sorted(arrivals)
    assert min(waits) >= 0.05 - 1e-9
    assert 0.085 < max(waits) <= 0.09


def test_a_blackout_ends() -> None:
    channel = Channel(1)
    channel.conditions = Conditions(blackout=True)
    assert channel.admit(PACKET_BYTES, 1.0) is None
    channel.conditions = Conditions()
    assert channel.admit(PACKET_BYTES, 2.0) == 2.0
    assert channel.counts == Counts(passed=1, blacked_out=1)
