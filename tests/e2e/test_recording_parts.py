"""A recording whose tracks go on in new files while it runs, in a real browser."""

import asyncio
from collections.abc import AsyncIterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import browsers
import numpy as np
import pytest
from journal_prefixes import assert_settled
from whole_sound import RATE_HZ, in_one_file, packets_of, si_sdr_db

from vmeet_core.manifest import AnyEvent, Gap, SegmentStarted, read_manifest
from vmeet_core.media.segments import segment_pictures
from vmeet_core.pipeline.steps.audio import laid_out
from vmeet_core.placement import OPUS_PRE_SKIP_S
from vmeet_core.readiness import ready_s
from vmeet_core.timeline import SegmentSpan, build_timeline

pytestmark = pytest.mark.browser
PART_S = 10
RECORD_S = 44


@pytest.fixture
async def server(tmp_path: Path, filters: str) -> AsyncIterator[browsers.Server]:
    meetings = f"[meetings.default]\nframe_filters = {filters}\n"
    running = browsers.Server(tmp_path, meetings, recording=f"part_s = {PART_S}\n")
    await running.start()
    yield running
    running.stop()


@pytest.mark.parametrize("filters", ["[]", '["brightness"]'])
async def test_tracks_go_on_in_new_files(server: browsers.Server, chromium: Any, tmp_path: Path, filters: str) -> None:
    """A camera as it comes, and a filtered one, each alone: both at once fill two cores, and pictures come late."""
    meeting = server.new_meeting()
    page = await browsers.new_page(chromium)
    await browsers.enter(page, server.url + meeting["url"], "Anna", meeting)
    await asyncio.sleep(2)
    await browsers.record(page, RECORD_S)
    (folder,) = (server.folder / "data" / "recordings").iterdir()
    events = read_manifest(folder)
    (person,) = build_timeline(events, lambda file: 0).people
    for source in ("microphone", "camera"):
        begun = [event for event in events if isinstance(event, SegmentStarted) and event.source == source]
        borders = [round(each.wall_s - events[0].at_s, 2) for each in begun]
        print(source, "files begin at", borders, "s; on the time line at", [s.start_s for s in person.segments(source)])  # type: ignore[arg-type]
        parts = [int(border_s // PART_S) for border_s in borders]
        assert parts == [0, 1, 2, 3, 4]
        assert all(border_s % PART_S < 3 for border_s in borders)
    check_sound(folder, events, person.segments("microphone"), tmp_path / "whole.mkv")
    check_pictures(folder, person.segments("camera"))
    assert ready_s(events) == 40
    assert assert_settled(events) >= 2


def check_sound(folder: Path, events: list[AnyEvent], spans: tuple[SegmentSpan, ...], path: Path) -> None:
    """Not a sample is lost, doubled or other than without parts, but for what was sent before the recording began."""
    segments = [event for event in events if isinstance(event, SegmentStarted) and event.source == "microphone"]
    assert not [event for event in events if isinstance(event, Gap) and event.source == "microphone"]
    early_s = max(0.0, spans[0].trim_s - OPUS_PRE_SKIP_S)
    whole = in_one_file(path, packets_of(folder, segments))[round(early_s * RATE_HZ) :]
    start = round(spans[0].start_s * RATE_HZ)
    heard = np.concatenate(list(laid_out(folder, spans, start + len(whole))))[start:]
    print(f"SI-SDR {si_sdr_db(whole, heard):.1f} dB, largest difference {np.abs(whole - heard).max():.6f}")
    assert si_sdr_db(whole, heard) > 40
    assert np.abs(whole - heard).max() < 0.003


def check_pictures(folder: Path, spans: tuple[SegmentSpan, ...]) -> None:
    shown_s = sorted(
        span.start_s + at_s - span.trim_s for span in spans for at_s, _ in segment_pictures(folder / span.file)
    )
    apart_s = [
        after_s - before_s
        for before_s, after_s in pairwise(shown_s)
        if any(before_s <= span.start_s <= after_s for span in spans[1:])
    ]
    print("between pictures at the borders:", [round(each_s, 3) for each_s in apart_s])
    assert max(apart_s) < 0.3
