"""The pictures on the page: which tiles there are, which is large, what the page says of them."""

from typing import Any

import pytest
from playwright.async_api import Page, expect

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]
SETUP = """async ([width, height]) => {
    const { Stage } = await import('/static/js/elements/stage.js');
    const sheet = document.createElement('link');
    Object.assign(sheet, { rel: 'stylesheet', href: '/static/css/base.css' });
    const more = Object.assign(document.createElement('link'), { rel: 'stylesheet', href: '/static/css/stage.css' });
    document.head.append(sheet, more);
    await Promise.all([sheet, more].map((each) => new Promise((resolve) => each.addEventListener('load', resolve))));
    const box = document.createElement('div');
    box.style.setProperty('position', 'relative');
    box.style.setProperty('width', `${width}px`);
    box.style.setProperty('height', `${height}px`);
    document.body.append(box);
    const stage = window.stage = new Stage();
    box.append(stage);
    window.views = [];
    stage.addEventListener('vmeet-view', (event) => window.views.push(event.detail));
    window.picture = (colour = 'red') => {
        const canvas = Object.assign(document.createElement('canvas'), { width: 320, height: 180 });
        const context = canvas.getContext('2d');
        setInterval(() => { context.fillStyle = colour; context.fillRect(0, 0, 320, 180); }, 30);
        return canvas.captureStream(30).getVideoTracks()[0];
    };
    window.sound = () => new AudioContext().createMediaStreamDestination().stream.getAudioTracks()[0];
    const none = { audio: null, audioReceiver: null, video: null, paused: true, screen: null, screenPaused: true };
    window.hear = (heard) => {
        stage.attach(new Map(Object.entries(heard).map(([id, each]) => [id, { ...none, ...each }])));
    };
}"""
WIDE, TALL = [1200, 640], [380, 680]


def person(identity: str, *sources: str, **changes: Any) -> dict[str, Any]:
    usual = {"id": identity, "name": identity.title(), "is_host": False, "state": "in", "muted": []}
    rest = {"sources": sources or ("microphone", "camera"), "connected": True, "is_stream": False}
    return {**usual, **rest, **changes}


async def show(page: Page, *people: dict[str, Any]) -> None:
    await page.evaluate("(people) => window.stage.show(people, 'me')", list(people))


async def last_view(page: Page, *wanted: str) -> list[dict[str, Any]]:
    """The latest report, once it names these people in this order."""
    latest = "() => (window.views.at(-1) ?? [{participant_id: 'none yet'}]).map((each) => each.participant_id)"
    for _ in range(200):
        if await page.evaluate(latest) == list(wanted):
            break
        await page.wait_for_timeout(25)
    assert await page.evaluate(latest) == list(wanted)
    view: list[dict[str, Any]] = await page.evaluate("() => window.views.at(-1)")
    return view


def tile(page: Page, identity: str, source: str = "camera") -> Any:
    return page.locator(f'vmeet-tile[data-participant-id="{identity}"][data-source="{source}"]')


SHARING = ("microphone", "camera", "screen")


@pytest.mark.parametrize("size", [WIDE, TALL], ids=["wide", "tall"])
async def test_a_shared_screen_is_large_by_itself(blank: Page, size: list[int]) -> None:
    await blank.evaluate(SETUP, size)
    await show(blank, person("ann"), person("ben", *SHARING), person("me"))
    screen = tile(blank, "ben", "screen")
    await expect(screen).to_have_class("pinned")
    await expect(screen.locator(".name")).to_have_text("Ben: screen")
    areas = {
        each["id"]: each["area"]
        for each in await blank.evaluate("""() => [...window.stage.tiles].map(([id, { rect }]) => (
        { id, area: rect.width * rect.height }))""")
    }
    assert areas.pop("ben/screen") > 1.5 * max(areas.values())
    assert len(areas) == 3
    view = await last_view(blank, "ben", "ann", "ben")
    assert view[0]["source"] == "screen"


async def test_a_screen_goes_back_to_the_grid_and_ends(blank: Page) -> None:
    await blank.evaluate(SETUP, WIDE)
    await show(blank, person("ann"), person("ben", *SHARING), person("me"))
    screen = tile(blank, "ben", "screen")
    await screen.get_by_role("button", name="Back to the grid").click()
    await expect(blank.locator("vmeet-tile.pinned")).to_have_count(0)
    await screen.get_by_role("button", name="Show large").click()
    await expect(screen).to_have_class("pinned")
    await show(blank, person("ann"), person("ben", *SHARING, muted=["screen"]), person("me"))
    await expect(screen).to_have_count(0)
    await expect(blank.locator("vmeet-tile.pinned")).to_have_count(0)


async def test_the_own_screen_is_shown_but_not_large(blank: Page) -> None:
    await blank.evaluate(SETUP, WIDE)
    await show(blank, person("ben"), person("me", *SHARING))
    await expect(tile(blank, "me", "screen")).to_have_count(0)
    await blank.evaluate("() => window.stage.setOwnScreen(window.picture())")
    await expect(tile(blank, "me", "screen")).to_have_attribute("data-picture", "")
    await expect(blank.locator("vmeet-tile.pinned")).to_have_count(0)
    assert [each["participant_id"] for each in await last_view(blank, "ben")] == ["ben"]
    await blank.evaluate("() => window.stage.setOwnScreen(null)")
    await expect(tile(blank, "me", "screen")).to_have_count(0)


