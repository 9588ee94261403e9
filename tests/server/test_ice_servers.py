"""What pages are told about STUN and TURN servers."""

from vmeet_core.server.ice_servers import page_ice_servers, time_limited_credential
from vmeet_core.settings import IceServer, Server, Settings


def settings(*servers: IceServer) -> Settings:
    return Settings(server=Server(ice_servers=servers))


def test_none_by_default():
    assert page_ice_servers(Settings(), "p1", 0) == []


def test_fixed_credentials_are_passed_on():
    server = IceServer(urls="turn:turn.example.org", username="me", credential="word")
    expected = {"urls": "turn:turn.example.org", "username": "me", "credential": "word"}
    assert page_ice_servers(settings(server), "p1", 0) == [expected]


def test_what_is_empty_is_left_out():
    assert page_ice_servers(settings(IceServer(urls="stun:stun.example.org")), "p1", 0) == [
        {"urls": "stun:stun.example.org"}
    ]


def test_the_credential_is_the_one_that_openssl_makes():
    """printf '%s' 1700043200:p1 | openssl dgst -sha1 -hmac north -binary | base64"""
    assert time_limited_credential("north", "1700043200:p1") == "Zef3s4yZxwDeDqOhgUgTUksKjdM="


def test_credentials_from_a_secret_expire_and_name_the_participant():
    server = IceServer(urls="turn:turn.example.org", secret="north")
    (entry,) = page_ice_servers(settings(server), "p1", 1_700_000_000.9)
    assert entry == {
        "urls": "turn:turn.example.org",
        "username": "1700043200:p1",
        "credential": time_limited_credential("north", "1700043200:p1"),
    }


def test_the_lifetime_can_be_set():
    server = IceServer(urls="turns:turn.example.org", secret="north", lifetime_s=60)
    (entry,) = page_ice_servers(settings(server), "p1", 100)
    assert entry["username"] == "160:p1"


def test_people_and_secrets_have_credentials_of_their_own():
    one, other = (IceServer(urls="turn:t", secret=secret) for secret in ("north", "south"))
    entries = [page_ice_servers(settings(server), person, 0) for server in (one, other) for person in ("p1", "p2")]
    assert len({entry["credential"] for (entry,) in entries}) == 4
    assert not any(secret in str(entries) for secret in ("north", "south"))
