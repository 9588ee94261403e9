"""Somebody in a meeting who may be heard, seen and recorded: a person's page, or a program that publishes by WHIP."""

from vmeet_core.manifest import SourceKind
from vmeet_core.meetings import Participant
from vmeet_core.protocol import PictureKind
from vmeet_core.server.statistics import Measured, TrafficMeter
from vmeet_core.sfu.active_speaker import Voice
from vmeet_core.sfu.ingress import Ingress
from vmeet_core.sfu.publish_connection import PublishConnection


class Attendee:
    """``participant`` is who it is, ``publish`` what comes from there, ``voice`` how loud it is.

    ``measured`` is what was found out of the connections at the latest round of statistics.
    """

    def __init__(self, participant: Participant, voice: Voice, publish: PublishConnection | None = None) -> None:
        self.participant = participant
        self.voice = voice
        self.publish: PublishConnection | None = None
        self.measured = Measured()
        self._apply_mutes()
        if publish is not None:
            self.take(publish)

    @property
    def sources(self) -> dict[SourceKind, Ingress]:
        """What comes from there."""
        return self.publish.sources if self.publish is not None else {}

    def pictures(self, kind: PictureKind) -> tuple[Ingress, ...]:
        """The layers of a picture, the smallest first; none when it is not published."""
        return self.publish.pictures(kind) if self.publish is not None else ()

    def take(self, connection: PublishConnection) -> PublishConnection | None:
        """Publish through another connection; returns the one until now, which is to be closed."""
        previous = self.release()
        self.publish = connection
        if "microphone" in self.sources:
            self.sources["microphone"].on_level = self.voice.on_level
        self.participant.sources = list(self.sources)
        self._apply_mutes()
        return previous

    def release(self) -> PublishConnection | None:
        """Publish no more through this object; returns the connection, for another one or to be closed."""
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
