"""What holds for every frame filter: sizes, states, inputs, times, and the common option ``background``."""

import statistics
import time
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import numpy as np
from pydantic import ValidationError

from vmeet_core.hookspecs import Engine, Frame, FrameStream
from vmeet_core.testing.check import Breach, Check, Subject, close_twice
from vmeet_core.testing.probes import flat_picture, noise_picture, person_picture
from vmeet_core.testing.provider_checks import PROVIDER_CHECKS

TOLERANCE_LEVELS = 2  #: of 255: rounding, where a model runs in several threads
BACKGROUND = "background"  #: the common option of filters that replace backgrounds
_FRAME_S = 1 / 30
_SIZES = ((240, 320), (241, 427), (180, 320), (16, 16), (1080, 1920), (17, 33), (640, 360), (240, 320))
_HINT_SIZES = ((1, 1), (144, 256), (33, 17))
_SPEED_SIZE = (360, 640)
_SETTLE_FRAMES = 3


def check_load(subject: Subject) -> str:
    """The engine loads and opens streams."""
    started_s = time.perf_counter()
    engine = subject.engine
    seconds = time.perf_counter() - started_s
    if not isinstance(engine, Engine):
        raise Breach(
            f"load() returned {type(engine).__name__}.", "Return a subclass of vmeet_core.hookspecs.FrameFilter."
        )
    stream = subject.open()
    stream.close()
    if not isinstance(stream, FrameStream):
        raise Breach(
            f"open() returned {type(stream).__name__}.", "Return a subclass of vmeet_core.hookspecs.FrameStream."
        )
    return f"{seconds:.2f} s"


def check_shape(subject: Subject) -> str:
    """A picture of the same size and colour range out, for both ranges."""
    for color in ("bt601-limited", "bt601-full"):
        stream = subject.open()
        for number in range(3):
            _process(stream, person_picture(180, 320, number, color), number * _FRAME_S, color)
        stream.close()
    return ""


def check_sizes(subject: Subject) -> str:
    """Odd sizes, 16x16 and 1080p, upright too, one after the other in one stream and each in its own."""
    stream = subject.open()
    for number, (height, width) in enumerate(_SIZES):
        _process(stream, person_picture(height, width), number * _FRAME_S, f"after a change to {width}x{height}")
    stream.close()
    for height, width in dict.fromkeys(_SIZES):
        own = subject.open()
        _process(own, person_picture(height, width), 0.0, f"at {width}x{height}")
        own.close()
    return ""


def check_input(subject: Subject) -> str:
    """Read-only input is accepted, not changed and not kept, and an output stays valid after the next call."""
    pictures = _film()
    stream, given = subject.open(), []
    for number, picture in enumerate(pictures):
        lent = _copy(picture)
        try:
            given.append(_process(stream, lent, number * _FRAME_S, "read-only input"))
        except ValueError as error:
            raise Breach(f"read-only input is refused: {error}.", "Copy the input before changing it.") from error
        if _difference(lent, picture):
            raise Breach("the input was changed.", "Copy the input before changing it.")
        for plane in (lent.y, lent.u, lent.v):
            plane.flags.writeable = True
            plane.fill(77)
    stream.close()
    _check_same(_run(subject, pictures), given, "from a buffer that is used again after each call")
    return ""


def check_person(subject: Subject) -> str:
    """A hint of where people are, of any size, is neither changed nor given on with another type."""
    hints = [np.full(size, level, np.uint8) for size in _HINT_SIZES for level in (0, 128, 255)]
    stream = subject.open()
    for number, hint in enumerate(hints):
        level = int(hint[0, 0])
        hint.flags.writeable = False
        label = f"told of {level} as {hint.shape[1]}x{hint.shape[0]}"
        _process(stream, replace(person_picture(180, 320), person=hint), number * _FRAME_S, label)
        if (hint != level).any():
            raise Breach(f"{label}: the hint was changed.", "Copy frame.person before changing it.")
    stream.close()
    return ""


def check_repeat(subject: Subject) -> str:
    """The same pictures twice give the same result, and a new stream starts afresh."""
    pictures = _film()
    _check_same(_run(subject, pictures), _run(subject, pictures), "the second time")
    return ""


