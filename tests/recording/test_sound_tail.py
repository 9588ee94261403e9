"""What of a sound file the next one repeats."""

from itertools import islice
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from vmeet_core.media.encoded import EncodedFrame, opus_samples
from vmeet_core.recording.sound_tail import PREROLL_S, SoundTail

NEEDED = round(PREROLL_S * 48_000)
PACKET = 960  # samples: 20 ms


def test_enough_packets_for_a_decoder_to_settle(audio_frames: Any) -> None:
    tail = SoundTail()
    packets = list(islice(audio_frames(), 100))
    for packet in packets[:99]:
        tail.add(packet)
    assert tail.before(packets[99]) == tuple(packets[99 - NEEDED // 960 : 99])
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


def opus_packets(path: Path, rate_bps: int) -> list[bytes]:
    """The sound of a file as a browser would send it."""
    encoder = av.CodecContext.create("libopus", "w")
    encoder.sample_rate, encoder.layout, encoder.format, encoder.bit_rate = 48_000, "mono", "s16", rate_bps  # type: ignore[attr-defined]
    encoder.options = {"application": "voip", "fec": "1", "packet_loss": "5"}
    resampler = av.AudioResampler("s16", "mono", 48_000, frame_size=PACKET)
    with av.open(str(path)) as container:
        frames = [each for frame in container.decode(audio=0) for each in resampler.resample(frame)]
    return [bytes(packet) for frame in frames for packet in encoder.encode(frame)]  # type: ignore[attr-defined]


def decoded(packets: list[bytes]) -> Any:
    """Float samples (packets, 960)."""
    decoder = av.CodecContext.create("opus", "r")
    decoder.sample_rate, decoder.layout = 48_000, "mono"  # type: ignore[attr-defined]
    frames = [frame for packet in packets for frame in decoder.decode(av.Packet(packet))]  # type: ignore[attr-defined]
    return np.stack([frame.to_ndarray().reshape(-1) for frame in frames])


@pytest.mark.parametrize("rate_bps", [12_000, 24_000])
def test_a_decoder_has_settled_wherever_the_border_lies(shared_data: Path, rate_bps: int) -> None:
    """In the one of the 26 utterances in which it takes longest."""
    packets, repeated = opus_packets(shared_data / "mandarin" / "24.flac", rate_bps), NEEDED // PACKET
    whole = decoded(packets)
    assert len(whole) == len(packets) > 600
    for border in range(repeated + 1, len(packets)):
        after = decoded(packets[border - repeated : border + 1])[repeated]
        assert np.abs(after - whole[border]).max() < 0.003, border
