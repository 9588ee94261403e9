"""What the pages say of recordings that go by themselves, and how one is kept or taken away."""

from typing import Any

import pytest
from playwright.async_api import Page, expect

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]
LATER_S = 4e9  # in 2096


def recording(**changes: Any) -> dict[str, Any]:
    known = {
        "id": "r1",
        "meeting_id": "m",
        "title": "Talk",
        "started_at_s": 1.79e9,
        "duration_s": 95,
        "people": ["Ann"],
    }
    rest = {"thumbnail": None, "size_bytes": 2_000_000, "job": None, "jobs": [], "files": [], "state": "recorded"}
    return {**known, **rest, "kept": False, "expires_at_s": None, "upload": None, **changes}


def rules(site: Any, *, age: int = 0, size: int = 0, following: dict[str, Any] | None = None) -> None:
    known = {"max_age_days": age, "max_total_bytes": size, "total_bytes": 12_000_000_000, "next": following}
    site.answers["GET /api/retention"] = (200, known)


def following(reason: str, at_s: float | None) -> dict[str, Any]:
    return {"id": "r1", "title": "Talk", "reason": reason, "at_s": at_s}


async def test_without_rules_nothing_is_said(page: Page, site: Any) -> None:
    site.answers["GET /api/recordings"] = (200, {"recordings": [recording()]})
    await page.goto("/recordings")
    await expect(page.get_by_test_id("upload-button")).to_be_visible()
    await expect(page.locator("vmeet-retention")).to_be_hidden()
    site.answers["GET /api/recordings/r1"] = (200, recording())
    await page.goto("/recordings/r1")
    await expect(page.get_by_test_id("keep")).to_have_attribute("aria-pressed", "false")
    await expect(page.get_by_text("Deletion")).to_have_count(0)


@pytest.mark.parametrize(
    ("age", "size", "reason", "at_s", "words"),
    [
        (1, 0, "age", LATER_S, ["deleted 1 day after they end", "Next, on", "2096"]),
        (30, 0, "age", 1.0, ["deleted 30 days after they end", "Next, in a few minutes:"]),
        (0, 50_000_000_000, "size", None, ["more than 50 GB (now 12 GB)", "Next, when room is needed:"]),
    ],
)
async def test_the_list_says_what_goes_next_and_why(
    page: Page, site: Any, age: int, size: int, reason: str, at_s: float | None, words: list[str]
) -> None:
    site.answers["GET /api/recordings"] = (200, {"recordings": [recording()]})
    rules(site, age=age, size=size, following=following(reason, at_s))
    await page.goto("/recordings")
    note = page.get_by_test_id("retention")
    for each in words:
        await expect(note).to_contain_text(each)
    await expect(note.get_by_role("link", name="Talk")).to_have_attribute("href", "/recordings/r1")
    await page.get_by_test_id("language").click()
    await expect(note).to_contain_text("下一部")


@pytest.mark.parametrize(
    ("age", "size", "changes", "reason", "words"),
    [
        (30, 0, {"expires_at_s": LATER_S}, "age", "By itself on"),
        (0, 10, {}, "size", "the next to be deleted when room is needed"),
        (0, 10, {"id": "r2"}, "size", "when room is needed and it is the oldest"),
        (30, 0, {"kept": True}, "age", "Kept: it is never deleted by itself."),
    ],
)
async def test_the_page_of_a_recording_says_when_it_goes(
    page: Page, site: Any, age: int, size: int, changes: dict[str, Any], reason: str, words: str
) -> None:
    shown = recording(**changes)
    site.answers[f"GET /api/recordings/{shown['id']}"] = (200, shown)
    rules(site, age=age, size=size, following=following(reason, LATER_S))
    await page.goto(f"/recordings/{shown['id']}")
    await expect(page.locator("dl.facts")).to_contain_text(words)


