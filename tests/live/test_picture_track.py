"""Decode, filter, encode: and nothing that did not come out of every filter."""

from dataclasses import replace
from typing import Any

import av
import numpy as np
import pytest
from live.conftest import Camera

from vmeet_core.hookspecs import Frame, FrameStream
from vmeet_core.live.faults import FilterFault
from vmeet_core.live.messages import LiveFrame
from vmeet_core.live.picture_track import Filter, PictureTrack, Size
from vmeet_core.media.frames import planes_of

SIZES = (Size(90, 100_000), Size(0, 800_000))


class Paint(FrameStream):
    """Paints everything; ``answer`` replaces what it gives."""

    def __init__(self, level: int, answer: Any = None) -> None:
        self.level, self.answer = level, answer
        self.pts_s: list[float] = []
        self.hints: list[Any] = []
        self.closed = 0

    def process(self, frame: Frame, pts_s: float) -> Frame:
        self.pts_s.append(pts_s)
        self.hints.append(frame.person)
        if isinstance(self.answer, Exception):
            raise self.answer
        if self.answer is not None:
            return self.answer  # type: ignore[no-any-return]
        return Frame(np.full_like(frame.y, self.level), frame.u, frame.v, frame.color)

    def update(self, options: Any) -> None:
        self.level = options

    def close(self) -> None:
        self.closed += 1
        raise RuntimeError("even this")


def make(*filters: Paint, wanted: list[int] | None = None) -> PictureTrack:
    asked = wanted if wanted is not None else []
    named = [Filter(f"filter-{number}", each) for number, each in enumerate(filters)]
    return PictureTrack(named, SIZES, 7, lambda: asked.append(1))


def lumas(frames: list[LiveFrame], decoders: dict[int, Any]) -> dict[int, tuple[tuple[int, int], float]]:
    """Shape and mean luma by size."""
    found = {}
    for frame in frames:
        decoder = decoders.setdefault(frame.size, av.CodecContext.create("vp8", "r"))
        (picture,) = decoder.decode(av.Packet(frame.data))
        y = planes_of(picture)[0]
        found[frame.size] = (y.shape, float(y.mean()))
    return found


def test_each_size_shows_what_the_last_filter_gave() -> None:
    camera, track, decoders = Camera(), make(Paint(30), Paint(180)), dict[int, Any]()
    for number in range(5):
        made = track.process(camera.frame())
        assert [(frame.codec, frame.epoch, frame.rtp_timestamp) for frame in made] == [("vp8", 7, camera.timestamp)] * 2
        assert [frame.keyframe for frame in made] == [number == 0] * 2
        found = lumas(made, decoders)
        assert (found[0][0], found[1][0]) == ((90, 160), (180, 320))
        assert found[0][1] == pytest.approx(180, abs=2)
        assert found[1][1] == pytest.approx(180, abs=2)


def test_time_grows_over_the_wrap_of_timestamps() -> None:
    camera, paint = Camera(), Paint(100)
    track = make(paint)
    for _ in range(20):
        track.process(camera.frame())
    steps = np.diff(paint.pts_s)
    assert camera.timestamp < 2**31, "it has wrapped"
    assert np.allclose(steps, 1 / 30, atol=1e-4)


def test_a_camera_that_begins_its_time_anew_goes_on_at_its_rate() -> None:
    camera, paint = Camera(), Paint(100)
    camera.timestamp = 900_000
    track = make(paint)
    track.limit(0, 15.0)
    for _ in range(10):
        track.process(camera.frame())
    camera.timestamp = 3000
    made = [track.process(camera.frame()) for _ in range(10)]
    assert sum(map(len, made)) >= 8, "every second one, in two sizes"
    steps = np.diff(paint.pts_s)
    assert (steps > 0).all()
    assert np.allclose(steps[-3:], 1 / 15, atol=1e-4)


def test_it_begins_at_a_keyframe_and_asks_for_one() -> None:
    camera, asked = Camera(), list[int]()
    camera.frame()
    track = make(Paint(100), wanted=asked)
    assert track.process(camera.frame()) == []
    assert asked
    camera.encoder.request_keyframe()
    assert len(track.process(camera.frame())) == 2


def test_a_damaged_frame_is_no_end() -> None:
    camera, asked = Camera(), list[int]()
    track = make(Paint(100), wanted=asked)
    track.process(camera.frame())
    damaged = camera.frame()._replace(data=b"\x01")
    track.process(damaged)
    camera.encoder.request_keyframe()
    assert len(track.process(camera.frame())) == 2


