"""Meetings, the people in them and what they chose: pure state, no input or output."""

import base64
import hashlib
import hmac
import secrets
from dataclasses import dataclass, field
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, model_validator

from vmeet_core.consent import Consent
from vmeet_core.manifest import SourceKind
from vmeet_core.protocol import EffectState, EffectWishes, ParticipantInfo, RecordingInfo
from vmeet_core.settings import (
    Language,
    LayoutName,
    Numbers,
    PeopleMayChange,
    Preset,
    RecordingChoice,
    Script,
    SpeechSource,
)

State = Literal["waiting", "previewing", "in", "left"]
StreamKind = Literal["whip", "whep"]
MAX_PEOPLE = 128  #: in one meeting: a lecture to a hundred, who lectures, and some who record or stream
MAX_REMEMBERED = 1024  #: people who have gone, and whether they may be recorded when they come back


class MeetingFull(Exception):
    """No more people fit into the meeting."""


class Choices(BaseModel):
    """What a meeting chose over its preset; a key that is absent (unset) leaves the preset's choice."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    frame_filters: tuple[str, ...] | None = None
    live_denoiser: str | None = None
    live_transcriber: str | None = None
    people_may_change: PeopleMayChange = "everything"
    denoiser: str | None = None
    transcriber: str | None = None
    video_enhancer: str | None = None
    layout: LayoutName | None = None
    language: Language = "auto"
    script: Script = "traditional-tw"
    numbers: Numbers = "as-spoken"
    transcribe_from: SpeechSource = "original"
    options: dict[str, dict[str, Any]] = {}

    @model_validator(mode="before")
    @classmethod
    def _without_nothing(cls, given: Any) -> Any:
        """Of these None chooses nothing."""
        if not isinstance(given, dict):
            return given
        return {
            name: value
            for name, value in given.items()
            if value is not None or name not in ("language", "script", "numbers", "transcribe_from")
        }

    def over(self, preset: Preset) -> Preset:
        """The preset with these choices on top; a choice of None turns a kind off, options are merged by provider."""
        chosen = {name: getattr(self, name) for name in self.model_fields_set if name != "options"}
        merged = dict(preset.options)
        for provider, values in self.options.items():
            merged[provider] = {**merged.get(provider, {}), **values}
        return preset.model_copy(update={**chosen, "options": merged})


@dataclass
class Participant:
    """A person in a meeting; ``token`` lets the same person come back.

    ``connected`` is False while nothing is heard of the page; ``is_stream`` marks a program that publishes by WHIP.
    A screen is off until it is turned on; what is off stays so when the person comes back.
    """

    id: str
    name: str
    is_host: bool
    token: str = field(default_factory=lambda: secrets.token_urlsafe(24))
    state: State = "waiting"
    sources: list[SourceKind] = field(default_factory=list)
    muted: list[SourceKind] = field(default_factory=lambda: ["screen"])
    connected: bool = True
    is_stream: bool = False
    effects: EffectWishes | None = None  #: what this person wants of the live effects
    camera_effects: EffectState = "off"
    language: str | None = None  #: that this person speaks, for captions; None: as the meeting has it
    number: int = 0  #: a small one among those who are in the meeting, for metrics
    consent: Consent = field(default_factory=Consent)  #: whether this person may be recorded

    def set_muted(self, source: SourceKind, muted: bool) -> None:
        """Note that a source is off or on; the small picture follows the camera."""
        self.muted = [each for each in self.muted if each != source] + ([source] if muted else [])

    def is_muted(self, source: SourceKind) -> bool:
        """Whether a source is off."""
        return ("camera" if source == "camera-small" else source) in self.muted

    def has_on(self, *sources: SourceKind) -> bool:
        """Whether one of these is published and turned on."""
        return any(source in self.sources and source not in self.muted for source in sources)

    def info(self) -> ParticipantInfo:
        """What everyone may know."""
        return ParticipantInfo(
            id=self.id,
            name=self.name,
            is_host=self.is_host,
            state=self.state,
            sources=self.sources,
            muted=self.muted,
            connected=self.connected,
            is_stream=self.is_stream,
            camera_effects=self.camera_effects,
            left_out=self.consent.left_out,
        )


def previewer() -> Participant:
    """Somebody who is not in the meeting yet, and whom nobody else sees."""
    return Participant(secrets.token_hex(6), "", is_host=False, state="previewing")


@dataclass
class Meeting:
    """A meeting as it was created, and who is in it now.

    ``recording_choice`` says who may be recorded; what those have said who are gone is kept for when they come back.
    ``kept_out_before`` tells of a meeting that comes from the database whom its host has left out, by their keys.
    """

    id: str
    title: str
    host_key: str
    preset: str
    choices: Choices
    participants: dict[str, Participant] = field(default_factory=dict)
    recording: RecordingInfo = field(default_factory=lambda: RecordingInfo(active=False))
    recording_choice: RecordingChoice = "everyone"
    kept_out_before: tuple[str, ...] = ()
    _remembered: dict[str, Consent] = field(default_factory=dict)

    def join(
        self, name: str, token: str | None, host_key: str | None, recorded: bool | None = None, told: bool = True
    ) -> Participant:
        """The person who holds ``token``, under the name given now, or a new one. Raises MeetingFull.

        ``recorded`` is what the person says about being recorded (None: as before), ``told`` whether they know of the
        recording that runs, if any: until somebody new does, they are left out.
        """
        is_host = host_key is not None and secrets.compare_digest(host_key.encode(), self.host_key.encode())
        known = next((p for p in self.participants.values() if token and secrets.compare_digest(p.token, token)), None)
        if known is not None:
            known.name, known.is_host, known.state = name, known.is_host or is_host, "in"
            known.connected = True
            if recorded is not None:
                known.consent.choose(recorded)
            return known
        consent = self._consent_of(_key_of_token(token) if token else "")
        if recorded is not None:
            consent.choose(recorded)
        # Whoever says no where there is nothing to choose expects something else than what happens.
        surprised = recorded is False and not consent.may_choose
        consent.told = not self.recording.active or (told and not surprised)
        return self._add(Participant(id=secrets.token_hex(6), name=name, is_host=is_host, state="in", consent=consent))

    def join_stream(self, name: str) -> Participant:
        """A program that publishes by WHIP. Raises MeetingFull. It is known again by its name alone."""
        consent = self._consent_of(_key_of_stream(name))
        return self._add(
            Participant(secrets.token_hex(6), name, is_host=False, state="in", is_stream=True, consent=consent)
        )

    def leave_out(self, participant_id: str, left_out: bool) -> None:
        """The host's word on whether somebody may be recorded; harmless when they have gone. A program cannot be asked:
        for it the host answers, too.
        """
        participant = self.participants.get(participant_id)
        if participant is None:
            return
        participant.consent.keep_out(left_out)
        if participant.is_stream:
            participant.consent.choose(not left_out)
        if not left_out:
            key = _key_of(participant)
            self.kept_out_before = tuple(each for each in self.kept_out_before if each != key)
            self._remembered.pop(key, None)

    def _consent_of(self, key: str) -> Consent:
        """What somebody said who may have been here before."""
        known = self._remembered.get(key)
        return known.renewed() if known else Consent(self.recording_choice, kept_out=key in self.kept_out_before)

    def kept_out(self) -> tuple[str, ...]:
        """Keys of those whom the host leaves out, here or gone; each is a digest, or the name of a program. Of a person
        who came back there are two: the token that the page held before counts as well.
        """
        here = [_key_of(each) for each in self.participants.values() if each.consent.kept_out]
        gone = [key for key, consent in self._remembered.items() if consent.kept_out]
        return tuple(dict.fromkeys((*self.kept_out_before, *gone, *here)))[-MAX_REMEMBERED:]

    def _remember(self, participant: Participant) -> None:
        consent = participant.consent
        key = _key_of(participant)
        self._remembered.pop(key, None)
        # Anyone may take the name of a program: it can keep one out, but let none in.
        if not (consent.kept_out if participant.is_stream else consent.is_worth_keeping):
            return
        while (
            len(self._remembered) >= MAX_REMEMBERED
        ):  # a person's page knows what it said, too; nobody else the host's no
            own = (each for each, known in self._remembered.items() if not known.kept_out)
            del self._remembered[next(own, next(iter(self._remembered)))]
        self._remembered[key] = consent

    def _add(self, participant: Participant) -> Participant:
        if len(self.participants) >= MAX_PEOPLE:
            raise MeetingFull(f"{MAX_PEOPLE} people are in this meeting already")
        taken = {each.number for each in self.participants.values()}
        participant.number = next(number for number in range(1, MAX_PEOPLE + 1) if number not in taken)
        self.participants[participant.id] = participant
        return participant

    def leave(self, participant_id: str) -> None:
        """Forget a person; harmless when already gone."""
        participant = self.participants.pop(participant_id, None)
        if participant is not None:
            participant.state = "left"
            self._remember(participant)


def _key_of(participant: Participant) -> str:
    """By which somebody is known who comes back."""
    return _key_of_stream(participant.name) if participant.is_stream else _key_of_token(participant.token)


def _key_of_token(token: str) -> str:
    """Looked up by its digest, so that the time that takes tells nothing of the token."""
    return "token " + hashlib.sha256(token.encode()).hexdigest()


def _key_of_stream(name: str) -> str:
    return "stream " + name


def new_meeting(title: str, preset: str, choices: Choices) -> Meeting:
    """A meeting with an unguessable id and host key."""
    return Meeting(secrets.token_urlsafe(9), title, secrets.token_urlsafe(24), preset, choices)


def stream_token(meeting: Meeting, kind: StreamKind) -> str:
    """The bearer token with which programs publish to (``whip``) or watch (``whep``) the meeting.

    It is derived from the host key (HMAC-SHA-256), so that nothing more has to be kept, and does not give it away.
    It begins with its kind: one that began with a hyphen would be taken for an option on a command line.
    """
    digest = hmac.new(meeting.host_key.encode(), f"{kind} {meeting.id}".encode(), hashlib.sha256).digest()
    return f"{kind}_{base64.urlsafe_b64encode(digest).rstrip(b'=').decode()}"
