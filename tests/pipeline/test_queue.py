"""Tests of which step is next."""

from pathlib import Path
from typing import Any

from vmeet_core.pipeline.job import Job, Step
from vmeet_core.pipeline.queue import PATIENCE_S, next_time_s, room_behind, waiting
from vmeet_core.pipeline.spec import StepSpec
from vmeet_core.pipeline.views import ProcessRequest

NOW_S = 1_000_000.0


def job(name: str, waited_s: float, *steps: Step, **more: Any) -> Job:
    queued_at_s = NOW_S - waited_s
    return Job(name, "r", Path("/r"), ProcessRequest(), queued_at_s, list(steps), queued_at_s=queued_at_s, **more)


def step(name: str, extra: bool = False) -> Step:
    return Step(StepSpec(name=name, title=name, function="f", version=1, extra=extra), key=name)


def order(*jobs: Job) -> list[str]:
    return [f"{job.id}.{step.spec.name}" for job, step in waiting(jobs, NOW_S)]


def test_a_fresh_meeting_comes_first_and_then_the_oldest() -> None:
    again = job("again", 900, step("a"), priority="later")
    older, newer = job("older", 60, step("a")), job("newer", 30, step("a"))
    assert order(again, newer, older) == ["older.a", "newer.a", "again.a"]


def test_a_meeting_that_still_runs_comes_after_those_that_have_ended_and_before_what_can_wait() -> None:
    again = job("again", 900, step("a"), priority="later")
    ahead = job("ahead", 9_000, step("a"), priority="ahead")
    late = job("late", PATIENCE_S + 1, step("a"), priority="later")
    assert order(again, ahead, job("fresh", 1, step("a")), late) == ["late.a", "fresh.a", "ahead.a", "again.a"]


def test_what_playing_needs_comes_before_all_extras() -> None:
    one, two = job("one", 60, step("sound"), step("thumbnail", extra=True)), job("two", 30, step("sound"))
    assert order(one, two) == ["one.sound", "two.sound", "one.thumbnail"]


def test_nothing_waits_for_ever() -> None:
    again = job("again", PATIENCE_S + 60, step("a"), priority="later")
    extra = job("extra", PATIENCE_S + 30, step("a", extra=True))
    fresh = [job(f"fresh{number}", number, step("a")) for number in range(20)]
    assert order(*fresh, again, extra)[:2] == ["again.a", "extra.a"]


def test_who_was_moved_last_is_first() -> None:
    first = job("first", 10, step("a", extra=True), priority="front", moved_at_s=NOW_S - 5)
    second = job("second", 20, step("a"), priority="front", moved_at_s=NOW_S - 1)
    fresh = job("fresh", 3000, step("a"))
    assert order(fresh, first, second) == ["second.a", "first.a", "fresh.a"]


def test_a_back_off_keeps_a_step_out_until_its_time() -> None:
    late, later = step("late"), step("later")
    late.not_before_s, later.not_before_s = NOW_S + 5, NOW_S + 9
    waits = job("j", 10, step("now"), later, late)
    assert order(waits) == ["j.now"]
    assert next_time_s([waits], NOW_S) == NOW_S + 5
    assert next_time_s([waits], NOW_S + 5) == NOW_S + 9
    assert next_time_s([waits], NOW_S + 9) is None


def test_while_something_is_waited_for_one_of_three_steps_may_be_another() -> None:
    sound, picture = step("sound"), step("thumbnail", extra=True)
    both = job("one", 10, sound, picture)
    assert [room_behind([both], workers) for workers in (1, 2, 3, 8)] == [1, 1, 1, 6]
    sound.state = "running"
    assert room_behind([both], 3) == 1
    sound.state = "done"
    assert room_behind([both], 3) == 3
    assert room_behind([both, job("ahead", 10, step("sound"), priority="ahead")], 3) == 3
    assert room_behind([], 3) == 3
