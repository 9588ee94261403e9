"""The client's pages in a real Chromium, served with canned answers: what the page does with any answer is the test."""

import asyncio
import json
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import av
import browsers
import numpy as np
import pytest
import pytest_asyncio
from aiohttp import web
from playwright.async_api import Browser, BrowserContext, Page, async_playwright

from vmeet_core.server.app import PAGES, POLICY, WEB

ARGS = [
    "--use-fake-device-for-media-stream",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--no-first-run",
]
ALLOWED = "--use-fake-ui-for-media-stream"  # or else the browser without a surface has no camera at all
FILM_S, FILM_FPS = 30, 5
BLANK = '<!doctype html><html lang="en"><meta charset="utf-8"><title>blank</title><body></body></html>'
SocketHandler = Callable[[web.WebSocketResponse], Awaitable[None]]


class Site:
    """Serves the client as the server does; ``answers`` maps "GET /api/…", best with its query, to (status, JSON)."""

    def __init__(self) -> None:
        self.url = ""
        no_rules = {"max_age_days": 0, "max_total_bytes": 0, "total_bytes": 0, "next": None}
        self.answers: dict[str, tuple[int, Any]] = {
            "GET /api/uploads": (200, {"uploads": [], "max_bytes": 20_000_000_000}),
            "GET /api/retention": (200, no_rules),
        }
        self.bodies: dict[str, Any] = {}
        self.files: dict[str, str] = {}
        self.events: asyncio.Queue[tuple[str, Any]] = asyncio.Queue()
        self.on_socket: SocketHandler | None = None

    def application(self) -> web.Application:
        """The routes of the real server."""
        app = web.Application()
        app.router.add_static("/static", WEB)
        app.router.add_get("/blank", self._blank)
        app.router.add_get("/api/events", self._events)
        app.router.add_get("/api/meetings/{id}/socket", self._socket)
        app.router.add_route("*", "/api/{path:.*}", self._api)
        for route, page in PAGES.items():
            app.router.add_get(route, self._page(page))
        app.on_response_prepare.append(self._policy)
        return app

    async def _policy(self, request: web.Request, response: web.StreamResponse) -> None:
        response.headers["Content-Security-Policy"] = POLICY

    def _page(self, name: str) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        async def answer(request: web.Request) -> web.StreamResponse:
            return web.FileResponse(WEB / name)

        return answer

    async def _blank(self, request: web.Request) -> web.Response:
        return web.Response(text=BLANK, content_type="text/html")

    async def _api(self, request: web.Request) -> web.StreamResponse:
        if request.path in self.files:
            return web.FileResponse(self.files[request.path])
        wanted = f"{request.method} {request.path}"
        if request.can_read_body:
            sent_json = request.content_type == "application/json"
            self.bodies[wanted] = await request.json() if sent_json else await request.read()
        missing = (404, {"error": {"code": "absent", "message": f"no answer for {wanted}"}})
        status, body = self.answers.get(
            f"{wanted}?{request.rel_url.raw_query_string}", self.answers.get(wanted, missing)
        )
        return web.Response(status=204) if status == 204 else web.json_response(body, status=status)

    async def _events(self, request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        while True:
            name, body = await self.events.get()
            if not name:
                return response
            await response.write(f"event: {name}\ndata: {json.dumps(body)}\n\n".encode())

    async def _socket(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        if self.on_socket is not None:
            await self.on_socket(socket)
        return socket


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def chromium() -> AsyncIterator[Browser]:
    async with launched(browsers.page_browser_path(), ALLOWED) as browser:
        yield browser


@asynccontextmanager
async def launched(path: str | None, *more: str) -> AsyncIterator[Browser]:
    """Ends with it; without any browser the test is skipped, in CI failed."""
    if path is None:
        if os.environ.get("CI"):
            pytest.fail("Chromium is not installed, and CI does without no test")
        pytest.skip("Chromium is not installed; on Debian: apt-get install chromium")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=path, args=[*ARGS, *more])
        yield browser
        await browser.close()


@pytest_asyncio.fixture(loop_scope="session")
async def site() -> AsyncIterator[Site]:
    site = Site()
    runner = web.AppRunner(site.application(), shutdown_timeout=0.1)
    await runner.setup()
    listener = web.TCPSite(runner, "127.0.0.1", 0)
    await listener.start()
    site.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield site
    site.events.put_nowait(("", None))
    await runner.cleanup()


@pytest.fixture
def context_options() -> dict[str, Any]:
    """Overridden by tests that want another language, size or set of permissions."""
    return {"locale": "en-US", "permissions": ["camera", "microphone"], "reduced_motion": "reduce"}


@pytest_asyncio.fixture(loop_scope="session")
async def context(chromium: Browser, site: Site, context_options: dict[str, Any]) -> AsyncIterator[BrowserContext]:
    context = await chromium.new_context(base_url=site.url, **context_options)
    context.set_default_timeout(10_000)
    yield context
    await context.close()


@pytest_asyncio.fixture(loop_scope="session")
async def page(context: BrowserContext) -> AsyncIterator[Page]:
    """A page that ``watched`` looks after."""
    async with watched(await context.new_page()) as page:
        yield page


@pytest_asyncio.fixture(loop_scope="session")
async def asking_page(site: Site) -> AsyncIterator[Page]:
    """Of a whole browser, in which a camera and a microphone that were not allowed are denied."""
    async with launched(browsers.chromium_path()) as browser:
        page = await browser.new_page(base_url=site.url, locale="en-US", reduced_motion="reduce")
        page.set_default_timeout(10_000)
        async with watched(page):
            yield page


@asynccontextmanager
async def watched(page: Page) -> AsyncIterator[Page]:
    """Uncaught errors of the page, and breaches of the content policy, fail the test."""
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("console", lambda message: faults.append(message.text) if "Content Security" in message.text else None)
    yield page
    assert not faults


@pytest_asyncio.fixture(loop_scope="session")
async def blank(page: Page) -> Page:
    """A page without content, for tests of single modules."""
    await page.goto("/blank")
    return page


@pytest.fixture(scope="session")
def film(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A short film with sound that Chromium plays."""
    path = tmp_path_factory.mktemp("film") / "meeting.mp4"
    with av.open(str(path), "w", options={"movflags": "faststart"}) as container:
        picture = container.add_stream("libx264", rate=FILM_FPS)
        picture.width, picture.height, picture.pix_fmt = 64, 36, "yuv420p"
        for number in range(FILM_S * FILM_FPS):
            image = np.full((36, 64, 3), number % 255, np.uint8)
            container.mux(picture.encode(av.VideoFrame.from_ndarray(image)))
        container.mux(picture.encode(None))
    return str(path)
