"""Somebody in a meeting who may be heard, seen and recorded: a person's page, or a program that publishes by WHIP."""

from collections.abc import Callable
from typing import Any, NamedTuple

from vmeet_core.live.card import Card
from vmeet_core.live.pool import LivePool
from vmeet_core.live.worker import Track
from vmeet_core.manifest import SourceKind
from vmeet_core.media.active_speaker import Voice
from vmeet_core.meetings import Participant
from vmeet_core.protocol import PictureKind
from vmeet_core.server.denoised_microphone import DenoisedMicrophone
from vmeet_core.server.filtered_camera import FilteredCamera, State
from vmeet_core.server.statistics import Measured, TrafficMeter
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


class Denoising(NamedTuple):
    """What is to be done with a person's voice before anybody hears it; ``on_state`` is told how it goes."""

    pool: LivePool
    track: Track
    on_state: Callable[[State, str], None]


class Attendee:
    """``participant`` is who it is, ``publish`` what comes from there, ``voice`` how loud it is.

    Once there is a ``filtering``, every camera of this person is filtered, whichever connection it comes by; with a
    ``denoising`` every microphone is cleaned. ``card`` is their own, once it is drawn.
    ``measured`` is what was found out of the connections at the latest round of statistics.
    """

    def __init__(self, participant: Participant, voice: Voice, publish: PublishConnection | None = None) -> None:
        self.participant = participant
        self.voice = voice
        self.publish: PublishConnection | None = None
        self.filtering: Filtering | None = None
        self.filtered: FilteredCamera | None = None
        self.denoising: Denoising | None = None
        self.denoised: DenoisedMicrophone | None = None
        self.card: Card | None = None
        self.measured = Measured()
        self._apply_mutes()
        if publish is not None:
            self.take(publish)

    @property
    def sources(self) -> dict[SourceKind, Ingress]:
        """What comes from there."""
        return self.publish.sources if self.publish is not None else {}

    @property
    def hides_camera(self) -> bool:
        """Whether others get what filters make of the camera, or a card, and never the camera itself."""
        return self.filtered is not None and self.filtered.hides

    def pictures(self, kind: PictureKind) -> tuple[Source, ...]:
        """What others may see: the layers of a picture, the smallest first; none when it is not published."""
        if kind == "camera" and self.filtered is not None and self.filtered.hides:
            return self.filtered.sources
        return self.publish.pictures(kind) if self.publish is not None else ()

    @property
    def sound(self) -> Source | None:
        """What others may hear."""
        if self.denoised is not None and self.denoised.sounds:
            return self.denoised.source
        return self.sources.get("microphone")

    def recorded(self, source: SourceKind) -> Source | None:
        """What others may keep of a source: of the voice what came, so that it can be cleaned better later on."""
        if source == "camera" and self.filtered is not None and self.filtered.hides:
            return self.filtered.sources[-1]
        return self.sources.get(source)

    # ---- effects ----

    @property
    def camera_state(self) -> State:
        """How the filters do."""
        return self.filtered.state if self.filtered is not None else "off"

    @property
    def microphone_state(self) -> State:
        """How the denoiser does."""
        return self.denoised.state if self.denoised is not None else "off"

    @property
    def is_reduced(self) -> bool:
        """Whether the server had no room for the whole picture."""
        return self.filtered is not None and self.filtered.is_reduced

    @property
    def camera_found_no_room(self) -> bool:
        """Whether the server had no room for any filtered picture."""
        return self.filtered is not None and self.filtered.found_no_room

    @property
    def microphone_found_no_room(self) -> bool:
        """Whether the server had no room for the denoised voice."""
        return self.denoised is not None and self.denoised.found_no_room

    def filter(self, filtering: Filtering | None) -> None:
        """Filter the camera from this moment on, otherwise than before, or no more."""
        self.filtering = filtering
        if filtering is None:
            if self.filtered is not None:
                self.filtered.stop()
            self.filtered = None
            return
        cameras = self.publish.pictures("camera") if self.publish is not None else ()
        if not cameras:
            return
        if self.filtered is None:
            self.filtered = FilteredCamera(cameras, filtering.pool, filtering.card, filtering.on_state)
            self.filtered.set_muted(self.participant.is_muted("camera"))
        self.filtered.start(filtering.track, filtering.protects_privacy)

    def update_filter(self, name: str, options: dict[str, Any]) -> None:
        """Other options for one of the filters, from the next picture on."""
        if self.filtering is not None:
            self.filtering = self.filtering._replace(track=self.filtering.track.with_options(name, options))
        if self.filtered is not None:
            self.filtered.update(name, options)

    def set_card(self, card: Card) -> None:
        """Their own, in place of a blank one."""
        self.card = card
        if self.filtering is not None:
            self.filtering = self.filtering._replace(card=card)
        if self.filtered is not None:
            self.filtered.set_card(card)

    def denoise(self, denoising: Denoising | None) -> None:
        """Clean the voice from now on, otherwise than before, or no more."""
        self.denoising = denoising
        if self.denoised is not None:
            self.denoised.stop()
            self.denoised = None
        if denoising is not None and "microphone" in self.sources:
            self.denoised = DenoisedMicrophone(self.sources["microphone"], denoising.pool, denoising.on_state)
            self.denoised.set_muted(self.participant.is_muted("microphone"))
            self.denoised.start(denoising.track)

    def update_denoiser(self, name: str, options: dict[str, Any]) -> None:
        """Other options for the denoiser, from the next sound on."""
        if self.denoising is not None:
            self.denoising = self.denoising._replace(track=self.denoising.track.with_options(name, options))
        if self.denoised is not None:
            self.denoised.update(name, options)

    # ---- the connection ----

    def take(self, connection: PublishConnection) -> PublishConnection | None:
        """Publish through another connection; returns the one until now, which is to be closed."""
        previous = self.release()
        self.publish = connection
        if "microphone" in self.sources:
            self.sources["microphone"].on_level = self.voice.on_level
        self.participant.sources = list(self.sources)
        if self.filtering is not None:
            self.filter(self.filtering)
        else:  # whoever had it before may have kept it from everybody
            for ingress in self.sources.values():
                ingress.unshield()
        if self.denoising is not None:
            self.denoise(self.denoising)
        self._apply_mutes()
        return previous

    def release(self) -> PublishConnection | None:
        """Publish no more through this object; returns the connection, for another one or to be closed."""
        if self.filtered is not None:
            self.filtered.close()
            self.filtered = None
        if self.denoised is not None:
            self.denoised.close()
            self.denoised = None
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
        if self.denoised is not None:
            self.denoised.set_muted(self.participant.is_muted("microphone"))
