"""A person's camera behind a filter: what the others see, and that they see nothing else.

A filter that protects privacy fails closed. From ``start`` on nothing of the raw picture leaves: it is shielded before
anything else is done. The others see a card until the first filtered picture; when the worker fails they keep the last
filtered picture of this activation for a moment, then the card. A filter of another kind lets the raw picture through.
"""

import asyncio
import time
from collections.abc import Callable
from typing import Any, Literal

from vmeet_core.live.card import Card
from vmeet_core.live.messages import LiveFrame
from vmeet_core.live.pool import LivePool, TrackEvents
from vmeet_core.live.worker import Track
from vmeet_core.manifest import SourceKind
from vmeet_core.media.encoded import EncodedFrame
from vmeet_core.server.worker_place import WorkerPlace
from vmeet_core.sfu.assembler import FrameAssembler
from vmeet_core.sfu.ingress import Ingress
from vmeet_core.sfu.made_source import MadeSource

CARD_EVERY_S = 1.0
MEASURE_S = 0.2
SIZES = ((180, 100_000), (0, 1_800_000))  #: of what is made of a camera: those that a page itself would send
LAST_PICTURE_S = 3.0  #: so long the last filtered picture stays when no more come
IDLE_S = 10.0  #: a camera that sends nothing for so long makes room for others
CLOCK_HZ = 90_000
WRAP = 1 << 32
State = Literal["off", "starting", "on", "interrupted", "failed"]


