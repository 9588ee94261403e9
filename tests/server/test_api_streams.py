"""WHIP and WHEP as HTTP: what programs and pages of other origins are answered."""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, NamedTuple

import pytest
from stream_stage import Program

from vmeet_core.meetings import stream_token
from vmeet_core.server.api_streams import MAX_SDP_BYTES, STREAMS, link_header
from vmeet_core.server.app import HALL
from vmeet_core.settings import IceServer

SDP = {"Content-Type": "application/sdp"}
FRAGMENT = {"Content-Type": "application/trickle-ice-sdpfrag"}
CANDIDATE = "a=candidate:1 1 udp 2122260223 192.0.2.1 61764 typ host\r\n"


class Endpoint(NamedTuple):
    """One of the two addresses of a meeting."""

    client: Any
    path: str
    token: str

    @property
    def bearer(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"}

    async def post(self, body: str | bytes, headers: dict[str, str] | None = None, query: str = "") -> Any:
        return await self.client.post(self.path + query, data=body, headers=SDP | self.bearer | (headers or {}))

    async def on(self, method: str, location: str, body: str = "", **headers: str) -> Any:
        named = {key.replace("_", "-"): value for key, value in headers.items()}
        return await self.client.request(method, location, data=body or None, headers=FRAGMENT | self.bearer | named)


class Meeting(NamedTuple):
    id: str
    whip: Endpoint
    whep: Endpoint


async def endpoints(client: Any) -> Meeting:
    answer = await client.post("/api/meetings", json={"title": "早安", "preset": "plain"})
    meeting_id = (await answer.json())["id"]
    meeting = await client.app[HALL].store.meeting(meeting_id)
    path = f"/api/meetings/{meeting_id}"
    whip = Endpoint(client, f"{path}/whip", stream_token(meeting, "whip"))
    return Meeting(meeting_id, whip, Endpoint(client, f"{path}/whep", stream_token(meeting, "whep")))


@pytest.fixture
async def meeting(client: Any) -> Meeting:
    return await endpoints(client)


@pytest.fixture
async def offers() -> AsyncIterator[Callable[..., Awaitable[str]]]:
    programs: list[Program] = []

    async def make(*media: str, direction: str = "sendonly") -> str:
        programs.append(Program(*(media or ("audio", "video")), direction=direction))
        return (await programs[-1].offer()).sdp

    yield make
    for program in programs:
        await program.peer.close()


async def reason(response: Any) -> str:
    return str((await response.json())["error"]["message"])


async def test_an_offer_is_answered_with_a_session(meeting: Meeting, offers: Any) -> None:
    response = await meeting.whip.post(await offers(), query="?name=%E8%88%9E%E5%8F%B0")
    assert response.status == 201
    assert response.content_type == "application/sdp"
    assert response.headers["Location"].startswith(f"/api/meetings/{meeting.id}/whip/")
    assert response.headers["ETag"].startswith('"')
    assert response.headers["Accept-Patch"] == "application/trickle-ice-sdpfrag"
    assert response.headers["Access-Control-Allow-Origin"] == "*"
    assert "Link" not in response.headers
    answer = await response.text()
    assert answer.count("a=recvonly") == 2
    assert "a=ice-lite" in answer
    ended = await meeting.whip.on("DELETE", response.headers["Location"])
    assert ended.status == 200
    assert (await meeting.whip.on("GET", response.headers["Location"])).status == 404
    assert (await meeting.whip.on("DELETE", response.headers["Location"])).status == 404


async def test_a_viewer_is_answered_before_anybody_has_come(meeting: Meeting, offers: Any) -> None:
    response = await meeting.whep.post(await offers(direction="recvonly"))
    assert response.status == 201
    assert (await response.text()).count("a=sendonly") == 2
    assert response.headers["Location"].startswith(f"/api/meetings/{meeting.id}/whep/")
    assert (await meeting.whep.on("DELETE", response.headers["Location"])).status == 200


async def test_only_the_token_of_the_meeting_and_the_way_admits(client: Any, meeting: Meeting, offers: Any) -> None:
    offer, other = await offers(), await endpoints(client)
    for headers in (
        {},
        {"Authorization": "Basic eDp5"},
        {"Authorization": f"Bearer {meeting.whep.token}"},
        {"Authorization": f"Bearer {other.whip.token}"},
        {"Authorization": "Bearer é"},
    ):
        response = await client.post(meeting.whip.path, data=offer, headers=SDP | headers)
        assert response.status == 401, headers
        assert response.headers["WWW-Authenticate"].startswith("Bearer")
        assert response.headers["Access-Control-Allow-Origin"] == "*"
    response = await client.post("/api/meetings/unknown/whip", data=offer, headers=SDP | meeting.whip.bearer)
    assert response.status == 404
    assert "no meeting" in await reason(response)


async def test_a_session_is_reached_with_its_token_alone(client: Any, meeting: Meeting, offers: Any) -> None:
    location = (await meeting.whip.post(await offers())).headers["Location"]
    for method in ("GET", "PATCH", "DELETE"):
        assert (await client.request(method, location)).status == 401
        wrong = location.replace("/whip/", "/whep/")
        assert (await meeting.whep.on(method, wrong)).status == 404
    assert (await meeting.whip.on("GET", location)).status == 204


@pytest.mark.parametrize(
    ("status", "headers", "body", "text"),
    [
        (415, {"Content-Type": "text/plain"}, "v=0", "application/sdp"),
        (413, {}, "a" * (MAX_SDP_BYTES + 1), f"{MAX_SDP_BYTES} bytes"),
        (400, {}, "hello", "0 media sections"),
        (400, {}, b"\xff\xfe", "UTF-8"),
    ],
)
async def test_what_is_no_offer_is_refused_with_the_reason(
    meeting: Meeting, status: int, headers: dict[str, str], body: str | bytes, text: str
) -> None:
    response = await meeting.whip.post(body, headers)
    assert response.status == status
    assert text in await reason(response)
    assert response.headers["Access-Control-Allow-Origin"] == "*"


async def test_a_body_in_pieces_is_bounded_too(meeting: Meeting) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(40):
            yield bytes(10_000)

    response = await meeting.whip.client.post(meeting.whip.path, data=pieces(), headers=SDP | meeting.whip.bearer)
    assert response.status == 413


async def test_media_that_are_not_carried_are_refused_with_the_reason(meeting: Meeting, offers: Any) -> None:
    response = await meeting.whip.post(await offers("audio", "audio"))
    assert response.status == 406
    assert "2 audio sections" in await reason(response)
    response = await meeting.whip.post((await offers("audio")).replace("a=setup:", "a=x-setup:"))
    assert response.status == 406


@pytest.mark.parametrize("name", ["", "%00", "x" * 65])
async def test_a_bad_name_is_refused(meeting: Meeting, offers: Any, name: str) -> None:
    response = await meeting.whip.post(await offers(), query=f"?name={name}")
    assert response.status == 422
    assert "name" in await reason(response)


async def test_too_many_programs_are_told_to_wait(meeting: Meeting, offers: Any) -> None:
    offer = await offers("audio")
    for _ in range(10):
        assert (await meeting.whip.post(offer)).status == 201
    response = await meeting.whip.post(offer)
    assert response.status == 503
    assert int(response.headers["Retry-After"]) > 0


async def test_candidates_are_taken_and_a_restart_of_ice_is_not(meeting: Meeting, offers: Any) -> None:
    offer = await offers()
    username = next(line for line in offer.splitlines() if line.startswith("a=ice-ufrag:"))
    begun = await meeting.whip.post(offer)
    location, etag = begun.headers["Location"], begun.headers["ETag"]

    async def patch(body: str, **headers: str) -> int:
        return int((await meeting.whip.on("PATCH", location, body, **headers)).status)

    assert await patch(f"{username}\r\n{CANDIDATE}", If_Match=etag) == 204
    assert await patch(CANDIDATE, If_Match="*") == 204
    assert await patch(CANDIDATE) == 428
    assert await patch(CANDIDATE, If_Match='"another"') == 412
    assert await patch("a=ice-ufrag:anew\r\na=ice-pwd:0123456789012345678901\r\n", If_Match="*") == 422
    assert await patch("hello", If_Match=etag) == 400
    assert await patch(CANDIDATE, If_Match=etag, Content_Type="text/plain") == 415
    assert (await meeting.whip.on("GET", location)).status == 204


async def test_the_reason_of_a_refusal_can_be_read(meeting: Meeting, offers: Any, client: Any) -> None:
    location = (await meeting.whip.post(await offers())).headers["Location"]
    live = await client.app[HALL].live(meeting.id)
    sessions = [s for s in client.app[STREAMS].of(live) if s.id in location]
    sessions[0].refuse("the picture has B-frames")
    await client.app[STREAMS].end(sessions[0])
    response = await meeting.whip.on("GET", location)
    assert response.status == 409
    assert await reason(response) == "the picture has B-frames"
    assert (await meeting.whip.on("DELETE", location)).status == 200


@pytest.mark.parametrize("way", ["whip", "whep", "whip/some-session"])
async def test_a_page_of_another_origin_may_ask_and_come(client: Any, meeting: Meeting, offers: Any, way: str) -> None:
    path = f"/api/meetings/{meeting.id}/{way}"
    cross = {"Origin": "https://elsewhere.example", "Sec-Fetch-Site": "cross-site"}
    response = await client.options(path, headers=cross | {"Access-Control-Request-Method": "POST"})
    assert response.status == 200
    assert response.headers["Access-Control-Allow-Origin"] == "*"
    assert {"POST", "PATCH", "DELETE"} <= set(response.headers["Access-Control-Allow-Methods"].split(", "))
    assert {"Authorization", "If-Match"} <= set(response.headers["Access-Control-Allow-Headers"].split(", "))
    assert response.headers["Accept-Post"] == "application/sdp"
    begun = await meeting.whip.post(await offers(), cross)
    assert begun.status == 201
    assert {"Location", "Link", "ETag"} <= set(begun.headers["Access-Control-Expose-Headers"].split(", "))
    others = await client.post("/api/meetings", json={"title": "x", "preset": "plain"}, headers=cross)
    assert others.status == 403


async def test_an_endpoint_shows_nothing_and_takes_nothing_else(client: Any, meeting: Meeting) -> None:
    assert (await client.get(meeting.whip.path)).status == 204
    for method in ("PUT", "DELETE", "PATCH"):
        assert (await client.request(method, meeting.whip.path)).status == 405


async def test_stun_and_turn_servers_are_named(make_client: Any, offers: Any) -> None:
    servers = (
        IceServer(urls="stun:stun.example.org"),
        IceServer(urls="turn:turn.example.org?transport=udp", username="user", credential="secret"),
    )
    begun = await (await endpoints(await make_client(ice_servers=servers))).whip.post(await offers())
    stun, turn = begun.headers.getall("Link")
    assert stun == '<stun:stun.example.org>; rel="ice-server"'
    assert turn.startswith('<turn:turn.example.org?transport=udp>; rel="ice-server"; ')
    assert turn.endswith('username="user"; credential="secret"; credential-type="password"')


def test_quotes_in_a_credential_do_not_end_it() -> None:
    link = link_header({"urls": "turn:turn.example.org", "username": 'a"b', "credential": "c\\d"})
    assert 'username="a\\"b"; credential="c\\\\d"' in link
