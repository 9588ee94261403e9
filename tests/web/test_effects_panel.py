"""The panel of effects: what may be changed, what is sent, what is claimed, in the lobby and in the meeting."""

import io
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from effects_room import BRIGHTNESS, FAILED, MASK, OFF, ON, QUIET, STARTING, EffectsRoom, effects, join, open_lobby
from meeting_room import person
from PIL import Image
from playwright.async_api import Browser, Locator, Page, expect

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]
PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}


@pytest.fixture
def jpeg() -> bytes:
    """A small picture."""
    file = io.BytesIO()
    Image.new("RGB", (16, 9), (120, 90, 60)).save(file, "JPEG")
    return file.getvalue()


@pytest.fixture
def picture(tmp_path: Path, jpeg: bytes) -> Path:
    """It as a file."""
    path = tmp_path / "beach.jpg"
    path.write_bytes(jpeg)
    return path


def background(page: Page, name: str) -> Locator:
    return page.locator(f".background[data-background='{name}']")


def chosen(page: Page) -> Locator:
    return page.locator(".background:has(input:checked), .background:has([aria-pressed=true])")


async def test_a_switch_is_a_wish_until_the_server_says_so(page: Page, site: Any) -> None:
    room = EffectsRoom()
    await open_lobby(page, site, room)
    status, switch = page.get_by_test_id("effects-status-camera"), page.get_by_role("switch", name="Mask")
    await expect(status).to_have_attribute("data-standing", "on")
    room.answers_wishes = False
    await switch.uncheck()
    assert (await room.wait_for(type="effects"))["effects"]["filters"] == [{"name": "mask", "on": False, "options": {}}]
    await expect(page.get_by_test_id("effect")).to_have_attribute("data-changing", "")
    await room.tell(camera=OFF)
    await expect(status).to_have_text("Off.")
    await expect(page.get_by_test_id("effect")).not_to_have_attribute("data-changing", "")
    room.heard.clear()
    await switch.check()
    await room.wait_for(type="effects")
    await expect(status).to_have_attribute("data-standing", "starting")
    await expect(status).not_to_contain_text("On.")
    await room.tell(camera=STARTING)
    await expect(status).to_have_text("Being prepared…")
    await room.tell(camera=ON)
    await expect(status).to_contain_text("On.")


async def test_one_that_is_on_does_not_speak_for_another(page: Page, site: Any) -> None:
    room = EffectsRoom(effects("everything", MASK, BRIGHTNESS))
    await open_lobby(page, site, room)
    await page.get_by_role("switch", name="Mask").uncheck()
    await room.wait_for(type="effects")
    status = page.get_by_test_id("effects-status-camera")
    await expect(status).to_have_attribute("data-standing", "on")
    room.answers_wishes = False
    room.heard.clear()
    await page.get_by_role("switch", name="Mask").check()
    await room.wait_for(type="effects")
    await expect(status).to_have_attribute("data-standing", "starting")
    await room.tell()
    await expect(status).to_have_attribute("data-standing", "on")


async def test_options_are_sent_while_a_slider_moves_and_when_a_text_is_whole(page: Page, site: Any) -> None:
    room = EffectsRoom(effects("everything", BRIGHTNESS))
    await open_lobby(page, site, room)
    await page.locator("[data-field=strength] input[type=range]").fill("0.25")
    sent = await room.wait_for(type="effects")
    assert sent["effects"]["filters"] == [{"name": "brightness", "on": True, "options": {"strength": 0.25}}]
    room.heard.clear()
    field = page.get_by_label("Settling time")
    await field.fill("77")
    await field.press("Tab")
    await expect(page.get_by_text("At most 10.")).to_be_visible()
    await field.fill("7.5")
    await field.press("Tab")
    sent = await room.wait_for(type="effects")
    assert sent["effects"]["filters"][0]["options"] == {"strength": 0.25, "settle_s": 7.5}
    assert [message["type"] for message in room.heard].count("effects") == 1


