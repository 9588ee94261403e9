"""Who speaks: judged by the audio levels that pages send along with every packet of sound (RFC 6464).

Like Volfin and Cohen, "Dominant speaker identification for multipoint videoconferencing" (Computer Speech & Language
27, 2013), it looks at more than one span of time, so that a cough, a knock or a word thrown in does not take the
floor, and the floor stays with whoever had it while all are silent. The measures are simpler than theirs: the level
in decibels, smoothed over SMOOTHING_S (a burst shorter than that never reaches its own height), over the noise of
the same microphone, and a challenger who must stay louder for ATTACK_S.
"""

import math

SMOOTHING_S = 0.3
ATTACK_S = 0.5  #: a challenger must be the louder one for so long
HOLD_S = 1.0  #: whoever has the floor keeps it at least so long
MARGIN_DB = 3.0  #: and must be louder by so much
SPEECH_DB = -60.0  #: what is more silent than this (dBov) is no speech
ABOVE_NOISE_DB = 9.0  #: speech stands out of the noise of its microphone by so much
NOISE_RISE_DB_PER_S = 1.0  #: the noise is the lowest level of late; between two words it falls back at once
PAUSE_S = 0.15  #: syllables may be so far apart
HEARD_S = 0.2  #: speech of so long counts as having spoken
SILENT_DB = -127.0
TICK_S = 0.1


class Voice:
    """The sound of one person, as far as its loudness goes. ``muted`` people do not speak, whatever they send."""

    def __init__(self) -> None:
        self.muted = False
        self.smoothed_db = SILENT_DB
        self.speaking_s = 0.0  #: for how long it has been speech, now
        self.louder_s = 0.0  #: for how long it has been louder than whoever has the floor
        self._noise_db = 0.0
        self._pause_s = math.inf
        self._sum = 0
        self._count = 0

    def on_level(self, level: int, now_s: float) -> None:
        """A packet with this level (-dBov: 0 loud .. 127 silent) has come; called for every packet of sound."""
        self._sum += level
        self._count += 1

    def tick(self, elapsed_s: float) -> None:
        """Take in what came within the latest ``elapsed_s``; nothing counts as silence."""
        level_db = -self._sum / self._count if self._count and not self.muted else SILENT_DB
        self._sum = self._count = 0
        self.smoothed_db += (level_db - self.smoothed_db) * (1 - math.exp(-elapsed_s / SMOOTHING_S))
        if level_db > SILENT_DB:  # nothing at all (muted, or no packets) says nothing about the room's noise
            self._noise_db = min(level_db, self._noise_db + NOISE_RISE_DB_PER_S * elapsed_s)
        self._pause_s = 0.0 if level_db > self._threshold_db else self._pause_s + elapsed_s
        self.speaking_s = self.speaking_s + elapsed_s if self.is_speech else 0.0

    @property
    def _threshold_db(self) -> float:
        return max(SPEECH_DB, self._noise_db + ABOVE_NOISE_DB)

    @property
    def is_loud(self) -> bool:
        """Whether the level of late is that of a voice, rather than of silence or of steady noise."""
        return not self.muted and self.smoothed_db > self._threshold_db

    @property
    def is_speech(self) -> bool:
        """Whether it goes on now: what fades away after a burst is no speech."""
        return self.is_loud and self._pause_s <= PAUSE_S


class ActiveSpeaker:
    """``speaker_id`` has the floor (None: nobody has spoken yet); ``recent`` are those who spoke, the latest first."""

    def __init__(self) -> None:
        self.speaker_id: str | None = None
        self.recent: list[str] = []
        self._voices: dict[str, Voice] = {}
        self._held_s = math.inf

    def voice(self, person: str) -> Voice:
        """The voice of a person; a new one at the first call."""
        return self._voices.setdefault(person, Voice())

    def remove(self, person: str) -> None:
        """The person has gone; harmless when unknown."""
        self._voices.pop(person, None)
        self.recent = [each for each in self.recent if each != person]
        if self.speaker_id == person:
            self.speaker_id = None
            self._held_s = math.inf

    def tick(self, elapsed_s: float = TICK_S) -> None:
        """Judge anew; to be called every TICK_S or so."""
        self._held_s += elapsed_s
        for voice in self._voices.values():
            voice.tick(elapsed_s)
        self._note_recent()
        floor_db = self._floor_db()
        for person, voice in self._voices.items():
            louder = person != self.speaker_id and voice.is_speech and voice.smoothed_db >= floor_db
            voice.louder_s = voice.louder_s + elapsed_s if louder else 0.0
        self._change()

    def _floor_db(self) -> float:
        """What a challenger has to reach."""
        holder = self._voices.get(self.speaker_id or "")
        return holder.smoothed_db + MARGIN_DB if holder is not None and holder.is_loud else SILENT_DB

    def _note_recent(self) -> None:
        """Those who speak now come before those who spoke, in the order they have: nothing moves while they go on."""
        now = [person for person, voice in self._voices.items() if voice.speaking_s >= HEARD_S]
        if not now:
            return
        speaking = set(now)
        first = [each for each in self.recent if each in speaking]
        first += [each for each in now if each not in first]
        self.recent = first + [each for each in self.recent if each not in speaking]

    def _change(self) -> None:
        if self._held_s < HOLD_S:
            return
        ready = [(voice.smoothed_db, person) for person, voice in self._voices.items() if voice.louder_s >= ATTACK_S]
        if ready:
            self.speaker_id = max(ready)[1]
            self._held_s = 0.0
