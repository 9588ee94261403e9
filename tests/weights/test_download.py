"""Downloads from a server that truncates, corrupts, stalls and ignores what it is asked."""

from pathlib import Path

import pytest

from vmeet_core.weights.download import Patience, download
from vmeet_core.weights.transfer import SourceError, no_progress

QUICK = Patience(stall_s=0.5, tries=3, pause_s=0.01)


def fetch(server, target, tries=3, **weight):
    wanted = server.weight(**weight)
    download(wanted.sources[0].url, target, wanted, no_progress, QUICK._replace(tries=tries))


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return tmp_path / "model.onnx"


def part(target: Path) -> Path:
    return target.with_name("model.onnx.part")


def test_a_file_is_brought_with_progress(server, target, content):
    seen = []
    wanted = server.weight()
    download(wanted.sources[0].url, target, wanted, lambda *step: seen.append(step), QUICK)
    assert target.read_bytes() == content
    assert seen[0] == ("model.onnx", 0, len(content))
    assert seen[-1] == ("model.onnx", len(content), len(content))
    assert [done for _, done, _ in seen] == sorted(done for _, done, _ in seen)
    assert not part(target).exists()


@pytest.mark.parametrize("fault", ["truncate", "stall"])
def test_it_goes_on_where_it_stopped(fault, server, target, content):
    server.script = [fault, fault]
    fetch(server, target)
    assert target.read_bytes() == content
    assert server.requests == ["", "bytes=100000-", "bytes=200000-"]


@pytest.mark.parametrize("fault", ["mute", "busy"])
def test_it_tries_again(fault, server, target, content):
    server.script = [fault, fault]
    fetch(server, target)
    assert target.read_bytes() == content
    assert server.requests == ["", "", ""]


def test_the_next_run_goes_on_from_the_part(server, target, content):
    server.script = ["truncate"]
    with pytest.raises(SourceError, match=r"broke off after 100000 of 300000 bytes .1 tries; what has come is kept"):
        fetch(server, target, tries=1)
    assert part(target).read_bytes() == content[:100_000]
    assert not target.exists()
    fetch(server, target)
    assert target.read_bytes() == content
    assert server.requests == ["", "bytes=100000-"]


def test_a_complete_part_needs_no_request(server, target, content):
    part(target).write_bytes(content)
    fetch(server, target)
    assert target.read_bytes() == content
    assert server.requests == []


@pytest.mark.parametrize("reply", ["ignore_range", "refuse_range", "other_range"])
def test_a_server_that_cannot_go_on_begins_anew(reply, server, target, content):
    part(target).write_bytes(content[:1000])
    server.script = [reply]
    fetch(server, target)
    assert target.read_bytes() == content
    assert server.requests[0] == "bytes=1000-"


def test_a_corrupt_file_is_deleted(server, target):
    server.script = ["corrupt"] * 3
    with pytest.raises(SourceError, match=r"what it delivers has the SHA-256 .* instead of .*; it was deleted"):
        fetch(server, target)
    assert list(target.parent.iterdir()) == []
    assert len(server.requests) == 1


def test_a_corrupt_piece_of_an_earlier_run_is_replaced(server, target, content):
    server.script = ["corrupt_piece"]
    fetch(server, target)
    assert target.read_bytes() == content
    assert server.requests == ["", "bytes=100000-", ""]


@pytest.mark.parametrize("size", [300_000, 300_001])
def test_a_corrupt_part_is_replaced(size, server, target, content):
    part(target).write_bytes(bytes(size))
    fetch(server, target)
    assert target.read_bytes() == content


def test_another_file_is_refused_before_it_is_read(server, target):
    server.script = ["other_size"]
    with pytest.raises(SourceError, match="offers 5 bytes instead of 300000"):
        fetch(server, target)


def test_a_file_without_end_is_cut(server, target):
    server.script = ["longer"] * 3
    with pytest.raises(SourceError, match="sends more than 300000 bytes"):
        fetch(server, target)
    assert list(target.parent.iterdir()) == []


def test_an_absent_file_is_told_at_once(server, target):
    server.script = ["absent"]
    with pytest.raises(SourceError, match="answered 404 Not Found"):
        fetch(server, target)
    assert len(server.requests) == 1


def test_tries_are_bounded(server, target):
    server.script = ["busy"] * 10
    with pytest.raises(SourceError, match=r"answered 503 Service Unavailable \(3 tries\)"):
        fetch(server, target)
    assert len(server.requests) == 3


def test_a_silent_server_is_given_up(server, target):
    server.script = ["mute"] * 3
    with pytest.raises(SourceError, match=r"sent nothing for 0\.5 s"):
        fetch(server, target)


def test_no_server_is_told(target, server):
    wanted = server.weight()
    with pytest.raises(SourceError, match=r"cannot be reached: .*refused"):
        download("http://127.0.0.1:9/x", target, wanted, no_progress, QUICK)
