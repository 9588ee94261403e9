"""Before joining: the own picture goes through the server, and what is shown of it is never the room by mistake."""

import asyncio
import re
from typing import Any

import pytest
from effects_room import BRIGHTNESS, FAILED, MASK, OFF, ON, QUIET, STARTING, EffectsRoom, effects, join, open_lobby
from playwright.async_api import Page, expect

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]
REMEMBERED = {"filters": {"mask": {"options": {"strength": 0.9}, "title": "Mask"}, "other": {"on": False}}}
WISHES = {"filters": [{"name": "mask", "on": True, "options": {"strength": 0.9}}], "denoiser": None}


async def remember(page: Page, effects: dict[str, Any]) -> None:
    await page.goto("/blank")
    await page.evaluate("(effects) => localStorage.setItem('vmeet.effects', JSON.stringify(effects))", effects)


def kinds(room: EffectsRoom) -> list[str]:
    return [message["type"] for message in room.heard]


async def test_the_preview_is_greeted_with_what_is_remembered_and_sends_the_camera_alone(page: Page, site: Any) -> None:
    room = EffectsRoom()
    await remember(page, REMEMBERED)
    await open_lobby(page, site, room)
    assert (await room.wait_for(type="preview"))["effects"] == WISHES
    await expect(page.get_by_test_id("preview-hint")).to_have_text(re.compile("Nobody sees it before you join"))
    assert kinds(room)[0] == "preview"
    await room.wait_for(type="publish")
    await room.wait_for(type="mute", source="camera", muted=False)
    await room.wait_for(type="mute", source="microphone", muted=True)
    (picture,) = await own_view(room)
    assert (picture["participant_id"], picture["source"]) == ("guest", "camera")
    assert picture["width_px"] > 200


async def own_view(room: EffectsRoom) -> list[dict[str, Any]]:
    """The first view with a picture in it."""
    async with asyncio.timeout(10):
        while True:
            for message in room.heard:
                if message["type"] == "view" and message["pictures"]:
                    pictures: list[dict[str, Any]] = message["pictures"]
                    return pictures
            await asyncio.sleep(0.02)


async def test_joining_goes_on_with_the_same_socket_and_what_is_published(page: Page, site: Any) -> None:
    room = EffectsRoom()
    await open_lobby(page, site, room)
    await room.wait_for(type="mute", source="microphone", muted=True)
    await own_view(room)
    room.heard.clear()
    await join(page)
    entered = await room.wait_for(type="join")
    assert (entered["name"], entered["effects"]) == ("Ann", {"filters": [], "denoiser": None})
    await room.wait_for(type="mute", source="microphone", muted=False)
    await room.wait_for(type="mute", source="camera", muted=False)
    assert (await own_view(room))[-1]["participant_id"] in ("me", "ben")
    assert "publish" not in kinds(room)
    assert room.sockets == 1
    sending = """() => {
        const { links } = document.querySelector('vmeet-call').session;
        return [...links.publisher.transceivers].filter(([, { sender }]) => sender.track).map(([source]) => source);
    }"""
    assert await page.evaluate(sending) == ["microphone", "camera", "camera-small"]


async def test_the_microphone_does_not_leave_the_lobby(page: Page, site: Any) -> None:
    room = EffectsRoom()
    await open_lobby(page, site, room)
    await room.wait_for(type="mute", source="microphone", muted=True)
    toggle = page.get_by_test_id("preview-microphone")
    await toggle.click()
    await toggle.click()
    await expect(toggle).to_have_attribute("data-on", "true")
    await page.get_by_test_id("preview-camera").click()
    await room.wait_for(type="mute", source="camera", muted=True)
    assert not [m for m in room.heard if m["type"] == "mute" and m["source"] == "microphone" and not m["muted"]]
    sending = """() => {
        const { links } = document.querySelector('vmeet-lobby').session;
        return links.publisher.transceivers.get('microphone').sender.track;
    }"""
    assert await page.evaluate(sending) is None


