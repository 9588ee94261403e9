"""Sound files in and out: lengths, values, alignment, and files that are none."""

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from vmeet_core.hookspecs import Audio
from vmeet_core.media.audio import (
    AudioWriter,
    MediaError,
    duration_s,
    read_all,
    read_audio,
    rechunked,
    sound_info,
)


def noise(samples: int, seed: int = 1) -> Audio:
    return (0.2 * np.random.default_rng(seed).standard_normal(samples)).clip(-0.99, 0.99).astype(np.float32)


def write(path: Path, audio: Audio, rate_hz: int = 48_000, codec: str = "flac") -> Path:
    with AudioWriter(path, rate_hz, codec) as writer:
        for piece in np.array_split(audio, 7):
            writer.write(piece)
    return path


def write_packets(path: Path, times_s: list[float], audio: Audio, rate_hz: int = 48_000) -> Path:
    """Each packet holds all of ``audio`` and starts at its time."""
    with av.open(str(path), "w", format="matroska") as container:
        stream = container.add_stream("pcm_s16le", rate=rate_hz, layout="mono")
        for time_s in times_s:
            packet = av.Packet((audio * 32767).astype("<i2").tobytes())
            packet.stream, packet.time_base = stream, Fraction(1, 1000)
            packet.pts = packet.dts = round(time_s * 1000)
            container.mux(packet)
    return path


def test_a_flac_gives_back_what_was_written(tmp_path: Path) -> None:
    audio = noise(100_001)
    path = write(tmp_path / "a.flac", audio)
    assert np.max(np.abs(read_all(path, 48_000) - audio)) <= 2**-24
    assert sound_info(path) == (48_000, 1, 100_001 / 48_000)


def test_full_scale_is_clipped_and_not_wrapped(tmp_path: Path) -> None:
    path = write(tmp_path / "a.flac", np.array([1.0, -1.0, 2.0, -2.0] * 4, np.float32))
    np.testing.assert_allclose(read_all(path, 48_000), [1, -1, 1, -1] * 4, atol=2**-22)


@pytest.mark.parametrize("codec", ["aac", "libopus", "pcm_s16le", "pcm_s24le"])
def test_other_codecs_keep_length_and_alignment(tmp_path: Path, codec: str) -> None:
    audio = noise(96_000)
    again = read_all(write(tmp_path / "sound", audio, codec=codec), 48_000)
    assert 0 <= len(again) - len(audio) < 1024
    lag = np.argmax(np.fft.irfft(np.fft.rfft(again, 1 << 18) * np.conj(np.fft.rfft(audio, 1 << 18))))
    assert lag == 0


def test_an_unknown_codec_is_named(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="'mp5' is unknown: one of flac"):
        AudioWriter(tmp_path / "a", 48_000, "mp5")


def test_samples_that_are_not_finite_are_refused_and_no_file_is_left(tmp_path: Path) -> None:
    with pytest.raises(MediaError, match="NaN"):
        write(tmp_path / "a.flac", np.full(70, np.nan, np.float32))
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_is_an_error(tmp_path: Path) -> None:
    full = tmp_path / "a.flac"
    full.symlink_to("/dev/full")
    with pytest.raises(OSError, match="No space left"):
        write(full, noise(100_000))


def test_a_folder_that_is_absent_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="absent"):
        write(tmp_path / "absent/a.flac", noise(100))


def test_closing_twice_and_writing_nothing_do_no_harm(tmp_path: Path) -> None:
    writer = AudioWriter(tmp_path / "a.flac", 48_000)
    writer.write(np.zeros(0, np.float32))
    writer.close()
    writer.close()
    assert len(read_all(tmp_path / "a.flac", 16_000)) == 0
    assert duration_s(tmp_path / "a.flac") == 0


def test_reading_comes_in_bounded_blocks(tmp_path: Path) -> None:
    path = write(tmp_path / "a.flac", noise(120_000))
    assert [len(block) for block in read_audio(path, 16_000)] == [16_000, 16_000, 8_000]


