"""What the index holds of a text: its words, and of its runs of Chinese each character and each two side by side."""

from itertools import pairwise

from vmeet_core.search.folding import is_run


def grams(folded: str) -> set[str]:
    """Of a folded text."""
    found: set[str] = set()
    for piece in folded.split():
        if is_run(piece):
            found.update(map("".join, pairwise(piece)))
            found.update(piece)
        else:
            found.add(piece)
    return found