async def test_backgrounds_are_chosen_from_pictures(page: Page, site: Any) -> None:
    room = EffectsRoom()
    await open_lobby(page, site, room)
    await expect(chosen(page)).to_have_attribute("data-background", "blur")
    await expect(page.get_by_label("Blur").last).to_be_visible()
    for name, options in (
        ("#20603c", {"effect": "replace", "background": "#20603c"}),
        ("dawn", {"effect": "replace", "background": "dawn"}),
        ("blur", {"effect": "blur", "background": "dawn"}),
    ):
        room.heard.clear()
        await background(page, name).locator("label").click()
        sent = await room.wait_for(type="effects")
        assert sent["effects"]["filters"] == [{"name": "mask", "on": True, "options": options}]
        await expect(chosen(page)).to_have_attribute("data-background", name)
        await expect(page.locator("[data-field=strength]")).to_have_count(1 if name == "blur" else 0)
    await expect(background(page, "dawn").locator("img")).to_have_attribute("src", "/api/pictures/dawn?width_px=320")
    await expect(page.get_by_text("Studio")).to_be_visible()
    await expect(page.locator("[data-field=background], [data-field=effect]")).to_have_count(0)


async def test_a_colour_of_ones_own(page: Page, site: Any) -> None:
    room = EffectsRoom()
    await open_lobby(page, site, room)
    await expect(page.get_by_role("radio", name="Own colour", exact=True)).to_be_visible()
    await page.get_by_test_id("own-colour").fill("#123456")
    sent = await room.wait_for(type="effects")
    assert sent["effects"]["filters"][0]["options"] == {"effect": "replace", "background": "#123456"}
    await expect(chosen(page)).to_have_attribute("data-background", "own-colour")
    await page.reload()
    await page.get_by_test_id("lobby-effects").get_by_text("Background and effects").click()
    await expect(page.get_by_test_id("own-colour")).to_have_value("#123456")
    await expect(chosen(page)).to_have_attribute("data-background", "own-colour")


async def test_arrow_keys_choose_and_never_uncover_the_room(page: Page, site: Any) -> None:
    room = EffectsRoom()
    await open_lobby(page, site, room)
    await expect(page.get_by_role("radio")).to_have_count(7)
    picked = """() => {
        window.picked = [];
        document.addEventListener('vmeet-pick', ({ detail }) => window.picked.push(detail.effect), true);
    }"""
    await page.evaluate(picked)
    await background(page, "blur").locator("input").focus()
    for _ in range(7):  # once around
        await page.keyboard.press("ArrowRight")
    assert await page.evaluate("() => window.picked") == [*["replace"] * 6, "blur"]
    await expect(page.get_by_role("switch", name="Mask")).to_be_checked()
    none = page.get_by_role("button", name="None")
    await none.focus()
    await page.keyboard.press("Enter")
    off = {"name": "mask", "on": False, "options": {"effect": "blur", "background": "dawn"}}
    await room.wait_for(type="effects", effects={"filters": [off], "denoiser": None})
    wishes = [message["effects"]["filters"][0]["on"] for message in room.heard if message["type"] == "effects"]
    assert wishes == [*[True] * (len(wishes) - 1), False]
    assert len(wishes) > 1, "the arrow keys were heard"
    await expect(page.get_by_role("switch", name="Mask")).not_to_be_checked()
    await expect(none).to_have_attribute("aria-pressed", "true")
    await expect(chosen(page)).to_have_count(1)


async def test_few_see_the_options_for_few(page: Page, site: Any) -> None:
    await open_lobby(page, site, EffectsRoom())
    await expect(page.get_by_label("Soft edge")).to_be_hidden()
    await page.get_by_test_id("effect-advanced").get_by_text("More settings").click()
    for name in ("Soft edge", "Light", "Calm"):
        await expect(page.get_by_label(name)).to_be_visible()


async def test_back_to_what_the_meeting_has(page: Page, site: Any) -> None:
    room = EffectsRoom()
    await open_lobby(page, site, room)
    reset = page.get_by_test_id("effect-reset")
    await expect(reset).to_be_hidden()
    await background(page, "#20603c").locator("label").click()
    await room.wait_for(type="effects")
    room.heard.clear()
    await reset.click()
    assert (await room.wait_for(type="effects"))["effects"] == {"filters": [], "denoiser": None}
    await expect(chosen(page)).to_have_attribute("data-background", "blur")
    await expect(reset).to_be_hidden()
    await expect(page.get_by_role("switch", name="Mask")).to_be_focused()


