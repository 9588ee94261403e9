"""What a person sends: four sections at once, layers where the browser has them, a small picture of its own."""

from typing import Any

import pytest
from playwright.async_api import Page

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]
SETUP = """async () => {
    const { Publisher } = await import('/static/js/publisher.js');
    window.sent = [];
    window.publisher = new Publisher((message) => window.sent.push(message), []);
    window.camera = async (width, height) =>
        (await navigator.mediaDevices.getUserMedia({ video: { width, height } })).getVideoTracks()[0];
}"""
OFFER = """async () => {
    await window.publisher.offer();
    return window.sent.find((message) => message.type === 'publish');
}"""
PARAMETERS = """() => Object.fromEntries([...window.publisher.transceivers].map(([source, { sender }]) => {
    const { encodings, degradationPreference } = sender.getParameters();
    return [source, { ...encodings[0], preference: degradationPreference }];
}))"""


def first_codecs(sdp: str) -> list[str]:
    """The codec that each video section names first."""
    found = []
    for section in sdp.split("m=video ")[1:]:
        payload_type = section.split()[2]
        line = next(line for line in section.splitlines() if line.startswith(f"a=rtpmap:{payload_type} "))
        found.append(line.split()[1])
    return found


async def test_four_sections_in_order_with_vp8_first(blank: Page) -> None:
    await blank.evaluate(SETUP)
    publish = await blank.evaluate(OFFER)
    assert [each["source"] for each in publish["sources"]] == ["microphone", "camera", "camera-small", "screen"]
    assert [each["mid"] for each in publish["sources"]] == ["0", "1", "2", "3"]
    assert first_codecs(publish["sdp"]) == ["VP8/90000"] * 3
    assert "H264/90000" in publish["sdp"]


async def test_without_vp8_the_browser_offers_h264(blank: Page) -> None:
    without = """() => {
        const all = RTCRtpSender.getCapabilities('video');
        const codecs = all.codecs.filter(({ mimeType }) => mimeType !== 'video/VP8');
        RTCRtpSender.getCapabilities = () => ({ ...all, codecs });
    }"""
    await blank.evaluate(without)
    await blank.evaluate(SETUP)
    assert first_codecs((await blank.evaluate(OFFER))["sdp"]) == ["H264/90000"] * 3


async def test_every_picture_has_temporal_layers_and_a_bound(blank: Page) -> None:
    await blank.evaluate(SETUP)
    parameters = await blank.evaluate(PARAMETERS)
    bounds = {"camera": 1_800_000, "camera-small": 100_000, "screen": 2_500_000}
    for source, bound in bounds.items():
        assert (parameters[source]["maxBitrate"], parameters[source]["scalabilityMode"]) == (bound, "L1T3")
    assert parameters["screen"]["maxFramerate"] == 15


async def test_a_browser_that_refuses_layers_publishes_without(blank: Page) -> None:
    refuse = """() => {
        const add = RTCPeerConnection.prototype.addTransceiver;
        RTCPeerConnection.prototype.addTransceiver = function (kind, init) {
            if (init.sendEncodings?.[0].scalabilityMode) throw new DOMException('unknown', 'OperationError');
            return add.call(this, kind, init);
        };
    }"""
    await blank.evaluate(refuse)
    await blank.evaluate(SETUP)
    parameters = await blank.evaluate(PARAMETERS)
    assert parameters["camera"]["maxBitrate"] == 1_800_000
    assert "scalabilityMode" not in parameters["camera"]


@pytest.mark.parametrize(
    ("width", "height", "scale"), [(1280, 720, 4), (640, 360, 2), (720, 1280, 4), (320, 180, 1), (160, 120, 1)]
)
async def test_the_small_picture_is_about_180_high(blank: Page, width: int, height: int, scale: float) -> None:
    script = "async (size) => (await import('/static/js/publisher.js')).smallScale(size)"
    assert await blank.evaluate(script, {"width": width, "height": height}) == scale


async def test_the_small_picture_follows_the_size_of_the_camera(blank: Page) -> None:
    await blank.evaluate(SETUP)
    for width, height, scale in ((1280, 720, 4), (640, 360, 2)):
        replace = "async ([width, height]) => window.publisher.replace('camera', await window.camera(width, height))"
        await blank.evaluate(replace, [width, height])
        assert (await blank.evaluate(PARAMETERS))["camera-small"]["scaleResolutionDownBy"] == scale


@pytest.mark.parametrize("end", ["window.publisher.replace('camera', null)", "window.publisher.close()"])
async def test_nothing_holds_the_camera_when_it_is_off(blank: Page, end: str) -> None:
    await blank.evaluate(SETUP)
    await blank.evaluate("async () => window.publisher.replace('camera', await window.camera(640, 360))")
    small = await blank.evaluate_handle("() => window.publisher.transceivers.get('camera-small').sender.track")
    assert await small.evaluate("(track) => track.readyState") == "live"
    await blank.evaluate(f"async () => {{ await {end}; }}")
    assert await small.evaluate("(track) => track.readyState") == "ended"


async def test_the_camera_begins_sharp_and_adapts_later(page: Page) -> None:
    await page.clock.install()
    await page.goto("/blank")
    await page.evaluate(SETUP)
    await page.evaluate("async () => window.publisher.replace('camera', await window.camera(640, 360))")
    assert await preferences(page) == {
        "camera": "maintain-resolution",
        "camera-small": "maintain-resolution",
        "screen": "maintain-resolution",
    }
    await page.clock.run_for(6000)
    await page.evaluate("() => window.publisher.adjusting")
    assert (await preferences(page))["camera"] == "balanced"


async def preferences(page: Page) -> dict[str, Any]:
    await page.evaluate("() => window.publisher.adjusting")
    found = await page.evaluate(PARAMETERS)
    return {source: each["preference"] for source, each in found.items() if source != "microphone"}
