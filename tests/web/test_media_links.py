"""A connection that no longer carries anything is replaced alone; what was seen stays until there is more."""

from typing import Any

import pytest
from playwright.async_api import Page

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]
# The socket is a list of messages here; `alive` is what looking after it finds. Both peer connections are real.
SETUP = """async () => {
    const { MediaLinks } = await import('/static/js/media-links.js');
    window.sent = [];
    window.alive = true;
    const signalling = { send: (message) => window.sent.push(message), check: async () => window.alive };
    const off = () => ({ on: false, track: null });
    window.sources = { microphone: off(), camera: off(), screen: off() };
    const links = window.links = new MediaLinks(signalling, window.sources);
    window.log = [];
    for (const type of ['media', 'blocked', 'trouble']) links.addEventListener(type, () => window.log.push(type));
    links.start([]);
    window.types = () => window.sent.map((message) => message.type).filter((type) => type !== 'candidate');
    while (window.types().length < 4) await new Promise((resolve) => setTimeout(resolve, 5));
    window.fail = async (peer) => {
        Object.defineProperty(peer.pc, 'connectionState', { get: () => 'failed', configurable: true });
        peer.pc.dispatchEvent(new Event('connectionstatechange'));
        await new Promise((resolve) => setTimeout(resolve, 100));
    };
    window.connect = (peer) => {
        Object.defineProperty(peer.pc, 'connectionState', { get: () => 'connected', configurable: true });
        peer.pc.dispatchEvent(new Event('connectionstatechange'));
    };
}"""


async def types(page: Page) -> list[str]:
    found: list[str] = await page.evaluate("() => window.types()")
    return found


async def test_a_welcome_publishes_and_says_what_is_off(blank: Page) -> None:
    await blank.evaluate(SETUP)
    assert await types(blank) == ["publish", "mute", "mute", "mute"]
    muted = await blank.evaluate("() => window.sent.filter((each) => each.type === 'mute')")
    assert muted == [{"type": "mute", "source": each, "muted": True} for each in ("microphone", "camera", "screen")]


async def test_a_lost_publisher_is_replaced_alone(blank: Page) -> None:
    await blank.evaluate(SETUP)
    receiver = await blank.evaluate_handle("() => window.links.receiver")
    await blank.evaluate("async () => { window.sent.length = 0; await window.fail(window.links.publisher); }")
    assert await types(blank) == ["publish"]
    assert await blank.evaluate("(receiver) => receiver === window.links.receiver", receiver)


async def test_a_lost_receiver_is_replaced_alone_and_pictures_stay(blank: Page) -> None:
    await blank.evaluate(SETUP)
    script = """async () => {
        const old = window.links.receiver;
        const heard = new Map([['ben', {}]]);
        old.heard = () => heard;
        window.sent.length = 0;
        await window.fail(old);
        const kept = window.links.heard() === heard;
        window.connect(window.links.receiver);
        return [kept, window.links.heard() === heard, window.links.receiver === old, old.pc.signalingState];
    }"""
    assert await blank.evaluate(script) == [True, False, False, "closed"]
    assert await types(blank) == ["receive"]
    assert await blank.evaluate("() => window.log.at(-1)") == "media"


async def test_nothing_is_replaced_while_the_socket_is_dead(blank: Page) -> None:
    await blank.evaluate(SETUP)
    await blank.evaluate("""async () => {
        window.sent.length = 0;
        window.alive = false;
        await window.fail(window.links.publisher);
        await window.fail(window.links.receiver);
    }""")
    assert await types(blank) == []


async def test_a_connection_that_heals_meanwhile_is_kept(blank: Page) -> None:
    await blank.evaluate(SETUP)
    await blank.evaluate("""async () => {
        window.sent.length = 0;
        window.links.signalling.check = async () => { window.connect(window.links.publisher); return true; };
        await window.fail(window.links.publisher);
    }""")
    assert await types(blank) == []


async def test_a_network_that_blocks_media_is_told(blank: Page) -> None:
    await blank.evaluate(SETUP)
    for expected in ([], [], ["blocked"]):
        await blank.evaluate("() => window.fail(window.links.publisher)")
        assert await blank.evaluate("() => window.log.filter((type) => type === 'blocked')") == expected


async def test_the_server_may_begin_another_receiving_connection(blank: Page) -> None:
    await blank.evaluate(SETUP)
    script = """async () => {
        const offer = async () => {
            const server = new RTCPeerConnection();
            server.addTransceiver('audio', { direction: 'sendonly' });
            await server.setLocalDescription();
            return server.localDescription.sdp;
        };
        const receivers = [];
        const same = await offer();
        for (const sdp of [same, same, await offer()]) {
            window.links.offered(sdp, receivers.length);
            receivers.push(window.links.receiver);
            await window.links.receiver.negotiating;
        }
        return [receivers[0] === receivers[1], receivers[1] === receivers[2]];
    }"""
    assert await blank.evaluate(script) == [True, False]
    assert await blank.evaluate("() => window.log.filter((type) => type === 'trouble')") == []
    answers = await blank.evaluate(
        "() => window.sent.filter((each) => each.type === 'answer').map((each) => each.negotiation)"
    )
    assert answers == [0, 1, 2]


async def test_sources_turned_on_later_need_no_negotiation(blank: Page) -> None:
    await blank.evaluate(SETUP)
    script = """async () => {
        window.sent.length = 0;
        const track = document.createElement('canvas').captureStream(1).getVideoTracks()[0];
        Object.assign(window.sources.screen, { on: true, track });
        window.links.sourceChanged('screen');
        await new Promise((resolve) => setTimeout(resolve, 50));
        return window.links.publisher.transceivers.get('screen').sender.track === track;
    }"""
    assert await blank.evaluate(script)
    sent: list[Any] = await blank.evaluate("() => window.sent.filter((each) => each.type !== 'candidate')")
    assert sent == [{"type": "mute", "source": "screen", "muted": False}]


async def test_a_change_of_network_shortens_the_patience(blank: Page) -> None:
    await blank.evaluate(SETUP)
    script = """async () => {
        const { pc } = window.links.publisher;
        Object.defineProperty(pc, 'connectionState', { get: () => 'disconnected' });
        pc.dispatchEvent(new Event('connectionstatechange'));
        window.sent.length = 0;
        window.dispatchEvent(new Event('online'));
        const began = performance.now();
        while (!window.types().includes('publish')) await new Promise((resolve) => setTimeout(resolve, 10));
        return performance.now() - began;
    }"""
    assert 400 < await blank.evaluate(script) < 2000
