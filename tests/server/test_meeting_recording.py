"""The recording of a meeting: whom it listens to, and what it notes."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from vmeet_core.manifest import Joined, Left, Muted, Stopped, read_manifest
from vmeet_core.media.active_speaker import Voice
from vmeet_core.meetings import Choices, Participant, new_meeting
from vmeet_core.protocol import RecordingChanged
from vmeet_core.server.attendee import Attendee
from vmeet_core.server.meeting_recording import MeetingRecording, RecordingPlace
from vmeet_core.sfu.ingress import Ingress
from vmeet_core.sfu.publisher_clock import PublisherClock


class Connection:
    """As much of a publishing connection as is recorded."""

    def __init__(self) -> None:
        sources: Any = ("microphone", "camera", "camera-small", "screen")
        self.sources = {source: Ingress(source, lambda data: True, PublisherClock()) for source in sources}

    def listened_to(self) -> list[str]:
        return [source for source, ingress in self.sources.items() if ingress._listeners]


class Stage:
    """A meeting of one, and what the server and the pages were told."""

    def __init__(self, folder: Path) -> None:
        self.meeting = new_meeting("t", "plain", Choices())
        self.anna = Attendee(Participant(id="a", name="Anna", is_host=True), Voice(), Connection())  # type: ignore[arg-type]
        self.told: list[RecordingChanged] = []
        self.finished: list[tuple[list[str], str | None]] = []
        self.folders: list[Path] = []
        self.cannot_finish = False
        place = RecordingPlace(folder, 0, self._on_recording, self._on_recorded)
        self.recording = MeetingRecording(
            self.meeting,
            place,
            lambda: [self.anna],
            self.told.append,
            lambda task: None,  # type: ignore[arg-type]
        )

    async def _on_recording(self, meeting: Any, recorder: Any) -> None:
        self.folders.append(recorder.folder)

    async def _on_recorded(self, meeting: Any, recorder: Any, people: list[str], note: str | None) -> None:
        assert self.told[-1].recording.active, "whoever is told that it has ended may ask for it at once"
        if self.cannot_finish:
            raise OSError("the disk is full")
        self.finished.append((people, note))


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    made = Stage(tmp_path)
    yield made
    await made.recording.stop("the test is over")


async def test_everything_but_the_small_picture_is_recorded(stage: Stage) -> None:
    first: Any = stage.anna.publish
    await stage.recording.start()
    await stage.recording.start()
    assert first.listened_to() == ["microphone", "camera", "screen"]
    second: Any = Connection()
    stage.anna.take(second)
    stage.recording.listen_to(stage.anna)
    assert first.listened_to() == []
    assert second.listened_to() == ["microphone", "camera", "screen"]
    await stage.recording.stop("enough")
    assert second.listened_to() == []
    assert [change.recording.active for change in stage.told] == [True, False]
    assert len(stage.folders) == 1


async def test_names_mutes_and_departures_are_noted(stage: Stage) -> None:
    stage.recording.note_mute("a", "camera", True)  # none runs: nothing happens
    await stage.recording.start()
    stage.anna.participant.name = "Anna B."
    for _ in range(2):
        stage.recording.note_join(stage.anna.participant)
    stage.recording.note_mute("a", "camera", True)
    stage.recording.note_leave("a")
    await stage.recording.stop("enough", failed=True)
    events = await asyncio.to_thread(read_manifest, stage.folders[0])
    assert [event.name for event in events if isinstance(event, Joined)] == ["Anna", "Anna B.", "Anna B."]
    assert [(e.source, e.muted) for e in events if isinstance(e, Muted)][-1] == ("camera", True)
    assert any(isinstance(event, Left) for event in events)
    assert isinstance(events[-1], Stopped)
    assert stage.finished == [(["Anna", "Anna B."], "enough")]
    assert stage.told[-1].reason == "enough"


async def test_the_end_is_told_also_when_it_cannot_be_noted(stage: Stage) -> None:
    stage.cannot_finish = True
    await stage.recording.start()
    with pytest.raises(OSError, match="the disk is full"):
        await stage.recording.stop("writing failed", failed=True)
    assert (stage.told[-1].recording.active, stage.told[-1].reason) == (False, "writing failed")
    assert not stage.meeting.recording.active
    assert not stage.recording.is_busy


async def test_it_goes_on_to_the_end_though_the_page_that_asked_has_gone(stage: Stage) -> None:
    asked = asyncio.create_task(stage.recording.start())
    await asyncio.sleep(0)
    asked.cancel()
    async with asyncio.timeout(10):
        while stage.recording.recorder is None:
            await asyncio.sleep(0.01)
    assert stage.recording.is_busy
    await stage.recording.stop("enough")
    assert not stage.recording.is_busy


async def test_a_folder_that_cannot_be_made_is_an_error_and_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    stage = Stage(tmp_path / "file")
    with pytest.raises(OSError, match="Not a directory"):
        await stage.recording.start()
    assert stage.told == []
    assert not stage.recording.is_busy


async def test_a_database_that_does_not_answer_delays_no_recording(stage: Stage) -> None:
    """What is said meanwhile is recorded, and the recording ends only after it was entered."""
    answers = asyncio.Event()
    order: list[str] = []

    async def enter(meeting: Any, recorder: Any) -> None:
        await answers.wait()
        order.append("entered")

    async def finish(meeting: Any, recorder: Any, people: list[str], note: str | None) -> None:
        order.append("finished")

    stage.recording._place = stage.recording._place._replace(on_recording=enter, on_recorded=finish)
    starting = asyncio.create_task(stage.recording.start())
    while not stage.told:
        await asyncio.sleep(0.01)
    assert stage.told[0].recording.active
    assert "microphone" in stage.anna.publish.listened_to()  # type: ignore[union-attr]
    stopping = asyncio.create_task(stage.recording.stop("asked for"))
    await asyncio.sleep(0.05)
    assert order == []
    answers.set()
    await asyncio.gather(starting, stopping)
    assert order == ["entered", "finished"]
