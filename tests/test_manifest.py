"""The journal of a recording."""

from pathlib import Path

import pytest

from vmeet_core.manifest import MANIFEST_NAME, Joined, Started, Stopped, decode, encode, read_manifest

EVENTS = [
    Started(at_s=1.5, recording_id="r", meeting_id="m", title="早安\n會議"),
    Joined(at_s=2.0, participant_id="p", name="王小明"),
    Stopped(at_s=3.0, reason="done"),
]


def test_events_come_back(tmp_path: Path) -> None:
    lines = [encode(event) for event in EVENTS]
    assert all(line.count(b"\n") == 1 for line in lines)
    (tmp_path / MANIFEST_NAME).write_bytes(b"".join(lines))
    assert read_manifest(tmp_path) == EVENTS


@pytest.mark.parametrize("cut", range(1, 60, 7))
def test_a_last_line_cut_short_is_left_out(cut: int) -> None:
    data = b"".join(encode(event) for event in EVENTS)[:-cut]
    events = list(decode(data.splitlines(keepends=True)))
    assert events == EVENTS[: len(events)]
    assert len(events) >= 1


def test_a_damaged_line_before_the_last_is_an_error() -> None:
    lines = [encode(EVENTS[0]), b"{broken\n", encode(EVENTS[2])]
    with pytest.raises(ValueError, match="line 2"):
        list(decode(lines))


def test_fields_of_a_later_version_are_passed_over() -> None:
    line = encode(EVENTS[1]).replace(b'"name"', b'"colour":"red","name"')
    assert list(decode([line])) == [EVENTS[1]]
