"""What the files of a recording say of those who were left out of it."""

from pathlib import Path

from vmeet_core.manifest import LeftOut, SegmentEnded, SegmentStarted, read_manifest


def assert_nothing_of_those_left_out(folder: Path) -> None:
    """By the journal no file of a person was begun, or went on, while they were left out; and there are no others."""
    out: set[str] = set()
    running: dict[str, str] = {}
    events = read_manifest(folder)
    for event in events:
        if isinstance(event, SegmentStarted):
            assert event.participant_id not in out
            running[event.file] = event.participant_id
        elif isinstance(event, SegmentEnded):
            del running[event.file]
        elif isinstance(event, LeftOut):
            assert event.participant_id not in running.values(), "its segments end first"
            (out.add if event.left_out else out.discard)(event.participant_id)
    journalled = {event.file for event in events if isinstance(event, SegmentStarted)}
    assert {path.name for path in (folder / "segments").iterdir()} == journalled