@pytest.mark.parametrize(("people_may_change", "switches", "forms"), [("options", 0, 1), ("nothing", 0, 0)])
async def test_what_the_meeting_decides_is_said_and_not_offered(
    page: Page, site: Any, people_may_change: str, switches: int, forms: int
) -> None:
    await open_lobby(page, site, EffectsRoom(effects(people_may_change, denoiser=QUIET)))
    mask = page.locator("vmeet-effect[data-effect=mask]")
    await expect(mask.get_by_role("heading", name="Mask")).to_be_visible()
    await expect(page.get_by_role("switch")).to_have_count(switches)
    await expect(mask.locator("vmeet-schema-form").first).to_be_visible(visible=forms > 0)
    await expect(mask.get_by_role("radio")).to_have_count(7 if forms else 0)
    await expect(page.get_by_role("button", name="None")).to_have_count(0)
    text = "This meeting decides about its effects" if people_may_change == "nothing" else "always on"
    await expect(page.get_by_text(text).first).to_be_visible()
    await expect(mask.get_by_text("Hides your room.")).to_be_visible()


async def test_the_denoiser_likewise(page: Page, site: Any) -> None:
    room = EffectsRoom(effects("everything", BRIGHTNESS, denoiser=QUIET))
    await open_lobby(page, site, room)
    await expect(page.get_by_test_id("effects-status-microphone")).to_have_text("Takes effect when you join.")
    await page.get_by_role("switch", name="Quiet").uncheck()
    sent = await room.wait_for(type="effects")
    assert sent["effects"] == {"filters": [], "denoiser": {"name": "quiet", "on": False, "options": {}}}


# ---- pictures of one's own ----


async def test_a_picture_is_added_chosen_and_kept(page: Page, site: Any, picture: Path, jpeg: bytes) -> None:
    room = EffectsRoom()
    site.answers["POST /api/meetings/abcd/pictures"] = (201, {"name": "u123"})
    site.files["/api/pictures/u123"] = str(picture)
    await open_lobby(page, site, room)
    await page.get_by_test_id("picture-file").set_input_files(picture)
    sent = await room.wait_for(type="effects")
    assert sent["effects"]["filters"][0]["options"] == {"effect": "replace", "background": "u123"}
    assert site.bodies["POST /api/meetings/abcd/pictures"] == jpeg
    await expect(background(page, "u123").locator("input")).to_be_focused()
    await page.reload()
    await page.get_by_test_id("lobby-effects").get_by_text("Background and effects").click()
    await expect(chosen(page)).to_have_attribute("data-background", "u123")
    room.heard.clear()
    await background(page, "u123").hover()
    await page.get_by_role("button", name="Remove this picture").click()
    assert (await room.wait_for(type="effects"))["effects"]["filters"][0]["options"]["effect"] == "blur"
    await expect(background(page, "u123")).to_have_count(0)
    await expect(page.get_by_test_id("add-picture")).to_be_focused()
    assert await page.evaluate("() => localStorage.getItem('vmeet.pictures')") == "[]"


async def test_a_picture_can_be_dropped(page: Page, site: Any, picture: Path, jpeg: bytes) -> None:
    site.answers["POST /api/meetings/abcd/pictures"] = (201, {"name": "u123"})
    site.files["/api/pictures/u123"] = str(picture)
    await open_lobby(page, site, EffectsRoom())
    drop = """(target, bytes) => {
        const transfer = new DataTransfer();
        transfer.items.add(new File([new Uint8Array(bytes)], 'beach.jpg', { type: 'image/jpeg' }));
        target.dispatchEvent(new DragEvent('drop', { dataTransfer: transfer, bubbles: true, cancelable: true }));
    }"""
    await page.locator("vmeet-picture-upload").evaluate(drop, list(jpeg))
    await expect(chosen(page)).to_have_attribute("data-background", "u123")
    assert site.bodies["POST /api/meetings/abcd/pictures"] == jpeg


