"""A person's microphone behind a denoiser: what the others hear, which is never silence.

Nothing private is in a voice that the others hear anyway: the raw sound goes to them until the first denoised packet,
and again whenever no denoised ones come. Whoever holds it switches the receivers, as ``sounds`` says.

A worker is asked for when a packet comes, not before: microphones that are off take no room from others.
"""

import asyncio
import time
from collections.abc import Callable
from typing import Any

from vmeet_core.live.messages import LiveFrame
from vmeet_core.live.pool import LivePool, LiveTrack, NoRoom, TrackEvents
from vmeet_core.live.worker import Track
from vmeet_core.server.filtered_camera import RETRY_S, State
from vmeet_core.server.raw_sound import RawSound
from vmeet_core.server.sound_lag import STALL_S
from vmeet_core.sfu.ingress import Ingress
from vmeet_core.sfu.made_sound import MadeSound
from vmeet_core.sfu.packet import RtpPacket

MEASURE_S = 0.2
OPUS_LOOKAHEAD_SAMPLES = 312  #: libopus puts the sound so much later into its packets
WRAP = 1 << 32
MADE_SSRC = 0xF0000010
STALLED = f"no denoised sound came for {STALL_S:.1f} s"


class DenoisedMicrophone(TrackEvents):
    """``source`` is what is made of ``microphone``. It may be started again after ``stop``.

    ``on_state`` is told of every change, with a reason where there is one; what it switches takes effect at once.
    """

    def __init__(self, microphone: Ingress, pool: LivePool, on_state: Callable[[State, str], None]) -> None:
        self.state: State = "off"
        self.found_no_room = False  #: whether it failed since no worker had time for it
        self.source = MadeSound(microphone, MADE_SSRC)
        self._pool = pool
        self._on_state = on_state
        self._reason = ""
        self._wanted: Track | None = None  # what a worker is to do with the next packet; None: nothing, or given up
        self._track: LiveTrack | None = None
        self._retry_s = 0.0
        self._epoch = 0
        self._raw = RawSound(microphone, self._hand_over, self._stall, self.source.on_sender_report)
        self._timer: asyncio.TimerHandle | None = None

    # ---- on and off ----

    def start(self, track: Track) -> None:
        """Begin, or begin anew with another denoiser. What goes wrong is told by ``on_state``, never raised."""
        self.close()
        self._wanted, self._retry_s = track, 0.0
        self._set("starting", "")
        self._raw.start()
        self._measure()

    def stop(self) -> None:
        """The others hear the raw sound. Harmless when it is off."""
        self.close()
        self._set("off", "")

    def close(self) -> None:
        """Make no more of it. For a microphone that somebody else takes over, or that ends."""
        self._wanted = None
        self._leave_worker()
        self._raw.stop()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def update(self, filter_name: str, options: dict[str, Any]) -> None:
        """Other options for the denoiser, from the next block on."""
        if self._wanted is not None:
            self._wanted = self._wanted.with_options(filter_name, options)
        if self._track is not None:
            self._track.update(filter_name, options)

    def set_muted(self, muted: bool) -> None:
        """Nothing goes out of a microphone that is off, not even what is under way."""
        self.source.set_muted(muted)
        if muted:
            self._leave_worker()
            if self.state in ("on", "interrupted"):
                self._set("starting", "")

    @property
    def sounds(self) -> bool:
        """Whether the others are to hear ``source`` and not the raw sound."""
        return self.state == "on"

    # ---- to the worker ----

    def _hand_over(self, packet: RtpPacket) -> None:
        if self._track is None:
            self._open()
        if self._track is None:
            self._raw.lag.reset()  # nothing is under way
        else:
            self._track.frame(LiveFrame("opus", packet.payload, packet.timestamp, self._epoch, keyframe=True))

    def _open(self) -> None:
        """Ask for a worker, if that has not just been done in vain."""
        now_s = time.monotonic()
        if self._wanted is None or now_s < self._retry_s:
            return
        self._epoch += 1
        try:
            self._track = self._pool.open(self._wanted._replace(epoch=self._epoch), self)
        except RuntimeError as error:
            self._retry_s = now_s + RETRY_S
            no_room = isinstance(error, NoRoom)
            if (self.state, self.found_no_room) != ("failed", no_room):
                self._set("failed", str(error), no_room)
            return
        if self.state == "failed":
            self._set("starting", "")

    def _leave_worker(self) -> None:
        track, self._track = self._track, None
        if track is not None:
            self._pool.close_track(track)

    def _stall(self) -> None:
        if self.state == "on":
            self._set("interrupted", STALLED)

    # ---- what the worker tells ----

    def frame(self, frame: LiveFrame) -> None:
        """A denoised packet, of this activation."""
        timestamp = (frame.rtp_timestamp - OPUS_LOOKAHEAD_SAMPLES) % WRAP
        if frame.epoch != self._epoch or not self._raw.lag.made(timestamp, time.monotonic()):
            return
        if self.state != "on":
            if not self._raw.lag.is_prompt:
                return
            self.source.continue_after()
            self._set("on", "")
        if self._track is not None:  # nobody has ended it when told
            self.source.send(frame.data, timestamp, self._raw.level_at(timestamp))

    def keyframe_wanted(self) -> None:
        """It has entered a worker."""
        self._raw.lag.reset()

    def interrupted(self, reason: str) -> None:
        """Another worker goes on soon."""
        self._raw.lag.reset()
        self._set("interrupted", reason)

    def failed(self, filter_name: str, reason: str) -> None:
        """Nothing more comes of it."""
        self._track = None
        self.close()
        self._set("failed", f"{filter_name}: {reason}" if filter_name and filter_name not in reason else reason)

    # ---- figures ----

    def _measure(self) -> None:
        self.source.measure(time.monotonic())
        self._timer = asyncio.get_running_loop().call_later(MEASURE_S, self._measure)

    def _set(self, state: State, reason: str, no_room: bool = False) -> None:
        if (state, reason) != (self.state, self._reason):
            self.state, self._reason, self.found_no_room = state, reason, no_room
            self._on_state(state, reason)
