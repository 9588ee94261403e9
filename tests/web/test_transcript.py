"""What was said, on the page of a recording: read along, found, filtered, copied and downloaded."""

import base64
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Page, expect
from recording_answers import job, recording, step
from spoken import transcript, utterance, words

from vmeet_core.media.minutes import About
from vmeet_core.media.transcript import Transcript, write_transcript
from vmeet_core.media.transcript_files import FILES, write_transcript_files

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]
FOLDER = "/api/recordings/r1/files/results"
DONE = [step("transcribe", "Transcribe", "done"), step("transcript", "Transcript", "done")]
WISH = {"denoiser": None, "options": {}, "transcriber": "whisper", "language": "zh", "script": "traditional-tw"}
SAID = transcript(
    utterance("p1", 1, 3, "早安，今天討論預算。", words=words(1, 0.2, *"早安，今天討論預算。")),
    utterance("p1", 4.2, 6, "預算有三個部分。"),
    utterance("p2", 5, 7, "I agree with the Budget.", "en"),
    utterance("p1", 10, 14, "第一個部分是人事。"),
    utterance("p2", 20, 24, "好，下一個。"),
)
TRANSCRIBER = {
    "name": "whisper",
    "title": "Whisper",
    "licence": "MIT",
    "leaves_host": False,
    "allowed": True,
    "reason": None,
    "options_schema": {},
    "languages": ["zh", "en"],
}
CHOICES = {
    "presets": {"default": {"transcriber": "whisper", "language": "zh", "script": "simplified"}},
    "providers": {
        "transcribers": [TRANSCRIBER],
        "denoisers": [TRANSCRIBER | {"name": "dtln", "title": "DTLN"}],
    },
    "problems": [],
    "fields": ["denoiser", "transcriber", "layout", "language", "script", "numbers", "transcribe_from"],
}


def answer(site: Any, *jobs: dict[str, Any], state: str = "ready", **changes: Any) -> None:
    about = {"jobs": list(jobs), "files": [], "job": jobs[-1] if jobs else None}
    site.answers["GET /api/recordings/r1"] = (200, recording("r1", "Talk", state) | about | changes)


def transcribed(
    site: Any, folder: Path, film: str, said: Transcript, name: str = "j1", **changes: Any
) -> dict[str, Any]:
    """A job that has made a video and everything of a transcript."""
    results = {"transcript": "transcript.json", "video": "meeting.mp4"} | {
        key: file.name for key, file in FILES.items()
    }
    own = folder / name
    own.mkdir()
    write_transcript(own / "transcript.json", said)
    write_transcript_files(said, About("Talk"), {key: own / file.name for key, file in FILES.items()})
    for file in own.iterdir():
        site.files[f"{FOLDER}/{name}/{file.name}"] = str(file)
    site.files[f"{FOLDER}/{name}/meeting.mp4"] = film
    results["captions"] = FILES["transcript-vtt"].name
    paths = {result: f"results/{name}/{file}" for result, file in results.items()}
    return job(name, "done", DONE, **{"request": WISH, "results": paths} | changes)


@pytest.fixture
def talk(site: Any, film: str, tmp_path: Path) -> dict[str, Any]:
    made = transcribed(site, tmp_path, film, SAID)
    answer(site, made)
    return made


async def opened(page: Page, rows: int = len(SAID.utterances)) -> None:
    await page.goto("/recordings/r1")
    await expect(page.get_by_test_id("utterances").get_by_role("listitem")).to_have_count(rows)


async def seek(page: Page, to_s: float) -> None:
    script = """(video, to) => new Promise((done) => {
        const go = () => { video.addEventListener('seeked', done, {once: true}); video.currentTime = to; };
        if (video.readyState) go(); else video.addEventListener('loadedmetadata', go, {once: true});
    }).then(() => null)"""
    await page.get_by_test_id("video").evaluate(script, to_s)