async def test_only_so_many_pictures_are_remembered(page: Page, site: Any, picture: Path) -> None:
    site.answers["POST /api/meetings/abcd/pictures"] = (201, {"name": "u123"})
    known = [f"u{number}" for number in range(24)]
    for name in (*known, "u123"):
        site.files[f"/api/pictures/{name}"] = str(picture)
    await page.goto("/blank")
    await page.evaluate("(known) => localStorage.setItem('vmeet.pictures', JSON.stringify(known))", known)
    await open_lobby(page, site, EffectsRoom())
    await page.get_by_test_id("picture-file").set_input_files(picture)
    await expect(chosen(page)).to_have_attribute("data-background", "u123")
    assert await page.evaluate("() => JSON.parse(localStorage.getItem('vmeet.pictures'))") == ["u123", *known[:-1]]


async def test_what_is_no_picture_is_not_sent(page: Page, site: Any, tmp_path: Path) -> None:
    await open_lobby(page, site, EffectsRoom())
    (tmp_path / "notes.txt").write_text("no picture")
    (tmp_path / "large.png").write_bytes(bytes(10 * 1024 * 1024 + 1))
    for name, fault in (("notes.txt", "no JPEG, PNG or WebP"), ("large.png", "larger than 10 MB")):
        await page.get_by_test_id("picture-file").set_input_files(tmp_path / name)
        await expect(page.get_by_test_id("picture-fault")).to_contain_text(fault)
    assert "POST /api/meetings/abcd/pictures" not in site.bodies


@pytest.mark.parametrize(
    ("status", "code", "text"),
    [
        (422, "bad-picture", "This picture is damaged"),
        (429, "too-fast", "Too many pictures"),
        (500, "internal", "The server had a problem. why it was"),
    ],
)
async def test_why_the_server_does_not_take_a_picture(
    page: Page, site: Any, picture: Path, status: int, code: str, text: str
) -> None:
    site.answers["POST /api/meetings/abcd/pictures"] = (status, {"error": {"code": code, "message": "why it was"}})
    await open_lobby(page, site, EffectsRoom())
    await page.get_by_test_id("picture-file").set_input_files(picture)
    await expect(page.get_by_role("alert").filter(has_text=text)).to_be_visible()
    await expect(page.get_by_test_id("add-picture")).to_be_enabled()
    await expect(chosen(page)).to_have_attribute("data-background", "blur")


async def test_a_picture_that_the_server_has_no_more_gives_way_to_a_blur(page: Page, site: Any) -> None:
    room = EffectsRoom()
    remembered = {"filters": {"mask": {"options": {"effect": "replace", "background": "u9"}}}}
    await page.goto("/blank")
    await page.evaluate("(known) => localStorage.setItem('vmeet.effects', JSON.stringify(known))", remembered)
    await page.evaluate("() => localStorage.setItem('vmeet.pictures', '[\"u9\"]')")
    await open_lobby(page, site, room)
    assert (await room.wait_for(type="effects"))["effects"]["filters"][0]["options"]["effect"] == "blur"
    await expect(background(page, "u9")).to_have_count(0)
    assert await page.evaluate("() => localStorage.getItem('vmeet.pictures')") == "[]"


# ---- in the meeting ----


async def test_the_panel_opens_by_its_key_and_closes_by_escape(page: Page, site: Any) -> None:
    room = EffectsRoom()
    await open_lobby(page, site, room)
    await join(page)
    button, panel = page.get_by_test_id("toggle-effects"), page.locator("vmeet-effects-side")
    await expect(panel).to_be_hidden()
    await page.keyboard.press("e")
    await expect(panel.get_by_role("heading", name="Background and effects")).to_be_focused()
    await expect(button).to_have_attribute("aria-expanded", "true")
    await page.get_by_test_id("toggle-people").click()
    await expect(panel).to_be_hidden()
    await button.click()
    await panel.get_by_role("switch", name="Mask").focus()
    await page.keyboard.press("Escape")
    await expect(panel).to_be_hidden()
    await expect(button).to_be_focused()


async def test_a_meeting_without_effects_has_no_button(page: Page, site: Any) -> None:
    room = EffectsRoom({"people_may_change": "everything", "filters": [], "denoiser": None})
    site.answers["GET /api/meetings/abcd"] = (200, {"id": "abcd", "title": "Talk", "effects": room.offer})
    site.on_socket = room
    await page.goto("/m/abcd")
    await expect(page.get_by_test_id("lobby-effects")).to_have_count(0)
    await join(page)
    await expect(page.get_by_test_id("toggle-effects")).to_be_hidden()
    await page.keyboard.press("e")
    await expect(page.locator("vmeet-effects-side")).to_be_hidden()


