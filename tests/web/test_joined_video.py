"""Parts of a recording's picture that were put together, in a real Chromium: no seam, every picture, any place."""

from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from playwright.async_api import Page

from vmeet_core.media.mux import PictureWriter, join

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]
FPS, SIZE_PX = 30, (320, 180)
LENGTHS = (60, 47, 60)  #: pictures of each part
#: Plays to the end; which lumas were shown, and at which times.
PLAY = """async (address) => {
    const video = document.createElement('video');
    video.muted = true; video.src = address; document.body.append(video);
    const canvas = new OffscreenCanvas(4, 4).getContext('2d', {willReadFrequently: true});
    const seen = [];
    const look = (_, about) => {
        canvas.drawImage(video, 0, 0, 4, 4);
        seen.push([about.mediaTime, canvas.getImageData(1, 1, 1, 1).data[1]]);
        video.requestVideoFrameCallback(look);
    };
    video.requestVideoFrameCallback(look);
    await video.play();
    await new Promise((done, failed) => { video.onended = done; video.onerror = () => failed(video.error); });
    const quality = video.getVideoPlaybackQuality();
    return {seen, decoded: quality.totalVideoFrames, corrupted: quality.corruptedVideoFrames, length: video.duration};
}"""
SEEK = """async (time) => {
    const video = document.querySelector('video');
    const done = new Promise((shown) => video.requestVideoFrameCallback((_, about) => shown(about.mediaTime)));
    video.currentTime = time;
    const at = await done;
    const canvas = new OffscreenCanvas(4, 4).getContext('2d');
    canvas.drawImage(video, 0, 0, 4, 4);
    return [at, canvas.getImageData(1, 1, 1, 1).data[1]];
}"""


@pytest.fixture
def joined(tmp_path: Path) -> Path:
    """Each part is brighter than the one before."""
    width, height = SIZE_PX
    half = np.full((height // 2, width // 2), 128, np.uint8)
    parts = []
    for number, length in enumerate(LENGTHS):
        parts.append(tmp_path / f"{number}.mp4")
        with PictureWriter(parts[-1], width, height, Fraction(FPS), 1) as writer:
            for _ in range(length):
                writer.write((np.full((height, width), 60 + 60 * number, np.uint8), half, half))
    join(tmp_path / "joined.mp4", parts, None)
    return tmp_path / "joined.mp4"


async def test_it_plays_across_the_seams(blank: Page, site: Any, joined: Path) -> None:
    site.files["/api/joined.mp4"] = str(joined)
    played = await blank.evaluate(PLAY, "/api/joined.mp4")
    assert played["corrupted"] == 0
    assert played["decoded"] == sum(LENGTHS)
    assert played["length"] == pytest.approx(sum(LENGTHS) / FPS, abs=0.01)
    times = [time for time, _ in played["seen"]]
    assert times == sorted(times)
    lumas = [luma for _, luma in played["seen"]]
    assert lumas == pytest.approx(sorted(lumas), abs=2)
    for before_s, after_s in ((59 / FPS, 60 / FPS), (106 / FPS, 107 / FPS)):
        before, after = [await blank.evaluate(SEEK, time_s + 0.01) for time_s in (before_s, after_s)]
        assert [before[0], after[0]] == pytest.approx([before_s, after_s], abs=0.002)
        assert after[1] - before[1] > 40
