"""Uploads are decoded in a process that may break, and that never stays."""

import asyncio
import io
import logging
import os
import sys
import time
from typing import Any

import numpy as np
import pytest
from PIL import Image
from processes import gone, is_running

from vmeet_core.effects.pictures import UnknownType, decode_picture
from vmeet_core.server import picture_child
from vmeet_core.server.picture_decoder import decoded_upload


def encoded(image: Image.Image, kind: str = "PNG", **given: Any) -> bytes:
    data = io.BytesIO()
    image.save(data, kind, **given)
    return data.getvalue()


async def test_a_picture_comes_back_as_a_jpeg() -> None:
    upload = encoded(Image.new("RGB", (2400, 600), "#205080"))
    jpeg = await decoded_upload(upload)
    assert jpeg.startswith(b"\xff\xd8\xff")
    picture = decode_picture(jpeg)
    assert picture.shape == (480, 1920, 3)
    assert np.abs(picture.astype(int) - (0x20, 0x50, 0x80)).max() <= 3
    assert await decoded_upload(upload) == jpeg


async def test_what_is_wrong_with_it_is_told() -> None:
    with pytest.raises(UnknownType, match="no picture of the types JPEG, PNG, WEBP"):
        await decoded_upload(b"<svg xmlns='http://www.w3.org/2000/svg'/>")
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    half = encoded(Image.fromarray(noise), "JPEG")[:2000]
    with pytest.raises(ValueError, match="damaged or incomplete"):
        await decoded_upload(half)


class Children:
    """Puts another program in the child's place, and keeps the processes."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.made: list[asyncio.subprocess.Process] = []
        self._monkeypatch = monkeypatch
        self._start = asyncio.create_subprocess_exec

    def run(self, source: str) -> None:
        async def start(*command: str, **given: Any) -> asyncio.subprocess.Process:
            self.made.append(await self._start(sys.executable, "-c", source, *command[-1:], **given))
            return self.made[-1]

        self._monkeypatch.setattr(asyncio, "create_subprocess_exec", start)


@pytest.fixture
def children(monkeypatch: pytest.MonkeyPatch) -> Children:
    return Children(monkeypatch)


async def test_a_file_that_breaks_the_decoder_breaks_nothing_else(
    children: Children, caplog: pytest.LogCaptureFixture
) -> None:
    children.run("import os; os.abort()")
    with caplog.at_level(logging.ERROR), pytest.raises(ValueError, match="cannot be decoded"):
        await decoded_upload(bytes(5 << 20))
    assert "-6" in caplog.text


async def test_one_that_takes_for_ever_is_ended(children: Children) -> None:
    children.run("import time; time.sleep(600)")
    with pytest.raises(ValueError, match=r"not decoded within 0\.5 s"):
        await decoded_upload(b"x", most_s=0.5)
    await gone(children.made[0].pid)


async def test_when_nobody_waits_any_more_the_process_goes(children: Children) -> None:
    children.run("import time; time.sleep(600)")
    task = asyncio.create_task(decoded_upload(b"x"))
    while not children.made:
        await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert not is_running(children.made[0].pid)


@pytest.mark.skipif(sys.platform == "win32", reason="there are no such limits")
async def test_it_gets_so_much_memory_and_time_and_comes_last(children: Children) -> None:
    source = (
        "import os, resource as r, sys; from vmeet_core.server.picture_child import limit; limit(); "
        "sys.stdout.write(repr((os.nice(0), r.getrlimit(r.RLIMIT_DATA), r.getrlimit(r.RLIMIT_CPU))))"
    )
    children.run(source)
    memory, seconds = (picture_child.MOST_MEMORY_BYTES,) * 2, (picture_child.MOST_CPU_S,) * 2
    wanted = (os.nice(0) + picture_child.NICENESS, memory, seconds)
    assert await decoded_upload(b"") == repr(wanted).encode()


def test_too_much_memory_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def hoard(upload: bytes) -> None:
        raise MemoryError

    monkeypatch.setattr(picture_child, "decode_picture", hoard)
    assert picture_child.answer(b"x") == (
        picture_child.BAD_PICTURE,
        b"the picture takes too much memory; a smaller one will do",
    )


async def test_packets_do_not_wait_for_a_picture() -> None:
    """libwebp holds Python's lock for all the time it takes: here it would be most of a second."""
    rng = np.random.default_rng(0)
    patches = Image.fromarray(rng.integers(0, 256, (40, 60, 3), dtype=np.uint8)).resize((6000, 4000))
    upload = encoded(patches, "WEBP", quality=40, method=0)
    began_s = time.process_time()
    jpeg = await decoded_upload(upload)
    assert time.process_time() - began_s < 0.2, "the work is done elsewhere"
    assert decode_picture(jpeg).shape == (1280, 1920, 3)
    began_s = time.process_time()
    decode_picture(upload)
    assert time.process_time() - began_s > 0.2, "it is work"