async def test_a_failure_is_told_with_a_way_to_try_again(page: Page, site: Any) -> None:
    room = EffectsRoom()
    await open_lobby(page, site, room)
    await join(page)
    await room.tell(camera=FAILED)
    notice = page.locator(".notice.danger")
    await expect(notice).to_contain_text("The others see a card in place of your picture.")
    await expect(notice).to_contain_text("the model exploded")
    await expect(page.get_by_test_id("tile-note").filter(has_text="Your camera filter has failed")).to_be_visible()
    await expect(page.get_by_role("button", name="Effects (E), something has failed")).to_be_visible()
    room.heard.clear()
    room.camera = STARTING
    await notice.get_by_role("button", name="Try again").click()
    assert (await room.wait_for(type="effects"))["effects"] == {"filters": [], "denoiser": None}
    await expect(notice).to_have_count(0)
    await room.tell(camera=FAILED)
    await expect(notice).to_have_count(1)
    await room.tell(camera=ON)
    await expect(notice).to_have_count(0)
    await expect(page.get_by_test_id("toggle-effects")).to_have_attribute("title", "Effects (E)")


async def test_a_failure_is_told_once_where_the_panel_is_open(page: Page, site: Any) -> None:
    room = EffectsRoom()
    await open_lobby(page, site, room)
    await join(page)
    await page.get_by_test_id("toggle-effects").click()
    await room.tell(camera=FAILED)
    await expect(page.get_by_test_id("effects-status-camera")).to_contain_text("the model exploded")
    await expect(page.locator(".notice.danger")).to_have_count(0)
    room.heard.clear()
    await page.get_by_test_id("effects-again").click()
    await room.wait_for(type="effects")


async def test_a_failure_that_hides_nothing_says_so(page: Page, site: Any) -> None:
    room = EffectsRoom(effects("everything", BRIGHTNESS, denoiser=QUIET))
    await open_lobby(page, site, room)
    await join(page)
    await room.tell(camera={**FAILED, "hides": False}, microphone={**OFF, "state": "failed", "reason": "no"})
    await expect(page.locator(".notice").filter(has_text="The others see your picture without it.")).to_be_visible()
    await expect(page.locator(".notice").filter(has_text="The others hear you without it.")).to_be_visible()


async def test_no_room_is_told_in_the_language_of_the_page(page: Page, site: Any) -> None:
    room = EffectsRoom(effects("everything", MASK, denoiser=QUIET))
    await open_lobby(page, site, room)
    await page.get_by_test_id("language").click()
    await join(page)
    full = {
        "state": "failed",
        "reason": "no room for another: 1 of them are all that 1 workers can do",
        "no_room": True,
    }
    await room.tell(camera={**ON, **full}, microphone={**OFF, **full})
    camera, microphone = (page.locator(f".notice[data-key=effects-{each}]") for each in ("camera", "microphone"))
    await expect(camera).to_contain_text(
        "伺服器目前資源不足，無法套用您的攝影機濾鏡，其他人只看到名牌。有資源時會自動套用"
    )
    await expect(microphone).to_contain_text("伺服器目前資源不足，無法為您降噪")
    await expect(microphone.locator(".detail")).to_contain_text("1 of them")
    await room.tell(camera={**FAILED, "hides": False, "no_room": True})
    await expect(camera).to_contain_text("其他人看到的是未套用濾鏡的畫面。有資源時會自動套用")
    await page.get_by_test_id("toggle-effects").click()
    await expect(page.get_by_test_id("effects-status-microphone")).to_contain_text("有資源時會自動開始")


async def test_a_small_picture_for_want_of_room_is_told(page: Page, site: Any) -> None:
    room = EffectsRoom()
    await open_lobby(page, site, room)
    await join(page)
    await room.tell(camera={**ON, "reduced": True})
    notice = page.locator(".notice").filter(has_text="room for a small picture")
    await expect(notice).to_be_visible()
    await notice.get_by_role("button", name="Close").click()
    await room.tell(camera={**ON, "reduced": True})
    await page.get_by_test_id("toggle-effects").click()
    await expect(page.get_by_test_id("effects-status-camera")).to_contain_text("room for a small picture")
    await expect(notice).to_have_count(0)


