"""One person's voice in a worker: Opus in, denoised, Opus out."""

from fractions import Fraction
from typing import Any

import av
import numpy as np
from av.error import FFmpegError
from av.packet import Packet

from vmeet_core.hookspecs import Audio, DenoiserStream
from vmeet_core.live.faults import FilterFault
from vmeet_core.live.messages import LiveFrame
from vmeet_core.media.resampler import Resampler, audio_frame

RATE_HZ = 48_000
FRAME_SAMPLES = 960  #: 20 ms, as browsers send them
BITRATE_BPS = 40_000
MAX_GAP_SAMPLES = RATE_HZ // 5  #: what is lost or was silent for longer begins anew
WRAP = 1 << 32


class LiveDenoiser:
    """The stream of a denoiser, with its engine's figures."""

    def __init__(self, name: str, engine: Any, stream: DenoiserStream) -> None:
        self.name = name
        self.sample_rate_hz = int(engine.sample_rate_hz)
        self.block_samples = int(engine.block_samples)
        self.latency_samples = int(engine.latency_samples)
        self.stream = stream

    def process(self, audio: Audio) -> Audio:
        """One block. Raises FilterFault for what raises, or gives something else than a block of finite samples."""
        audio.flags.writeable = False
        try:
            out = self.stream.process(audio)
        except Exception as error:
            raise FilterFault(self.name, f"{type(error).__name__}: {error}") from error
        if not isinstance(out, np.ndarray) or out.shape != audio.shape or not np.isfinite(out).all():
            shape = getattr(out, "shape", type(out).__name__)
            raise FilterFault(self.name, f"gave {shape} for {audio.shape} samples, or values that are not finite")
        return out.astype(np.float32, copy=False)


class SoundTrack:
    """``process`` takes Opus packets and gives those that are ready, each with the timestamp of what is in it.

    Resampling and whole blocks delay the sound by some 40 ms; the timestamps stay those of the capture, less the
    denoiser's own latency, so that lips and voice stay together.
    """

    def __init__(self, denoiser: LiveDenoiser, epoch: int) -> None:
        self._denoiser = denoiser
        self._epoch = epoch
        self._decoder: Any = None
        self._encoder: Any = None
        self._next: int | None = None  # the timestamp that continues what came
        self._begin(0)

    def _begin(self, timestamp: int) -> None:
        """Time goes on from here; what was under way is dropped."""
        denoiser = self._denoiser
        self._there = Resampler(RATE_HZ, denoiser.sample_rate_hz)
        self._back = Resampler(denoiser.sample_rate_hz, RATE_HZ)
        self._block = np.zeros(0, np.float32)
        self._out = np.zeros(0, np.float32)
        latency = denoiser.latency_samples * RATE_HZ // denoiser.sample_rate_hz
        self._out_timestamp = (timestamp - latency) % WRAP
        self._decoder = opus_decoder()
        self._encoder = opus_encoder()
        self._pts = 0

    def process(self, frame: LiveFrame, worth_it: bool = True) -> list[LiveFrame]:
        """Sound is never skipped: ``worth_it`` is of pictures. Raises FilterFault."""
        step = 0 if self._next is None else (frame.rtp_timestamp - self._next + WRAP // 2) % WRAP - WRAP // 2
        if self._next is None or step > MAX_GAP_SAMPLES or step < -MAX_GAP_SAMPLES:
            self._begin(frame.rtp_timestamp)
            step = 0
        elif step < 0:
            return []  # it was here before
        audio = self._decoded(frame.data)
        if audio is None:
            return []
        self._next = (frame.rtp_timestamp + len(audio)) % WRAP
        self._denoise(np.concatenate([np.zeros(step, np.float32), audio]))
        return [frame._replace(codec="opus", epoch=self._epoch, **packet) for packet in self._encoded()]

    def _decoded(self, data: bytes) -> Audio | None:
        try:
            parts = [part.to_ndarray().reshape(-1) for part in self._decoder.decode(Packet(data))] if data else []
        except FFmpegError:  # damaged: a gap, like one that was lost
            return None
        return np.concatenate(parts).astype(np.float32, copy=False) if parts else None

    def _denoise(self, audio: Audio) -> None:
        size = self._denoiser.block_samples
        waiting = np.concatenate([self._block, self._there.push(audio)])
        whole = len(waiting) - len(waiting) % size
        cleaned = [self._denoiser.process(waiting[at : at + size].copy()) for at in range(0, whole, size)]
        self._block = waiting[whole:]
        if cleaned:
            self._out = np.concatenate([self._out, self._back.push(np.concatenate(cleaned))])

    def _encoded(self) -> list[dict[str, Any]]:
        made = []
        while len(self._out) >= FRAME_SAMPLES:
            picked, self._out = self._out[:FRAME_SAMPLES], self._out[FRAME_SAMPLES:]
            frame = audio_frame(np.clip(picked, -1, 1), RATE_HZ)
            frame.pts, frame.time_base = self._pts, Fraction(1, RATE_HZ)
            self._pts += FRAME_SAMPLES
            data = b"".join(bytes(packet) for packet in self._encoder.encode(frame))
            if data:
                made.append({"data": data, "rtp_timestamp": self._out_timestamp, "keyframe": True})
            self._out_timestamp = (self._out_timestamp + FRAME_SAMPLES) % WRAP
        return made

    def update(self, name: str, options: object) -> None:
        """Other options, from the next block on. Raises FilterFault."""
        if name == self._denoiser.name:
            try:
                self._denoiser.stream.update(options)
            except Exception as error:
                raise FilterFault(name, f"{type(error).__name__}: {error}") from error

    def request_keyframe(self) -> None:
        """Every packet of sound is one."""

    def set_bitrate(self, size: int, bitrate_bps: int) -> None:
        """Sound keeps its own."""

    def limit(self, max_height_px: int, max_fps: float) -> None:
        """Sound is never reduced."""

    def close(self) -> None:
        """Close the denoiser and the codecs; twice is harmless."""
        if self._encoder is not None:
            self._decoder = self._encoder = None
            try:
                self._denoiser.stream.close()
            except Exception:  # it has done its work
                return


def opus_decoder() -> Any:
    """FFmpeg's own gives float samples, mono at 48 kHz."""
    decoder: Any = av.CodecContext.create("opus", "r")
    decoder.sample_rate, decoder.layout = RATE_HZ, "mono"
    return decoder


def opus_encoder() -> Any:
    """Mono at 48 kHz, 20 ms a packet."""
    encoder: Any = av.CodecContext.create("libopus", "w")
    encoder.sample_rate, encoder.layout, encoder.format = RATE_HZ, "mono", "flt"
    encoder.bit_rate = BITRATE_BPS
    encoder.options = {"application": "voip", "frame_duration": "20", "vbr": "on"}
    encoder.open()
    return encoder
