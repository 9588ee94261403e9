"""The STUN and TURN servers as a page gets them, with credentials that expire where a secret is shared with them."""

import base64
import hashlib
import hmac

from vmeet_core.settings import IceServer, Settings


def page_ice_servers(settings: Settings, participant_id: str, now_s: float) -> list[dict[str, str]]:
    """``iceServers`` of a page's peer connections. ``now_s`` is the time of the wall clock, in seconds since 1970.

    With ``secret``, the name holds the second at which it expires and the participant, and the password proves that
    this server made it: "A REST API For Access To TURN Services" (draft-uberti-behave-turn-rest), which coturn knows
    as ``use-auth-secret``. The secret itself stays here.
    """
    return [_page_ice_server(server, participant_id, now_s) for server in settings.server.ice_servers]


def _page_ice_server(server: IceServer, participant_id: str, now_s: float) -> dict[str, str]:
    username, credential = server.username, server.credential
    if server.secret:
        username = f"{int(now_s) + server.lifetime_s}:{participant_id}"
        credential = time_limited_credential(server.secret, username)
    entries = {"urls": server.urls, "username": username, "credential": credential}
    return {key: value for key, value in entries.items() if value}


def time_limited_credential(secret: str, username: str) -> str:
    """Base64 of HMAC-SHA1, which is what TURN servers expect (SHA-1 is sound in an HMAC)."""
    return base64.b64encode(hmac.digest(secret.encode(), username.encode(), hashlib.sha1)).decode()
