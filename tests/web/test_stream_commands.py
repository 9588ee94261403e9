"""web/js/stream-commands.js writes commands that a shell takes as they stand."""

import shlex
from typing import Any

import pytest
from meeting_room import STREAMS
from playwright.async_api import Page

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]
WRITE = """async (access) => {
    const { streamCommands } = await import('/static/js/stream-commands.js');
    return streamCommands(access, 'https://meet.example');
}"""


async def commands(page: Page, **changes: str) -> dict[str, Any]:
    written: dict[str, Any] = await page.evaluate(WRITE, {**STREAMS, **changes})
    return written


def words(command: dict[str, str]) -> list[str]:
    return shlex.split(command["whole"].replace("\\\n", " "))


async def test_addresses_are_of_this_server(blank: Page) -> None:
    written = await commands(blank)
    assert written["whipUrl"] == "https://meet.example/whip/abcd"
    assert written["whepUrl"] == "https://meet.example/whep/abcd"


async def test_the_token_is_only_in_what_is_copied(blank: Page) -> None:
    written = await commands(blank, whip_token="it's a 'secret'")
    for name in ("publishGstreamer", "publishFfmpeg"):
        assert "secret" not in written[name]["shown"]
        assert "TOKEN" in written[name]["shown"]
    assert "it's a 'secret'" in words(written["publishFfmpeg"])
    assert "signaller::auth-token=it's a 'secret'" in words(written["publishGstreamer"])
    assert "signaller::auth-token=watch-token" in words(written["watchGstreamer"])


async def test_no_command_makes_b_frames(blank: Page) -> None:
    written = await commands(blank)
    ffmpeg = words(written["publishFfmpeg"])
    assert ffmpeg[ffmpeg.index("-bf") + 1] == "0"
    assert ffmpeg[-1] == written["whipUrl"]
    assert "bframes=0" in words(written["publishGstreamer"])