async def test_it_names_who_said_what_and_when(page: Page, talk: Any) -> None:
    await opened(page)
    rows = page.get_by_test_id("utterances").get_by_role("listitem")
    await expect(rows.nth(0)).to_have_text("王小明0:01早安，今天討論預算。")
    await expect(rows.nth(1)).to_have_text("0:04預算有三個部分。")
    await expect(rows.nth(2)).to_have_text("Ann0:05I agree with the Budget.")
    await expect(rows.nth(0).locator("p")).to_have_attribute("lang", "zh-Hant")
    await expect(rows.nth(2).locator("p")).to_have_attribute("lang", "en")
    await expect(page.get_by_test_id("transcript-about")).to_have_text("whisper · Traditional (Taiwan)")
    colours = await page.locator(".utterance .who").evaluate_all(
        "(all) => all.map((each) => getComputedStyle(each).color)"
    )
    assert colours[0] != colours[1]
    assert colours[0] == colours[2]


async def test_a_press_plays_from_there(page: Page, talk: Any) -> None:
    await opened(page)
    await page.get_by_role("button", name="play from 0:10").click()
    await expect(page.locator("vmeet-player[data-playing]")).to_be_visible()
    assert await page.get_by_test_id("video").evaluate("(video) => video.currentTime") == pytest.approx(10, abs=1)
    await page.get_by_role("button", name="play from 0:20").press("Enter")
    await page.wait_for_function("() => document.querySelector('video').currentTime >= 20")


async def test_a_press_on_a_word_plays_that_word(page: Page, talk: Any) -> None:
    await opened(page)
    box = await page.get_by_text("早安，今天討論預算。").bounding_box()
    assert box is not None
    width = await page.get_by_text("早安，今天討論預算。").evaluate(
        "(p) => { const r = document.createRange(); r.selectNodeContents(p); return r.getBoundingClientRect().width; }"
    )
    await page.mouse.click(box["x"] + width * 0.76, box["y"] + box["height"] / 2)
    await page.wait_for_function("() => document.querySelector('video').currentTime >= 2.3")
    assert await page.get_by_test_id("video").evaluate("(video) => video.currentTime") < 4


async def test_the_keyboard_goes_through_it(page: Page, talk: Any) -> None:
    await opened(page)
    await page.get_by_role("button", name="play from 0:01").focus()
    for key, expected in (("ArrowDown", "0:04"), ("End", "0:20"), ("ArrowUp", "0:10"), ("Home", "0:01")):
        await page.keyboard.press(key)
        await expect(page.locator(".utterance .time:focus")).to_have_text(expected)
    assert await page.locator(".utterance .time[tabindex='0']").count() == 1
    await page.keyboard.press("ArrowDown")
    await page.keyboard.press("Enter")
    await page.wait_for_function("() => document.querySelector('video').currentTime >= 4")


async def test_what_is_said_is_lit_also_when_several_speak(page: Page, talk: Any) -> None:
    await opened(page)
    current = page.locator(".utterance[aria-current]")
    for time_s, numbers in ((2, [0]), (5.5, [1, 2]), (6.5, [2]), (9, [2]), (21, [4])):
        await seek(page, time_s)
        await expect(current).to_have_count(len(numbers))
        assert await current.evaluate_all("(all) => all.map((each) => Number(each.dataset.index))") == numbers, time_s


async def test_words_are_found_and_gone_through(page: Page, talk: Any) -> None:
    await opened(page)
    await page.keyboard.press("/")
    await page.keyboard.type("預算")
    count, chosen = page.get_by_test_id("find-count"), page.locator("mark.chosen")
    await expect(count).to_have_text("1 of 2")
    await expect(page.locator(".utterance mark")).to_have_count(2)
    await page.keyboard.press("Enter")
    await expect(count).to_have_text("2 of 2")
    await expect(page.locator(".utterance").nth(1).locator("mark.chosen")).to_have_text("預算")
    await page.get_by_test_id("find-next").click()
    await expect(count).to_have_text("1 of 2")
    await page.get_by_test_id("find-previous").click()
    await expect(count).to_have_text("2 of 2")
    await page.get_by_test_id("find").fill("BUDGET.")
    await expect(chosen).to_have_text("Budget.")
    await page.get_by_test_id("find").fill("(?")
    await expect(count).to_have_text("Not found")
    await page.keyboard.press("Escape")
    await expect(page.get_by_test_id("find")).to_have_value("")
    await expect(page.locator(".utterance mark")).to_have_count(0)
    await expect(count).to_be_hidden()


