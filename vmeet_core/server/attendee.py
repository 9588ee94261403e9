"""Somebody in a meeting who may be heard, seen and recorded: a person's page, or a program that publishes by WHIP."""

from collections.abc import Callable
from typing import NamedTuple

from vmeet_core.live.card import Card
from vmeet_core.live.pool import LivePool
from vmeet_core.live.worker import Track
from vmeet_core.manifest import SourceKind
from vmeet_core.meetings import Participant
from vmeet_core.protocol import PictureKind
from vmeet_core.server.filtered_camera import FilteredCamera, State
from vmeet_core.server.statistics import Measured, TrafficMeter
from vmeet_core.sfu.active_speaker import Voice
from vmeet_core.sfu.ingress import Ingress
from vmeet_core.sfu.publish_connection import PublishConnection
from vmeet_core.sfu.source import Source


class Filtering(NamedTuple):
    """What is to be done with a person's camera before anybody sees it; ``on_state`` is told how it goes."""

    pool: LivePool
    card: Card
    track: Track
    protects_privacy: bool
    on_state: Callable[[State, str], None]


class Attendee:
    """``participant`` is who it is, ``publish`` what comes from there, ``voice`` how loud it is.

    Once there is a ``filtering``, every camera of this person is filtered, whichever connection it comes by.
    ``measured`` is what was found out of the connections at the latest round of statistics.
    """

    def __init__(self, participant: Participant, voice: Voice, publish: PublishConnection | None = None) -> None:
        self.participant = participant
        self.voice = voice
        self.publish: PublishConnection | None = None
        self.filtering: Filtering | None = None
        self.filtered: FilteredCamera | None = None
        self.measured = Measured()
        self._apply_mutes()
        if publish is not None:
            self.take(publish)

    @property
    def sources(self) -> dict[SourceKind, Ingress]:
        """What comes from there."""
        return self.publish.sources if self.publish is not None else {}

    def pictures(self, kind: PictureKind) -> tuple[Source, ...]:
        """What others may see: the layers of a picture, the smallest first; none when it is not published."""
        if kind == "camera" and self.filtered is not None and self.filtered.hides:
            return self.filtered.sources
        return self.publish.pictures(kind) if self.publish is not None else ()

    def recorded(self, source: SourceKind) -> Source | None:
        """What others may keep of a source."""
        if source == "camera" and self.filtered is not None and self.filtered.hides:
            return self.filtered.sources[-1]
        return self.sources.get(source)

    def filter(self, filtering: Filtering | None) -> None:
        """Filter the camera from this moment on, otherwise than before, or no more."""
        self.filtering = filtering
        if filtering is None:
            if self.filtered is not None:
                self.filtered.stop()
            self.filtered = None
            return
        if self.filtered is not None:
            self.filtered.close()
        cameras = self.publish.pictures("camera") if self.publish is not None else ()
        if cameras:
            self.filtered = FilteredCamera(cameras, filtering.pool, filtering.card, filtering.on_state)
            self.filtered.set_muted(self.participant.is_muted("camera"))
            self.filtered.start(filtering.track, filtering.protects_privacy)

    def take(self, connection: PublishConnection) -> PublishConnection | None:
        """Publish through another connection; returns the one until now, which is to be closed."""
        previous = self.release()
        self.publish = connection
        if "microphone" in self.sources:
            self.sources["microphone"].on_level = self.voice.on_level
        self.participant.sources = list(self.sources)
        if self.filtering is not None:
            self.filter(self.filtering)
        self._apply_mutes()
        return previous

    def release(self) -> PublishConnection | None:
        """Publish no more through this object; returns the connection, for another one or to be closed."""
        if self.filtered is not None:
            self.filtered.close()
            self.filtered = None
        previous, self.publish = self.publish, None
        if previous is not None and "microphone" in previous.sources:
            previous.sources["microphone"].on_level = None
        return previous

    def set_muted(self, source: SourceKind, muted: bool) -> None:
        """Turn a source off or on."""
        self.participant.set_muted(source, muted)
        self._apply_mutes()

    def measure(self) -> Measured:
        """Ask the connection how well it does."""
        self.measured = Measured(tuple(self.publish.reports()) if self.publish is not None else ())
        return self.measured

    def count(self, traffic: TrafficMeter) -> None:
        """Add what has come and gone since the last time."""
        if self.publish is not None:
            traffic.count_incoming(self.publish)

    def _apply_mutes(self) -> None:
        self.voice.muted = self.participant.is_muted("microphone")
        for source, ingress in self.sources.items():
            ingress.set_muted(self.participant.is_muted(source))
        if self.filtered is not None:
            self.filtered.set_muted(self.participant.is_muted("camera"))
