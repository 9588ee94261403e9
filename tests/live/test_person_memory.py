"""What a filter found out about one picture is there for the next one, and not for long."""

import numpy as np
import pytest

from vmeet_core.live.person_memory import LONGEST_S, PersonMemory

SIZE = (180, 320)
PERSON = np.full((9, 16), 200, np.uint8)


def memory() -> PersonMemory:
    made = PersonMemory()
    made.keep(PERSON, SIZE, 10.0)
    return made


def test_the_next_picture_has_it() -> None:
    recalled = memory().recall(SIZE, 10.03)
    assert recalled is not None
    assert np.array_equal(recalled, PERSON)


def test_it_is_a_copy_that_cannot_be_written() -> None:
    mine, made = PERSON.copy(), PersonMemory()
    made.keep(mine, SIZE, 10.0)
    mine[:] = 0
    recalled = made.recall(SIZE, 10.0)
    assert recalled is not None
    assert recalled[0, 0] == 200
    assert not recalled.flags.writeable


@pytest.mark.parametrize(
    ("size", "pts_s"), [((320, 180), 10.03), (SIZE, 10.01 + LONGEST_S), (SIZE, 9.9), (SIZE, float("nan"))]
)
def test_another_size_and_another_time_have_nothing(size: tuple[int, int], pts_s: float) -> None:
    assert memory().recall(size, pts_s) is None


def test_at_first_and_after_nothing_there_is_nothing() -> None:
    assert PersonMemory().recall(SIZE, 0.0) is None
    made = memory()
    made.keep(None, SIZE, 10.03)
    assert made.recall(SIZE, 10.06) is None
