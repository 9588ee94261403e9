"""Text as it is compared: without case, accents and width, words and runs of Chinese apart.

The folded form is what a plain substring search needs: each piece has one space before it, so that " hel" finds words
that begin with "hel", and 早安 finds these two characters wherever they are in a run.
"""

import re
import unicodedata

#: Letters that have no decomposition, as people type them who lack the key.
_LETTERS = str.maketrans({"ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "æ": "ae", "œ": "oe", "ı": "i"})
_ACCENTS = re.compile("[\u0300-\u036f]+")
_IN_WORDS = re.compile(r"(?<=[^\W_])['’ʼ](?=[^\W_])")
#: Scripts that put no spaces between words: Thai to Burmese, Khmer, kana, bopomofo, hangul, Han.
_UNSPACED = (
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3005-\u3007\u3040-\u30ff\u3105-\u312f\u3131-\u318e\u31a0-\u31bf"
    "\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff\U00020000-\U000323af"
)
_PIECE = re.compile(rf"[{_UNSPACED}]+|[^\W_{_UNSPACED}]+")
_NOT_IN_WORD = rf"(?<![^\W_{_UNSPACED}])"
_IS_RUN = re.compile(rf"[{_UNSPACED}]")
_CLUSTER = re.compile(r".[\u0300-\u036f\u3099\u309a]*", re.DOTALL)


def pieces(text: str) -> list[str]:
    """Words and runs of Chinese (or another script without spaces), in order."""
    return _PIECE.findall(_plain(_IN_WORDS.sub("", text)))


def fold(text: str) -> str:
    """The folded form, "" where there is nothing to find."""
    return "".join(f" {piece}" for piece in pieces(text))


def is_run(piece: str) -> bool:
    """Whether a piece is a run of a script without spaces."""
    return bool(_IS_RUN.match(piece))


def _plain(text: str) -> str:
    if text.isascii():
        return text.lower()
    spread = unicodedata.normalize("NFD", unicodedata.normalize("NFKC", text).casefold())
    return unicodedata.normalize("NFC", _ACCENTS.sub("", spread)).translate(_LETTERS)


def marks(text: str, pieces_wanted: list[str]) -> list[tuple[int, int]]:
    """Where the pieces are in ``text``: [from, to) in its characters, sorted, never overlapping.

    A run is found anywhere, a word only where a word begins with it.
    """
    folded, places = _with_places(text)
    if not pieces_wanted:
        return []
    wanted = [f"{'' if is_run(piece) else _NOT_IN_WORD}{re.escape(piece)}" for piece in pieces_wanted]
    found = re.finditer("|".join(sorted(wanted, key=len, reverse=True)), folded)
    return [(places[match.start()], places[match.end()]) for match in found if match.end() > match.start()]


def _with_places(text: str) -> tuple[str, list[int]]:
    """The folded characters, and for each (and the end) its place in ``text``."""
    skipped = {match.start() for match in _IN_WORDS.finditer(text)}
    folded, places = [], []
    for match in _CLUSTER.finditer(text):
        plain = "" if match.start() in skipped else _plain(match.group())
        folded.append(plain)
        places += [match.start()] * len(plain)
    return "".join(folded), [*places, len(text)]
