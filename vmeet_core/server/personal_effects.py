"""The live effects of one person: what was wished for is carried out, and how it goes is told."""

from collections.abc import Callable

from vmeet_core import protocol
from vmeet_core.live.worker import Track
from vmeet_core.manifest import SourceKind
from vmeet_core.server.attendee import Attendee, Denoising, Filtering
from vmeet_core.server.filtered_camera import SIZES, State
from vmeet_core.server.live_engines import LiveEngines
from vmeet_core.server.meeting_effects import BadEffects, Chosen, MeetingEffects

OnChange = Callable[["PersonalEffects", SourceKind], None]


class PersonalEffects:
    """``wish`` as often as you like; ``on_change`` is told whenever the effects of a source do otherwise."""

    def __init__(self, attendee: Attendee, effects: MeetingEffects, engines: LiveEngines, on_change: OnChange) -> None:
        self.chosen = Chosen()
        self.attendee = attendee
        self._effects = effects
        self._engines = engines
        self._on_change = on_change
        self._reasons: dict[SourceKind, str] = {}

    def wish(self, wishes: protocol.EffectWishes | None) -> None:
        """Carry it out from this moment on. Raises BadEffects, and then nothing has changed."""
        chosen = self._effects.choose(wishes)
        for name, options in chosen.filters_on:
            if not self._engines.has_picture(str(options.get("background", ""))):
                raise BadEffects(f"{name}: the uploaded background is not here any more; upload it again")
        before, self.chosen = self.chosen, chosen
        self.attendee.participant.effects = wishes
        self._filter(before)
        self._denoise(before)

    # ---- the camera ----

    def _filter(self, before: Chosen) -> None:
        chosen, attendee = self.chosen, self.attendee
        names = [name for name, _ in chosen.filters_on]
        same = names == [name for name, _ in before.filters_on] and attendee.filtering is not None
        if same and attendee.camera_state not in ("off", "failed"):
            for (name, options), (_, old) in zip(chosen.filters_on, before.filters_on, strict=True):
                if options != old:
                    attendee.update_filter(name, options)
            return
        if not names and not chosen.protects_privacy:
            attendee.filter(None)
            return
        attendee.filter(
            Filtering(
                self._engines.pictures,
                attendee.card or self._engines.blank_card,
                Track((*chosen.filters_on, *((name, {}) for name in self._effects.missing)), SIZES),
                chosen.protects_privacy,
                self._camera_state,
            )
        )

    def _camera_state(self, state: State, reason: str) -> None:
        self._reasons["camera"] = reason
        self.attendee.participant.camera_effects = state
        self._on_change(self, "camera")

    # ---- the microphone ----

    def _denoise(self, before: Chosen) -> None:
        attendee, wanted = self.attendee, self.chosen.denoiser_on
        if wanted is None:
            attendee.denoise(None)
            return
        if before.denoiser_on is not None and attendee.microphone_state not in ("off", "failed"):
            if before.denoiser_on != wanted:
                attendee.update_denoiser(*wanted)
            return
        attendee.denoise(Denoising(self._engines.sound, Track((wanted,), is_sound=True), self._microphone_state))

    def _microphone_state(self, state: State, reason: str) -> None:
        self._reasons["microphone"] = reason
        self._on_change(self, "microphone")

    # ---- what is told ----

    @property
    def is_empty(self) -> bool:
        """Whether the meeting has no effects, so that there is nothing to tell."""
        return self._effects.is_empty

    def message(self) -> protocol.EffectsChanged:
        """How things stand."""
        attendee = self.attendee
        return protocol.EffectsChanged(
            filters=list(self.chosen.filters),
            denoiser=self.chosen.denoiser,
            camera=protocol.SourceEffects(
                state=attendee.camera_state,
                reason=self._reasons.get("camera") or None,
                hides=attendee.hides_camera,
                reduced=attendee.is_reduced,
                no_room=attendee.camera_found_no_room,
            ),
            microphone=protocol.SourceEffects(
                state=attendee.microphone_state,
                reason=self._reasons.get("microphone") or None,
                no_room=attendee.microphone_found_no_room,
            ),
        )