async def test_a_preview_whose_socket_drops_begins_again(page: Page, site: Any) -> None:
    room = EffectsRoom()
    await open_lobby(page, site, room)
    await room.wait_for(type="publish")
    room.heard.clear()
    assert room.socket is not None
    await room.socket.close()
    await room.wait_for(type="preview")
    await room.wait_for(type="publish")
    await join(page)
    assert room.sockets == 2


@pytest.mark.parametrize("filters", [[], None])
async def test_without_filters_there_is_nothing_to_preview(page: Page, site: Any, filters: Any) -> None:
    room = EffectsRoom({"people_may_change": "everything", "filters": [], "denoiser": QUIET})
    offer = room.offer if filters is not None else None
    site.answers["GET /api/meetings/abcd"] = (200, {"id": "abcd", "title": "Talk", "effects": offer})
    site.on_socket = room
    await page.goto("/m/abcd")
    picture = page.locator("vmeet-preview vmeet-own-picture")
    await expect(picture).to_have_attribute("data-shows", "local")
    await page.wait_for_timeout(300)
    assert room.sockets == 0
    await expect(page.get_by_test_id("preview-hint")).to_be_hidden()
    await join(page)
    assert kinds(room)[0] == "join"


async def test_the_room_is_veiled_until_the_filtered_picture_is_there(page: Page, site: Any) -> None:
    room = EffectsRoom()
    await open_lobby(page, site, room)
    picture = page.locator("vmeet-preview vmeet-own-picture")
    await expect(picture).to_have_attribute("data-shows", "veil")
    await expect(picture.get_by_text("Your picture is being prepared")).to_be_visible()
    blurred = await picture.locator("video.local").evaluate("(video) => getComputedStyle(video).filter")
    assert "blur(28px)" in blurred
    room.answers_wishes = False
    await page.get_by_role("switch", name="Mask").uncheck()
    await room.wait_for(type="effects")
    await expect(picture).to_have_attribute("data-shows", "veil")  # the server has not said so
    await room.tell(camera=OFF)
    await expect(picture).to_have_attribute("data-shows", "local")
    await page.get_by_role("switch", name="Mask").check()
    await room.wait_for(type="effects")
    await expect(picture).to_have_attribute("data-shows", "veil")
    await page.get_by_test_id("preview-camera").click()
    await expect(picture).to_have_attribute("data-shows", "nothing")


async def test_brightness_veils_nothing(page: Page, site: Any) -> None:
    room = EffectsRoom(effects("everything", BRIGHTNESS))
    room.camera = {**STARTING, "hides": False}
    await open_lobby(page, site, room)
    picture = page.locator("vmeet-preview vmeet-own-picture")
    await expect(picture).to_have_attribute("data-shows", "local")
    await room.tell(camera=ON)  # nothing arrives here: the camera's picture stays
    await expect(page.get_by_test_id("effects-status-camera")).to_contain_text("On.")
    await expect(picture).to_have_attribute("data-shows", "local")


@pytest.mark.parametrize("fatal", [False, True])
async def test_a_preview_that_fails_keeps_nobody_out(page: Page, site: Any, fatal: bool) -> None:
    room = EffectsRoom()
    room.refuses = {"code": "full", "message": "32 preview already", "fatal": fatal}
    await remember(page, REMEMBERED)
    await open_lobby(page, site, room)
    await expect(page.get_by_test_id("lobby-notes")).to_contain_text("You can join all the same")
    picture = page.locator("vmeet-preview vmeet-own-picture")
    await expect(picture).to_have_attribute("data-shows", "veil")
    await expect(picture).to_contain_text("cannot be shown here")
    await expect(page.get_by_test_id("preview-hint")).to_be_hidden()
    await expect(page.get_by_test_id("effects-status-camera")).to_have_text("Takes effect when you join.")
    await join(page)
    assert (await room.wait_for(type="join"))["effects"] == WISHES
    await room.wait_for(type="publish")
    assert kinds(room).count("preview") == 1