async def test_keeping_by_keyboard(page: Page, site: Any) -> None:
    site.answers["GET /api/recordings/r1"] = (200, recording())
    site.answers["PATCH /api/recordings/r1"] = (200, recording(kept=True))
    await page.goto("/recordings/r1")
    keep = page.get_by_role("button", name="Keep")
    await expect(keep).to_have_attribute("aria-pressed", "false")
    site.answers["GET /api/recordings/r1"] = (200, recording(kept=True))
    await keep.press("Space")
    await expect(keep).to_have_attribute("aria-pressed", "true")
    await expect(keep).to_be_focused()
    assert site.bodies["PATCH /api/recordings/r1"] == {"kept": True}
    site.answers["PATCH /api/recordings/r1"] = (404, {"error": {"code": "unknown-recording", "message": "gone"}})
    await keep.press("Space")
    await expect(page.get_by_role("log")).to_contain_text("does not exist")


async def test_an_uploaded_file_and_the_export_can_be_had(page: Page, site: Any) -> None:
    upload = {"filename": "週會.mp4", "url": "/api/recordings/r1/files/upload/original.mp4", "size_bytes": 5_000_000}
    shown = recording(upload=upload, people=[], meeting_id=None)
    site.answers["GET /api/recordings/r1"] = (200, shown)
    site.answers["GET /api/recordings"] = (200, {"recordings": [shown]})
    await page.goto("/recordings/r1")
    await expect(page.get_by_role("link", name="週會.mp4")).to_have_attribute("href", upload["url"])
    await expect(page.get_by_test_id("export")).to_have_attribute("href", "/api/recordings/r1/export")
    await expect(page.locator("dl.facts")).not_to_contain_text("People")
    await page.goto("/recordings")
    await expect(page.get_by_test_id("recording")).to_contain_text("Uploaded: 週會.mp4")


async def test_a_running_recording_cannot_be_exported(page: Page, site: Any) -> None:
    site.answers["GET /api/recordings/r1"] = (200, recording(state="recording", duration_s=None))
    await page.goto("/recordings/r1")
    await expect(page.get_by_test_id("title")).to_have_text("Talk")
    await expect(page.get_by_test_id("export")).to_be_hidden()


async def test_unfinished_uploads_of_others_are_shown(page: Page, site: Any) -> None:
    known = {"id": "u1", "filename": "a.mp4", "title": "A", "length_bytes": 100, "offset_bytes": 40, "modified_ms": 5}
    unfinished = known | {"expires_at_s": LATER_S, "state": "waiting"}
    site.answers["GET /api/recordings"] = (200, {"recordings": []})
    site.answers["GET /api/uploads"] = (200, {"uploads": [unfinished], "max_bytes": 1000})
    await page.goto("/recordings")
    row = page.get_by_test_id("upload")
    await expect(row).to_contain_text("Interrupted at 40%. Choose “a.mp4” again")
    site.events.put_nowait(("upload", unfinished | {"state": "receiving", "offset_bytes": 60}))
    await expect(row).to_contain_text("60%), sent from another page")
    await expect(row.get_by_test_id("upload-choose")).to_have_count(0)
    site.events.put_nowait(("upload", unfinished | {"state": "checking", "offset_bytes": 100}))
    await expect(row).to_contain_text("The server is looking at the file")
    site.events.put_nowait(("upload-deleted", {"id": "u1", "reason": "no-media", "message": "it is a text"}))
    await expect(row).to_have_count(0)
    await expect(page.get_by_role("log")).to_contain_text("it is a text")
    large = {"name": "big.mp4", "mimeType": "video/mp4", "buffer": bytes(1001)}
    await page.get_by_test_id("upload-file").set_input_files(large)
    await expect(page.get_by_role("log")).to_contain_text("“big.mp4” is too large. A file may have 1 kB.")


async def test_a_server_that_takes_none_has_no_button(page: Page, site: Any) -> None:
    site.answers["GET /api/recordings"] = (200, {"recordings": []})
    site.answers["GET /api/uploads"] = (200, {"uploads": [], "max_bytes": 0})
    rules(site, age=5)
    await page.goto("/recordings")
    await expect(page.get_by_test_id("retention")).to_be_visible()
    await expect(page.get_by_test_id("upload-button")).to_be_hidden()