def test_late_frames_are_decoded_only() -> None:
    camera, paint = Camera(), Paint(100)
    track = make(paint)
    track.process(camera.frame())
    assert track.process(camera.frame(), worth_it=False) == []
    assert len(paint.pts_s) == 1
    assert len(track.process(camera.frame())) == 2, "what follows depends on it"


BLANK = np.zeros((180, 320), np.uint8)
HALF = np.zeros((90, 160), np.uint8)


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (RuntimeError("boom"), "RuntimeError: boom"),
        (MemoryError(), "MemoryError"),
        ("a picture", "a str instead of a Frame"),
        (Frame(BLANK[1:], HALF, HALF), r"uint8 \(179, 320\), not uint8 \(180, 320\)"),
        (Frame(BLANK.astype(np.float32), HALF, HALF), "float32"),
        (Frame(BLANK, HALF, HALF[:, 1:]), "gave v"),
        (Frame(BLANK, HALF, HALF, "rec2020"), "rec2020"),
        (Frame(BLANK, None, HALF), "gave u"),  # type: ignore[arg-type]
        (Frame(BLANK, HALF, HALF, person=HALF.astype(np.float32)), r"gave person as float32 \(90, 160\)"),  # type: ignore[arg-type]
        (Frame(BLANK, HALF, HALF, person=HALF[0]), "gave person"),
        (Frame(BLANK, HALF, HALF, person=HALF.tolist()), "gave person as list"),
    ],
)
def test_a_filter_that_fails_gives_no_picture_at_all(answer: Any, said: str) -> None:
    camera, track = Camera(), make(Paint(10), Paint(20, answer))
    with pytest.raises(FilterFault, match=said) as caught:
        track.process(camera.frame())
    assert caught.value.filter == "filter-1"


def test_a_filter_cannot_write_into_what_it_is_given() -> None:
    class Writer(Paint):
        def process(self, frame: Frame, pts_s: float) -> Frame:
            frame.y[:] = 0
            return frame

    with pytest.raises(FilterFault, match="read-only"):
        make(Writer(0)).process(Camera().frame())


class Finder(Paint):
    """Says where the person is: one level for each picture, nothing when there are none left."""

    def __init__(self, *levels: int | None) -> None:
        super().__init__(100)
        self.levels = list(levels)

    def process(self, frame: Frame, pts_s: float) -> Frame:
        painted = super().process(frame, pts_s)
        level = self.levels.pop(0) if self.levels else None
        return painted if level is None else replace(painted, person=np.full((9, 16), level, np.uint8))


def seen(hints: list[Any]) -> list[int | None]:
    return [None if hint is None else int(hint[0, 0]) for hint in hints]


def test_what_a_filter_finds_is_told_to_those_behind_it_at_once_and_to_those_before_it_with_the_next_picture() -> None:
    camera, first, last = Camera(), Paint(10), Paint(20)
    finder = Finder(1, 2, 3)
    track = make(first, finder, last)
    for _ in range(4):
        track.process(camera.frame())
    assert seen(last.hints) == [1, 2, 3, 3], "the fourth is not known anew"
    assert seen(first.hints) == seen(finder.hints) == [None, 1, 2, 3]


def test_what_is_not_found_again_is_forgotten() -> None:
    """Filters that pass the picture on as it is, hint and all, keep nothing alive."""

    class Passes(Paint):
        def process(self, frame: Frame, pts_s: float) -> Frame:
            return replace(super().process(frame, pts_s), person=frame.person)

    camera, passes = Camera(), Passes(10)
    track = make(passes, Finder(1), Passes(20))
    for _ in range(25):
        track.process(camera.frame())
    assert seen(passes.hints)[1] == 1
    assert seen(passes.hints)[-1] is None


def test_a_hint_cannot_be_written_and_belongs_to_the_track() -> None:
    plane = np.full((9, 16), 5, np.uint8)

    class Keeps(Paint):
        def process(self, frame: Frame, pts_s: float) -> Frame:
            return replace(super().process(frame, pts_s), person=plane)

    camera, before_, behind = Camera(), Paint(10), Paint(20)
    track = make(before_, Keeps(10), behind)
    track.process(camera.frame())
    plane[:] = 77
    track.process(camera.frame())
    assert seen(before_.hints) == [None, 5]
    assert not behind.hints[0].flags.writeable
    assert plane.flags.writeable, "it is still the plugin's own"