async def test_remembered_effects_that_the_server_does_not_take_are_dropped_with_a_word(page: Page, site: Any) -> None:
    room = EffectsRoom()
    await remember(page, REMEMBERED)
    await open_lobby(page, site, room)
    await room.wait_for(type="preview")
    room.wishes = {"filters": [], "denoiser": None}
    await room.tell()
    await room.send(type="error", code="bad-effects", message="too strong for us", fatal=False)
    await expect(page.get_by_test_id("lobby-notes")).to_contain_text("too strong for us")
    await expect(page.get_by_test_id("effect-reset")).to_be_hidden()
    await join(page)
    assert (await room.wait_for(type="join"))["effects"] == {"filters": [], "denoiser": None}
    known = await page.evaluate("() => JSON.parse(localStorage.getItem('vmeet.effects')).filters")
    assert known == {"other": {"on": False}}


async def test_a_protection_that_this_meeting_lacks_is_told(page: Page, site: Any) -> None:
    await remember(page, REMEMBERED)
    await open_lobby(page, site, EffectsRoom(effects("everything", BRIGHTNESS)))
    await expect(page.get_by_test_id("lobby-notes")).to_contain_text("This meeting does not have Mask")
    await expect(page.get_by_test_id("lobby-notes")).to_contain_text("will see your room")


async def test_what_the_lobby_says_of_effects_changes_its_language(page: Page, site: Any) -> None:
    await remember(page, {"filters": {"pointrend": {"options": {}, "title": "Background (PointRend)"}}})
    await open_lobby(page, site, EffectsRoom(effects("everything", BRIGHTNESS)))
    await expect(page.get_by_test_id("lobby-notes")).to_contain_text("does not have Background, which")
    await page.get_by_test_id("language").click()
    await expect(page.get_by_test_id("lobby-notes")).to_contain_text("沒有您在其他會議使用的背景，")


async def test_titles_that_nobody_translates_are_joined_in_the_language_of_the_page(page: Page, site: Any) -> None:
    await remember(page, {"filters": {name: {"options": {}, "title": name.title()} for name in ("fog", "haze")}})
    await open_lobby(page, site, EffectsRoom(effects("everything", BRIGHTNESS)))
    await expect(page.get_by_test_id("lobby-notes")).to_contain_text("does not have Fog and Haze, which")
    await page.get_by_test_id("language").click()
    await expect(page.get_by_test_id("lobby-notes")).to_contain_text("使用的Fog和Haze，")


async def test_options_that_are_no_more_are_told(page: Page, site: Any) -> None:
    await remember(page, {"filters": {"mask": {"options": {"gone": 1}}}})
    await open_lobby(page, site, EffectsRoom())
    await expect(page.get_by_test_id("lobby-notes")).to_contain_text("no longer exist and were dropped: Mask.")


async def test_a_reload_comes_back_with_the_effects(page: Page, site: Any) -> None:
    room = EffectsRoom()
    await remember(page, REMEMBERED)
    await open_lobby(page, site, room)
    await join(page)
    await room.wait_for(type="join")
    room.heard.clear()
    await page.reload()
    again = await room.wait_for(type="join")
    assert (again["token"], again["effects"]) == ("secret", WISHES)
    assert "preview" not in kinds(room)
    await expect(page.get_by_test_id("toggle-effects")).to_be_visible()


async def test_who_could_not_come_back_may_try_again_as_the_same_person(page: Page, site: Any) -> None:
    room = EffectsRoom()
    await open_lobby(page, site, room)
    await join(page)
    room.full = True
    await page.reload()
    await expect(page.get_by_test_id("ended")).to_contain_text("The meeting is full")
    room.full = False
    room.heard.clear()
    await page.get_by_test_id("rejoin").click()
    assert (await room.wait_for(type="join"))["token"] == "secret"


async def test_changes_made_while_the_socket_opens_are_not_lost(page: Page, site: Any) -> None:
    room = EffectsRoom()
    await open_lobby(page, site, room)
    await room.wait_for(type="publish")
    assert room.socket is not None
    late = "() => document.querySelector('vmeet-lobby').session.signalling.addEventListener('state', change, once)"
    script = f"""() => {{
        const {{ effects }} = document.querySelector('vmeet-lobby').session;
        const once = {{ once: true }};
        const change = () => effects.set(effects.offers[0], {{ options: {{ strength: 0.3 }} }});
        ({late})();
    }}"""
    await page.evaluate(script)
    room.heard.clear()
    await room.socket.close()  # the next state is "reconnecting": too late for the old socket
    greeting = await room.wait_for(type="preview")
    assert greeting["effects"]["filters"][0]["options"] == {"strength": 0.3}


