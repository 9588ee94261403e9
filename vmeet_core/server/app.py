"""Puts the server together: ``build_app`` for tests and other hosts, ``run`` for the command line."""

import asyncio
import contextlib
import gc
import hmac
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

from aiohttp import web
from pydantic import BaseModel, Field

import vmeet_core
from vmeet_core.database import Address, Database, DatabaseUnavailable, sqlite_address
from vmeet_core.hookspecs import Permanent
from vmeet_core.plugins import Registry
from vmeet_core.server.access import COOKIE, access_key, guard, is_always_asked, is_loopback, proof
from vmeet_core.server.api_meetings import MeetingsApi
from vmeet_core.server.api_pictures import PicturesApi
from vmeet_core.server.api_recordings import RecordingsApi
from vmeet_core.server.api_streams import StreamsApi
from vmeet_core.server.api_uploads import UploadsApi
from vmeet_core.server.errors import ApiError, errors, read_body
from vmeet_core.server.export import Exports
from vmeet_core.server.hall import Hall
from vmeet_core.server.keeper import Keeper
from vmeet_core.server.metrics import CONTENT_TYPE, Metrics
from vmeet_core.server.uploads import Uploads
from vmeet_core.settings import Settings
from vmeet_core.sfu import rtc
from vmeet_core.sfu.network import Network

logger = logging.getLogger(__name__)
WEB = Path(vmeet_core.__file__).parent / "web"
DATABASE = "vmeet.sqlite3"
HALL: web.AppKey[Hall] = web.AppKey("hall", Hall)  #: where an embedding program finds the meetings
KEEPER: web.AppKey[Keeper] = web.AppKey("keeper", Keeper)  #: and who deletes old recordings
UPLOADS: web.AppKey[Uploads] = web.AppKey("uploads", Uploads)  #: and the unfinished uploads
NETWORK: web.AppKey[Network] = web.AppKey("network", Network)  #: and the one UDP port of them all
POLICY = (
    "default-src 'self'; media-src 'self' blob:; img-src 'self' blob: data:; connect-src 'self'; "
    "frame-ancestors 'none'; base-uri 'none'; form-action 'self'"
)
PAGES = {
    "/": "index.html",
    "/m/{id}": "meeting.html",
    "/recordings": "recordings.html",
    "/recordings/{id}": "recording.html",
}


class ServerError(Permanent):
    """The server cannot start; the text says why and what to do."""


class Key(BaseModel):
    """Body of ``POST /api/login``."""

    key: str = Field(max_length=256)


def build_app(settings: Settings, registry: Registry) -> web.Application:
    """The whole server as an aiohttp application; nothing runs and no database is opened before its start-up.

    The access key is made here where there is none.
    """
    key = access_key(settings)
    metrics = Metrics()
    network = Network(settings.server.udp_range, settings.server.public_address)
    hall = Hall(settings, registry, network, metrics.traffic)
    uploads, exports = Uploads(hall), Exports(hall)
    keeper = Keeper(hall, exports.in_use)
    app = web.Application(middlewares=[errors, guard(key, is_always_asked(settings))], client_max_size=256 * 1024)

    async def life(app: web.Application) -> AsyncIterator[None]:
        async with (
            _opened(network),
            _database(settings) as database,
            hall.running(database),
            uploads.running(database),
            keeper.running(),
        ):
            probe = asyncio.create_task(metrics.watch_loop())
            yield
            probe.cancel()
            exports.close()

    async def end_everything(app: web.Application) -> None:
        hall.events.close()
        await uploads.stop()
        await hall.close_meetings()

    app[HALL], app[NETWORK], app[KEEPER], app[UPLOADS] = hall, network, keeper, uploads
    app.cleanup_ctx.append(life)
    app.on_shutdown.append(end_everything)
    app.on_response_prepare.append(_security_headers)
    MeetingsApi(settings, registry, hall).add_to(app)
    PicturesApi(settings, hall).add_to(app)
    RecordingsApi(registry, hall, keeper, exports).add_to(app)
    UploadsApi(registry, hall, uploads).add_to(app)
    StreamsApi(settings, hall, network).add_to(app)
    _add_server_routes(app, hall, metrics, key)
    return app


@contextlib.asynccontextmanager
async def _opened(network: Network) -> AsyncIterator[None]:
    """Raises ServerError when no port is to be had."""
    try:
        await network.open()
    except OSError as error:
        raise ServerError(
            f"media has no way in: {error.strerror or error}. Set server.udp_ports to free ones."
        ) from error
    try:
        yield
    finally:
        await network.close()