async def test_one_persons_words_alone(page: Page, talk: Any) -> None:
    await opened(page)
    rows = page.get_by_test_id("utterances").get_by_role("listitem").filter(visible=True)
    ann = page.get_by_test_id("speakers").get_by_role("button", name="Ann")
    await ann.click()
    await expect(ann).to_have_attribute("aria-pressed", "true")
    await expect(rows).to_have_count(2)
    await page.get_by_test_id("find").fill("預算")
    await expect(page.get_by_test_id("find-count")).to_have_text("Not found")
    await ann.click()
    await expect(rows).to_have_count(5)
    await expect(page.get_by_test_id("find-count")).to_have_text("1 of 2")


async def test_it_is_copied(page: Page, talk: Any, context: Any) -> None:
    await context.grant_permissions(["clipboard-read", "clipboard-write"])
    await opened(page)
    await page.get_by_test_id("speakers").get_by_role("button", name="Ann").click()
    await page.get_by_test_id("transcript-copy").click()
    await expect(page.get_by_test_id("transcript-copy")).to_have_text("Copied")
    copied = await page.evaluate("() => navigator.clipboard.readText()")
    assert copied == "[0:05] Ann：I agree with the Budget.\n[0:20] Ann：好，下一個。"


async def test_every_format_is_to_be_had(page: Page, talk: Any) -> None:
    await opened(page)
    await page.get_by_test_id("transcript-download").click()
    links = page.get_by_test_id("transcript-downloads").get_by_role("link")
    wanted = ["docx", "md", "txt", "srt", "vtt", "json"]
    hrefs = [f"{FOLDER}/j1/transcript.{kind}?download=1" for kind in wanted]
    assert await links.evaluate_all("(all) => all.map((each) => each.getAttribute('href'))") == hrefs
    await page.keyboard.press("Escape")
    await expect(links.nth(0)).to_be_hidden()
    await expect(page.get_by_test_id("transcript-download")).to_be_focused()


async def test_the_player_shows_what_is_said_as_captions(page: Page, talk: Any) -> None:
    await opened(page)
    await seek(page, 5.5)
    await page.get_by_test_id("captions").click()
    shown = "() => [...(document.querySelector('video').textTracks[0].activeCues ?? [])].map((cue) => cue.text)"
    await page.wait_for_function(f"() => ({shown})().length === 2")
    assert sorted(await page.evaluate(shown)) == ["<v Ann>I agree with the Budget.", "<v 王小明>預算有三個部分。"]


def long_talk(utterances: int) -> Transcript:
    said = [
        utterance(f"p{1 + n % 2}", n / 4, n / 4 + 0.2, f"第{n}句：{'說了很多話。' * (1 + n % 7)}")
        for n in range(utterances)
    ]
    return transcript(*said)


async def test_it_follows_until_somebody_scrolls(page: Page, site: Any, film: str, tmp_path: Path) -> None:
    answer(site, transcribed(site, tmp_path, film, long_talk(110)))
    await opened(page, 110)
    await seek(page, 20)
    row = page.locator(".utterance[data-index='80']")
    await expect(row).to_be_in_viewport()
    follow = page.get_by_test_id("follow")
    await expect(follow).to_be_hidden()
    await page.get_by_test_id("utterances").hover()
    await page.mouse.wheel(0, -50_000)
    await expect(follow).to_be_visible()
    await expect(page.locator(".utterance[data-index='0']")).to_be_in_viewport()
    await seek(page, 25)
    await expect(page.locator(".utterance[data-index='0']")).to_be_in_viewport()
    await expect(page.locator(".utterance[aria-current][data-index='100']")).to_have_count(1)
    await follow.click()
    await expect(page.locator(".utterance[data-index='100']")).to_be_in_viewport()
    await expect(follow).to_be_hidden()
    assert await page.evaluate("() => scrollY") == 0