# ---- what is shown of oneself ----

OWN = """async ([offer, camera, on]) => {
    const { EffectControl } = await import('/static/js/effect-control.js');
    const { OwnPicture } = await import('/static/js/elements/own-picture.js');
    const { LocalMedia } = await import('/static/js/local-media.js');
    const canvas = document.createElement('canvas');
    canvas.getContext('2d').fillRect(0, 0, 9, 9);
    setInterval(() => canvas.getContext('2d').fillRect(0, 0, 9, 9), 50);
    const session = (window.session = new EventTarget());
    session.effects = new EffectControl(offer);
    session.sizes = [];
    session.showOwn = (_, size) => session.sizes.push(size && size.width_px);
    session.track = canvas.captureStream(20).getVideoTracks()[0];
    session.slot = { video: session.track, paused: false };
    session.ownPicture = () => session.slot;
    session.tell = (camera, on = true) => {
        const filters = session.effects.offer.filters.map(({ name, options }) => ({ name, on, options }));
        session.effects.told({ filters, denoiser: null, camera, microphone: camera });
        session.dispatchEvent(new CustomEvent('own'));
    };
    const own = (window.own = new OwnPicture());
    own.media = new LocalMedia();
    own.session = session;
    own.style.cssText = 'display: block; width: 320px; height: 200px';
    await own.media.start({ camera: true, microphone: false });
    document.body.append(own);
    session.tell(camera, on);
}"""
SHOWS = "() => [window.own.dataset.shows, window.own.received.classList.contains('mirrored')]"


async def show(page: Page, offer: Any, camera: Any) -> None:
    await page.evaluate(OWN, [effects("everything", offer), camera, True])


async def test_what_comes_back_is_shown_in_place_of_the_camera(blank: Page) -> None:
    await show(blank, MASK, ON)
    await blank.wait_for_function("() => window.own.dataset.shows === 'received'")
    assert await blank.evaluate("() => window.own.received.srcObject.getTracks()[0] === window.session.track")
    assert await blank.evaluate("() => window.own.received.srcObject.getAudioTracks().length") == 0
    await blank.wait_for_function("() => window.session.sizes.at(-1) === 320")
    await blank.evaluate("(camera) => window.session.tell(camera, false)", OFF)
    assert (await blank.evaluate(SHOWS))[0] == "veil"  # it was asked for
    await blank.evaluate("() => window.session.effects.set(window.session.effects.offers[0], { on: false })")
    await blank.evaluate("(camera) => window.session.tell(camera, false)", OFF)
    assert (await blank.evaluate(SHOWS))[0] == "local"
    await blank.evaluate("() => window.own.remove()")
    assert await blank.evaluate("() => window.session.sizes.at(-1)") is None


async def test_while_it_starts_nothing_is_claimed(blank: Page) -> None:
    await show(blank, MASK, STARTING)
    await blank.wait_for_timeout(300)
    assert (await blank.evaluate(SHOWS))[0] == "veil"
    await blank.evaluate("(camera) => window.session.tell(camera)", ON)
    await blank.wait_for_function("() => window.own.dataset.shows === 'received'")
    assert await blank.evaluate(SHOWS) == ["received", True]
    await blank.evaluate("() => { window.session.slot.paused = true; window.session.dispatchEvent(new Event('own')); }")
    assert (await blank.evaluate(SHOWS))[0] == "veil"


async def test_the_card_of_a_failure_is_not_mirrored(blank: Page) -> None:
    await show(blank, MASK, FAILED)
    await blank.wait_for_function("() => window.own.dataset.shows === 'received'")
    assert await blank.evaluate(SHOWS) == ["received", False]


