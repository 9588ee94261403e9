"""Live captions on the page of a meeting: over the pictures, in the panel, and in words that tell of them."""

from typing import Any

import pytest
from meeting_room import MEETING, MeetingRoom, enter_room
from playwright.async_api import Page, expect

from vmeet_core.media.caption_lines import LINE_WIDTH, width

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]
PLAN = {"title": "Whisper", "leaves_host": False, "language": "zh", "languages": ["zh", "en", "ja"]}
INFO = {**PLAN, "state": "on", "reason": None}
LONG = "大家早安，今天我們要討論的是下一季的計畫，還有新辦公室的裝潢進度，請大家先看一下第一頁。"


def entry(number: int, text: str, sender: str = "ben", name: str = "Ben") -> dict[str, Any]:
    at_s = 1e9 + number
    about = {"number": number, "participant_id": sender, "name": name, "text": text, "language": "zh"}
    return {**about, "start_s": at_s, "end_s": at_s + 1}


def room(**info: Any) -> MeetingRoom:
    return MeetingRoom(captions={**INFO, **info}, said=[entry(1, "先前說的")])


async def enter(page: Page, site: Any, room: MeetingRoom) -> None:
    await enter_room(page, site, room)
    await expect(page.get_by_test_id("captions-badge")).to_be_visible()


async def test_everyone_is_told_before_and_while_it_is_so(page: Page, site: Any, monkeypatch: Any) -> None:
    monkeypatch.setitem(MEETING, "captions", {**PLAN, "leaves_host": True})
    site.answers["GET /api/meetings/abcd"] = (200, MEETING)
    await page.goto("/m/abcd")
    told = page.get_by_test_id("lobby-captions")
    await expect(told).to_contain_text("is sent to another service (Whisper)")
    assert await told.get_attribute("id") in (await page.get_by_test_id("join").get_attribute("aria-describedby") or "")
    await enter(page, site, room(leaves_host=True))
    await expect(page.get_by_test_id("notices")).to_contain_text("is sent to another service (Whisper)")
    await expect(page.get_by_test_id("captions-badge")).to_have_attribute(
        "title", "What is said here is sent to another service (Whisper), written down, and everyone can read it."
    )


async def test_what_somebody_says_is_over_the_pictures_with_the_name_and_goes(page: Page, site: Any) -> None:
    meeting = room()
    await enter(page, site, meeting)
    overlay = page.get_by_test_id("captions")
    await expect(overlay).to_have_attribute("aria-live", "polite")
    await expect(page.get_by_test_id("caption")).to_have_count(0)
    await meeting.send(type="caption", entry=entry(2, LONG))
    await meeting.send(type="caption", entry=entry(3, "好的", "me", "Ann"))
    first = page.get_by_test_id("caption").first
    await expect(first.locator(".name")).to_have_text("Ben")
    lines = await first.locator(".line").all_inner_texts()
    assert len(lines) == 2
    assert all(0 < width(line) <= LINE_WIDTH for line in lines)
    assert LONG.startswith("".join(lines))
    await expect(page.get_by_test_id("caption")).to_have_count(2)
    await expect(first).to_contain_text(LONG[-5:], timeout=8000)
    await expect(page.get_by_test_id("caption")).to_have_count(0, timeout=12000)


async def test_what_ends_between_two_looks_at_the_clock_goes_as_well(blank: Page) -> None:
    left = await blank.evaluate(
        """async (entry) => {
            await import("/static/js/elements/caption-overlay.js");
            const overlay = document.body.appendChild(document.createElement("vmeet-captions"));
            let [clockMs, stepMs] = [0, 0];
            performance.now = () => (clockMs += stepMs);
            overlay.add(entry);
            const endMs = overlay.captions.nextS(0) * 1000;
            [clockMs, stepMs] = [endMs - 0.015, 0.01];
            overlay.show();
            await new Promise((resolve) => setTimeout(resolve, 300));
            return overlay.childElementCount;
        }""",
        entry(1, "早安"),
    )
    assert left == 0


async def test_they_can_be_hidden_which_is_remembered(page: Page, site: Any) -> None:
    meeting = room()
    await enter(page, site, meeting)
    await expect(page.get_by_test_id("captions")).to_be_attached()
    await meeting.send(type="caption", entry=entry(2, "早安"))
    await expect(page.get_by_test_id("caption")).to_be_visible()
    await page.keyboard.press("t")
    await expect(page.get_by_test_id("captions")).to_be_hidden()
    await expect(page.get_by_role("button", name="Show captions (T)")).to_have_count(1)
    await page.reload()
    await page.locator("vmeet-call[data-state=in]").wait_for()
    await meeting.send(type="caption", entry=entry(3, "你好"))
    await page.keyboard.press("w")
    await expect(page.get_by_test_id("said-list")).to_contain_text("你好")
    await expect(page.get_by_test_id("captions")).to_be_hidden()
    await page.get_by_test_id("toggle-captions").click()
    await meeting.send(type="caption", entry=entry(4, "再見"))
    await expect(page.get_by_test_id("caption")).to_have_text("Ben再見")


