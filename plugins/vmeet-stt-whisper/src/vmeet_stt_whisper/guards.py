"""What tells an invention from speech, phrase by phrase: the text itself, and what the sound and the network say of it.

Whisper was taught with subtitles that did not always belong to the sound, so it writes something in any case. No single
sign is sure: probabilities of tokens are high for what it has seen often, its own probability of silence is low with
music. A voice detector of another make, the speed of speech and lists of phrases are asked, too.
"""

import re
from collections.abc import Sequence
from difflib import SequenceMatcher

from vmeet_stt_whisper.network import Found
from vmeet_stt_whisper.phantoms import is_never_said, is_perhaps_said, letters
from vmeet_stt_whisper.voice import Voice
from vmeet_stt_whisper.words import Word

LOOP = 2.4  #: text that zlib makes smaller than by this repeats itself (the paper's figure)
#: Words whose mean probability is less than this might be anything, or are nothing: in speech it is 0.38 and more.
UNSURE, GUESSED = 0.5, 0.15
#: The network's own probability that nobody speaks, and the mean log-probability of a token: in 106 utterances of real
#: speech, some of it noisy, at most 0.49 and at least -1.02; in sounds without a voice mostly over 0.7 and under -1.4.
SILENT, SURELY_SILENT, UNLIKELY = 0.3, 0.6, -1.3
_FASTEST_PER_S, _FAST_PER_S = 14.0, 8.0  # characters, or syllables of about three letters, of a second of voice
_LEAST_VOICE_S = 0.1
_AROUND_S = 0.3  # times of words are right to about this
_LETTERS_PER_SYLLABLE = 3
_FEW_WORDS = 2
_ALIKE = 0.5  # names that are heard alone are spelt at least half as they are heard without being told of them
_WIDE = re.compile("[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af]")
_KEPT = 3  # of a loop: laughter and counting repeat themselves as well


def is_invented(
    words: Sequence[Word], voice: Voice, found: Found, prompt: str, sureness_of_all: float | None = None
) -> bool:
    """Whether these words of ``found``, which follow one another without a pause, were never said.

    ``sureness_of_all`` is that of all words of ``found``: a word that stands alone before or after a pause is often
    misheard, and is still the word that somebody said there, where the others are sure.
    """
    text = "".join(word.text for word in words)
    plain = letters(text)
    if not plain or is_never_said(text):
        return True
    voice_s = voice.within(words[0].start_s - _AROUND_S, words[-1].end_s + _AROUND_S)
    if voice_s < _LEAST_VOICE_S or syllables(plain) > _FASTEST_PER_S * max(voice_s, 0.5):
        return True
    unsure, seems_silent = sureness(words) < UNSURE, found.no_speech > SILENT
    if max(sureness(words), (sureness_of_all or 0.0) if len(words) <= _FEW_WORDS else 0.0) < GUESSED:
        return True
    if seems_silent and found.mean_logprob < UNLIKELY:
        return True
    if unsure and (found.no_speech > SURELY_SILENT or plain in letters(prompt)):
        return True
    return is_perhaps_said(text) and (unsure or seems_silent or syllables(plain) > _FAST_PER_S * voice_s)


def is_echo_of_names(told: str, names: Sequence[str], plain: str) -> bool:
    """Whether ``told``, which the network wrote when it was told these names, is nothing but them, and nothing like
    ``plain``, which it wrote when it was not: asked for a short phrase that it hardly understands, it gives them back.
    """
    rest = letters(told)
    for name in sorted(map(letters, names), key=len, reverse=True):
        rest = rest.replace(name, "")
    return not rest and SequenceMatcher(None, letters(told), letters(plain), autojunk=False).ratio() < _ALIKE


def sureness(words: Sequence[Word]) -> float:
    """The mean probability of the words, 0 to 1."""
    return sum(word.probability for word in words) / len(words) if words else 0.0


def syllables(plain: str) -> float:
    """About how many ``letters`` are: a wide character is one."""
    wide = len(_WIDE.findall(plain))
    return wide + (len(plain) - wide) / _LETTERS_PER_SYLLABLE


def without_loops(words: Sequence[Word]) -> list[Word]:
    """A run of words that occurs six times and more in a row is kept three times."""
    kept: list[Word] = list(words)
    for length in range(1, 9):
        kept = _shortened(kept, length)
    return kept


def _shortened(words: list[Word], length: int) -> list[Word]:
    kept: list[Word] = []
    start = 0
    while start < len(words):
        unit = [letters(word.text) for word in words[start : start + length]]
        times = 1
        while [letters(word.text) for word in words[start + times * length : start + (times + 1) * length]] == unit:
            times += 1
        if times >= 6 and any(unit):
            kept += words[start : start + _KEPT * length]
            start += times * length
        else:
            kept.append(words[start])
            start += 1
    return kept
