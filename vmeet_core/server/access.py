"""Who may open what: an access key for everything but meetings, which are joined by their unguessable link.

Whoever is in a meeting sees the background pictures, too: uploads have unguessable names, and the rest is our own.

A browser on the server's own machine needs no key, unless the settings name one. Whoever comes by another address or
another name (a proxy, a rebound DNS name) does: where the settings name no key one is made, kept in the data folder
and printed at start-up. Recordings must not lie open by accident. Programs give the key as a bearer token.
"""

import hashlib
import hmac
import ipaddress
import secrets
from pathlib import Path

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from vmeet_core.server.errors import ApiError, error_response
from vmeet_core.settings import Settings

COOKIE = "vmeet_access"
KEY_FILE = "access_key"
PROXY_HEADERS = ("Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Real-IP")
METRICS = "/metrics"
OPEN_PREFIXES = ("/static/", "/m/", "/api/login", "/api/health")


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches the address."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def access_key(settings: Settings) -> str:
    """The key in force: that of the settings, or one that was made once and is kept in the data folder."""
    if settings.server.access_key:
        return settings.server.access_key
    path = Path(settings.server.data_dir) / KEY_FILE
    if path.exists() and (kept := path.read_text().strip()):
        return kept
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch(mode=0o600)
    made = secrets.token_urlsafe(16)
    path.write_text(made + "\n")
    return made


def is_always_asked(settings: Settings) -> bool:
    """Whether the key is asked of browsers on this machine too."""
    return bool(settings.server.access_key) or not is_loopback(settings.server.host)


def _comes_from_elsewhere(request: web.Request) -> bool:
    """Reached by another name than this machine's own, or through a proxy that says so."""
    try:
        name = request.url.host or ""
    except ValueError:  # a Host header that is no host and port
        return True
    return not is_loopback(name) or any(header in request.headers for header in PROXY_HEADERS)


def proof(key: str) -> str:
    """What the cookie holds: it proves the key without being it."""
    return hmac.new(key.encode(), b"vmeet access cookie", hashlib.sha256).hexdigest()


def _is_open(request: web.Request) -> bool:
    if request.path == METRICS:
        return False
    if request.path.startswith(OPEN_PREFIXES) or not request.path.startswith("/api/"):
        return True  # pages hold no data; what they ask the API for does
    parts = request.path.split("/")
    return parts[2] == "pictures" or (parts[2] == "meetings" and len(parts) > 3)


def _proves(request: web.Request, key: str) -> bool:
    """By its cookie, or by the key itself as a bearer token, as programs do that scrape metrics."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() == "bearer" and _same(token.strip(), key):
        return True
    return _same(request.cookies.get(COOKIE, ""), proof(key))


def _same(given: str, wanted: str) -> bool:
    """Headers may hold bytes that are no text; aiohttp keeps them as surrogates."""
    return hmac.compare_digest(given.encode(errors="surrogateescape"), wanted.encode())


def _asks_for_token(request: web.Request) -> bool:
    """WHIP and WHEP look at no cookie but at a bearer token: pages of every site may use them (RFC 9725)."""
    parts = request.path.split("/")
    return len(parts) > 4 and parts[2] == "meetings" and parts[4] in ("whip", "whep")


def guard(key: str, always: bool) -> Middleware:
    """Middleware: refuses the API to whoever needs the key and has no cookie, and changes from another site."""

    @web.middleware
    async def check(request: web.Request, handler: Handler) -> web.StreamResponse:
        site = request.headers.get("Sec-Fetch-Site", "same-origin")
        changes = request.method not in ("GET", "HEAD") or "websocket" in request.headers.get("Upgrade", "").lower()
        if changes and site not in ("same-origin", "none") and not _asks_for_token(request):
            return error_response(ApiError(403, "cross-site", "this request came from another site"))
        if not _is_open(request) and (always or _comes_from_elsewhere(request)) and not _proves(request, key):
            return error_response(ApiError(401, "key-needed", "this server asks for its access key"))
        return await handler(request)

    return check
