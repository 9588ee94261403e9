"""What the index holds of a text: its words, and of its runs of Chinese every two characters side by side."""

from itertools import pairwise

from vmeet_core.search.folding import is_run


def grams(folded: str) -> set[str]:
    """Of a folded text. The last character of a run is a gram of its own, so that each character begins one."""
    found: set[str] = set()
    for piece in folded.split():
        if is_run(piece):
            found.update(map("".join, pairwise(piece)))
            found.add(piece[-1])
        else:
            found.add(piece)
    return found
