import pytest
from h264_units import aggregate, encode, fragments, units

from vmeet_core.sfu.h264 import Size, begins_keyframe, has_b_slice, nal_units, picture_size


def pictures(*args: int, **options: str) -> list[list[bytes]]:
    return [units(packet) for packet in encode(*args, **options)]


def sps(*size: int, **options: str) -> bytes:
    return next(unit for unit in pictures(*size, **options)[0] if unit[0] & 0x1F == 7)


def test_a_keyframe_begins_with_a_parameter_set_or_an_idr_slice_wherever_it_is() -> None:
    first, second, *_ = pictures()
    delimiter, sei = b"\x09\xf0", b"\x06\x05\x01\x00\x80"
    idr = next(unit for unit in first if unit[0] & 0x1F == 5)
    assert begins_keyframe(sps())
    assert begins_keyframe(aggregate(delimiter, sei, sps()))
    assert begins_keyframe(aggregate(delimiter, idr))
    assert [begins_keyframe(part) for part in fragments(idr)[:3]] == [True, False, False]
    assert not any(begins_keyframe(unit) for unit in second)
    assert not any(map(begins_keyframe, (b"", delimiter, aggregate(delimiter, sei), aggregate(b"")[:1] + b"\0\0\0")))


@pytest.mark.parametrize("b_frames", [0, 2])
def test_b_slices_are_found_where_the_encoder_makes_them(b_frames: int) -> None:
    found = [any(has_b_slice(unit) for unit in units(packet)) for packet in encode(b_frames=b_frames)]
    assert any(found) == (b_frames > 0)
    assert not found[0]


def test_a_b_slice_is_found_in_every_kind_of_payload() -> None:
    unit = next(unit for packet in encode(b_frames=2) for unit in units(packet) if has_b_slice(unit))
    parts = fragments(unit)
    assert len(parts) > 2
    assert [has_b_slice(part) for part in parts] == [True] + [False] * (len(parts) - 1)
    assert has_b_slice(aggregate(b"\x09\xf0", unit))


@pytest.mark.parametrize("slices", ["1", "4"])
def test_no_p_or_i_slice_is_taken_for_one_of_b(slices: str) -> None:
    parts = [unit for picture in pictures(slices=slices) for unit in picture]
    assert len(parts) > 12
    assert not any(has_b_slice(payload) for unit in parts for payload in (unit, aggregate(unit), *fragments(unit)))


@pytest.mark.parametrize(
    ("size", "options"),
    [
        ((320, 240), {"profile": "baseline"}),
        ((640, 360), {"profile": "main"}),
        ((1280, 720), {"profile": "high"}),
        ((1920, 1080), {"profile": "high"}),
        ((322, 182), {"profile": "high444", "pix_fmt": "yuv444p"}),
        ((322, 182), {"profile": "high422", "pix_fmt": "yuv422p"}),
        ((320, 192), {"profile": "high", "x264-params": "interlaced=1"}),
        ((320, 192), {"profile": "high", "x264-params": "cqm=jvt"}),
    ],
)
def test_the_size_is_read_from_the_parameter_set(size: tuple[int, int], options: dict[str, str]) -> None:
    unit = sps(*size, **options)
    assert picture_size(unit) == Size(*size)
    assert picture_size(aggregate(b"\x09\xf0", unit)) == Size(*size)


def test_nothing_is_read_from_what_is_cut_short() -> None:
    unit = sps()
    whole = [picture_size(unit[:length]) for length in range(len(unit))]
    assert whole[0] is None
    assert whole[4] is None
    assert set(whole) <= {None, Size(320, 240)}
    assert list(nal_units(aggregate(unit)[:-1])) == []
    assert not any(
        has_b_slice(payload) for payload in (b"", b"\x41", b"\x5c", b"\x5c\x81", b"\x41\0\0\0\0\0\0\0\0\0\0")
    )


def exp_golomb(number: int) -> str:
    digits = f"{number + 1:b}"
    return "0" * (len(digits) - 1) + digits


def baseline_sps(*numbers: int, crop: tuple[int, ...]) -> bytes:
    """``numbers`` are the Exp-Golomb ones up to the size; then frames only, and the cropping."""
    first, (width, height) = numbers[:-2], numbers[-2:]
    bits = "".join(map(exp_golomb, first)) + "0" + exp_golomb(width) + exp_golomb(height) + "11"
    bits += "1" + "".join(map(exp_golomb, crop))
    bits += "1" + "0" * (-(len(bits) + 1) % 8)
    return b"\x67\x42\xc0\x1f" + int(bits, 2).to_bytes((len(bits) + 7) // 8)


def test_a_size_that_no_picture_has_is_refused() -> None:
    assert picture_size(baseline_sps(0, 0, 2, 1, 19, 14, crop=(0, 0, 0, 0))) == Size(320, 240)
    assert picture_size(baseline_sps(0, 0, 2, 1, 19, 14, crop=(0, 200, 0, 0))) is None
    assert picture_size(baseline_sps(0, 0, 2, 1, 19, 70_000, crop=(0, 0, 0, 0))) is None
