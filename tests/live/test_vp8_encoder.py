"""What the encoder says of its temporal layers is true: a decoder gets on without the upper ones."""

import av
import numpy as np
import pytest

from vmeet_core.live.vp8_encoder import PATTERN, Encoded, Vp8Encoder
from vmeet_core.media.frames import planes_of, video_frame

NOISE = np.random.default_rng(0).integers(40, 200, (45, 80), np.uint8).repeat(4, 0).repeat(4, 1)


def picture(number: int, width_px: int = 320, height_px: int = 180) -> np.ndarray:
    return np.roll(NOISE, 3 * number, 1)[:height_px, :width_px]


def encode(encoder: Vp8Encoder, number: int, width_px: int = 320, height_px: int = 180) -> Encoded:
    half = np.full(((height_px + 1) // 2, (width_px + 1) // 2), 128, np.uint8)
    frame = video_frame((np.ascontiguousarray(picture(number, width_px, height_px)), half, half))
    encoded = encoder.encode(frame, number * 3000)
    assert encoded is not None
    return encoded


@pytest.mark.parametrize("keep", [0, 1, 2])
@pytest.mark.parametrize("forced", [None, 8, 9, 10, 11])
def test_any_number_of_layers_can_be_decoded_alone(keep: int, forced: int | None) -> None:
    encoder, decoder = Vp8Encoder(1_500_000), av.CodecContext.create("vp8", "r")
    errors = []
    for number in range(24):
        if number == forced:
            encoder.request_keyframe()
        encoded = encode(encoder, number)
        assert encoded.keyframe == (number in (0, forced))
        if encoded.temporal <= keep:
            (decoded,) = decoder.decode(av.Packet(encoded.data))
            errors.append(np.abs(planes_of(decoded)[0].astype(int) - picture(number)).mean())
    assert len(errors) >= (6, 12, 24)[keep]
    assert max(errors) < 8, "a picture that refers to one left out falls apart"


@pytest.mark.parametrize("start", range(8, 16))
@pytest.mark.parametrize("upto", [1, 2])
def test_a_receiver_may_go_up_where_it_is_said(start: int, upto: int) -> None:
    """First layer 0 alone; from ``start`` on up a layer wherever a frame of the next one is switchable."""
    encoder, decoder, taken, errors = Vp8Encoder(1_500_000), av.CodecContext.create("vp8", "r"), 0, []
    for number in range(28):
        encoded = encode(encoder, number)
        if number >= start and encoded.switchable and encoded.temporal == taken + 1 <= upto:
            taken = encoded.temporal
        if encoded.temporal <= taken:
            (decoded,) = decoder.decode(av.Packet(encoded.data))
            errors.append(np.abs(planes_of(decoded)[0].astype(int) - picture(number)).mean())
    assert taken == upto
    assert max(errors) < 8


def test_the_layers_take_turns_from_each_keyframe_on() -> None:
    encoder = Vp8Encoder(500_000)
    assert [encode(encoder, number).temporal for number in range(6)] == [*PATTERN, *PATTERN[:2]]
    encoder.request_keyframe()
    assert [encode(encoder, number).temporal for number in range(6, 9)] == list(PATTERN[:3])


def test_another_size_begins_with_a_keyframe() -> None:
    encoder = Vp8Encoder(500_000)
    encode(encoder, 0)
    encoded = encode(encoder, 1, 161, 91)
    assert (encoded.keyframe, encoded.temporal) == (True, 0)


def test_it_keeps_to_its_bit_rate_and_takes_another() -> None:
    encoder = Vp8Encoder(800_000)
    first = sum(len(encode(encoder, number).data) for number in range(90)) * 8 / 3
    encoder.set_bitrate(790_000)
    assert not encode(encoder, 90).keyframe, "not worth a keyframe"
    encoder.set_bitrate(200_000)
    assert encode(encoder, 91).keyframe
    second = sum(len(encode(encoder, number).data) for number in range(92, 182)) * 8 / 3
    assert second < 0.5 * first
    assert second < 300_000


def test_closing_twice_is_harmless() -> None:
    encoder = Vp8Encoder(500_000)
    encode(encoder, 0)
    encoder.close()
    encoder.close()
