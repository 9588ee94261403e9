"""The forwarding benchmark: what it sends is what it says, and it runs end to end."""

import itertools
import json
import os
import subprocess
import sys
from pathlib import Path

import forwarding
import forwarding_janus
import forwarding_network
import numpy as np
import pytest
from aiortc.codecs.vpx import VpxPayloadDescriptor
from forwarding_clip import ArrivedPacket, ClipPictures, encode_pictures, pictures_of
from forwarding_figures import Figures, Layout, best
from forwarding_media import FPS, KEYFRAME_INTERVAL, MARK, MarkedPictures
from forwarding_receiving import Incoming

BENCHMARK = Path(__file__).parents[1] / "benchmarks" / "forwarding.py"


def run(*arguments: str) -> dict[str, dict[str, dict[str, float] | None]]:
    """Its JSON."""
    environment = {key: value for key, value in os.environ.items() if not key.startswith("VMEET_")}
    command = [sys.executable, str(BENCHMARK), "--seconds", "2", "--rounds", "1", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=240, env=environment, check=False)
    assert done.returncode == 0, done.stderr
    found: dict[str, dict[str, dict[str, float] | None]] = json.loads(done.stdout.splitlines()[-1])
    assert found, done.stderr
    return found


def check(figures: dict[str, float] | None) -> None:
    assert figures is not None
    assert figures["us_per_packet"] > 1
    assert figures["delivery"] >= 0.999
    assert 0 < figures["added_p50_ms"] <= figures["added_p95_ms"]


def test_vmeet_is_measured_with_one_receiver():
    check(run("--servers", "vmeet", "--receivers", "1")["vmeet"]["1"])


def test_vmeet_is_measured_without_a_namespace():
    check(run("--servers", "vmeet", "--receivers", "2x2", "--loopback")["vmeet"]["2x2"])


def test_janus_is_measured_where_it_is_installed():
    reason = forwarding_network.why_no_namespace()
    if reason is None:
        reason = forwarding_janus.why_absent(forwarding_network.Place("any", "", ""))
    if reason is not None:
        pytest.skip(reason)
    check(run("--servers", "janus", "--receivers", "1")["janus"]["1"])


def test_the_namespace_is_gone_afterwards():
    namespace = forwarding_network.NAMESPACES / f"{forwarding_network.PREFIX}{os.getpid()}"
    can_be_had = forwarding_network.why_no_namespace() is None
    with forwarding_network.place(use_namespace=can_be_had) as where:
        assert namespace.exists() == can_be_had
        p50_ms, p95_ms = forwarding_network.baseline_ms(where, packets=50)
    assert 0 < p50_ms <= p95_ms
    assert not namespace.exists()


@pytest.mark.parametrize("bad", ["0", "101", "5x4", "1x1", "x", "five", "5x", ""])
def test_layouts_that_make_no_sense_are_refused(bad):
    with pytest.raises(ValueError, match="receivers"):
        Layout.parse(bad)


def test_outputs_of_a_layout():
    assert Layout.parse("30").outputs == 30
    assert Layout.parse("10x10").outputs == 90


def test_mediarelay_is_also_measured_with_the_most_that_it_can_carry():
    layouts = [Layout.parse("1"), Layout.parse("10")]
    measured = [(cell.server, cell.layout.name) for cell in forwarding.cells(["vmeet", "mediarelay"], layouts)]
    assert measured == [("vmeet", "1"), ("mediarelay", "1"), ("vmeet", "10"), ("mediarelay", "10"), ("mediarelay", "2")]


def test_the_pictures_have_the_shape_of_a_camera():
    pictures = MarkedPictures(seed=1)
    frames = [pictures.next_frame(keyframe=False) for _ in range(2 * KEYFRAME_INTERVAL)]
    packets, size_bytes = sum(map(len, frames)), sum(len(payload) + MARK.size for frame in frames for payload in frame)
    assert packets / (len(frames) / FPS) == pytest.approx(154, abs=1)
    assert 8 * size_bytes / (len(frames) / FPS) == pytest.approx(1.45e6, rel=0.03)
    keyframes = [index for index, frame in enumerate(frames) if not VpxPayloadDescriptor.parse(frame[0])[1][0] & 1]
    assert keyframes == [0, KEYFRAME_INTERVAL]


def test_the_pictures_are_numbered_and_in_layers():
    pictures = MarkedPictures(seed=2)
    parsed = [[VpxPayloadDescriptor.parse(payload)[0] for payload in pictures.next_frame(False)] for _ in range(8)]
    first = [frame[0] for frame in parsed]
    assert [d.tid[0] for d in first] == [0, 2, 1, 2] * 2
    assert {(b.picture_id - a.picture_id) & 0x7FFF for a, b in itertools.pairwise(first)} == {1}
    assert [(d.tl0picidx - first[0].tl0picidx) & 0xFF for d in first] == [0] * 4 + [1] * 4
    assert [[d.partition_start for d in frame] for frame in parsed[1:]] == [[1, 0, 0, 0, 0]] * 7


def test_the_clip_is_read_back_by_its_numbers():
    clip = ClipPictures(encode_pictures())
    packets = [
        ArrivedPacket(at_ns=number, timestamp=number, payload=payload)
        for number in range(40)
        for payload in clip.next_frame(keyframe=False)
    ]
    assert list(pictures_of(packets)) == [(number, number) for number in range(40)]
    assert [number for number, _ in clip.shown_ns] == list(range(40))


def test_the_best_of_rounds_keeps_the_worst_delivery():
    layout, waits_ms = Layout.parse("1"), np.arange(100.0)
    rounds = [
        Figures.of(2_000_000, 100, 100, waits_ms, 1.0, layout),
        Figures.of(1_000_000, 90, 100, waits_ms[:90], 1.0, layout),
    ]
    found = best(rounds)
    assert found is not None
    assert found.us_per_packet == pytest.approx(1e6 / 90 / 1e3)
    assert found.delivery == 0.9
    assert best([]) is None


def test_a_receiver_asks_for_what_is_missing_until_it_comes():
    stream = Incoming(ssrc=7, is_video=True, sequence=0xFFFE)
    for sequence in (0xFFFF, 2, 3):
        stream.add(sequence)
    now_s = next(iter(stream.missing.values()))
    assert stream.due(now_s) == [0, 1]
    stream.add(1)
    assert stream.due(now_s) == [0]
    report = stream.report(now_s)
    assert report.packets_lost == 1
    assert report.highest_sequence & 0xFFFF == 3
    assert stream.due(now_s + 2) == []
