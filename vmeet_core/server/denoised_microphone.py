"""A person's microphone behind a denoiser: what the others hear, which is never silence.

Nothing private is in a voice that the others hear anyway: the raw sound goes to them until the first denoised packet,
and again whenever no denoised ones come. Whoever holds it switches the receivers, as ``sounds`` says.
"""

import asyncio
import time
from collections.abc import Callable
from typing import Any

from vmeet_core.live.messages import LiveFrame
from vmeet_core.live.pool import LivePool, TrackEvents
from vmeet_core.live.worker import Track
from vmeet_core.server.filtered_camera import State
from vmeet_core.server.raw_sound import RawSound
from vmeet_core.server.sound_lag import STALL_S
from vmeet_core.server.worker_place import WorkerPlace
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
        self._place = WorkerPlace(pool, self, self._refused, self._entered)
        self._on_state = on_state
        self._reason = ""
        self._raw = RawSound(microphone, self._hand_over, self._stall, self.source.on_sender_report)
        self._timer: asyncio.TimerHandle | None = None

    # ---- on and off ----

    def start(self, track: Track) -> None:
        """Begin, or begin anew with another denoiser. What goes wrong is told by ``on_state``, never raised."""
        self.close()
        self._place.want(track)
        self._set("starting", "")
        self._raw.start()
        self._measure()

    def stop(self) -> None:
        """The others hear the raw sound. Harmless when it is off."""
        self.close()
        self._set("off", "")

    def close(self) -> None:
        """Make no more of it. For a microphone that somebody else takes over, or that ends."""
        self._place.give_up()
        self._raw.stop()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def update(self, filter_name: str, options: dict[str, Any]) -> None:
        """Other options for the denoiser, from the next block on."""
        self._place.update(filter_name, options)

    def set_muted(self, muted: bool) -> None:
        """Nothing goes out of a microphone that is off, not even what is under way."""
        self.source.set_muted(muted)
        if muted:
            self._place.leave()
            if self.state in ("on", "interrupted"):
                self._set("starting", "")

    @property
    def sounds(self) -> bool:
        """Whether the others are to hear ``source`` and not the raw sound."""
        return self.state == "on"

    # ---- to the worker ----

    def _hand_over(self, packet: RtpPacket) -> None:
        track = self._place.take()
        if track is None:
            self._raw.lag.reset()  # nothing is under way
        else:
            track.frame(LiveFrame("opus", packet.payload, packet.timestamp, self._place.epoch, keyframe=True))

    def _refused(self, reason: str, no_room: bool) -> None:
        if (self.state, self.found_no_room) != ("failed", no_room):
            self._set("failed", reason, no_room)

    def _entered(self) -> None:
        if self.state == "failed":
            self._set("starting", "")

    def _stall(self) -> None:
        if self.state == "on":
            self._set("interrupted", STALLED)

    # ---- what the worker tells ----

    def frame(self, frame: LiveFrame) -> None:
        """A denoised packet, of this activation."""
        timestamp = (frame.rtp_timestamp - OPUS_LOOKAHEAD_SAMPLES) % WRAP
        if frame.epoch != self._place.epoch or not self._raw.lag.made(timestamp, time.monotonic()):
            return
        if self.state != "on":
            if not self._raw.lag.is_prompt:
                return
            self.source.continue_after()
            self._set("on", "")
        if self._place.track is not None:  # nobody has ended it when told
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
        self._place.lose()
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
