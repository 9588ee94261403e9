"""Tests of what is taken for a full disk."""

import errno
import os
from pathlib import Path

import av
import pytest

from vmeet_core.full_disk import is_full, reason


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="a device of Linux")
def test_a_disk_that_takes_nothing_is_full_whoever_writes() -> None:
    with pytest.raises(OSError, match="No space left") as told, Path("/dev/full").open("wb", buffering=0) as file:
        file.write(b"x")
    assert is_full(told.value)
    assert reason(told.value) == "the disk is full"
    container = av.open("/dev/full", "w", format="wav")
    container.add_stream("pcm_s16le", rate=48_000)
    container.start_encoding()
    with pytest.raises(av.FFmpegError) as told_by_ffmpeg:
        container.close()
    assert is_full(told_by_ffmpeg.value)


def test_what_was_made_of_it_is_still_a_full_disk() -> None:
    outer = RuntimeError("the model's cache cannot be written")
    outer.__cause__ = OSError(errno.EDQUOT, "of others")
    assert is_full(outer)
    assert not is_full(RuntimeError("the model's cache cannot be written"))


def test_other_errors_are_none() -> None:
    denied = PermissionError(errno.EACCES, "Permission denied")
    assert not is_full(denied)
    assert not is_full(RuntimeError("full"))
    assert reason(denied) == "Permission denied"
    assert reason(OSError("no number")) == "no number"


def test_words_of_our_own_stay() -> None:
    assert reason(OSError(errno.ENOSPC, "the disk is nearly full")) == "the disk is nearly full"
    assert reason(OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))) == "the disk is full"
