"""The list of recordings and the page of one."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Page, Route, expect
from recording_answers import job, recording, step

from vmeet_core.media.captions import Chapter, Cue, write_captions, write_chapters

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]
LENGTH_S = 30  #: of the film

DONE = [
    step("layout", "Layout and encode", "done", seconds=3.2),
    step("audio:p1", "Sound of Ann", "done", seconds=12.3),
]
RESULTS = {"video": "results/j1/meeting.mp4", "video-original": "results/j1/meeting-original.mp4"}
READY = job("j1", "done", DONE, results=RESULTS)


def show(site: Any, *entries: dict[str, Any], query: str = "", total: int | None = None) -> None:
    answer = {"recordings": list(entries), "total": len(entries) if total is None else total, "offset": 0}
    site.answers[f"GET /api/recordings{query}"] = (200, answer)


async def test_an_empty_list_says_how_to_begin(page: Page, site: Any) -> None:
    show(site)
    await page.goto("/recordings")
    await expect(page.get_by_test_id("empty")).to_contain_text("No recordings yet")


async def test_the_list_names_what_it_knows_newest_first(page: Page, site: Any) -> None:
    show(site, recording("r1", "Old", "ready"), recording("r2", "", "recording", duration_s=None, people=[]))
    await page.goto("/recordings")
    cards = page.get_by_test_id("recording")
    await expect(cards).to_have_count(2)
    await expect(cards.nth(0)).to_contain_text("Untitled")
    await expect(cards.nth(0).get_by_test_id("delete")).to_have_count(0)
    await expect(cards.nth(1)).to_contain_text("Ann and 王小明")
    await expect(cards.nth(1)).to_contain_text("2026")
    await expect(cards.nth(1)).to_contain_text("1:35")
    await expect(cards.nth(1).get_by_test_id("state")).to_have_text("Ready")


async def test_the_search_shows_what_the_server_finds(page: Page, site: Any) -> None:
    first, second = recording("r1", "週一例會", "ready"), recording("r2", "Plan B", "ready", people=["Bob"])
    show(site, second, first)
    show(site, first, query="?q=%E4%BE%8B%E6%9C%83")
    show(site, second, query="?q=bob+plan")
    show(site, query="?q=nobody")
    await page.goto("/recordings")
    for wanted, count in (("例會", 1), ("bob plan", 1), ("", 2), ("nobody", 0)):
        await page.get_by_test_id("filter").fill(wanted)
        await expect(page.get_by_test_id("recording").filter(visible=True)).to_have_count(count)
    await expect(page.get_by_test_id("empty")).to_contain_text("No recording matches")
    await expect(page.get_by_test_id("empty")).to_contain_text("All words must occur")


def hit(text: str, marks: list[list[int]], start_s: float | None, participant: str | None = "王小明") -> dict[str, Any]:
    return {
        "text": text,
        "marks": marks,
        "participant": participant,
        "start_s": start_s,
        "end_s": None,
        "language": "zh",
    }


async def test_places_are_marked_and_lead_into_the_player(page: Page, site: Any, film: str) -> None:
    hits = [hit("\U00020000 大家早安，早安", [[4, 6], [7, 9]], 12.5), hit("no place", [], None, None)]
    show(site, recording("r1", "Talk", "ready", hits=hits), query="?q=%E6%97%A9%E5%AE%89")
    show_one(site, film)
    await page.goto("/recordings?q=早安")
    await expect(page.get_by_test_id("filter")).to_have_value("早安")
    links = page.get_by_test_id("hits").get_by_role("link")
    await expect(links).to_have_count(2)
    await expect(links.nth(0)).to_have_text("0:12王小明\U00020000 大家早安，早安")
    assert await links.nth(0).locator("mark").all_text_contents() == ["早安", "早安"]
    await expect(links.nth(1)).to_have_attribute("href", "/recordings/r1")
    site.events.put_nowait(("recording", recording("r1", "Talk on", "ready")))
    await expect(page.get_by_test_id("recording")).to_contain_text("Talk on")
    await expect(links).to_have_count(2)
    await links.nth(0).click()
    await expect(page.get_by_test_id("time")).to_have_text("0:12 / 0:30")


async def test_the_search_is_reached_by_a_key_and_kept_in_the_address(page: Page, site: Any) -> None:
    show(site, recording("r1", "Talk", "ready"))
    show(site, query="?q=%2Fx")
    await page.goto("/recordings")
    await expect(page.get_by_test_id("recording")).to_have_count(1)
    await page.keyboard.press("/")
    await page.keyboard.type("/x")
    await expect(page.get_by_test_id("empty")).to_be_visible()
    assert page.url.endswith("/recordings?q=%2Fx")
    site.events.put_nowait(("recording", recording("r2", "New one", "recording", duration_s=None)))
    await page.get_by_test_id("filter").fill("")
    await expect(page.get_by_test_id("recording")).to_have_count(1)
    assert page.url.endswith("/recordings")


async def test_the_answer_to_what_was_typed_last_is_shown(page: Page, site: Any) -> None:
    """Also when an earlier one comes later."""
    show(site, recording("r1", "Slow", "ready"), query="?q=slow")
    show(site, recording("r2", "Quick", "ready"), query="?q=quick")
    show(site)
    held = asyncio.Event()

    async def late(route: Route) -> None:
        await held.wait()
        await route.continue_()

    await page.route("**/api/recordings?q=slow", late)
    await page.goto("/recordings")
    await page.get_by_test_id("filter").fill("slow")
    async with page.expect_request("**/api/recordings?q=slow"):
        pass
    await page.get_by_test_id("filter").fill("quick")
    await expect(page.get_by_test_id("recording")).to_contain_text("Quick")
    async with page.expect_response("**/api/recordings?q=slow"):
        held.set()
    await expect(page.get_by_test_id("recording")).to_contain_text("Quick")


async def test_a_long_list_comes_in_pages(page: Page, site: Any) -> None:
    show(site, recording("r3", "C", "ready"), recording("r2", "B", "ready"), total=3)
    show(site, recording("r1", "A", "ready"), query="?offset=2", total=3)
    await page.goto("/recordings")
    await expect(page.get_by_test_id("recording")).to_have_count(2)
    await expect(page.get_by_text("3 recordings")).to_be_visible()
    await page.get_by_test_id("more").click()
    await expect(page.get_by_test_id("recording")).to_have_count(3)
    await expect(page.get_by_test_id("recording").nth(2).get_by_role("link", name="A", exact=True)).to_be_focused()
    await expect(page.get_by_test_id("more")).to_be_hidden()


async def test_a_database_that_does_not_answer_is_told(page: Page, site: Any) -> None:
    show(site, recording("r1", "Talk", "ready"))
    await page.goto("/recordings")
    for waiting in (True, False):
        site.events.put_nowait(("database", {"waiting": waiting}))
        await expect(page.get_by_test_id("database-waiting")).to_be_visible(visible=waiting)


async def test_progress_is_live(page: Page, site: Any) -> None:
    running = job("j1", "running", [DONE[0], step("audio:p1", "Sound of Ann", "running", progress=0.25)])
    show(site, recording("r1", "Talk", "processing", job=running))
    await page.goto("/recordings")
    card = page.get_by_test_id("recording")
    await expect(card).to_contain_text("Sound of Ann: 25%")
    site.events.put_nowait(("recording", recording("r1", "Talk", "ready", job=READY)))
    await expect(card.get_by_test_id("state")).to_have_text("Ready")
    await expect(card.get_by_role("progressbar")).to_be_hidden()
    site.events.put_nowait(("recording", recording("r2", "New one", "recording", duration_s=None)))
    await expect(page.get_by_test_id("recording").nth(0)).to_contain_text("New one")
    site.events.put_nowait(("recording-deleted", {"id": "r1"}))
    await expect(page.get_by_test_id("recording")).to_have_count(1)


async def test_a_failed_job_says_why_and_can_be_tried_again(page: Page, site: Any) -> None:
    failed = job("j1", "failed", [step("denoise:p1", "Denoise Ann", "failed", error="weights are missing")])
    show(site, recording("r1", "Talk", "failed", job=failed))
    site.answers["POST /api/jobs/j1/retry"] = (409, {"error": {"code": "busy", "message": "it already runs"}})
    await page.goto("/recordings")
    await expect(page.get_by_test_id("fault")).to_have_text("Denoise Ann: weights are missing")
    await page.get_by_test_id("retry-job").click()
    await expect(page.get_by_role("log")).to_contain_text("That is not possible at the moment.")
    await expect(page.get_by_role("log")).to_contain_text("it already runs")


async def test_deleting_asks_first(page: Page, site: Any) -> None:
    show(site, recording("r1", "Talk", "ready"))
    await page.goto("/recordings")
    await page.get_by_test_id("delete").click()
    await expect(page.get_by_test_id("delete-dialog")).to_contain_text("“Talk” and all its files are deleted for good")
    await page.keyboard.press("Escape")
    await expect(page.get_by_test_id("recording")).to_have_count(1)
    site.answers["DELETE /api/recordings/r1"] = (204, None)
    await page.get_by_test_id("delete").click()
    await page.get_by_test_id("confirm-yes").click()
    await expect(page.get_by_test_id("recording")).to_have_count(0)
    await expect(page.get_by_test_id("empty")).to_be_visible()


def show_one(site: Any, film: str, **changes: Any) -> None:
    file = {"name": "audio:p1", "title": "a.flac", "job_id": "j1", "url": "/api/recordings/r1/files/results/j1/a.flac"}
    about = {"jobs": [READY], "files": [{**file, "size_bytes": 1_200_000, "type": "audio/flac"}], "job": READY}
    site.answers["GET /api/recordings/r1"] = (200, recording("r1", "Talk", "ready") | about | changes)
    for path in RESULTS.values():
        site.files[f"/api/recordings/r1/files/{path}"] = film


async def time_of(page: Page) -> float:
    return float(await page.get_by_test_id("video").evaluate("(video) => video.currentTime"))


async def seek(page: Page, to_s: float) -> None:
    script = """(video, to) => new Promise((done) => {
        const go = () => { video.addEventListener('seeked', done, {once: true}); video.currentTime = to; };
        if (video.readyState) go(); else video.addEventListener('loadedmetadata', go, {once: true});
    }).then(() => null)"""
    await page.get_by_test_id("video").evaluate(script, to_s)


async def test_changing_the_sound_keeps_the_place_and_the_playing(page: Page, site: Any, film: str) -> None:
    show_one(site, film)
    await page.goto("/recordings/r1")
    video = page.get_by_test_id("video")
    await seek(page, 7)
    await page.get_by_test_id("speed").select_option("1.5")
    await page.get_by_label("Original").check(force=True)
    await expect(video).to_have_attribute("src", "/api/recordings/r1/files/results/j1/meeting-original.mp4")
    await expect(page.get_by_test_id("time")).to_have_text("0:07 / 0:30")
    assert await video.evaluate("(video) => [video.paused, video.playbackRate]") == [True, 1.5]
    await page.get_by_test_id("play").click()
    await page.keyboard.press("o")
    await expect(video).to_have_attribute("src", "/api/recordings/r1/files/results/j1/meeting.mp4")
    await expect(page.locator("vmeet-player[data-playing]")).to_be_visible()
    assert await time_of(page) >= 7


async def test_the_keys_of_the_player(page: Page, site: Any, film: str) -> None:
    show_one(site, film)
    await page.goto("/recordings/r1")
    await seek(page, 15)
    for key, expected in (("ArrowRight", 20), ("j", 10), ("ArrowLeft", 5), ("l", 15)):
        await page.keyboard.press(key)
        assert await time_of(page) == pytest.approx(expected, abs=0.5)
    await page.keyboard.press(" ")
    await expect(page.locator("vmeet-player[data-playing]")).to_be_visible()
    await page.keyboard.press(" ")
    await expect(page.locator("vmeet-player[data-playing]")).to_have_count(0)
    await page.keyboard.press(">")
    await expect(page.get_by_test_id("speed")).to_have_value("1.25")
    await page.keyboard.press("m")
    assert await page.get_by_test_id("video").evaluate("(video) => video.muted")
    await page.keyboard.press("?")
    await expect(page.get_by_test_id("player-help-dialog")).to_be_visible()


async def test_files_are_named_after_people_and_can_be_downloaded(page: Page, site: Any, film: str) -> None:
    show_one(site, film)
    await page.goto("/recordings/r1")
    row = page.get_by_test_id("files").get_by_role("listitem")
    await expect(row).to_contain_text("Sound of Ann")
    await expect(row).to_contain_text("1.2 MB")
    link = row.get_by_role("link", name="Download: Sound of Ann")
    await expect(link).to_have_attribute("href", "/api/recordings/r1/files/results/j1/a.flac?download=1")


async def test_a_recording_in_work_shows_its_steps_until_the_video_is_there(page: Page, site: Any, film: str) -> None:
    failing = step("layout", "Layout and encode", "running", progress=0.5, log_tail=["frame 100", "frame 200"])
    running = job("j1", "running", [failing])
    show_one(site, film, state="processing", job=running, jobs=[running], files=[])
    await page.goto("/recordings/r1")
    await expect(page.get_by_test_id("no-video")).to_contain_text("The video is being made")
    await expect(page.get_by_test_id("steps")).to_contain_text("50%")
    await page.get_by_text("Log", exact=True).click()
    await expect(page.get_by_text("frame 200")).to_be_visible()
    show_one(site, film)
    site.events.put_nowait(("recording", recording("r1", "Talk", "ready", job=READY)))
    await expect(page.get_by_test_id("video")).to_be_visible()
    await expect(page.get_by_test_id("no-video")).to_be_hidden()


async def test_processing_again_with_other_choices(page: Page, site: Any, film: str) -> None:
    show_one(site, film)
    provider = {
        "name": "dtln",
        "title": "DTLN",
        "licence": "MIT",
        "leaves_host": False,
        "allowed": True,
        "reason": None,
    }
    choices = {
        "presets": {"plain": {}},
        "providers": {"denoisers": [provider | {"options_schema": {}}]},
        "problems": [],
    }
    site.answers["GET /api/choices"] = (200, choices)
    site.answers["POST /api/recordings/r1/jobs"] = (201, READY)
    await page.goto("/recordings/r1")
    await page.get_by_test_id("again").click()
    await expect(page.get_by_label("DTLN")).to_be_checked()
    await page.get_by_label("None").check()
    await page.get_by_label("Name").fill(" quiet ")
    await page.get_by_test_id("again-start").click()
    await expect(page.get_by_role("log")).to_contain_text("Processing has started.")
    assert site.bodies["POST /api/recordings/r1/jobs"] == {"denoiser": None, "options": {}, "name": "quiet"}


@pytest.fixture
def texts(site: Any, tmp_path: Path) -> dict[str, Any]:
    """A job with captions and chapters, as the pipeline writes them."""
    names = ("王小明", "<b>Ann</b> & Co.")
    write_captions(tmp_path / "captions.vtt", [Cue(1, 4, names[0]), Cue(3, 6, names[1]), Cue(20, 25, names[1])])
    chapters = [Chapter(0, "joined", "+ Ann, 王小明"), Chapter(12.5, "screen-started", f"▶ {names[1]}")]
    write_chapters(tmp_path / "chapters.vtt", chapters, LENGTH_S)
    results = {"captions": "results/j1/captions.vtt", "chapters": "results/j1/chapters.vtt"}
    for name, path in results.items():
        site.files[f"/api/recordings/r1/files/{path}"] = str(tmp_path / f"{name}.vtt")
    return job("j1", "done", DONE, results=RESULTS | results)


async def test_captions_are_shown_when_asked_for(page: Page, site: Any, film: str, texts: dict[str, Any]) -> None:
    show_one(site, film, job=texts, jobs=[texts])
    await page.goto("/recordings/r1")
    button = page.get_by_test_id("captions")
    await expect(button).to_have_attribute("aria-pressed", "false")
    await seek(page, 3.5)
    await page.keyboard.press("c")
    await expect(button).to_have_attribute("aria-pressed", "true")
    cues = """(video) => new Promise((done) => {
        const track = [...video.textTracks].find((each) => each.kind === 'captions');
        const read = () => track.activeCues?.length === 2
            ? done([...track.activeCues].map((cue) => cue.getCueAsHTML().textContent)) : setTimeout(read, 20);
        read();
    })"""
    assert await page.get_by_test_id("video").evaluate(cues) == ["王小明", "<b>Ann</b> & Co."]
    await page.get_by_label("Original").check(force=True)
    showing = "(video) => [...video.textTracks].filter((each) => each.mode === 'showing').length"
    assert await page.get_by_test_id("video").evaluate(showing) == 1
    await button.click()
    assert await page.get_by_test_id("video").evaluate(showing) == 0


async def test_chapters_lead_to_their_moments(page: Page, site: Any, film: str, texts: dict[str, Any]) -> None:
    show_one(site, film, job=texts, jobs=[texts])
    await page.goto("/recordings/r1")
    await page.get_by_text("Chapters", exact=True).click()
    rows = page.get_by_test_id("chapters").get_by_role("button")
    await expect(rows).to_have_text(["0:00Ann, 王小明 joined", "0:12<b>Ann</b> & Co. started sharing the screen"])
    await rows.nth(1).press("Enter")
    assert await time_of(page) == pytest.approx(12.5, abs=0.1)


async def test_without_texts_there_are_no_controls_for_them(page: Page, site: Any, film: str) -> None:
    show_one(site, film)
    await page.goto("/recordings/r1")
    await expect(page.get_by_test_id("video")).to_be_visible()
    await expect(page.get_by_test_id("captions")).to_be_hidden()
    await expect(page.get_by_test_id("chapters")).to_be_hidden()


async def test_files_of_each_person_are_asked_for_made_and_linked(page: Page, site: Any, film: str) -> None:
    first = READY | {"request": {"denoiser": "dtln", "options": {"dtln": {"strength": 1}}, "layout": "speaker"}}
    show_one(site, film, job=first, jobs=[first])
    site.answers["POST /api/recordings/r1/jobs"] = (201, READY)
    await page.goto("/recordings/r1")
    await page.get_by_test_id("person-files").press("Enter")
    asked = {"denoiser": "dtln", "options": {"dtln": {"strength": 1}}, "layout": "speaker", "files": "per-person"}
    await expect(page.get_by_test_id("person-files")).to_be_enabled()
    assert site.bodies["POST /api/recordings/r1/jobs"] == asked
    making = [
        step("audio:p1", "Sound of Ann", "done"),
        step("person-video:p1", "Video of Ann", "running", progress=0.5),
    ]
    second = job("j2", "running", making, request=asked, created_at_s=1.8e9)
    show_one(site, film, state="processing", job=second, jobs=[first, second])
    site.events.put_nowait(("recording", recording("r1", "Talk", "processing", job=second)))
    await expect(page.get_by_test_id("person-progress")).to_contain_text("Making the files of each person: 75%")
    await expect(page.get_by_test_id("person-files")).to_be_hidden()
    done = job("j2", "done", making, request=asked, created_at_s=1.8e9, results=RESULTS)
    made = [
        {"name": name, "title": title, "job_id": "j2", "url": f"/f/{title}", "size_bytes": 1000, "type": kind}
        for name, title, kind in (
            ("person-video:p1", "person-1.mp4", "video/mp4"),
            ("person-video:p2", "person-2.mp4", "video/mp4"),
            ("person-audio:p1", "person-1.m4a", "audio/mp4"),
        )
    ]
    silent = step("person-video:p2", "Video of 王小明", "done")
    done = done | {"steps": [*making, silent]}
    show_one(site, film, job=done, jobs=[first, done], files=made)
    site.events.put_nowait(("recording", recording("r1", "Talk", "ready", job=done)))
    rows = page.get_by_test_id("files").get_by_role("listitem")
    for number, title in enumerate(("Video of Ann", "Video of 王小明", "Sound of Ann, for any player")):
        await expect(rows.nth(number)).to_contain_text(title)
    await expect(page.get_by_role("link", name="Download: Video of 王小明")).to_be_visible()
    await expect(page.locator("vmeet-person-files")).to_be_hidden()
    await expect(page.get_by_test_id("version")).to_be_hidden()


async def test_the_layout_can_be_chosen_when_processing_again(page: Page, site: Any, film: str) -> None:
    show_one(site, film)
    site.answers["GET /api/choices"] = (200, {"presets": {}, "providers": {}, "problems": []})
    site.answers["POST /api/recordings/r1/jobs"] = (201, READY)
    await page.goto("/recordings/r1")
    await page.get_by_test_id("again").click()
    await page.get_by_label("Layout of the recording").select_option("speaker")
    await page.get_by_test_id("again-start").click()
    await expect(page.get_by_role("log")).to_contain_text("Processing has started.")
    sent = site.bodies["POST /api/recordings/r1/jobs"]
    assert sent == {"denoiser": None, "options": {}, "layout": "speaker"}


@pytest.mark.parametrize("context_options", [{"locale": "zh-TW", "viewport": {"width": 360, "height": 740}}])
async def test_on_a_phone_in_chinese_nothing_is_cut_off(
    page: Page, site: Any, film: str, texts: dict[str, Any]
) -> None:
    show_one(site, film, job=texts, jobs=[texts])
    await page.goto("/recordings/r1")
    await expect(page.get_by_test_id("person-files")).to_have_text("製作每個人的檔案")
    await page.get_by_text("章節", exact=True).click()
    await expect(page.get_by_test_id("chapters")).to_contain_text("Ann, 王小明 加入")
    wide = """() => [...document.querySelectorAll('main *')]
        .filter((each) => each.getBoundingClientRect().right > document.documentElement.clientWidth)
        .map((each) => each.outerHTML.slice(0, 80))"""
    assert await page.evaluate(wide) == []


async def test_a_recording_that_is_gone_says_so(page: Page, site: Any) -> None:
    site.answers["GET /api/recordings/r9"] = (404, {"error": {"code": "unknown-recording", "message": "deleted"}})
    await page.goto("/recordings/r9")
    await expect(page.get_by_test_id("failure")).to_contain_text("This does not exist (any more).")


LATER = {"video": "results/j2/meeting.mp4"}


def show_two(site: Any, film: str, **second: Any) -> dict[str, Any]:
    """A recording that was processed twice."""
    later = job("j2", "done", DONE, created_at_s=1.79e9 + 600, results=LATER, **second)
    show_one(site, film, jobs=[READY, later], job=later)
    site.files[f"/api/recordings/r1/files/{LATER['video']}"] = film
    return later


async def test_results_are_called_after_what_differs_or_as_somebody_wants(page: Page, site: Any, film: str) -> None:
    later = show_two(site, film, request={"denoiser": "dtln", "options": {"dtln": {"strength": 0.5}}})
    await page.goto("/recordings/r1")
    versions = page.get_by_test_id("version").locator("option")
    await expect(versions.nth(0)).to_contain_text("Denoiser: dtln (strength: 0.5) · ")
    await expect(versions.nth(1)).to_contain_text("Denoiser: dtln (strength: default) · ")
    site.events.put_nowait(("job", later | {"name": "My favourite"}))
    await expect(versions.nth(0)).to_contain_text("My favourite · ")
    site.events.put_nowait(("job", later | {"request": {"denoiser": None, "options": {}}}))
    await expect(versions.nth(0)).to_contain_text("Without denoising · ")
    await expect(versions.nth(1)).to_contain_text("Denoiser: dtln · ")


async def test_runs_that_share_their_files_are_one_version_unless_somebody_named_both(
    page: Page, site: Any, film: str
) -> None:
    request = {"denoiser": "dtln", "options": {}, "layout": None}
    first = job("j1", "done", DONE, request=request, results=RESULTS, name="First")
    again = job("j2", "done", DONE, request=request, results=RESULTS, created_at_s=1.8e9)
    speaker = job("j3", "done", DONE, request=request | {"layout": "speaker"}, results=LATER, created_at_s=1.81e9)
    show_one(site, film, job=speaker, jobs=[first, again, speaker])
    await page.goto("/recordings/r1")
    version = page.get_by_test_id("version")
    options = version.locator("option")
    await expect(options).to_have_count(2)
    await expect(options.nth(0)).to_contain_text("Denoiser: dtln (The speaker large) · ")
    await expect(options.nth(1)).to_contain_text("First · ")
    await version.select_option("j2")
    site.events.put_nowait(("job", again | {"name": "Second"}))
    await expect(options).to_have_count(3)
    await expect(options.nth(1)).to_contain_text("Second · ")
    await expect(options.nth(2)).to_contain_text("First · ")
    await expect(version).to_have_value("j2")


async def test_files_of_each_person_belong_to_the_run_that_somebody_named(page: Page, site: Any, film: str) -> None:
    named = READY | {"name": "First"}
    show_one(site, film, job=named, jobs=[named])
    site.answers["POST /api/recordings/r1/jobs"] = (201, READY)
    await page.goto("/recordings/r1")
    await page.get_by_test_id("person-files").click()
    await expect(page.get_by_test_id("person-files")).to_be_enabled()
    asked = {"denoiser": "dtln", "options": {}, "files": "per-person", "name": "First"}
    assert site.bodies["POST /api/recordings/r1/jobs"] == asked


async def test_what_is_watched_stays_when_its_run_is_made_again(page: Page, site: Any, film: str) -> None:
    later = show_two(site, film)
    await page.goto("/recordings/r1")
    version = page.get_by_test_id("version")
    await version.select_option("j1")
    again = READY | {"id": "j3", "created_at_s": 1.8e9, "request": READY["request"] | {"files": "per-person"}}
    show_one(site, film, job=again, jobs=[READY, later, again])
    site.events.put_nowait(("job", again))
    await expect(version.locator("option").and_(page.locator("[value=j3]"))).to_have_count(1)
    await expect(version).to_have_value("j3")
    await expect(page.get_by_test_id("video")).to_have_attribute("src", f"/api/recordings/r1/files/{RESULTS['video']}")


async def test_another_version_plays_from_the_same_place(page: Page, site: Any, film: str) -> None:
    show_two(site, film)
    await page.goto("/recordings/r1")
    video, version = page.get_by_test_id("video"), page.get_by_test_id("version")
    await expect(video).to_have_attribute("src", "/api/recordings/r1/files/results/j2/meeting.mp4")
    await seek(page, 9)
    await page.get_by_test_id("speed").select_option("1.25")
    for chosen in ("j1", "j2", "j1"):  # faster than they load
        await version.select_option(chosen)
    await expect(video).to_have_attribute("src", "/api/recordings/r1/files/results/j1/meeting.mp4")
    await expect(page.get_by_test_id("time")).to_have_text("0:09 / 0:30")
    assert await video.evaluate("(video) => [video.paused, video.playbackRate]") == [True, 1.25]
    await page.get_by_label("Original").check(force=True)
    await expect(video).to_have_attribute("src", "/api/recordings/r1/files/results/j1/meeting-original.mp4")
    await expect(page.get_by_test_id("time")).to_have_text("0:09 / 0:30")


async def test_what_one_watches_stays_when_another_version_is_ready(page: Page, site: Any, film: str) -> None:
    show_one(site, film)
    await page.goto("/recordings/r1")
    await seek(page, 5)
    later = show_two(site, film)
    site.events.put_nowait(("job", later))
    await expect(page.get_by_test_id("version").locator("option")).to_have_count(2)
    await expect(page.get_by_test_id("version")).to_have_value("j1")
    assert await time_of(page) == pytest.approx(5, abs=0.1)


async def test_what_a_step_took_and_its_whole_log(page: Page, site: Any, film: str) -> None:
    cost = {"wall_s": 12.3, "cpu_s": 20.04, "peak_memory_bytes": 210_000_000}
    sound = step("audio:p1", "Sound of Ann", "done", seconds=12.3, cost=cost, log_tail=["all is well"])
    show_one(site, film, jobs=[job("j1", "done", [sound], results=RESULTS, cost=cost | {"wall_s": 60})])
    await page.goto("/recordings/r1")
    await expect(page.get_by_test_id("steps")).to_contain_text("12 s · CPU 20 s · memory 210 MB")
    await expect(page.get_by_test_id("job-cost")).to_have_text("60 s · CPU 20 s · memory 210 MB")
    await page.get_by_text("Log", exact=True).click()
    await expect(page.get_by_text("all is well")).to_be_visible()
    await expect(page.get_by_test_id("whole-log")).to_have_attribute("href", "/api/jobs/j1/steps/audio%3Ap1/log")


async def test_a_step_that_waits_for_another_try_counts_down(page: Page, site: Any, film: str) -> None:
    waits = step("denoise:p1", "Denoise Ann", "queued", error="dtln: memory ran out", attempts=2, retry_in_s=8)
    running = job("j1", "running", [waits])
    show_one(site, film, state="processing", job=running, jobs=[running], files=[])
    await page.goto("/recordings/r1")
    note = page.get_by_test_id("retry-in")
    await expect(note).to_contain_text("Another try in 8 s, after 2 that failed.")
    await expect(page.get_by_test_id("steps")).to_contain_text("dtln: memory ran out")
    await expect(note).to_contain_text("Another try in 7 s")
    site.events.put_nowait(("job", job("j1", "running", [step("denoise:p1", "Denoise Ann", "running")])))
    await expect(note).to_be_hidden()


async def test_parts_are_counted_and_steps_come_and_go_as_a_job_grows(page: Page, site: Any, film: str) -> None:
    looks = step("prepare", "Read the recording", "done", seconds=1.0)
    sound = step("sound", "Sound", "queued", parts=1)
    picture = step("layout", "Layout and encode", "running", progress=0.3, parts=40, parts_done=12)
    ahead = job("j1", "running", [looks, sound, picture], priority="ahead")
    show_one(site, film, state="recording", job=ahead, jobs=[ahead], files=[])
    await page.goto("/recordings/r1")
    steps = page.get_by_test_id("steps").get_by_role("listitem")
    await expect(steps.nth(2)).to_contain_text("12 of 40 parts")
    await expect(steps.nth(2)).to_contain_text("30%")
    await expect(steps.nth(1).get_by_test_id("parts")).to_be_hidden()
    await expect(page.get_by_test_id("job")).to_contain_text("Begun while the meeting runs")
    await expect(page.get_by_test_id("front-job")).to_be_hidden()
    voices = step("voices", "Find out who speaks", "queued", parts=41, parts_done=3)
    grown = job("j1", "running", [looks, voices, picture | {"state": "done"}])
    show_one(site, film, state="processing", job=grown, jobs=[grown], files=[])
    site.events.put_nowait(("job", grown))
    await expect(steps.nth(1)).to_contain_text("3 of 41 parts")
    await expect(steps.nth(2).get_by_test_id("parts")).to_be_hidden()
    await expect(steps).to_have_count(3)
    await page.get_by_test_id("language").click()
    await expect(steps.nth(1)).to_contain_text("41 段已完成 3 段")


async def test_a_card_of_a_recording_that_runs_says_that_it_is_worked_on(page: Page, site: Any) -> None:
    ahead = job("j1", "running", [step("layout", "Layout and encode", "done", progress=1.0, parts=3)], priority="ahead")
    show(site, recording("r1", "Weekly", "recording", job=ahead))
    await page.goto("/recordings")
    card = page.get_by_test_id("recording")
    await expect(card).to_contain_text("Begun while the meeting runs")
    await expect(card.get_by_role("progressbar")).to_be_hidden()


async def test_a_waiting_job_can_be_moved_to_the_front(page: Page, site: Any, film: str) -> None:
    waiting = job("j1", "queued", [step("prepare", "Read the recording", "queued")], priority="later")
    show_one(site, film, state="processing", job=waiting, jobs=[waiting], files=[])
    site.answers["POST /api/jobs/j1/front"] = (204, None)
    await page.goto("/recordings/r1")
    front = page.get_by_test_id("front-job")
    async with page.expect_request("**/api/jobs/j1/front"):
        await front.click()
    site.events.put_nowait(("job", waiting | {"priority": "front"}))
    await expect(page.get_by_text("First in line")).to_be_visible()
    await expect(front).to_be_hidden()
    going = job("j1", "running", [step("prepare", "Read the recording", "running")], priority="later")
    show_one(site, film, state="processing", job=going, jobs=[going], files=[])
    site.events.put_nowait(("job", going))
    await expect(page.get_by_text("First in line")).to_be_hidden()
    await expect(front).to_be_hidden()


async def test_a_result_can_be_renamed_with_the_keyboard(page: Page, site: Any, film: str) -> None:
    show_one(site, film)
    site.answers["PATCH /api/jobs/j1"] = (204, None)
    await page.goto("/recordings/r1")
    await page.get_by_test_id("rename-job").press("Enter")
    await page.get_by_test_id("job-name").fill("最好的")
    async with page.expect_request("**/api/jobs/j1"):
        await page.get_by_test_id("job-name").press("Enter")
    assert site.bodies["PATCH /api/jobs/j1"] == {"name": "最好的"}


async def test_deleted_results_are_told_and_can_be_made_again(page: Page, site: Any, film: str) -> None:
    show_one(site, film, jobs=[READY | {"missing": ["thumbnail"]}])
    site.answers["POST /api/jobs/j1/retry"] = (204, None)
    await page.goto("/recordings/r1")
    await expect(page.get_by_test_id("missing")).to_contain_text("1 file of this run has been deleted.")
    async with page.expect_request("**/api/jobs/j1/retry"):
        await page.get_by_test_id("retry-job").click()