async def test_three_hours_are_as_quick_as_three_minutes(page: Page, site: Any, film: str, tmp_path: Path) -> None:
    path = tmp_path / "transcript.json"
    write_transcript(path, long_talk(3000))
    site.files[f"{FOLDER}/j1/transcript.json"] = str(path)
    site.files[f"{FOLDER}/j1/meeting.mp4"] = film
    results = {"transcript": "results/j1/transcript.json", "video": "results/j1/meeting.mp4"}
    answer(site, job("j1", "done", DONE, request=WISH, results=results))
    await page.goto("/recordings/r1")
    await page.wait_for_function("() => document.querySelectorAll('.utterance').length === 3000")
    drawn = """() => [...document.querySelectorAll('.utterance')]
        .filter((row) => row.querySelector('p').checkVisibility({contentVisibilityAuto: true})).length"""
    assert await page.evaluate(drawn) < 300
    took_ms = """() => {
        const list = document.querySelector('vmeet-transcript-list');
        const began = performance.now();
        list.show(list.said);
        list.list.getBoundingClientRect();
        const shown = performance.now();
        list.mark(list.said.find('說'), 0);
        list.list.getBoundingClientRect();
        const found = performance.now();
        for (let time = 0; time < 750; time += 0.25) list.highlight(list.said.at(time));
        return [shown - began, found - shown, performance.now() - found];
    }"""
    took = await page.evaluate(took_ms)
    print("shown, found, and lit 3000 times in ms:", took)
    assert max(took) < 2000
    await page.get_by_test_id("find").fill("第2999句")
    # Waiting for an element has all of the page described again and again, which takes longer than all of this.
    await page.wait_for_function("() => document.querySelector('.count').textContent === '1 of 1'")
    seen = """() => {
        const box = document.querySelector('.utterances').getBoundingClientRect();
        const mark = document.querySelector(".utterance[data-index='2999'] mark").getBoundingClientRect();
        return mark.top >= box.top && mark.bottom <= box.bottom;
    }"""
    await page.wait_for_function(seen)


