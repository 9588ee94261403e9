"""Errors between two sequences of tokens."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vmeet_core.evaluate.alignment import Operation, Step, aligned, distance


def test_each_error_is_of_its_kind() -> None:
    alignment = aligned("天氣很好今天晚上", "天器很好天晚上嗎")
    assert alignment.steps == (
        Step("equal", "天", "天"),
        Step("substitution", "氣", "器"),
        Step("equal", "很", "很"),
        Step("equal", "好", "好"),
        Step("deletion", "今", ""),
        Step("equal", "天", "天"),
        Step("equal", "晚", "晚"),
        Step("equal", "上", "上"),
        Step("insertion", "", "嗎"),
    )
    assert (alignment.errors, alignment.reference_tokens) == (3, 8)
    counts: dict[Operation, int] = {"equal": 6, "substitution": 1, "deletion": 1, "insertion": 1}
    assert {operation: alignment.count(operation) for operation in counts} == counts


def test_words_are_compared_whole() -> None:
    alignment = aligned(("我", "用", "python"), ("我", "用", "pytorch"))
    assert alignment.steps[-1] == Step("substitution", "python", "pytorch")


@pytest.mark.parametrize(("reference", "heard"), [("", ""), ("", "好"), ("好", "")])
def test_nothing_said_or_heard(reference: str, heard: str) -> None:
    assert aligned(reference, heard).errors == max(len(reference), len(heard))


def fewest_errors(reference: str, heard: str) -> int:
    """By the recurrence of Wagner and Fischer (1974)."""
    row = list(range(len(heard) + 1))
    for i, a in enumerate(reference, start=1):
        before, row[0] = row[0], i
        for j, b in enumerate(heard, start=1):
            before, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, before + (a != b))
    return row[-1]


@given(st.text("abc", max_size=12), st.text("abc", max_size=12))
def test_no_alignment_has_fewer_errors_and_both_texts_are_in_it(reference: str, heard: str) -> None:
    alignment = aligned(reference, heard)
    assert alignment.errors == distance(reference, heard) == fewest_errors(reference, heard)
    assert "".join(step.reference for step in alignment.steps) == reference
    assert "".join(step.heard for step in alignment.steps) == heard
    assert alignment.reference_tokens == len(reference)
