"""Names that a Zipformer transducer shall prefer, in the form that sherpa-onnx takes them."""

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from vmeet_stt_sherpa.tokens import is_ideographic

MOST_PHRASES = 200
MOST_CHARACTERS = 60  #: of a phrase
_SEPARATOR = "/"
_NOT_IN_WORDS = re.compile(r"[^\w'’-]+|_")


class HotWords:
    """Writes phrases in units of one model: characters, or word pieces where its folder has the vocabulary for that.

    Models of Chinese write Simplified characters: a name in Traditional ones is looked for in both.
    """

    def __init__(self, tokens: Mapping[str, int], bpe_vocabulary: Path | None) -> None:
        self._tokens, self._has_pieces = tokens, bpe_vocabulary is not None
        self._simplified: Any = None

    @property
    def modelling_unit(self) -> str:
        """As sherpa-onnx calls it."""
        if not self._has_pieces:
            return "cjkchar"
        return "cjkchar+bpe" if any(is_ideographic(token[0]) for token in self._tokens) else "bpe"

    def written(self, phrases: Iterable[str], boost: float) -> str:
        """Those that the model can say, each with its weight; "" for none."""
        if boost <= 0:
            return ""
        found = dict.fromkeys(phrase for phrase in map(self._phrase, phrases) if phrase)
        return _SEPARATOR.join(f"{phrase} :{boost:g}" for phrase in list(found)[:MOST_PHRASES])

    def _phrase(self, phrase: str) -> str:
        plain = _NOT_IN_WORDS.sub(" ", phrase[:MOST_CHARACTERS]).strip(" '’-")
        candidates = (plain, self._in_simplified(plain)) if any(map(is_ideographic, plain)) else (plain,)
        return next((each for each in candidates if self._can_be_said(each)), "")

    def _can_be_said(self, phrase: str) -> bool:
        characters = set(phrase) - {" "}
        ideographic = {each for each in characters if is_ideographic(each)}
        # Latin words are made of pieces: letter by letter, no model would say them.
        can_be_cut = self._has_pieces or ideographic == characters
        return bool(characters) and can_be_cut and all(each in self._tokens for each in ideographic)

    def _in_simplified(self, text: str) -> str:
        if self._simplified is None:
            import opencc  # reads its tables: only where there are such names

            self._simplified = opencc.OpenCC("t2s")
        return str(self._simplified.convert(text))
