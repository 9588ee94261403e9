"""What of a sound file the next one repeats."""

from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from part_borders import AUDIBLE, PACKET, RATE_HZ, decoded, measure, opus_packets

from vmeet_core.media.encoded import EncodedFrame, opus_samples
from vmeet_core.recording.sound_tail import PREROLL_S, SoundTail

NEEDED = round(PREROLL_S * RATE_HZ)


def test_enough_packets_for_a_decoder_to_settle(audio_frames: Any) -> None:
    tail = SoundTail()
    packets = list(islice(audio_frames(), 100))
    for packet in packets[:99]:
        tail.add(packet)
    assert tail.before(packets[99]) == tuple(packets[99 - NEEDED // PACKET : 99])
    assert tail.before(packets[98]) == ()


def test_nothing_from_before_a_gap(audio_frames: Any) -> None:
    tail = SoundTail()
    packets = list(islice(audio_frames(), 60))
    for packet in (*packets[:40], *packets[41:50]):
        tail.add(packet)
    assert tail.before(packets[50]) == tuple(packets[41:50])
    assert tail.before(packets[51]) == ()
    assert SoundTail().before(packets[0]) == ()


def test_timestamps_that_wrap_and_packets_of_any_length_are_followed() -> None:
    tail, rtp, lengths = SoundTail(), 2**32 - 10_000, (3 << 3, 16 << 3, 31 << 3, 11 << 3)
    packets = []
    for number in range(100):
        data = bytes((lengths[number % 4], 1))
        packets.append(EncodedFrame("opus", rtp % 2**32, data, True, 1, 0.0))
        rtp += opus_samples(data)
    for packet in packets[:-1]:
        tail.add(packet)
    found = tail.before(packets[-1])
    assert found == tuple(packets[-1 - len(found) : -1])
    assert NEEDED <= sum(opus_samples(each.data) for each in found) < NEEDED + 2880


def test_it_does_not_grow_with_packets_that_hold_nothing() -> None:
    tail = SoundTail()
    empty = EncodedFrame("opus", 5, b"", True, 1, 0.0)
    for _ in range(1000):
        tail.add(empty)
    assert len(tail.before(empty)) <= PREROLL_S / 0.0025


@pytest.mark.parametrize("bitrate_bps", [12_000, 24_000])
def test_a_decoder_has_settled_wherever_the_border_lies(shared_data: Path, bitrate_bps: int) -> None:
    """In the one of the 26 utterances in which it takes longest."""
    packets, repeated = opus_packets(shared_data / "mandarin" / "24.flac", bitrate_bps), NEEDED // PACKET
    whole = decoded(packets)
    assert len(whole) == len(packets) > 600
    for border in range(repeated + 1, len(packets)):
        after = decoded(packets[border - repeated : border + 1])[repeated]
        assert np.abs(after - whole[border]).max() < AUDIBLE, border


def test_borders_that_can_be_heard_are_found(shared_data: Path) -> None:
    """After as much as RFC 7845 recommends."""
    packets = opus_packets(shared_data / "mandarin" / "24.flac", 12_000)
    found = measure(packets, decoded(packets), list(range(50, 600, 5)), 4)
    assert found["heard"] > 0.05
    assert found["worst_snr_db"] < 20