async def test_a_correction_is_shown_as_soon_as_it_is_there_and_no_sooner(blank: Page) -> None:
    await show(blank, BRIGHTNESS, {**STARTING, "hides": False})
    assert (await blank.evaluate(SHOWS))[0] == "local"
    await blank.evaluate("(camera) => { window.session.slot = null; window.session.tell(camera); }", ON)
    assert (await blank.evaluate(SHOWS))[0] == "local"
    back = """() => {
        window.session.slot = { video: window.session.track, paused: false };
        window.session.dispatchEvent(new Event('own'));
    }"""
    await blank.evaluate(back)
    await blank.wait_for_function("() => window.own.dataset.shows === 'received'")


async def test_nobody_hears_or_lists_themselves(blank: Page) -> None:
    script = """async () => {
        const { Session } = await import('/static/js/session.js');
        const { LocalMedia } = await import('/static/js/local-media.js');
        const session = new Session('abc', null, new LocalMedia());
        [session.me, session.previewId] = ['me', 'guest'];
        session.links.heard = () => new Map([['me', 'picture'], ['ben', 'picture']]);
        const found = [[...session.heard().keys()], session.ownPicture()];
        session.links.heard = () => new Map([['guest', 'preview']]);
        return [...found, [...session.heard().keys()], session.ownPicture()];
    }"""
    assert await blank.evaluate(script) == [["ben"], "picture", [], "preview"]


async def test_the_own_picture_joins_the_view_in_its_largest_size_and_the_view_grows_no_longer(blank: Page) -> None:
    script = """async () => {
        const { Session } = await import('/static/js/session.js');
        const { LocalMedia } = await import('/static/js/local-media.js');
        const { MAX_PICTURES } = await import('/static/js/protocol.js');
        const session = new Session('abc', null, new LocalMedia());
        [session.me, session.state] = ['me', 'in'];
        session.signalling.send = (message) => (window.sent = message.pictures);
        const names = Array.from({ length: MAX_PICTURES }, (_, index) => `person-${index}`);
        session.setView(names.map((id) => ({ participant_id: id, source: 'camera', width_px: 16, height_px: 16 })));
        session.showOwn({}, { width_px: 160, height_px: 240 });
        session.showOwn({}, { width_px: 320, height_px: 180 });
        return [window.sent.length - MAX_PICTURES, window.sent[0].participant_id, window.sent.at(-1)];
    }"""
    own = {"participant_id": "me", "source": "camera", "width_px": 320, "height_px": 240}
    assert await blank.evaluate(script) == [0, "person-0", own]


async def test_what_comes_back_of_oneself_is_none_of_the_others(blank: Page) -> None:
    script = """async () => {
        const { arriving } = await import('/static/js/arriving.js');
        const heard = (id) => [id, { audio: undefined, video: undefined }];
        const statistics = async () => new Map(['me', 'guest', 'ben'].map(heard));
        const session = { me: 'me', previewId: 'guest', people: new Map(), receiver: { statistics } };
        return Object.keys(await arriving(session));
    }"""
    assert await blank.evaluate(script) == ["ben"]


async def test_the_own_tile_asks_for_what_the_others_see(page: Page, site: Any) -> None:
    room = EffectsRoom()
    await open_lobby(page, site, room)
    await join(page)
    async with asyncio.timeout(10):
        while not any("me" in [p["participant_id"] for p in m["pictures"]] for m in room.heard if m["type"] == "view"):
            await asyncio.sleep(0.02)
    own = page.locator("vmeet-tile.own")
    await expect(own).not_to_have_attribute("data-picture", "")  # the room is not shown in place of it
    await room.tell(camera=STARTING)
    await expect(own.get_by_test_id("tile-note")).to_have_text(
        "Your picture is being prepared. The others see a card until then"
    )
    await page.get_by_test_id("toggle-effects").click()
    await page.get_by_role("switch", name="Mask").uncheck()
    await room.wait_for(type="effects")
    await room.tell(camera=OFF)
    await expect(own).to_have_attribute("data-picture", "")
    await expect(own.get_by_test_id("tile-note")).to_be_hidden()