def database_address(settings: Settings) -> Address:
    """Where the server keeps what it knows."""
    if settings.server.database:
        return Address.parse(settings.server.database)
    return sqlite_address(Path(settings.server.data_dir) / DATABASE)


@contextlib.asynccontextmanager
async def _database(settings: Settings) -> AsyncIterator[Database]:
    database = await Database.open(database_address(settings))
    try:
        yield database
    finally:
        await database.close()


def _add_server_routes(app: web.Application, hall: Hall, metrics: Metrics, key: str) -> None:
    async def health(request: web.Request) -> web.Response:
        state = "waiting" if hall.database_trouble else "ok"
        return web.json_response({"ok": True, "version": vmeet_core.__version__, "database": state})

    async def stats(request: web.Request) -> web.Response:
        return web.json_response(metrics.short(hall.all_live()))

    async def scrape(request: web.Request) -> web.Response:
        text = await metrics.text(hall.all_live(), hall.engines.rooms())
        return web.Response(body=text, headers={"Content-Type": CONTENT_TYPE})

    async def login(request: web.Request) -> web.Response:
        given = (await read_body(request, Key)).key
        if not hmac.compare_digest(given.encode(), key.encode()):
            await asyncio.sleep(1)  # guessing takes its time
            raise ApiError(401, "wrong-key", "this is not the access key", "key")
        response = web.json_response({"ok": True})
        response.set_cookie(
            COOKIE, proof(key), httponly=True, samesite="Strict", secure=request.secure, max_age=30 * 86400
        )
        return response

    app.router.add_get("/api/health", health)
    app.router.add_get("/api/stats", stats)
    app.router.add_get("/metrics", scrape)
    app.router.add_post("/api/login", login)
    app.router.add_static("/static", WEB)
    for route, page in PAGES.items():
        app.router.add_get(route, _page(WEB / page))


def _page(path: Path) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    async def answer(request: web.Request) -> web.StreamResponse:
        return web.FileResponse(path, headers={"Cache-Control": "no-cache"})

    return answer


async def _security_headers(request: web.Request, response: web.StreamResponse) -> None:
    response.headers.setdefault("Content-Security-Policy", POLICY)
    response.headers.setdefault("X-Content-Type-Options", "nosniff")
    response.headers.setdefault("Referrer-Policy", "no-referrer")
    if request.path.startswith("/static/"):
        response.headers.setdefault("Cache-Control", "no-cache")


def run(settings: Settings, registry: Registry) -> None:
    """Serve until Ctrl-C or SIGTERM. Raises ServerError when it cannot start."""
    broken = rtc.self_test()
    if broken:
        raise ServerError(
            "the installed aiortc or aioice is not the one this version was tried with: " + "; ".join(broken) + ". "
            "Run: pip install 'aiortc>=1.16,<1.17' 'aioice>=0.13,<0.14'"
        )
    host, port = settings.server.host, settings.server.port
    app = build_app(settings, registry)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    logging.getLogger("aioice").setLevel(logging.WARNING)  # it tells of every candidate pair
    _greet(settings, access_key(settings))
    app.on_startup.append(_spare_what_stays)
    try:
        web.run_app(app, host=host, port=port, print=None, access_log=None, shutdown_timeout=5, loop=new_event_loop())
    except DatabaseUnavailable as error:
        raise ServerError(f"{error}. Free it, or make room on its disk, and start again.") from error
    except OSError as error:
        raise ServerError(
            f"cannot listen on {settings.server.bind}: {error.strerror or error}. "
            "Choose another address with --bind HOST:PORT or server.bind in the settings."
        ) from error


async def _spare_what_stays(app: web.Application) -> None:
    """Modules and classes are no garbage: looking through them each time would hold every packet up for 0.1 s."""
    gc.collect()
    gc.freeze()


def new_event_loop() -> asyncio.AbstractEventLoop:
    """That of uvloop, which does the same in less time, where it is installed; there is none for Windows."""
    try:
        import uvloop
    except ImportError:
        return asyncio.new_event_loop()
    return uvloop.new_event_loop()


def _greet(settings: Settings, key: str) -> None:
    host = settings.server.host
    shown = f"[{host}]" if ":" in host else host
    print(f"VMeet {vmeet_core.__version__}: http://{shown}:{settings.server.port}/  (Ctrl-C stops it)", flush=True)
    if is_always_asked(settings):
        print(f"Access key for creating meetings and opening recordings: {key}", flush=True)
    else:
        print(f"Through a proxy, creating meetings and opening recordings asks for this access key: {key}", flush=True)
    if not is_loopback(host):
        print("Browsers give camera and microphone only to https pages: put an https proxy in front.", flush=True)
