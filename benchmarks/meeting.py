"""A meeting of three real browsers, recorded: pictures a second, sound, the server's delay, and the recording's truth.

    python benchmarks/meeting.py --seconds 60

Prints one JSON object as its last line. Everything runs on this machine, so the browsers compete with the server.
"""

import argparse
import asyncio
import json
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import av
import browsers
import flash_and_beep
from playwright.async_api import Page

NAMES = ("王小明", "Ben", "Carla")
SYNC_S = 12


async def meet(folder: Path, media: tuple[Path, Path], seconds: float, presets: str) -> dict[str, Any]:
    """Three people, recorded for so long; what each received, and what the recording holds."""
    server = browsers.Server(folder, presets)
    await server.start()
    try:
        async with browsers.browser(media) as chromium:
            meeting = server.new_meeting()
            pages = [await browsers.new_page(chromium) for _ in NAMES]
            for page, name in zip(pages, NAMES, strict=True):
                await browsers.enter(page, server.url + meeting["url"], name, meeting if name == NAMES[0] else None)
            await asyncio.sleep(5)
            received, lasted_s, stats = await measure(server, pages, seconds)
            for page in pages:
                await page.get_by_test_id("leave").click()
            ended_s = time.monotonic()
            found = await browsers.finished(server, timeout_s=10 * seconds + 60)
            recording = describe(server, found, lasted_s)
            recording["ready_after_s"] = round(time.monotonic() - ended_s, 1)
            recording["plays_in_chromium"] = await plays(pages[0], server, found)
    finally:
        server.stop()
    return {**received, **stats, "recording": recording}


async def measure(server: browsers.Server, pages: list[Page], seconds: float) -> tuple[dict[str, Any], float, Any]:
    """Decoded pictures a second and audio level of each person at each receiver, while a recording runs."""
    recording = asyncio.create_task(browsers.record(pages[0], seconds))
    await asyncio.sleep(1)
    before = [await browsers.stats(page) for page in pages]
    began_s, levels = time.monotonic(), [0.0] * len(pages)
    while time.monotonic() - began_s < seconds - 3:
        await asyncio.sleep(1)
        for index, page in enumerate(pages):
            heard = [person["audioLevel"] for person in (await browsers.stats(page)).values()]
            levels[index] = max(levels[index], *heard)
    lasted_s = time.monotonic() - began_s
    after = [await browsers.stats(page) for page in pages]
    stats = await asyncio.to_thread(server.get, "/api/stats")
    fps = [
        round((now[person]["framesDecoded"] - then[person]["framesDecoded"]) / lasted_s, 1)
        for then, now in zip(before, after, strict=True)
        for person in now
    ]
    kept = {key: round(value, 3) for key, value in stats.items() if key.endswith("_ms")}
    return {"fps": fps, "fps_min": min(fps), "audio_level_max": levels}, await recording, kept


def describe(server: browsers.Server, found: dict[str, Any], lasted_s: float) -> dict[str, Any]:
    """Length and people of the recording against the truth."""
    video = browsers.result(server, found, "video")
    with av.open(str(video)) as container:
        length_s = (container.duration or 0) / 1e6
    return {
        "length_s": round(length_s, 2),
        "length_error_s": round(length_s - lasted_s, 2),
        "people": found["people"],
        "everyone": sorted(found["people"]) == sorted(NAMES),
    }


async def plays(page: Page, server: browsers.Server, found: dict[str, Any]) -> bool:
    """Whether the recordings page plays it."""
    await page.goto(f"{server.url}/recordings/{found['id']}")
    player = page.locator("video")
    await player.evaluate("video => { video.muted = true; return video.play(); }")
    await asyncio.sleep(3)
    return bool(await player.evaluate("video => video.currentTime > 1 && video.videoWidth > 0 && !video.error"))


async def sync(folder: Path, media: tuple[Path, Path]) -> float:
    """Milliseconds by which the sound of a recorded flash and beep comes after its picture."""
    server = browsers.Server(folder, "[meetings.default]\n")
    await server.start()
    try:
        async with browsers.browser(media) as chromium:
            meeting = server.new_meeting()
            page = await browsers.new_page(chromium, flash_and_beep.FLASH_AND_BEEP)
            await browsers.enter(page, server.url + meeting["url"], "Anna", meeting)
            await asyncio.sleep(2)
            await browsers.record(page, SYNC_S)
            found = await browsers.finished(server)
            video = browsers.result(server, found, "video")
            return round(1000 * flash_and_beep.offset_s(video, at_least=SYNC_S - 2), 1)
    finally:
        server.stop()


async def run(seconds: float, presets: str) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        media = browsers.make_media(folder)
        for part in ("meeting", "sync"):
            (folder / part).mkdir()
        measured = await meet(folder / "meeting", media, seconds, presets)
        measured["recording"]["sound_after_picture_ms"] = await sync(folder / "sync", media)
    return measured


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=60, help="length of the recorded meeting")
    parser.add_argument("--denoiser", default="", help="a denoiser for the recording, such as dtln")
    args = parser.parse_args()
    denoiser = f'denoiser = "{args.denoiser}"\n' if args.denoiser else ""
    print(json.dumps(asyncio.run(run(args.seconds, f"[meetings.default]\n{denoiser}")), ensure_ascii=False))
    return 0


if __name__ == "__main__":
    sys.exit(main())
