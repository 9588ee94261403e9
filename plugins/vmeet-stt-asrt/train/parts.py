"""What syllables are made of: sounds that are alike share what the network learns of them."""

from typing import NamedTuple

#: The longer first, since z begins zh. Spelling is taken as it is: y and w stand where no consonant does.
INITIALS = ("zh", "ch", "sh", *"bpmfdtnlgkhjqxrzcsyw")
_HISSED = {"zh", "ch", "sh", "r", "z", "c", "s"}
_FRONT = {"j", "q", "x", "y"}


class Parts(NamedTuple):
    """``zhuang4`` is zh, uang, 4, and ``base`` the syllable without its tone."""

    initial: str
    final: str
    tone: str
    base: str


def parts_of(syllable: str) -> Parts:
    """Finals that are spelt alike but sound otherwise are told apart: shi has -i, ju has v."""
    base, tone = syllable[:-1], syllable[-1]
    initial = next((each for each in INITIALS if base.startswith(each)), "")
    final = base[len(initial) :]
    if final == "i" and initial in _HISSED:
        final = "-i"
    elif final.startswith("u") and initial in _FRONT:
        final = "v" + final[1:]
    return Parts(initial, final, tone, base)