async def test_the_view_names_pictures_that_are_on_and_visible(blank: Page) -> None:
    await blank.evaluate(SETUP, WIDE)
    await show(blank, person("ann"), person("ben", muted=["camera"]), person("carla"), person("me"))
    view = await last_view(blank, "ann", "carla")
    assert all(each["width_px"] % 16 == 0 and each["height_px"] > 100 for each in view)
    await blank.evaluate("() => window.stage.setSpeaker('carla')")
    await last_view(blank, "carla", "ann")
    await expect(tile(blank, "carla")).to_have_attribute("data-speaker", "")


async def test_a_crowd_is_sent_and_loaded_only_where_it_is_seen(blank: Page) -> None:
    await blank.evaluate(SETUP, TALL)
    people = [person(f"p{number:02}") for number in range(60)]
    await show(blank, *people, person("me"))
    await expect(blank.locator("vmeet-stage")).to_have_attribute("data-scrolls", "")
    await blank.evaluate("""() => {
        const video = window.picture();
        window.hear(Object.fromEntries([...window.stage.people.keys()].map((id) => [id, { video, paused: false }])));
    }""")
    loaded = "() => [...window.stage.tiles].filter(([, tile]) => tile.video.srcObject).map(([id]) => id)"
    first = await last_view(blank, *[f"p{number:02}" for number in range(12)])
    assert await blank.evaluate(loaded) == [each["participant_id"] for each in first]
    await blank.evaluate("() => window.stage.scrollTo(0, 1e6)")
    await expect(tile(blank, "p59")).to_have_attribute("data-picture", "")
    assert "p00" not in await blank.evaluate(loaded)


async def test_beside_a_large_picture_the_speaker_is_in_view(blank: Page) -> None:
    await blank.evaluate(SETUP, TALL)
    people = [person(f"p{number:02}") for number in range(60)]
    await show(blank, *people, person("ben", *SHARING), person("me"))
    await expect(tile(blank, "ben", "screen")).to_have_class("pinned")
    await expect(tile(blank, "p59")).to_be_hidden()
    await expect(tile(blank, "me")).to_be_visible()
    await expect(blank.locator("vmeet-stage")).not_to_have_attribute("data-scrolls", "")
    shown = await blank.locator("vmeet-tile:visible").count()
    await expect(blank.get_by_test_id("rest")).to_have_text(f"+{63 - shown}")
    await blank.evaluate("() => window.stage.setSpeaker('p59')")
    await expect(tile(blank, "p59")).to_be_visible()
    assert await blank.locator("vmeet-tile:visible").count() == shown
    await blank.get_by_test_id("rest").click()
    await expect(blank.locator("vmeet-tile.pinned")).to_have_count(0)
    await expect(blank.get_by_test_id("rest")).to_be_hidden()


async def test_only_those_who_are_heard_have_a_sound_element(blank: Page) -> None:
    await blank.evaluate(SETUP, WIDE)
    await show(blank, person("ann"), person("ben"), person("me"))
    assert await blank.locator("audio").count() == 0
    await blank.evaluate("() => window.hear({ ben: { audio: window.sound() } })")
    assert await tile(blank, "ben").locator("audio").count() == 1
    assert await blank.locator("audio").count() == 1
    await blank.evaluate("() => window.hear({})")
    assert await blank.locator("audio").count() == 0


async def test_a_free_slot_takes_the_picture_away(blank: Page) -> None:
    await blank.evaluate(SETUP, WIDE)
    await show(blank, person("ben"), person("me"))
    await blank.evaluate("() => window.hear({ ben: { video: window.picture(), paused: false } })")
    await expect(tile(blank, "ben")).to_have_attribute("data-picture", "")
    await blank.evaluate("() => window.hear({})")
    await expect(tile(blank, "ben")).not_to_have_attribute("data-picture", "")
    assert await blank.evaluate("() => window.stage.tiles.get('ben').video.srcObject") is None


async def test_a_paused_picture_is_dimmed_behind_the_initial(blank: Page) -> None:
    await blank.evaluate(SETUP, WIDE)
    await show(blank, person("ben"), person("me"))
    ben = tile(blank, "ben")
    await blank.evaluate(
        "() => { window.track = window.picture(); window.hear({ ben: { video: window.track, paused: false } }); }"
    )
    await expect(ben).to_have_attribute("data-picture", "")
    await expect(ben.locator("video")).to_have_css("opacity", "1")
    await expect(ben.locator(".avatar")).to_be_hidden()
    await blank.evaluate("() => window.hear({ ben: { video: window.track, paused: true } })")
    await expect(ben.locator("video")).to_have_css("opacity", "0.35")
    await expect(ben.locator(".avatar")).to_be_visible()


async def test_someone_who_is_not_heard_of_is_marked(blank: Page) -> None:
    await blank.evaluate(SETUP, WIDE)
    await show(blank, person("ben", connected=False), person("me"))
    await expect(tile(blank, "ben").get_by_role("status")).to_have_text("Reconnecting…")
    await show(blank, person("ben"), person("me"))
    await expect(tile(blank, "ben").locator(".tile-status")).to_be_hidden()


async def test_a_picture_on_the_whole_screen_is_the_only_one(blank: Page) -> None:
    await blank.evaluate(SETUP, WIDE)
    await show(blank, person("ann"), person("ben"), person("me"))
    await last_view(blank, "ann", "ben")
    await tile(blank, "ben").dblclick()
    view = await last_view(blank, "ben")
    assert view[0]["width_px"] >= await blank.evaluate("innerWidth")
    await blank.evaluate("() => document.exitFullscreen()")
    await last_view(blank, "ann", "ben")