def check_state(subject: Subject) -> str:
    """Two streams at once do not see one another."""
    films = _film(), [noise_picture(120, 160, seed) for seed in range(len(_film()))]
    alone = [_run(subject, film) for film in films]
    streams: list[FrameStream] = [subject.open(), subject.open()]
    given: list[list[Frame]] = [[], []]
    for number, pair in enumerate(zip(*films, strict=True)):
        for stream, picture, out in zip(streams, pair, given, strict=True):
            out.append(_kept(stream, picture, number * _FRAME_S))
    for stream in streams:
        stream.close()
    for wanted, out in zip(alone, given, strict=True):
        _check_same(wanted, out, "beside another stream")
    return ""


def check_times(subject: Subject) -> str:
    """Times that stand still, leap ahead by an hour and go back break nothing."""
    stream = subject.open()
    for pts_s in (0.0, _FRAME_S, _FRAME_S, 3600.0, 0.5, 1e6, 1e6 + _FRAME_S):
        _process(stream, person_picture(180, 320), pts_s, f"at {pts_s:.2f} s")
    stream.close()
    return ""


def check_update(subject: Subject) -> str:
    """New options while it runs: the same ones change nothing, others break nothing."""
    pictures = _film()
    wanted = _run(subject, pictures)
    stream, given = subject.open(), []
    for number, picture in enumerate(pictures):
        stream.update(subject.provider.options())
        given.append(_kept(stream, picture, number * _FRAME_S))
    _check_same(wanted, given, "after an update to the options it has")
    colours = [_with_background(subject, colour) for colour in ("#000000", "#ffffff")] if _offers(subject) else []
    variants = [*subject.variants(), *colours]
    for number, options in enumerate(variants, len(pictures)):
        stream.update(options)
        _process(stream, pictures[0], number * _FRAME_S, f"after an update to {options!r}")
    stream.close()
    return f"{len(variants)} variants"


def check_thread(subject: Subject) -> str:
    """A stream works in another thread than the one that opened it."""
    pictures = _film()
    wanted = _run(subject, pictures)
    with ThreadPoolExecutor(1) as executor:
        stream: FrameStream = subject.open()
        given = executor.submit(_through, stream, pictures).result()
        stream.close()
    _check_same(wanted, given, "in another thread")
    return ""


def check_close(subject: Subject) -> str:
    """Closing twice does no harm, and closing one stream or engine harms no other."""
    pictures = _film()
    wanted = _run(subject, pictures)
    stays, goes = subject.open(), subject.open()
    close_twice(goes, "a stream")
    _check_same(wanted, _through(stays, pictures), "after another stream was closed")
    stays.close()
    close_twice(subject.load(), "an engine")
    _check_same(wanted, _run(subject, pictures), "after another engine was closed")
    return ""


def check_background(subject: Subject) -> str:
    """The common option ``background`` takes effect by itself, or the picture passes untouched: nobody was found."""
    if not _offers(subject):
        return f'no option "{BACKGROUND}": its mask cannot be told from outside'
    fates = []
    for label, picture in (("a flat picture", flat_picture(240, 320)), ("noise", noise_picture(240, 320))):
        black, white = (_settled(subject, colour, picture) for colour in ("#000000", "#ffffff"))
        if _difference(black, white) > TOLERANCE_LEVELS:
            fates.append(f"{label} is replaced")
        elif max(_difference(black, picture), _difference(white, picture)) <= TOLERANCE_LEVELS:
            fates.append(f"{label} passes untouched")
        else:
            raise Breach(
                f"{label} is changed, and the same over black as over white.",
                f'Let "{BACKGROUND}", set without the others, replace the background, or pass the picture on.',
            )
    return ", ".join(fates)


def check_speed(subject: Subject) -> str:
    """Says how long a 360p picture takes; how fast is enough depends on the machine."""
    pictures = [person_picture(*_SPEED_SIZE, number) for number in range(12)]
    stream, seconds = subject.open(), []
    for number, picture in enumerate(pictures):
        started_s = time.perf_counter()
        stream.process(picture, number * _FRAME_S)
        seconds.append(time.perf_counter() - started_s)
    stream.close()
    return f"{1000 * statistics.median(seconds[2:]):.1f} ms per 360p frame"


def _film() -> list[Frame]:
    return [person_picture(180, 320, number) for number in range(5)]


def _offers(subject: Subject) -> bool:
    return BACKGROUND in subject.provider.options.model_fields


def _with_background(subject: Subject, colour: str) -> Any:
    try:
        return subject.provider.options.model_validate({BACKGROUND: colour})
    except ValidationError as error:
        message = f'the option {BACKGROUND} refuses "{colour}": {error.errors()[0]["msg"]}.'
        raise Breach(message, "Take a colour #rrggbb, with the other options at their defaults.") from error


