"""A slot that passes from one person to another may not show the former one under the other's name."""

import pytest
from playwright.async_api import Page

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]
SETUP = """() => {
    const canvas = Object.assign(document.createElement('canvas'), { width: 320, height: 180 });
    const context = canvas.getContext('2d');
    const draw = () => {
        context.fillStyle = `hsl(${performance.now() % 360} 50% 50%)`;
        context.fillRect(0, 0, 320, 180);
    };
    setInterval(draw, 20);
    window.drawn = canvas.captureStream(30);
    window.fresh = async (stream) => {
        const { onFreshPicture } = await import('/static/js/fresh-picture.js');
        const video = window.video = Object.assign(document.createElement('video'), { muted: true, autoplay: true });
        document.body.append(video);
        video.srcObject = stream;
        window.seen = 0;
        const count = () => { window.seen += 1; video.requestVideoFrameCallback?.(count); };
        video.requestVideoFrameCallback?.(count);
        const began = performance.now();
        return new Promise((resolve) => onFreshPicture(video, () => resolve(performance.now() - began)));
    };
}"""
RECEIVED = """async () => {
    const [from, to] = [new RTCPeerConnection(), new RTCPeerConnection()];
    from.onicecandidate = ({ candidate }) => to.addIceCandidate(candidate);
    to.onicecandidate = ({ candidate }) => from.addIceCandidate(candidate);
    const received = new Promise((resolve) => to.ontrack = ({ track }) => resolve(new MediaStream([track])));
    from.addTrack(window.drawn.getVideoTracks()[0]);
    await from.setLocalDescription();
    await to.setRemoteDescription(from.localDescription);
    await to.setLocalDescription();
    await from.setRemoteDescription(to.localDescription);
    window.received = await received;
    await window.fresh(window.received);
}"""


async def test_pictures_that_may_be_of_another_do_not_count(blank: Page) -> None:
    await blank.evaluate(SETUP)
    await blank.evaluate(RECEIVED)
    assert await blank.evaluate("() => window.fresh(window.received)") >= 100


async def test_the_own_camera_counts_at_once(blank: Page) -> None:
    await blank.evaluate(SETUP)
    script = "async () => { await window.fresh(window.drawn); return window.seen; }"
    assert await blank.evaluate(script) == 1


async def test_a_browser_that_cannot_tell_is_believed(blank: Page) -> None:
    await blank.evaluate(SETUP)
    await blank.evaluate("() => { delete HTMLVideoElement.prototype.requestVideoFrameCallback; }")
    assert await blank.evaluate("() => window.fresh(new MediaStream())") < 100
