"""What Whisper is told stands before a phrase: it goes on in the same style, and spells names as it has seen them."""

from collections.abc import Sequence

from vmeet_core.hookspecs import Context

#: A sentence in Traditional characters with its full stop: Whisper then keeps to one script, sets punctuation, and is
#: more often right than without one or with the same in Simplified characters (README.md has the figures).
_STYLE = "以下是普通話的句子。"
_STYLES = {"zh": _STYLE, "yue": _STYLE}
_MOST_NAMES = 20
_BEFORE_CHARACTERS = 60


def prompt_for(language: str, text_before: str = "") -> str:
    """The style, and the end of the text before; "" where there is nothing to say."""
    return (_STYLES.get(language, "") + text_before[-_BEFORE_CHARACTERS:]).strip()


def names_of(context: Context) -> tuple[str, ...]:
    """The hot words that are worth listening for: of a single letter nothing could be told."""
    named = dict.fromkeys(" ".join(word.split()) for word in context.hot_words)
    return tuple(word for word in named if len(word) > 1)[:_MOST_NAMES]


def prompt_with_names(language: str, names: Sequence[str]) -> str:
    """The style, and a sentence that is made of the names."""
    style = _STYLES.get(language, "")
    comma, stop = ("、", "。") if style else (", ", ".")
    return style + comma.join(names) + stop