@pytest.mark.parametrize(("sample_format", "scale"), [("u8", 128), ("s16", 1 << 15), ("s32p", 1 << 31), ("dbl", 1)])
def test_channels_of_any_format_are_averaged(tmp_path: Path, sample_format: str, scale: int) -> None:
    codec = {"u8": "pcm_u8", "s16": "pcm_s16le", "s32p": "alac", "dbl": "pcm_f64le"}[sample_format]
    path = tmp_path / "stereo"
    with av.open(str(path), "w", format="mov") as container:
        stream = container.add_stream(codec, rate=48_000, layout="stereo", format=sample_format)
        layout = av.AudioFormat(sample_format)
        values = np.tile(np.array([[0.5], [-0.25]]), 4096) * scale + (128 if sample_format == "u8" else 0)
        values = values if layout.is_planar else values.T.reshape(1, -1)
        dtype = {"u8": np.uint8, "s16": np.int16, "s32p": np.int32, "dbl": np.float64}[sample_format]
        frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(values, dtype), format=sample_format, layout="stereo")
        frame.sample_rate = 48_000
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    np.testing.assert_allclose(read_all(path, 48_000)[:4096], 0.125, atol=1e-6)


def test_gaps_become_silence_when_aligned(tmp_path: Path) -> None:
    packet = np.full(960, 0.5, np.float32)
    path = write_packets(tmp_path / "a.mkv", [0.0, 0.02, 0.06, 3.0], packet)
    assert len(read_all(path, 48_000)) == 4 * 960
    aligned = read_all(path, 48_000, align=True)
    assert len(aligned) == 144_000 + 960
    assert aligned[1900] == aligned[2900] == aligned[144_000] == pytest.approx(0.5, abs=1e-3)
    assert not aligned[1920:2880].any()
    assert not aligned[3840:144_000].any()


def test_rounded_timestamps_are_no_gaps(tmp_path: Path) -> None:
    path = write_packets(tmp_path / "a.mkv", [0.0, 0.021, 0.039, 0.061], noise(960))
    np.testing.assert_array_equal(read_all(path, 48_000, align=True), read_all(path, 48_000))


def test_overlaps_are_dropped_when_aligned(tmp_path: Path) -> None:
    path = write_packets(tmp_path / "a.mkv", [0.0, 0.05], noise(4800))
    assert len(read_all(path, 48_000, align=True)) == 4800 + 2400


def test_a_gap_of_days_is_refused(tmp_path: Path) -> None:
    path = write_packets(tmp_path / "a.mkv", [0.0, 100_000.0], noise(960))
    with pytest.raises(MediaError, match=r"a\.mkv has a gap of 100000 s"):
        read_all(path, 48_000, align=True)


def test_a_file_cut_short_is_read_as_far_as_it_goes(tmp_path: Path) -> None:
    path = write_packets(tmp_path / "a.mkv", [i / 10 for i in range(20)], noise(4800))
    path.write_bytes(path.read_bytes()[:-20_000])
    assert 1.5 < len(read_all(path, 48_000)) / 48_000 < 2.0
    assert 1.5 < duration_s(path) <= 2.0


def test_what_is_no_sound_file_is_named(tmp_path: Path) -> None:
    text = tmp_path / "text.flac"
    text.write_text("no sound at all\n" * 100)
    with pytest.raises(MediaError, match=r"text\.flac cannot be read as a media file"):
        read_all(text, 16_000)
    with pytest.raises(FileNotFoundError, match="absent"):
        sound_info(tmp_path / "absent.flac")


def test_a_picture_without_sound_is_named(tmp_path: Path) -> None:
    path = tmp_path / "picture.mkv"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=10, width=64, height=64, pix_fmt="yuv420p")
        container.mux(stream.encode(av.VideoFrame(64, 64, "yuv420p")))
        container.mux(stream.encode(None))
    with pytest.raises(MediaError, match=r"picture\.mkv has no sound track"):
        next(read_audio(path, 16_000))


def test_rechunking_keeps_every_sample() -> None:
    audio = noise(1000)
    blocks = list(rechunked(np.split(audio, [3, 3, 500, 999]), 300))
    assert [len(block) for block in blocks] == [300, 300, 300, 100]
    np.testing.assert_array_equal(np.concatenate(blocks), audio)
