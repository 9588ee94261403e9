"""Which recordings go, and why: the rule without a server."""

import pytest

from vmeet_core.server.retention import DAY_S, Held, due_now, expires_at_s, next_due
from vmeet_core.server.store import RecordingRow
from vmeet_core.settings import Recording

NOW_S = 1000 * DAY_S


def held(identity: str, age_days: float, size_bytes: int = 10, spare: bool = True) -> Held:
    return Held(identity, identity.title(), NOW_S - age_days * DAY_S, size_bytes, spare)


def due(recordings: list[Held], **rules: int) -> list[tuple[str, str]]:
    return [(each.recording.id, each.reason) for each in due_now(recordings, Recording(**rules), NOW_S)]


def test_without_rules_nothing_goes() -> None:
    recordings = [held("a", 5000, 10**15)]
    assert due(recordings) == []
    assert next_due(recordings, Recording(), NOW_S) is None


def test_by_age_the_oldest_first() -> None:
    recordings = [held("new", 29.9), held("old", 31), held("older", 300), held("just", 30)]
    assert due(recordings, max_age_days=30) == [("older", "age"), ("old", "age"), ("just", "age")]


def test_by_size_the_oldest_until_the_rest_fits() -> None:
    recordings = [held("c", 1, 30), held("a", 3, 10), held("b", 2, 20)]
    assert due(recordings, max_total_bytes=60) == []
    assert due(recordings, max_total_bytes=59) == [("a", "size")]
    assert due(recordings, max_total_bytes=49) == [("a", "size"), ("b", "size")]
    assert due(recordings, max_total_bytes=1) == [("a", "size"), ("b", "size"), ("c", "size")]


def test_what_goes_by_age_makes_room() -> None:
    recordings = [held("a", 40, 50), held("b", 2, 20), held("c", 1, 20)]
    assert due(recordings, max_age_days=30, max_total_bytes=40) == [("a", "age")]
    assert due(recordings, max_age_days=30, max_total_bytes=39) == [("a", "age"), ("b", "size")]


def test_what_is_kept_or_in_use_stays_but_takes_room() -> None:
    recordings = [held("kept", 400, 50, spare=False), held("a", 3, 10), held("b", 2, 10)]
    assert due(recordings, max_age_days=30) == []
    assert due(recordings, max_total_bytes=60) == [("a", "size")]
    assert due(recordings, max_total_bytes=5) == [("a", "size"), ("b", "size")]


@pytest.mark.parametrize(
    ("rules", "recordings", "expected"),
    [
        ({"max_age_days": 30}, [held("a", 1), held("b", 10)], ("b", "age", NOW_S + 20 * DAY_S)),
        ({"max_age_days": 30}, [held("a", 1), held("b", 40)], ("b", "age", NOW_S)),
        ({"max_total_bytes": 100}, [held("a", 1), held("b", 10)], ("b", "size", None)),
        ({"max_total_bytes": 15}, [held("a", 1), held("b", 10)], ("b", "size", NOW_S)),
        ({"max_age_days": 30}, [held("a", 1, spare=False)], None),
        ({"max_age_days": 30}, [], None),
    ],
)
def test_what_is_next(
    rules: dict[str, int], recordings: list[Held], expected: tuple[str, str, float | None] | None
) -> None:
    found = next_due(recordings, Recording(**rules), NOW_S)
    assert (found and (found.recording.id, found.reason, found.at_s)) == expected


def test_the_day_of_a_recording() -> None:
    row = RecordingRow(id="a", started_at_s=100.0, duration_s=20.0, kept=False, state="recorded")
    assert expires_at_s(row, Recording(max_age_days=2)) == 120 + 2 * DAY_S
    assert expires_at_s(row, Recording(max_total_bytes=5)) is None
    row.media = "upload/original"  # it came at that moment, whatever its length
    assert expires_at_s(row, Recording(max_age_days=2)) == 100 + 2 * DAY_S
    row.kept = True
    assert expires_at_s(row, Recording(max_age_days=2)) is None
    row.kept, row.state = False, "recording"
    assert expires_at_s(row, Recording(max_age_days=2)) is None
