"""Two texts side by side, token by token, and the errors of one against the other."""

from collections.abc import Sequence
from typing import Literal, NamedTuple

from vmeet_core.evaluate.extra import extra

Operation = Literal["equal", "substitution", "deletion", "insertion"]


class Step(NamedTuple):
    """One token of each text; "" where the other one has a token too many."""

    operation: Operation
    reference: str
    heard: str


class Alignment(NamedTuple):
    """With the fewest errors that turn ``reference`` into ``heard`` (V. I. Levenshtein, 1966)."""

    steps: tuple[Step, ...]

    def count(self, operation: Operation) -> int:
        return sum(step.operation == operation for step in self.steps)

    @property
    def errors(self) -> int:
        return len(self.steps) - self.count("equal")

    @property
    def reference_tokens(self) -> int:
        return len(self.steps) - self.count("insertion")


def aligned(reference: Sequence[str], heard: Sequence[str]) -> Alignment:
    """Raises CompareError where the package that does it is absent."""
    steps: list[Step] = []
    for code in extra("rapidfuzz.distance").Levenshtein.opcodes(reference, heard):
        before, after = reference[code.src_start : code.src_end], heard[code.dest_start : code.dest_end]
        if code.tag == "delete":
            steps += [Step("deletion", token, "") for token in before]
        elif code.tag == "insert":
            steps += [Step("insertion", "", token) for token in after]
        else:
            operation: Operation = "equal" if code.tag == "equal" else "substitution"
            steps += [Step(operation, *pair) for pair in zip(before, after, strict=True)]
    return Alignment(tuple(steps))


def distance(reference: Sequence[str], heard: Sequence[str]) -> int:
    """The number of errors alone. Raises CompareError as ``aligned``."""
    return int(extra("rapidfuzz.distance").Levenshtein.distance(reference, heard))
