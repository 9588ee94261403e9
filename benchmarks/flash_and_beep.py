"""How far sound and picture of a recording are apart: a camera that flashes and a microphone that beeps with it."""

from pathlib import Path
from typing import Any

import av
import numpy as np

#: A camera that flashes white and a microphone that beeps, both for 0.2 s at the same moments, once a second.
FLASH_AND_BEEP = """
navigator.mediaDevices.getUserMedia = async (wanted) => {
  window.context ||= new AudioContext();
  const stream = new MediaStream();
  if (wanted.video) {
    const canvas = Object.assign(document.createElement("canvas"), { width: 640, height: 360 });
    const brush = canvas.getContext("2d");
    setInterval(() => {
      brush.fillStyle = window.context.currentTime % 1 < 0.2 ? "white" : "black";
      brush.fillRect(0, 0, 640, 360);
      brush.fillStyle = "grey";
      brush.fillRect(10 * Math.random(), 0, 2, 2);
    }, 10);
    stream.addTrack(canvas.captureStream(30).getVideoTracks()[0]);
  }
  if (wanted.audio) {
    const tone = new OscillatorNode(window.context, { frequency: 1000 });
    const gate = new GainNode(window.context, { gain: 0 });
    const sink = new MediaStreamAudioDestinationNode(window.context);
    const first = Math.ceil(window.context.currentTime);
    for (let second = first; second < first + 120; second++) {
      gate.gain.setValueAtTime(0.5, second);
      gate.gain.setValueAtTime(0, second + 0.2);
    }
    tone.connect(gate).connect(sink);
    tone.start();
    stream.addTrack(sink.stream.getAudioTracks()[0]);
  }
  return stream;
};
"""


def onsets_s(times: Any, loud: Any) -> list[float]:
    """The moments at which something begins."""
    starts = np.flatnonzero(loud[1:] & ~loud[:-1]) + 1
    return [float(times[i]) for i in starts]


def flashes_s(video: Path) -> list[float]:
    with av.open(str(video)) as container:
        frames = [(frame.time, frame.to_ndarray(format="gray").mean()) for frame in container.decode(video=0)]
    levels = np.array([level for _, level in frames])
    return onsets_s([time for time, _ in frames], levels > 100)


def beeps_s(video: Path) -> list[float]:
    resampler = av.AudioResampler("flt", "mono", 16_000)
    with av.open(str(video)) as container:
        parts = [p.to_ndarray()[0] for f in container.decode(audio=0) for p in resampler.resample(f)]
    sound = np.abs(np.concatenate(parts))
    envelope = np.maximum.reduceat(sound, np.arange(0, len(sound), 80))
    quiet = np.convolve(envelope > 0.25 * envelope.max(), np.ones(20), mode="full")[: len(envelope)] > 0
    return onsets_s(np.arange(len(envelope)) * 80 / 16_000, quiet)


def offset_s(video: Path, at_least: int) -> float:
    """By how much the sound comes after the picture, in seconds: the median over the flashes.

    Raises ValueError when fewer than ``at_least`` flashes or beeps are found.
    """
    flashes, beeps = flashes_s(video), beeps_s(video)
    if min(len(flashes), len(beeps)) < at_least:
        raise ValueError(f"{len(flashes)} flashes and {len(beeps)} beeps, of at least {at_least}, are in {video}")
    apart_s = [min((beep - flash for beep in beeps), key=abs) for flash in flashes[1:-1]]
    return float(np.median(apart_s))