async def test_it_is_not_loaded_before_it_is_seen(page: Page, talk: Any) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    await page.set_viewport_size({"width": 400, "height": 120})
    await page.goto("/recordings/r1")
    await expect(page.get_by_test_id("title")).to_have_text("Talk")
    await page.evaluate("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
    assert not any("transcript.json" in url for url in asked)
    await page.locator("vmeet-transcript").scroll_into_view_if_needed()
    await expect(page.get_by_test_id("utterances").get_by_role("listitem")).to_have_count(5)


async def test_a_transcript_in_work_tells_how_far_it_is(page: Page, site: Any, talk: Any) -> None:
    steps = [step("transcribe", "Transcribe", "running", progress=0.4), step("transcript", "Transcript", "queued")]
    running = job("j1", "running", steps, request=WISH)
    answer(site, running, state="processing")
    await page.goto("/recordings/r1")
    await expect(page.get_by_test_id("transcript-making")).to_contain_text("Transcribe: 40%")
    assert await page.locator(".transcript-making progress").evaluate("(bar) => bar.value") == pytest.approx(0.2)
    answer(site, talk)
    site.events.put_nowait(("job", talk))
    await expect(page.get_by_test_id("utterances").get_by_role("listitem")).to_have_count(5)
    await expect(page.get_by_test_id("transcript-making")).to_be_hidden()


async def test_a_transcript_that_failed_says_why_and_is_tried_again(page: Page, site: Any) -> None:
    failed = job("j1", "failed", [step("transcribe", "Transcribe", "failed", error="no such model")], request=WISH)
    answer(site, failed, state="failed")
    site.answers["POST /api/jobs/j1/retry"] = (204, None)
    await page.goto("/recordings/r1")
    await expect(page.get_by_test_id("transcript-failed")).to_contain_text("no such model")
    async with page.expect_request("**/api/jobs/j1/retry"):
        await page.get_by_test_id("transcript-retry").click()


async def test_one_that_cannot_be_loaded_is_loaded_again(page: Page, site: Any, talk: Any) -> None:
    path = f"{FOLDER}/j1/transcript.json"
    there = site.files.pop(path)
    await page.goto("/recordings/r1")
    await expect(page.get_by_test_id("failure")).to_be_visible()
    site.files[path] = there
    await page.get_by_test_id("failure").get_by_role("button").click()
    await expect(page.get_by_test_id("utterances").get_by_role("listitem")).to_have_count(5)


async def test_nothing_said_is_said(page: Page, site: Any, film: str, tmp_path: Path) -> None:
    answer(site, transcribed(site, tmp_path, film, transcript()))
    await page.goto("/recordings/r1")
    await expect(page.get_by_test_id("transcript-empty")).to_have_text("Nothing was said.")
    await expect(page.get_by_test_id("find")).to_be_hidden()


async def test_where_there_is_none_one_can_ask_for_it(page: Page, site: Any) -> None:
    answer(site, job("j1", "done", [], request={"denoiser": "dtln", "options": {}}))
    site.answers["GET /api/choices"] = (200, CHOICES)
    site.answers["POST /api/recordings/r1/jobs"] = (201, job("j2", "queued", []))
    await page.goto("/recordings/r1")
    await page.get_by_test_id("transcribe").click()
    await expect(page.get_by_test_id("choice-language")).to_have_value("zh")
    await page.get_by_test_id("choice-language").select_option("en")
    await page.get_by_test_id("choice-numbers").select_option("digits")
    await page.get_by_test_id("choice-transcribe_from").select_option("denoised")
    await page.get_by_test_id("again-start").click()
    await expect(page.get_by_role("log")).to_contain_text("Processing has started.")
    assert site.bodies["POST /api/recordings/r1/jobs"] == {
        "denoiser": "dtln",
        "transcriber": "whisper",
        "language": "en",
        "script": "simplified",
        "numbers": "digits",
        "transcribe_from": "denoised",
        "options": {"dtln": {}, "whisper": {}},
    }


async def test_while_it_is_recorded_nobody_can_ask(page: Page, site: Any) -> None:
    answer(site, state="recording", duration_s=None)
    site.answers["GET /api/choices"] = (200, CHOICES)
    async with page.expect_response("**/api/choices"):
        await page.goto("/recordings/r1")
    await expect(page.get_by_test_id("no-video")).to_be_visible()
    await expect(page.locator("vmeet-transcript")).to_be_hidden()
    answer(site)
    site.events.put_nowait(("recording", recording("r1", "Talk", "ready")))
    await expect(page.get_by_test_id("transcribe")).to_be_visible()


@pytest.mark.parametrize("without", ["fields", "providers"])
async def test_without_a_transcriber_nothing_speaks_of_one(page: Page, site: Any, without: str) -> None:
    answer(site, job("j1", "done", []))
    changed = {"fields": ["denoiser", "layout"]} if without == "fields" else {"providers": {"transcribers": []}}
    site.answers["GET /api/choices"] = (200, CHOICES | changed)
    async with page.expect_response("**/api/choices"):
        await page.goto("/recordings/r1")
    await expect(page.locator("vmeet-transcript")).to_be_hidden()
    await page.get_by_test_id("again").click()
    await expect(page.get_by_test_id("again-start")).to_be_visible()
    await expect(page.get_by_test_id("choice-transcriber")).to_have_count(0)
    await expect(page.get_by_test_id("choice-language")).to_be_hidden()


async def test_what_the_server_does_not_act_on_is_not_asked(page: Page, site: Any) -> None:
    answer(site, job("j1", "done", []))
    site.answers["GET /api/choices"] = (200, CHOICES | {"fields": ["transcriber", "script"]})
    site.answers["POST /api/recordings/r1/jobs"] = (201, job("j2", "queued", []))
    await page.goto("/recordings/r1")
    await page.get_by_test_id("transcribe").click()
    await expect(page.get_by_test_id("choice-script")).to_be_visible()
    await expect(page.get_by_test_id("choice-numbers")).to_be_hidden()
    await expect(page.get_by_test_id("choice-language")).to_be_hidden()
    await page.get_by_test_id("again-start").click()
    await expect(page.get_by_role("log")).to_contain_text("Processing has started.")
    sent = site.bodies["POST /api/recordings/r1/jobs"]
    assert sent == {"denoiser": None, "transcriber": "whisper", "script": "simplified", "options": {"whisper": {}}}


async def test_the_sound_to_transcribe_is_asked_for_where_there_are_two(page: Page, site: Any) -> None:
    answer(site, job("j1", "done", [], request=WISH))
    site.answers["GET /api/choices"] = (200, CHOICES)
    site.answers["POST /api/recordings/r1/jobs"] = (201, job("j2", "queued", []))
    await page.goto("/recordings/r1")
    await page.get_by_test_id("again").click()
    await expect(page.get_by_test_id("choice-language")).to_have_value("zh")
    await expect(page.get_by_test_id("choice-transcribe_from")).to_be_hidden()
    await page.get_by_label("DTLN").check()
    await expect(page.get_by_test_id("choice-transcribe_from")).to_be_visible()
    await page.get_by_test_id("choice-transcriber").get_by_label("None").check()
    await expect(page.get_by_test_id("choice-language")).to_be_hidden()
    await page.get_by_test_id("again-start").click()
    await expect(page.get_by_role("log")).to_contain_text("Processing has started.")
    assert site.bodies["POST /api/recordings/r1/jobs"] == {"denoiser": "dtln", "options": {"dtln": {}}}


async def test_an_upload_tells_how_it_is_to_be_written_down(blank: Page, site: Any) -> None:
    script = """async (wish) => {
        const { TusUpload } = await import('/static/js/tus-upload.js');
        new TusUpload(new File(['x'], 'a.mp4'), {title: 'Talk', options: {}, ...wish}).start();
    }"""
    speech = {"transcriber": "whisper", "language": "zh", "script": "simplified"}
    for wish, sent in (({"denoiser": "dtln", **speech}, speech), ({"language": "zh"}, {})):
        async with blank.expect_request("**/api/uploads") as asked:
            await blank.evaluate(script, wish)
        pairs = [pair.split(" ") for pair in (await (await asked.value).all_headers())["upload-metadata"].split(",")]
        told = {key: base64.b64decode(value).decode() for key, value in pairs}
        assert {key: told[key] for key in told.keys() & {*speech, "numbers"}} == sent
        assert told["denoiser"] == wish.get("denoiser", "none")


async def test_each_version_has_its_transcript_and_others_can_be_looked_at(
    page: Page, site: Any, film: str, tmp_path: Path
) -> None:
    first = transcribed(site, tmp_path, film, SAID)
    other = transcript(utterance("p1", 1, 3, "枣安。"), script="simplified")
    request = WISH | {"transcriber": "asrt", "script": "simplified"}
    second = transcribed(site, tmp_path, film, other, "j2", request=request, created_at_s=1.8e9)
    plain = second | {"id": "j3", "request": {"denoiser": "dtln", "options": {}}, "created_at_s": 1.81e9}
    plain["results"] = {"video": second["results"]["video"]}
    answer(site, first, second, plain)
    await page.goto("/recordings/r1")
    rows = page.get_by_test_id("utterances").get_by_role("listitem")
    await expect(rows).to_have_count(1)
    await expect(page.get_by_test_id("transcript-version").locator("option").nth(0)).to_contain_text(
        "asrt (Simplified) · "
    )
    await page.get_by_test_id("version").select_option("j1")
    await expect(rows).to_have_count(5)
    await expect(page.get_by_test_id("transcript-version")).to_have_value("j1")
    await page.get_by_test_id("transcript-version").select_option("j2")
    await expect(rows).to_have_count(1)
    await expect(page.locator("track[kind=captions]")).to_have_attribute("src", f"{FOLDER}/j2/transcript.vtt")
    await expect(page.get_by_test_id("version")).to_have_value("j1")


async def test_two_transcripts_are_compared(page: Page, site: Any, film: str, tmp_path: Path) -> None:
    first = transcribed(site, tmp_path, film, SAID)
    heard = transcript(
        utterance("p1", 1.1, 3, "棗安 今天討論預算"),
        utterance("p2", 5, 7.2, "I agree with a budget", "en"),
        utterance("p1", 16, 17, "多餘的話。"),
    )
    second = transcribed(site, tmp_path, film, heard, "j2", request=WISH | {"transcriber": "asrt"}, created_at_s=1.8e9)
    answer(site, first, second)
    await opened(page, 3)
    await page.get_by_test_id("transcript-compare").select_option("j1")
    dialog = page.get_by_test_id("compare-dialog")
    rows = dialog.locator(".compared-row")
    await expect(rows).to_have_count(1 + 6)
    await expect(rows.nth(0)).to_have_text("asrtwhisper")
    assert await rows.nth(1).locator("p").all_text_contents() == ["棗安 今天討論預算", "早安，今天討論預算。"]
    assert await rows.nth(1).locator("mark").all_text_contents() == ["棗", "早"]
    assert await rows.nth(3).locator("mark").all_text_contents() == ["a", "the"]
    assert await rows.nth(5).locator("p").all_text_contents() == ["多餘的話。", ""]
    await expect(dialog.get_by_test_id("compared-same")).to_have_text("46% of the characters are the same.")  # 23 of 50
    await rows.nth(5).get_by_role("button").click()
    await expect(dialog).to_have_count(0)
    await page.wait_for_function("() => document.querySelector('video').currentTime >= 16")


async def test_files_of_each_person_keep_the_transcriber(page: Page, site: Any, talk: Any) -> None:
    site.answers["POST /api/recordings/r1/jobs"] = (201, talk)
    made = [
        {
            "name": name,
            "title": path.rpartition("/")[2],
            "job_id": "j1",
            "url": path,
            "size_bytes": 9,
            "type": "text/plain",
        }
        for name, path in talk["results"].items()
    ]
    answer(site, talk, files=made)
    await opened(page)
    titles = await page.get_by_test_id("files").locator(".file-name > span:first-child").all_text_contents()
    assert titles[:3] == ["Video", "Minutes (Word)", "Minutes (Markdown)"]
    await page.get_by_test_id("person-files").click()
    await expect(page.get_by_test_id("person-files")).to_be_enabled()
    assert site.bodies["POST /api/recordings/r1/jobs"] == WISH | {"files": "per-person"}


async def test_names_beside_the_transcript_can_be_read_on_their_grounds(page: Page, talk: Any) -> None:
    """Those of the eight colours, light and dark."""
    script = """() => {
        const luminance = (colour) => {
            const parts = colour.match(/[0-9.]+/g).slice(0, 3).map((part) => part / 255)
                .map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4));
            return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2];
        };
        const shown = (name) => {
            const probe = document.createElement('i');
            document.body.append(probe);
            probe.style.color = `var(--${name})`;
            return getComputedStyle(probe).color;
        };
        const contrasts = [];
        for (const ground of ['surface', 'sunken', 'accent-soft']) for (let index = 0; index < 8; index += 1) {
            const [high, low] = [luminance(shown(`speaker-${index}`)), luminance(shown(ground))].sort((a, b) => b - a);
            contrasts.push((high + 0.05) / (low + 0.05));
        }
        return Math.min(...contrasts);
    }"""
    await opened(page)
    for scheme in ("light", "dark"):
        await page.emulate_media(color_scheme=scheme)
        assert await page.evaluate(script) >= 4.5, scheme


@pytest.mark.parametrize("context_options", [{"locale": "zh-TW", "viewport": {"width": 360, "height": 740}}])
async def test_on_a_phone_in_chinese(page: Page, talk: Any) -> None:
    await opened(page)
    await expect(page.locator("vmeet-transcript h2")).to_have_text("逐字稿")
    await page.get_by_test_id("transcript-download").click()
    await expect(page.get_by_test_id("transcript-downloads")).to_contain_text("Word 會議記錄（DOCX）")
    below = """() => document.querySelector('vmeet-transcript').getBoundingClientRect().top
        - document.querySelector('vmeet-player').getBoundingClientRect().bottom"""
    assert 0 <= await page.evaluate(below) < 60
    wide = """() => [...document.querySelectorAll('main *')]
        .filter((each) => each.getBoundingClientRect().right > document.documentElement.clientWidth
            || each.getBoundingClientRect().left < 0)
        .map((each) => each.outerHTML.slice(0, 80))"""
    assert await page.evaluate(wide) == []


async def test_it_changes_its_language(page: Page, talk: Any) -> None:
    await opened(page)
    await page.get_by_test_id("find").fill("預算")
    await expect(page.get_by_test_id("find-count")).to_have_text("1 of 2")
    await page.get_by_test_id("language").click()
    await expect(page.get_by_test_id("find-count")).to_have_text("第 1 處，共 2 處")
    await expect(page.get_by_test_id("transcript-about")).to_have_text("whisper · 繁體（臺灣）")
    await expect(page.get_by_role("button", name="從 0:10 播放")).to_be_visible()