def test_a_camera_that_turns_makes_the_hint_void() -> None:
    camera, paint = Camera(), Paint(10)
    track = make(paint, Finder(1, 2, 3))
    track.process(camera.frame())
    camera.size = (180, 320)
    track.process(camera.frame())
    assert seen(paint.hints) == [None, None]


def test_options_keyframes_and_bit_rates_reach_their_parts() -> None:
    camera, paint, decoders = Camera(), Paint(40), dict[int, Any]()
    track = make(paint)
    lumas(track.process(camera.frame()), decoders)
    track.update("filter-0", 220)
    assert lumas(track.process(camera.frame()), decoders)[1][1] == pytest.approx(220, abs=3)
    track.request_keyframe()
    assert [frame.keyframe for frame in track.process(camera.frame())] == [True, True]
    track.set_bitrate(1, 200_000)
    assert [frame.keyframe for frame in track.process(camera.frame())] == [False, True]


def test_a_camera_that_turns_is_followed() -> None:
    camera, track, decoders = Camera(), make(Paint(100)), dict[int, Any]()
    lumas(track.process(camera.frame()), decoders)
    camera.size = (180, 320)
    found = lumas(track.process(camera.frame()), {})
    assert (found[0][0], found[1][0]) == ((160, 90), (320, 180)), "the shorter side counts"


def test_a_smaller_camera_takes_a_lower_bit_rate_and_a_given_size_its_own() -> None:
    of_the_camera, small = Size(0, 1_800_000), Size(180, 100_000)
    assert of_the_camera.bitrate_of(1280, 720) == of_the_camera.bitrate_of(1920, 1080) == 1_800_000
    assert of_the_camera.bitrate_of(640, 360) == of_the_camera.bitrate_of(360, 640) == pytest.approx(636_000, rel=0.01)
    assert small.bitrate_of(320, 180) == 100_000


def test_closing_closes_every_filter_whatever_they_do() -> None:
    first, second = Paint(1), Paint(2)
    track = make(first, second)
    track.close()
    track.close()
    assert (first.closed, second.closed) == (1, 1)


def test_a_limited_picture_is_small_before_the_filters_and_comes_evenly() -> None:
    camera, paint, decoders = Camera(640, 360), Paint(100), dict[int, Any]()
    seen: list[tuple[int, ...]] = []

    class Watched(Paint):
        def process(self, frame: Frame, pts_s: float) -> Frame:
            seen.append(frame.y.shape)
            return super().process(frame, pts_s)

    track = make(Watched(120), paint)
    track.limit(180, 15.0)
    made = [track.process(camera.frame()) for _ in range(10)]
    assert [len(frames) for frames in made] == [2, 0] * 5
    assert seen == [(180, 320)] * 5
    assert np.allclose(np.diff(paint.pts_s), 1 / 15, atol=1e-4)
    found = lumas(made[0], decoders)
    assert (found[0][0], found[1][0]) == ((90, 160), (180, 320))
    assert found[1][1] == pytest.approx(100, abs=3)


def test_a_limit_that_ends_gives_a_whole_picture_at_once() -> None:
    camera, track = Camera(640, 360), make(Paint(100))
    track.limit(180, 15.0)
    for _ in range(4):
        track.process(camera.frame())
    track.limit(0, 0.0)
    made = track.process(camera.frame())
    assert made[1].keyframe, "of another size"
    assert lumas(made[1:], {})[1][0] == (360, 640)
    assert len(track.process(camera.frame())) == 2


def test_the_limit_is_of_the_shorter_side_and_enlarges_nothing() -> None:
    upright, small = make(Paint(100)), make(Paint(100))
    for track in (upright, small):
        track.limit(90, 0.0)
    assert lumas(upright.process(Camera(180, 320).frame())[1:], {})[1][0] == (160, 90)
    assert lumas(small.process(Camera(128, 72).frame())[1:], {})[1][0] == (72, 128)


def test_late_frames_take_no_place_among_those_that_are_few() -> None:
    camera, track = Camera(), make(Paint(100))
    track.limit(0, 15.0)
    assert len(track.process(camera.frame())) == 2
    camera.frame()
    track.process(camera.frame(), worth_it=False)
    assert len(track.process(camera.frame())) == 2