async def test_the_panel_lists_what_was_said(page: Page, site: Any) -> None:
    meeting = room()
    await enter(page, site, meeting)
    await meeting.send(type="caption", entry=entry(2, LONG))
    await meeting.send(type="caption", entry=entry(1, "先前說的"))
    await page.keyboard.press("w")
    said = page.get_by_test_id("said")
    await expect(said.locator(".text")).to_have_text(["先前說的", LONG])
    await expect(page.get_by_role("heading", name="What was said")).to_be_focused()
    await page.keyboard.press("Escape")
    await expect(page.get_by_test_id("said-list")).to_be_hidden()


async def test_a_person_says_what_they_speak(page: Page, site: Any) -> None:
    meeting = room()
    await enter(page, site, meeting)
    assert not [each for each in meeting.heard if each["type"] == "spoken-language"]
    await page.keyboard.press("w")
    menu = page.get_by_label("You speak")
    assert await menu.locator("option").all_inner_texts() == [
        "As the meeting has it: Chinese",
        "Recognise automatically",
        "Chinese",
        "English",
        "Japanese",
    ]
    await menu.select_option("en")
    await meeting.wait_for(type="spoken-language", language="en")
    meeting.heard.clear()
    await page.reload()
    await meeting.wait_for(type="spoken-language", language="en")
    await page.keyboard.press("w")
    await expect(menu).to_have_value("en")
    await menu.select_option("")
    await meeting.wait_for(type="spoken-language", language=None)


async def test_when_there_are_none_it_is_said(page: Page, site: Any) -> None:
    meeting = room()
    await enter(page, site, meeting)
    await meeting.send(type="captions", captions={**INFO, "state": "failed", "reason": "the process ended"})
    await expect(page.get_by_test_id("captions-badge")).to_have_text("No captions")
    notice = page.locator(".notice.warning")
    await expect(notice).to_contain_text("There are no captions at the moment")
    await expect(notice).to_contain_text("the process ended")
    await meeting.send(type="captions", captions={**INFO, "state": "behind"})
    await expect(notice).to_contain_text("some are left out")
    await meeting.send(type="captions", captions=INFO)
    await expect(notice).to_have_count(0)
    await expect(page.get_by_test_id("captions-badge")).to_have_text("Captions")


async def test_a_meeting_without_captions_has_nothing_of_them(page: Page, site: Any) -> None:
    await enter_room(page, site, MeetingRoom())
    await page.keyboard.press("t")
    await page.keyboard.press("w")
    for name in ("captions-badge", "toggle-captions", "toggle-said", "said-list"):
        await expect(page.get_by_test_id(name)).to_be_hidden()


class TestOnAPhone:
    @pytest.fixture
    def context_options(self) -> dict[str, Any]:
        small = {"locale": "zh-TW", "viewport": {"width": 360, "height": 640}}
        return {**small, "permissions": ["camera", "microphone"], "reduced_motion": "reduce"}

    async def test_lines_are_whole_and_the_button_is_behind_more(self, page: Page, site: Any) -> None:
        meeting = room()
        await enter(page, site, meeting)
        await meeting.send(type="caption", entry=entry(2, "這一行剛好有十六個全形的字對吧，第二行"))
        line = page.get_by_test_id("caption").locator(".line").first
        await expect(line).to_have_text("這一行剛好有十六個全形的字對吧，")
        box = await line.bounding_box()
        height = await line.evaluate("(element) => parseFloat(getComputedStyle(element).lineHeight)")
        assert box is not None
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= 360
        assert box["height"] < 1.5 * height, "in one line"
        await page.get_by_test_id("more").click()
        await page.get_by_test_id("toggle-captions").click()
        await expect(page.get_by_test_id("captions")).to_be_hidden()
        await page.get_by_test_id("more").click()
        await expect(page.get_by_test_id("toggle-captions")).to_have_text("顯示字幕（T）")


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("早安", ["早安"]),
        ("", []),
        ("一二三四五六七八九十一二三四五六，七", ["一二三四五六七八九十一二三四五", "六，七"]),
        ("we talk about transcription engines today", ["we talk about transcription", "engines today"]),
        ("今天用 WebRTC 開會", ["今天用 WebRTC 開會"]),
        ("x" * 40, ["x" * 32, "x" * 8]),
    ],
)
async def test_lines_are_broken_where_they_may_be(blank: Page, text: str, lines: list[str]) -> None:
    script = "async (text) => (await import('/static/js/caption-lines.js')).linesOf(text)"
    found = await blank.evaluate(script, text)
    assert found == lines
    assert all(width(line) <= LINE_WIDTH for line in found)


async def test_pages_follow_each_other_and_the_oldest_speaker_makes_way(blank: Page) -> None:
    script = """async (text) => {
        const { ShownCaptions } = await import('/static/js/shown-captions.js');
        const shown = new ShownCaptions();
        const say = (id, text, nowS) => shown.add({ participant_id: id, name: id, text }, nowS);
        const names = (nowS) => shown.at(nowS).map((each) => each.id + ':' + each.lines.join('/'));
        say('a', '一', 0);
        const seen = [names(0), names(5), names(5.6)];
        say('a', '二', 10);
        say('a', '三', 10.5);
        seen.push(names(10.6), names(11.6), names(20));
        for (const [index, id] of ['a', 'b', 'c', 'd'].entries()) say(id, '四', 30 + index / 10);
        seen.push(names(30.5));
        return seen;
    }"""
    assert await blank.evaluate(script, LONG) == [
        ["a:一"], ["a:一"], [],
        ["a:二"], ["a:三"], [],
        ["b:四", "c:四", "d:四"],
    ]  # fmt: skip
