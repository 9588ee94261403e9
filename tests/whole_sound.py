"""The sound of a recording in parts, as it would be had each track stayed in one file."""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import av
import numpy as np

from vmeet_core.hookspecs import Audio
from vmeet_core.manifest import SEGMENTS, SegmentStarted
from vmeet_core.media.encoded import EncodedFrame
from vmeet_core.media.segments import segment_sound
from vmeet_core.recording.segment import SegmentWriter

RATE_HZ = 48_000


def packets_of(folder: Path, segments: Sequence[SegmentStarted]) -> list[EncodedFrame]:
    """Without what is there twice."""
    found = []
    for segment in segments:
        with av.open(str(folder / SEGMENTS / segment.file)) as container:
            for packet in container.demux(audio=0):
                time_s = float((packet.pts or 0) * packet.time_base) - segment.preroll_s
                if packet.size and time_s > -0.001:
                    rtp = (segment.rtp + round(time_s * RATE_HZ)) % 2**32
                    found.append(EncodedFrame("opus", rtp, bytes(packet), True, segment.ssrc, segment.wall_s + time_s))
    return found


def in_one_file(path: Path, packets: Sequence[EncodedFrame]) -> Audio:
    """Of packets of one SSRC."""
    writer = SegmentWriter(path, packets[0])
    for packet in packets:
        writer.write(packet)
    writer.close()
    return np.concatenate(list(segment_sound(path, 0.0, writer.duration_s, RATE_HZ)))


def si_sdr_db(truth: Any, heard: Any) -> float:
    """How much of the power of ``heard`` is ``truth``; infinite when they are alike, whatever the level."""
    truth, heard = truth.astype(np.float64), heard.astype(np.float64)
    target = truth * (np.dot(truth, heard) / max(np.dot(truth, truth), 1e-12))
    noise = float(np.sum((heard - target) ** 2))
    return math.inf if noise < 1e-12 else 10 * math.log10(float(np.sum(target**2)) / noise)
