"""Which language a person speaks: evidence over calls, since a short phrase alone is often misjudged.

Odds are multiplied, as by Bayes, but what was heard before makes no language more than ``MOST_ODDS`` times as likely as
another. What a phrase says counts by its length: a long and clear one turns the judgement over at once, a short one
does not.
"""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from vmeet_core.hookspecs import Permanent

MOST_ODDS = 20.0
FULL_S = 5.0  #: speech of this length counts fully
DOUBT = 0.05  #: how often a probability that the network gives is worth nothing, however sure it seems

#: Primary subtags of BCP 47 that Whisper calls otherwise.
_WHISPER = {"cmn": "zh", "nb": "no", "jv": "jw", "fil": "tl", "iw": "he"}
_BCP47 = {"jw": "jv"}

_CODES = (
    "af am ar as az ba be bg bn bo br bs ca cs cy da de el en es et eu fa fi fo fr gl gu ha haw he hi hr "
    "ht hu hy id is it ja jv ka kk km kn ko la lb ln lo lt lv mg mi mk ml mn mr ms mt my ne nl nn no oc "
    "pa pl ps pt ro ru sa sd si sk sl sn so sq sr su sv sw ta te tg th tk tl tr tt uk ur uz vi yi yo zh "
    "yue"
)
#: What models of several languages know, as BCP 47; "yue" only large-v3 and its like.
LANGUAGES = tuple(_CODES.split())


def whisper_language(tag: str, known: tuple[str, ...]) -> str:
    """Whisper's name for a BCP 47 tag such as "zh-TW". Raises Permanent for a language that it does not know."""
    primary = tag.replace("_", "-").split("-")[0].lower()
    name = _WHISPER.get(primary, primary)
    if name == "yue" and name not in known:
        name = "zh"  # models before large-v3 count it as Chinese
    if name not in known:
        raise Permanent(f'this model does not know the language "{tag}". It knows: {", ".join(sorted(known))}, or auto')
    return name


def bcp47(language: str) -> str:
    return _BCP47.get(language, language)


class LanguageEvidence:
    """What has been heard of one person."""

    def __init__(self, known: tuple[str, ...]) -> None:
        self._known = known
        self._belief: NDArray[np.float64] = np.full(len(known), 1 / len(known))

    def hear(self, probabilities: Mapping[str, float], speech_s: float) -> str:
        """Take in what the network makes of a part with so much speech in it; gives the likeliest language now."""
        weight = min(1.0, speech_s / FULL_S)
        heard = np.array([probabilities.get(language, 0.0) for language in self._known])
        likely = (1 - DOUBT) * heard / max(float(np.sum(heard)), 1e-9) + DOUBT / len(heard)
        belief = np.maximum(self._belief, np.max(self._belief) / MOST_ODDS) * likely**weight
        self._belief = belief / np.sum(belief)
        return self._known[int(np.argmax(self._belief))]