def _settled(subject: Subject, colour: str, picture: Frame) -> Frame:
    stream = subject.engine.open(_with_background(subject, colour))
    out = _through(stream, [picture] * _SETTLE_FRAMES)[-1]
    stream.close()
    return out


def _run(subject: Subject, pictures: Iterable[Frame]) -> list[Frame]:
    """Through a stream of its own."""
    stream = subject.open()
    out = _through(stream, pictures)
    stream.close()
    return out


def _through(stream: FrameStream, pictures: Iterable[Frame]) -> list[Frame]:
    return [_kept(stream, picture, number * _FRAME_S) for number, picture in enumerate(pictures)]


def _kept(stream: FrameStream, picture: Frame, pts_s: float) -> Frame:
    """One call with a copy, and a copy of the result: so that a bad plugin spoils neither."""
    return _copy(_process(stream, _copy(picture), pts_s, f"at {pts_s:.2f} s"))


def _process(stream: FrameStream, picture: Frame, pts_s: float, label: str) -> Frame:
    out = stream.process(picture, pts_s)
    if not isinstance(out, Frame):
        raise Breach(f"{label}: process() returned {type(out).__name__}.", "Return a vmeet_core.hookspecs.Frame.")
    for name in ("y", "u", "v"):
        given, got = getattr(picture, name), getattr(out, name)
        if getattr(got, "shape", None) != given.shape or got.dtype != np.uint8:
            facts = f"{getattr(got, 'shape', type(got).__name__)} {getattr(got, 'dtype', '')}".strip()
            raise Breach(
                f"{label}: plane {name} is {facts} instead of {given.shape} uint8.",
                "Give a picture of the same size; chroma planes are (h + 1) // 2 by (w + 1) // 2.",
            )
    if out.color != picture.color:
        raise Breach(f"{label}: {picture.color} in, {out.color} out.", "Pass frame.color on to the new Frame.")
    _check_hint(out.person, label)
    return out


def _check_hint(person: Any, label: str) -> None:
    if person is not None and (getattr(person, "ndim", 0) != 2 or person.dtype != np.uint8 or not person.size):
        facts = f"{getattr(person, 'shape', type(person).__name__)} {getattr(person, 'dtype', '')}".strip()
        raise Breach(
            f"{label}: person is {facts}.", "Attach (height, width) uint8, 0 for nobody to 255 for a person, or None."
        )


def _copy(frame: Frame) -> Frame:
    """Read-only, as what a stream is given."""
    planes = [plane.copy() for plane in (frame.y, frame.u, frame.v)]
    for plane in planes:
        plane.flags.writeable = False
    return Frame(planes[0], planes[1], planes[2], frame.color)


def _difference(one: Frame, other: Frame) -> int:
    """The largest, in levels."""
    planes = zip((one.y, one.u, one.v), (other.y, other.u, other.v), strict=True)
    return max(int(np.max(np.abs(a.astype(np.int16) - b))) for a, b in planes)


def _check_same(wanted: Sequence[Frame], given: Sequence[Frame], label: str) -> None:
    difference = max(_difference(one, other) for one, other in zip(wanted, given, strict=True))
    if difference > TOLERANCE_LEVELS:
        raise Breach(
            f"{label} the result differs by {difference} levels.",
            "Keep all state in the stream, keep no view of input or output, and let nothing depend on chance.",
        )


FRAME_FILTER_CHECKS = (
    *PROVIDER_CHECKS,
    Check("load", "it loads and opens streams", check_load),
    Check("shape", "the same size and colour range out", check_shape, True),
    Check("sizes", "odd, tiny, large and changing sizes", check_sizes, True),
    Check("input", "the input is neither changed nor kept", check_input, True),
    Check("person", "a hint of where people are", check_person, True),
    Check("repeat", "the same pictures give the same result", check_repeat, True),
    Check("state", "two streams share no state", check_state, True),
    Check("times", "leaping times break nothing", check_times, True),
    Check("update", "new options while it runs", check_update, True),
    Check("thread", "it works in another thread", check_thread, True),
    Check("close", "closing twice does no harm", check_close, True),
    Check("background", f'the common option "{BACKGROUND}"', check_background, True),
    Check("speed", "time per picture, for your information", check_speed, True),
)
