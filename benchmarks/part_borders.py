"""Whether a border between parts can be heard: a decoder that begins a while before it, beside one that never stopped.

    python benchmarks/part_borders.py FOLDER [--repeated 0.08 0.2 0.4 0.6 0.8] [--borders 500]

The sound files of FOLDER are compressed as browsers do (Opus, 20 ms), at several bit rates. At random packets a fresh
decoder begins so many seconds earlier. ``heard`` is the share of the borders behind which a sample of the next 0.1 s is
off by 0.003 or more (full scale is 1), ``worst_snr_db`` the worst ratio of the sound to that error in these 0.1 s. One
JSON object is the last line: {bit rate: {seconds: figures}}.
"""

import argparse
import json
from pathlib import Path
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

from vmeet_core.media.audio import read_all
from vmeet_core.recording.sound_tail import PREROLL_S

RATE_HZ, PACKET = 48_000, 960  # samples
PACKET_S = PACKET / RATE_HZ
BITRATES_BPS = (12_000, 20_000, 24_000, 32_000, 48_000)
AUDIBLE = 0.003
AFTER = 5  # packets that are looked at


def opus_packets(path: Path, bitrate_bps: int) -> list[bytes]:
    """The sound of a file, mono, in packets of 20 ms, with the error correction that browsers ask for."""
    encoder: Any = av.CodecContext.create("libopus", "w")
    encoder.sample_rate, encoder.layout, encoder.format, encoder.bit_rate = RATE_HZ, "mono", "flt", bitrate_bps
    encoder.options = {"application": "voip", "fec": "1", "packet_loss": "5"}
    found, sound = [], read_all(path, RATE_HZ)
    for block in sound[: len(sound) // PACKET * PACKET].reshape(-1, 1, PACKET):
        frame = av.AudioFrame.from_ndarray(block, format="flt", layout="mono")
        frame.sample_rate = RATE_HZ
        found += [bytes(packet) for packet in encoder.encode(frame)]
    return found


def decoded(packets: list[bytes]) -> NDArray[np.float32]:
    """Float samples (packets, 960) of a decoder that begins with the first of them."""
    decoder: Any = av.CodecContext.create("opus", "r")
    decoder.sample_rate, decoder.layout = RATE_HZ, "mono"
    frames = [frame for packet in packets for frame in decoder.decode(av.Packet(packet))]
    return np.stack([frame.to_ndarray().reshape(-1) for frame in frames])


def measure(packets: list[bytes], whole: NDArray[np.float32], borders: list[int], repeated: int) -> dict[str, Any]:
    """``repeated`` is in packets."""
    heard, snr_db = 0, []
    for border in borders:
        true = whole[border : border + AFTER]
        error = decoded(packets[border - repeated : border + AFTER])[repeated:] - true
        heard += bool(np.abs(error).max() >= AUDIBLE)
        snr_db.append(10 * np.log10((np.square(true).sum() + 1e-9) / (np.square(error).sum() + 1e-12)))
    return {"heard": heard / len(borders), "worst_snr_db": round(float(min(snr_db)), 1)}


def main() -> None:
    """See the module."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--repeated", type=float, nargs="+", default=[0.08, 0.2, 0.4, 0.6, PREROLL_S], help="seconds")
    parser.add_argument("--borders", type=int, default=500, help="for each bit rate")
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    if not args.folder.is_dir():
        parser.error(f"{args.folder} is no folder")
    paths = sorted(path for path in args.folder.iterdir() if path.suffix in {".flac", ".wav", ".ogg", ".mp3"})
    most = max(round(seconds / PACKET_S) for seconds in args.repeated)
    figures: dict[str, Any] = {}
    for bitrate_bps in BITRATES_BPS:
        packets = [packet for path in paths for packet in opus_packets(path, bitrate_bps)]
        if len(packets) < most + AFTER:
            parser.error(
                f"{args.folder}: less than {(most + AFTER) * PACKET_S:.1f} s of sound (.flac, .wav, .ogg, .mp3)"
            )
        whole, random = decoded(packets), np.random.default_rng(args.seed)
        borders = random.integers(most, len(packets) - AFTER, args.borders, endpoint=True).tolist()
        row = {f"{each:g}": measure(packets, whole, borders, round(each / PACKET_S)) for each in args.repeated}
        print(f"{bitrate_bps / 1000:g} kbit/s", json.dumps(row), flush=True)
        figures[str(bitrate_bps)] = row
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
