"""How far one sequence is from another."""

from collections.abc import Sequence


def edits(truth: Sequence[object], found: Sequence[object]) -> int:
    """The fewest insertions, deletions and substitutions that make the one of the other (Levenshtein)."""
    row = list(range(len(found) + 1))
    for at, wanted in enumerate(truth, 1):
        diagonal, row[0] = row[0], at
        for place, given in enumerate(found, 1):
            diagonal, row[place] = row[place], min(row[place] + 1, row[place - 1] + 1, diagonal + (wanted != given))
    return row[-1]


def accuracy(pairs: Sequence[tuple[Sequence[object], Sequence[object]]]) -> float:
    """1 minus edits over length, all pairs of truth and found together; may be negative."""
    return 1 - sum(edits(*pair) for pair in pairs) / max(1, sum(len(truth) for truth, _ in pairs))
