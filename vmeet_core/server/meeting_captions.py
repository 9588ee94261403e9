"""The live captions of a meeting: whose words are written down, and who reads them. They are kept in memory alone."""

import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

from vmeet_core import protocol
from vmeet_core.hookspecs import TranscriberProvider
from vmeet_core.live.captioner import Captioner, DictationEvents
from vmeet_core.live.dictation import Caption, Dictation
from vmeet_core.meetings import Participant
from vmeet_core.plugins import Registry
from vmeet_core.protocol import CaptionEntry, CaptionsInfo, CaptionState
from vmeet_core.server.attendee import Attendee
from vmeet_core.server.captioned_microphone import CaptionedMicrophone
from vmeet_core.settings import Numbers, Preset, Script

PROMPT_S = 5.0  #: what is read so soon after its end shows that the server keeps up again


class BadLanguage(ValueError):
    """A language that the transcriber does not know; the text says which it does."""


class CaptionPlan(NamedTuple):
    """What a meeting's preset says of its captions, and what is known of the transcriber, ``provider`` by its name."""

    provider: str
    title: str
    leaves_host: bool
    languages: tuple[str, ...]
    language: str
    script: Script
    numbers: Numbers
    options: dict[str, Any]

    def described(self) -> dict[str, Any]:
        """What a page needs to know before anybody joins."""
        return {
            "title": self.title,
            "leaves_host": self.leaves_host,
            "language": self.language,
            "languages": list(self.languages),
        }


def caption_plan(preset: Preset, registry: Registry) -> CaptionPlan | None:
    """None where the preset has no captions. A transcriber that is not installed any more will fail, and say so."""
    name = preset.live_transcriber
    if name is None:
        return None
    offered: Mapping[str, TranscriberProvider] = registry.providers["transcribers"]  # type: ignore[assignment]
    provider = offered.get(name)
    return CaptionPlan(
        name,
        provider.title if provider is not None else name,
        provider.leaves_host if provider is not None else False,
        provider.languages if provider is not None else (),
        preset.language,
        preset.script,
        preset.numbers,
        preset.options.get(name, {}),
    )


class MeetingCaptions:
    """``entries`` are the last phrases, for those who come later. Without a plan all of it does nothing.

    ``attendees`` are everyone in the meeting, ``broadcast`` tells all their pages.
    """

    def __init__(
        self,
        plan: CaptionPlan | None,
        captioner: Captioner | None,
        attendees: Callable[[], Iterable[Attendee]],
        broadcast: Callable[[protocol.ServerMessage], None],
    ) -> None:
        self.entries: deque[CaptionEntry] = deque(maxlen=protocol.MAX_CAPTIONS_KEPT)
        self._plan = plan
        self._captioner = captioner
        self._attendees = attendees
        self._broadcast = broadcast
        self._microphones: dict[str, CaptionedMicrophone] = {}
        self._number = 0
        self._is_behind = False
        self._trouble = ""
        self._told = self.info()
        if captioner is not None:
            captioner.listeners.append(self._tell)

    # ---- whose words are written down ----

    def follow(self, attendee: Attendee) -> None:
        """Somebody is here, under this name, and perhaps with another microphone than before."""
        plan, captioner, person = self._plan, self._captioner, attendee.participant.id
        if plan is None or captioner is None:
            return
        microphone, known = attendee.sources.get("microphone"), self._microphones.get(person)
        if known is not None and known.microphone is not microphone:
            self._microphones.pop(person).close()
        if microphone is not None and person not in self._microphones:
            events = _PersonEvents(self, attendee.participant)
            dictation = self._dictation(plan, attendee.participant)
            self._microphones[person] = CaptionedMicrophone(microphone, captioner, dictation, events)
        self._update(plan)

    def drop(self, participant_id: str) -> None:
        """Somebody has gone."""
        known = self._microphones.pop(participant_id, None)
        if known is not None:
            known.close()
        if self._plan is not None:
            self._update(self._plan)

    def set_language(self, participant: Participant, language: str | None) -> None:
        """What somebody speaks from now on; None: as the meeting has it. Raises BadLanguage."""
        plan = self._plan
        if plan is None:
            return
        if language not in (None, "auto", plan.language, *plan.languages):
            known = ", ".join(plan.languages) or "none by name"
            raise BadLanguage(f"{plan.title} does not know the language {language}; it knows: {known}")
        participant.language = language
        self._update(plan)

    def _update(self, plan: CaptionPlan) -> None:
        """Names and languages may be others than before."""
        people = {attendee.participant.id: attendee.participant for attendee in self._attendees()}
        for person, microphone in self._microphones.items():
            if person in people:
                microphone.change(self._dictation(plan, people[person]))

    def _dictation(self, plan: CaptionPlan, participant: Participant) -> Dictation:
        names = tuple(dict.fromkeys(attendee.participant.name for attendee in self._attendees()))
        return Dictation(participant.language or plan.language, plan.script, plan.numbers, names, plan.options)

    # ---- what is told ----

    def info(self) -> CaptionsInfo | None:
        """How the captions do; None where the meeting has none."""
        plan, captioner = self._plan, self._captioner
        if plan is None or captioner is None:
            return None
        state, reason = self._state(captioner)
        return CaptionsInfo(state=state, reason=reason or None, **plan.described())

    def _state(self, captioner: Captioner) -> tuple[CaptionState, str]:
        if captioner.state != "on":
            return captioner.state, captioner.reason
        if self._trouble:
            return "failed", self._trouble
        return ("behind", "") if self._is_behind else ("on", "")

    def _tell(self) -> None:
        info = self.info()
        if info is not None and info != self._told:
            self._told = info
            self._broadcast(protocol.CaptionsChanged(captions=info))

    def note(self, participant: Participant, caption: Caption) -> None:
        """Somebody has said something; "" when nothing was understood."""
        behind_s = time.monotonic() - caption.end_s
        self._trouble, self._is_behind = "", self._is_behind and behind_s > PROMPT_S
        self._tell()
        if not caption.text:
            return
        self._number += 1
        end_s = time.time() - behind_s
        entry = CaptionEntry(
            number=self._number,
            participant_id=participant.id,
            name=participant.name,
            text=caption.text,
            language=caption.language,
            start_s=round(end_s - (caption.end_s - caption.start_s), 3),
            end_s=round(end_s, 3),
        )
        self.entries.append(entry)
        self._broadcast(protocol.CaptionReceived(entry=entry))

    def note_drop(self) -> None:
        """The transcriber is too slow for all that is said."""
        self._is_behind = True
        self._tell()

    def note_failure(self, reason: str) -> None:
        """A phrase could not be written down."""
        self._trouble = reason
        self._tell()

    def close(self) -> None:
        """The meeting ends."""
        for microphone in self._microphones.values():
            microphone.close()
        self._microphones.clear()
        if self._captioner is not None and self._tell in self._captioner.listeners:
            self._captioner.listeners.remove(self._tell)


class _PersonEvents(DictationEvents):
    """Of one person's voice."""

    def __init__(self, captions: MeetingCaptions, participant: Participant) -> None:
        self._captions = captions
        self._participant = participant

    def caption(self, caption: Caption) -> None:
        self._captions.note(self._participant, caption)

    def dropped(self) -> None:
        self._captions.note_drop()

    def failed(self, reason: str) -> None:
        self._captions.note_failure(reason)
