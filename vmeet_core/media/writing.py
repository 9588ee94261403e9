"""What somebody said, as it is to be read: the numbers and the typography that readers want, after its script."""

from vmeet_core.media.numerals import with_digits
from vmeet_core.media.typography import typeset
from vmeet_core.settings import Numbers

_OTHER_HAN = ("ja", "ko")


def has_own_han(language: str) -> bool:
    """Whether a language (BCP 47) writes Chinese characters in a way of its own, which no script of Chinese is."""
    return language.partition("-")[0].lower() in _OTHER_HAN


def as_read(text: str, numbers: Numbers) -> str:
    """``text``, which is in its script already."""
    return typeset(with_digits(text) if numbers == "digits" else text)