@pytest.mark.parametrize(
    ("offer", "state", "text"),
    [
        (MASK, "failed", "Ben’s background filter has failed; a card is shown in place of the picture"),
        (BRIGHTNESS, "failed", "Ben’s camera filter has failed; the picture is shown without it"),
        (MASK, "interrupted", "Ben’s camera filter is interrupted for a moment"),
    ],
)
async def test_the_others_are_told_quietly(page: Page, site: Any, offer: Any, state: str, text: str) -> None:
    room = EffectsRoom(effects("everything", offer))
    await open_lobby(page, site, room)
    await join(page)
    await page.get_by_test_id("toggle-people").click()
    await room.send(type="participant", participant=person("ben", "Ben", camera_effects=state))
    ben = page.get_by_test_id("tile").filter(has_text="Ben")
    await expect(ben.get_by_test_id("tile-note")).to_have_text(text)
    row = page.get_by_test_id("people-list").get_by_role("listitem").filter(has_text="Ben")
    await expect(row).to_contain_text("Camera filter")
    await room.send(type="participant", participant=person("ben", "Ben", camera_effects=state, muted=["camera"]))
    await expect(ben.get_by_test_id("tile-note")).to_be_hidden()
    await room.send(type="participant", participant=person("ben", "Ben", camera_effects="on"))
    await expect(row).not_to_contain_text("Camera filter")


async def test_wishes_that_the_server_does_not_take_are_undone(page: Page, site: Any) -> None:
    room = EffectsRoom()
    await open_lobby(page, site, room)
    await join(page)
    await page.get_by_test_id("toggle-effects").click()
    room.answers_wishes = False
    await background(page, "dawn").locator("label").click()
    await room.wait_for(type="effects")
    await room.send(type="error", code="bad-effects", message="no picture dawn", fatal=False)
    await expect(page.locator(".notice.warning")).to_contain_text("no picture dawn")
    await expect(chosen(page)).to_have_attribute("data-background", "blur")
    await expect(page.get_by_test_id("effect-reset")).to_be_hidden()
    await expect(page.locator("vmeet-call")).to_have_attribute("data-state", "in")


async def test_the_panel_changes_its_language(page: Page, site: Any) -> None:
    await open_lobby(page, site, EffectsRoom(effects("everything", MASK, BRIGHTNESS)))
    await page.get_by_test_id("language").click()
    panel = page.get_by_test_id("effects-panel")
    await expect(panel.get_by_role("heading", name="亮度")).to_be_visible()
    for text in ("反應時間", "模糊程度", "晨光", "隱藏您的房間"):
        await expect(panel.get_by_text(text).first).to_be_visible()


@pytest_asyncio.fixture(loop_scope="session")
async def phone(chromium: Browser, site: Any) -> AsyncIterator[Page]:
    context = await chromium.new_context(
        base_url=site.url, locale="en-US", permissions=["camera", "microphone"], reduced_motion="reduce", **PHONE
    )
    page = await context.new_page()
    yield page
    await context.close()


async def test_a_phone_has_the_own_picture_in_the_panel(phone: Page, site: Any) -> None:
    await open_lobby(phone, site, EffectsRoom(effects("everything", MASK, BRIGHTNESS, denoiser=QUIET)))
    assert await phone.evaluate("document.documentElement.scrollWidth <= innerWidth")
    await phone.get_by_role("switch", name="Quiet").scroll_into_view_if_needed()
    await expect(phone.locator("vmeet-preview vmeet-own-picture")).to_be_in_viewport(ratio=0.9)
    await join(phone)
    await phone.get_by_test_id("more").click()
    await phone.get_by_test_id("toggle-effects").click()
    await phone.get_by_role("switch", name="Quiet").scroll_into_view_if_needed()
    await expect(phone.locator("vmeet-effects-side vmeet-own-picture")).to_be_in_viewport(ratio=1)
    assert await phone.evaluate("document.documentElement.scrollWidth <= innerWidth")
    await phone.get_by_role("switch", name="Quiet").focus()
    await phone.keyboard.press("Escape")
    await expect(phone.get_by_test_id("more")).to_be_focused()
