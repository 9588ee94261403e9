"""Who is heard and seen on which tracks."""

from typing import Any

import pytest
from playwright.async_api import Page

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]
# A peer connection of the same page stands for the server: a pair of sections for a person, and one for a screen.
SETUP = """async () => {
    const { Receiver } = await import('/static/js/receiver.js');
    const server = new RTCPeerConnection();
    const receiver = window.receiver = new Receiver((message) => {
        if (message.type === 'answer') server.setRemoteDescription({ type: 'answer', sdp: message.sdp });
        if (message.candidate) server.addIceCandidate({ candidate: message.candidate, sdpMid: message.mid });
    }, []);
    for (const kind of ['audio', 'video', 'video']) server.addTransceiver(kind, { direction: 'sendonly' });
    await server.setLocalDescription();
    await new Promise((resolve) => server.onicecandidate = ({ candidate }) => candidate || resolve());
    const connected = new Promise((resolve) => {
        receiver.addEventListener('state', () => receiver.connected && resolve());
    });
    await receiver.offered(server.localDescription.sdp, 1);
    await connected;
}"""
HEARD = """(slots) => {
    window.receiver.assign(slots);
    const tracks = new Map(window.receiver.pc.getTransceivers().map(({ mid, receiver }) => [receiver.track, mid]));
    const mid = (track) => track && tracks.get(track);
    return Object.fromEntries([...window.receiver.heard()].map(([id, heard]) => [id, {
        audio: mid(heard.audio), video: mid(heard.video), paused: heard.paused,
        screen: mid(heard.screen), screenPaused: heard.screenPaused, receives: heard.audioReceiver !== null,
    }]));
}"""
PERSON: dict[str, Any] = {"audio_mid": "0", "video_mid": "1", "source": "camera", "paused": False}
SCREEN: dict[str, Any] = {"audio_mid": None, "video_mid": "2", "source": "screen", "paused": False}
SILENT = {"audio": None, "video": None, "paused": True, "receives": False}
UNSHARED = {"screen": None, "screenPaused": True}


async def test_a_person_and_their_screen_are_one_entry(blank: Page) -> None:
    await blank.evaluate(SETUP)
    slots = [{**PERSON, "participant_id": "ben"}, {**SCREEN, "participant_id": "ben"}]
    camera = {"audio": "0", "video": "1", "paused": False, "receives": True}
    assert await blank.evaluate(HEARD, slots) == {"ben": {**camera, "screen": "2", "screenPaused": False}}


async def test_a_screen_may_come_without_a_seat(blank: Page) -> None:
    await blank.evaluate(SETUP)
    found = await blank.evaluate(HEARD, [{**PERSON, "participant_id": None}, {**SCREEN, "participant_id": "ben"}])
    assert found == {"ben": {**SILENT, "screen": "2", "screenPaused": False}}


async def test_a_paused_picture_is_told(blank: Page) -> None:
    await blank.evaluate(SETUP)
    found = await blank.evaluate(HEARD, [{**PERSON, "participant_id": "ben", "paused": True}])
    assert found == {"ben": {"audio": "0", "video": "1", "paused": True, "receives": True, **UNSHARED}}


async def test_sections_that_are_not_negotiated_yet_carry_nothing(blank: Page) -> None:
    await blank.evaluate(SETUP)
    slot = {**PERSON, "audio_mid": "8", "video_mid": "9", "participant_id": "ben"}
    found = await blank.evaluate(HEARD, [slot])
    assert found == {"ben": {**SILENT, "paused": False, **UNSHARED}}


async def test_statistics_are_those_of_each_source(blank: Page) -> None:
    await blank.evaluate(SETUP)
    slots = [{**PERSON, "participant_id": "ben"}, {**SCREEN, "participant_id": "carla"}]
    await blank.evaluate(HEARD, slots)
    script = (
        """async () => [...await window.receiver.statistics()].map(([id, found]) => [id, Object.keys(found).sort()])"""
    )
    assert await blank.evaluate(script) == [["ben", ["audio", "video"]], ["carla", ["screen"]]]


async def test_an_offer_of_another_connection_does_not_fit(blank: Page) -> None:
    await blank.evaluate(SETUP)
    script = """() => {
        const { receiver } = window;
        return [receiver.fits('a=ice-ufrag:other'), receiver.fits(receiver.pc.remoteDescription.sdp)];
    }"""
    assert await blank.evaluate(script) == [False, True]


async def test_what_is_lost_on_the_way_is_waited_for(blank: Page) -> None:
    await blank.evaluate(SETUP)
    found = await blank.evaluate(
        """(slots) => {
            const { receiver } = window;
            receiver.assign(slots);
            const people = (loss) => [{ participant_id: 'ben', loss }];
            const delays = () => receiver.pc.getTransceivers().map((each) => each.receiver.jitterBufferTarget);
            const at = (seconds, received_loss, loss) => {
                receiver.cushion({ received_loss, people: people(loss) }, seconds * 1000);
                return delays();
            };
            return [at(0, 0, 0), at(2, 0, 0.05), at(10, 0, 0), at(30, 0, 0), at(32, 0.05, 0), at(60, 0.01, 0)];
        }""",
        [{**PERSON, "participant_id": "ben"}],
    )
    waiting, usual = [300, 300, None], [None, None, None]
    assert found == [usual, waiting, waiting, usual, waiting, usual]