class FilteredCamera(TrackEvents):
    """``cameras`` are the raw sizes, the smallest first; the last one is filtered. ``sources`` are what is made of it:
    two sizes, also where only one comes.

    ``on_state`` is told of every change, with a reason where there is one. It may be started again after ``stop``.
    """

    def __init__(
        self, cameras: tuple[Ingress, ...], pool: LivePool, card: Card, on_state: Callable[[State, str], None]
    ) -> None:
        self.state: State = "off"
        self._reason = ""
        self.is_reduced = False  #: whether there was no room for the whole picture
        self.found_no_room = False  #: whether it failed since there was none for a small one either
        self._cameras = cameras
        self._place = WorkerPlace(pool, self, self._refused, self._entered)
        self._card = card
        self._on_state = on_state
        self._muted = False
        self._private = False
        self._assembler: FrameAssembler | None = None
        self._shown_s = 0.0  # when the latest filtered picture came
        self._shows_card = False
        self._latest: tuple[int, float] | None = None  # timestamp of the newest raw picture, and when it came
        self._timer: asyncio.TimerHandle | None = None
        self._card_s = 0.0  # when it was sent last
        kinds: tuple[SourceKind, ...] = ("camera-small", "camera")
        self.sources = tuple(
            MadeSource(kind, 0xF0000000 + index, cameras[-1].clock, self._want_keyframe)
            for index, kind in enumerate(kinds)
        )

    # ---- on and off ----

    def start(self, track: Track, protects_privacy: bool) -> None:
        """Begin, or begin anew with other filters. Whatever goes wrong is told by ``on_state``, never raised.

        From one filter that protects privacy to another the last picture stays in between, as after a failure.
        """
        goes_on = self._private and protects_privacy and self.state in ("on", "interrupted") and not self._shows_card
        self._private = protects_privacy
        if protects_privacy:
            self._shield()
        self._close_track()
        if not protects_privacy:
            self._unshield()
        self._place.want(track)
        self._set("starting", "")
        if goes_on:
            self._watch()
        else:
            self._shown_s = 0.0
            self._show_card()
        self._listen()

    def stop(self) -> None:
        """The raw picture goes to everybody again, at its next keyframe. Harmless when it is off."""
        self.close()
        self._unshield()
        self._set("off", "")

    def close(self) -> None:
        """Make no more of it; what was shielded stays so. For a camera that somebody else takes over, or that ends."""
        self._close_track()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def update(self, filter_name: str, options: dict[str, Any]) -> None:
        """Other options for a filter, from the next picture on."""
        self._place.update(filter_name, options)

    def set_card(self, card: Card) -> None:
        """Show another one from now on."""
        self._card = card
        if self._shows_card:
            self._send_card()

    def set_muted(self, muted: bool) -> None:
        """The camera is turned off or on: no card is shown of a camera that is off."""
        for source in self.sources:
            source.set_muted(muted)
        if muted == self._muted:
            return
        self._muted = muted
        if muted:
            self._make_room()
        elif self.state != "off":
            self._show_card()

    @property
    def hides(self) -> bool:
        """Whether the others are to be shown ``sources`` and not the raw picture."""
        if self.state == "off":
            return False
        return self._private or self.state == "on"

    # ---- the raw picture ----

    def _shield(self) -> None:
        """Before anything else: what comes from now on goes to the worker alone."""
        for camera in self._cameras:
            camera.shield(self._assembler if camera is self._cameras[-1] else None)

    def _unshield(self) -> None:
        for camera in self._cameras:
            camera.unshield()

    def _listen(self) -> None:
        camera = self._cameras[-1]
        self._assembler = FrameAssembler(
            True, self._on_raw, lambda before, after: None, lambda ntp, rtp: None, camera.request_keyframe
        )
        if self._private:
            camera.shield(self._assembler)
        else:
            camera.add_listener(self._assembler)
        camera.request_keyframe()

    def _on_raw(self, frame: EncodedFrame) -> None:
        self._latest = (frame.rtp_timestamp, time.monotonic())
        track = self._place.take()
        if track is not None:
            track.frame(LiveFrame(frame.codec, frame.data, frame.rtp_timestamp, self._place.epoch, frame.keyframe))

    def _refused(self, reason: str, no_room: bool) -> None:
        if (self.state, self.found_no_room) != ("failed", no_room):
            self._set("failed", reason, no_room)
            self._watch()

    def _entered(self) -> None:
        if self.state == "failed":
            self._set("starting", "")

    def _make_room(self) -> None:
        """Nothing comes for now. When something does, it goes on as at the beginning."""
        self._place.leave()
        self.is_reduced = False
        if self.state in ("on", "interrupted"):
            self._set("starting", "")

    # ---- what the worker tells ----

    def frame(self, frame: LiveFrame) -> None:
        """A filtered picture, of this activation."""
        if frame.size >= len(self.sources) or frame.epoch != self._place.epoch:
            return
        source = self.sources[frame.size]
        if (clocks := self._cameras[-1].last_sender_report) is not None:
            source.on_sender_report(*clocks)
        if self._shows_card or self.state != "on":
            self._end_card(frame)
            if self.state != "on":
                return
        self._shown_s = time.monotonic()
        source.send(frame.data, frame.rtp_timestamp, frame.keyframe, frame.temporal, frame.switchable)

    def _end_card(self, frame: LiveFrame) -> None:
        """At a keyframe, for all sizes at once: what went before cannot be continued."""
        if not frame.keyframe:
            if self._place.track is not None:
                self._place.track.request_keyframe()
            return
        self._shows_card = False
        self._shown_s = time.monotonic()
        for source in self.sources:
            source.continue_after()
        self._set("on", "")
        self._watch()

    def keyframe_wanted(self) -> None:
        """Of the raw camera."""
        self._cameras[-1].request_keyframe()

    def limited(self, reduced: bool) -> None:
        """There is no room for the whole picture, or there is again."""
        self.is_reduced = reduced
        self._on_state(self.state, self._reason)

    def interrupted(self, reason: str) -> None:
        """Another worker goes on soon."""
        self._set("interrupted", reason)
        self._watch()

    def failed(self, filter_name: str, reason: str) -> None:
        """Nothing more comes of it."""
        self._place.lose()
        self.is_reduced = False
        self._set("failed", f"{filter_name}: {reason}" if filter_name and filter_name not in reason else reason)
        self._watch()

    # ---- the card ----

    def _want_keyframe(self) -> None:
        """A receiver wants one of what it is shown."""
        if self._shows_card:
            self._send_card()
        elif self._place.track is not None:
            self._place.track.request_keyframe()

    def _show_card(self) -> None:
        if not self._private:
            return
        if not self._shows_card:
            self._shows_card = True
            for source in self.sources:
                source.continue_after()
        self._send_card()
        self._watch()

    def _send_card(self) -> None:
        self._card_s = time.monotonic()
        for source, (data, _) in zip(self.sources, self._card.pictures, strict=True):
            source.send(data, self._timestamp_now(), True, 0, False)

    def _timestamp_now(self) -> int:
        """What a picture that was captured now would have."""
        if self._latest is None:
            return int(time.monotonic() * CLOCK_HZ) % WRAP
        timestamp, came_s = self._latest
        return (timestamp + int((time.monotonic() - came_s) * CLOCK_HZ)) % WRAP

    def _watch(self) -> None:
        """Measure what is sent; show the card while it is shown, and when pictures stay away for too long."""
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(MEASURE_S, self._look)

    def _look(self) -> None:
        self._timer = None
        if self.state == "off":
            return
        now_s = time.monotonic()
        for source in self.sources:
            source.measure(now_s)
        stale = self._private and now_s - self._shown_s > LAST_PICTURE_S
        if self._place.track is not None and self._latest is not None and now_s - self._latest[1] > IDLE_S:
            self._make_room()
        if (self._shows_card or stale) and now_s - self._card_s >= CARD_EVERY_S:
            self._show_card()
        self._watch()

    # ---- the end ----

    def _close_track(self) -> None:
        self._place.give_up()
        self.is_reduced = False
        if self._assembler is not None:
            self._cameras[-1].remove_listener(self._assembler)
            self._assembler = None
        if self._private and self.state != "off":
            self._shield()

    def _set(self, state: State, reason: str, no_room: bool = False) -> None:
        if state != self.state or reason:
            self.state, self._reason, self.found_no_room = state, reason, no_room
            self._on_state(state, reason)
