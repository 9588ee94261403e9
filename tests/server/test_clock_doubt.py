"""Tests of a clock that jumps."""

from pathlib import Path

import pytest

from vmeet_core.server.clock_doubt import DAY_S, ClockDoubt, Seen

NOW_S = 1.79e9
ROUND_S = 600.0


def days(first_s: float, last_s: float) -> list[float]:
    """Looks every six hours."""
    return [first_s + n * DAY_S / 4 for n in range(int((last_s - first_s) / DAY_S * 4) + 1)]


def test_a_clock_that_goes_on_is_believed() -> None:
    seen = Seen(at_s=NOW_S)
    for now_s in (NOW_S + ROUND_S, NOW_S + 2.9 * DAY_S, NOW_S - 400 * DAY_S):
        seen = seen.look(now_s)
        assert seen.doubted_since_s is None


def test_a_jump_is_believed_when_it_has_lasted_for_a_day() -> None:
    jumped_s = NOW_S + 400 * DAY_S
    seen = Seen(at_s=NOW_S)
    for now_s in days(jumped_s, jumped_s + 0.9 * DAY_S):
        seen = seen.look(now_s)
        assert seen.doubted_since_s == jumped_s
    assert seen.look(jumped_s + DAY_S).doubted_since_s is None


def test_a_jump_that_is_put_right_is_forgotten() -> None:
    jumped = Seen(at_s=NOW_S).look(NOW_S + 400 * DAY_S)
    right = jumped.look(NOW_S + ROUND_S)
    assert right == Seen(at_s=NOW_S + ROUND_S)
    assert right.look(NOW_S + 400 * DAY_S).doubted_since_s is not None


def test_another_jump_is_another_doubt() -> None:
    once = Seen(at_s=NOW_S).look(NOW_S + 400 * DAY_S)
    assert once.look(NOW_S + 800 * DAY_S).doubted_since_s == NOW_S + 800 * DAY_S


def test_what_the_clock_said_outlives_the_server(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path, jumped_s = tmp_path / "clock.json", NOW_S + 4000 * DAY_S
    assert ClockDoubt(path).look(NOW_S, None) is None
    assert ClockDoubt(path).look(jumped_s, None) == jumped_s + DAY_S
    again = ClockDoubt(path)
    assert again.look(jumped_s + DAY_S / 2, None) == jumped_s + DAY_S
    assert again.look(jumped_s + DAY_S, None) is None
    assert caplog.text.count("the clock is 4000 days later than it was") == 1


@pytest.mark.parametrize("content", [None, "no time"])
def test_where_it_was_never_looked_at_the_newest_recording_tells(tmp_path: Path, content: str | None) -> None:
    path = tmp_path / "clock.json"
    if content is not None:
        path.write_text(content)
    assert ClockDoubt(path).look(NOW_S, NOW_S - 400 * DAY_S) == NOW_S + DAY_S
    path.unlink()
    assert ClockDoubt(path).look(NOW_S, NOW_S - 2 * DAY_S) is None
    path.unlink()
    assert ClockDoubt(path).look(NOW_S, NOW_S + 400 * DAY_S) is None


def test_a_file_that_cannot_be_written_is_told_and_the_doubt_stays(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    clock = ClockDoubt(tmp_path / "absent" / "clock.json")
    assert clock.look(NOW_S, None) is None
    assert clock.look(NOW_S + 400 * DAY_S, None) is not None
    assert clock.look(NOW_S + 400 * DAY_S + ROUND_S, None) is not None
    assert "cannot be kept" in caplog.text
