import pytest
from aiortc import RTCConfiguration, RTCPeerConnection, RTCSessionDescription

from vmeet_core.sfu.stream_offer import BadOffer, StreamOffer, UnsupportedOffer, read_fragment

HEAD = "v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\n"
TRANSPORT = (
    "c=IN IP4 0.0.0.0\r\na=ice-ufrag:wxyz\r\na=ice-pwd:0123456789abcdef01234567\r\na=setup:actpass\r\n"
    f"a=fingerprint:sha-256 {':'.join(['0A'] * 32)}\r\n"
)
OPUS = "a=rtpmap:111 opus/48000/2\r\n"
VP8 = "a=rtpmap:96 VP8/90000\r\n"
PCMU = "a=rtpmap:0 PCMU/8000\r\n"


def h264(payload_type: int, profile: str = "", mode: str = "packetization-mode=1") -> str:
    level = f";profile-level-id={profile}" if profile else ""
    return f"a=rtpmap:{payload_type} H264/90000\r\na=fmtp:{payload_type} {mode}{level}\r\n"


def section(kind: str, mid: str, codecs: str, direction: str = "sendonly", mux: str = "a=rtcp-mux\r\n") -> str:
    types = " ".join(line.split(":")[1].split()[0] for line in codecs.split("\r\n") if line.startswith("a=rtpmap"))
    named = f"a=mid:{mid}\r\n" if mid else ""
    return f"m={kind} 9 UDP/TLS/RTP/SAVPF {types}\r\n{TRANSPORT}{named}a={direction}\r\n{mux}{codecs}"


def offer(*sections: str, bundle: str = "a=group:BUNDLE 0 1\r\n") -> StreamOffer:
    return StreamOffer(HEAD + bundle + "".join(sections))


def sound(mid: str = "0", codecs: str = OPUS, direction: str = "sendonly") -> str:
    return section("audio", mid, codecs, direction)


def picture(mid: str = "1", codecs: str = VP8, direction: str = "sendonly") -> str:
    return section("video", mid, codecs, direction)


def test_the_first_sound_is_the_microphone_and_the_picture_the_camera() -> None:
    assert offer(sound(), picture()).published() == {"0": "microphone", "1": "camera"}
    assert offer(picture("video0"), bundle="").published() == {"video0": "camera"}
    assert offer(sound(), bundle="").ice_username == "wxyz"


def test_what_is_said_once_for_the_whole_session_counts_for_each_section() -> None:
    sections = [each.replace(TRANSPORT, "c=IN IP4 0.0.0.0\r\n") for each in (sound(), picture())]
    asked = offer(*sections, bundle="a=group:LS 0 1\r\na=group:BUNDLE 0 1\r\n" + TRANSPORT)
    assert asked.ice_username == "wxyz"
    assert asked.published() == {"0": "microphone", "1": "camera"}


@pytest.mark.parametrize(
    ("sections", "reason"),
    [
        ([sound(), sound("1")], "2 audio sections"),
        ([picture("0"), picture()], "2 video sections"),
        ([sound(direction="recvonly"), picture()], "audio section is recvonly"),
        ([sound(), picture(direction="inactive")], "video section is inactive"),
        ([sound(codecs=PCMU), picture()], "no Opus"),
        ([sound(), picture(codecs="a=rtpmap:98 VP9/90000\r\n")], "neither VP8 nor H.264"),
        ([sound(), picture(codecs=h264(98, mode="packetization-mode=0"))], "neither VP8 nor H.264"),
    ],
)
def test_what_is_not_carried_is_refused_with_the_reason(sections: list[str], reason: str) -> None:
    with pytest.raises(UnsupportedOffer, match=reason):
        offer(*sections).published()


@pytest.mark.parametrize(
    ("sections", "bundle", "reason"),
    [
        ([sound(), picture()], "", "BUNDLE"),
        ([sound(), picture()], "a=group:BUNDLE 0\r\n", "BUNDLE"),
        ([section("audio", "0", OPUS, mux="")], "", "rtcp-mux"),
        (["m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\n" + TRANSPORT + "a=mid:0\r\n"], "", "application"),
    ],
)
def test_more_than_one_port_or_other_media_are_refused(sections: list[str], bundle: str, reason: str) -> None:
    with pytest.raises(UnsupportedOffer, match=reason):
        offer(*sections, bundle=bundle)


@pytest.mark.parametrize(
    ("sdp", "reason"),
    [
        ("", "0 media sections"),
        ("hello", "0 media sections"),
        (HEAD + "m=audio x\r\n", "cannot be read"),
        (HEAD + "m=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=fmtp:111 x=1\r\n", "cannot be read"),
        (HEAD + section("audio", "", OPUS), "no a=mid"),
        (HEAD + sound() * 17, "17 media sections"),
        (HEAD + sound() + sound(), "same a=mid"),
        (HEAD + sound().replace("a=ice-ufrag:wxyz\r\n", ""), "no a=ice-ufrag"),
    ],
)
def test_what_cannot_be_read_is_refused_with_the_place(sdp: str, reason: str) -> None:
    with pytest.raises(BadOffer, match=reason):
        StreamOffer(sdp)


def test_a_viewer_may_ask_for_one_picture_and_several_sounds() -> None:
    wanted = [sound(str(i), direction="recvonly") for i in range(8)]
    group = f"a=group:BUNDLE {' '.join(map(str, range(10)))}\r\n"
    asked = offer(*wanted, picture("8", direction="recvonly"), bundle=group).watched()
    assert [each.kind for each in asked] == ["audio"] * 8 + ["video"]
    with pytest.raises(UnsupportedOffer, match="at most one video section and 8 audio"):
        offer(*wanted, sound("8", direction="recvonly"), bundle=group).watched()
    with pytest.raises(UnsupportedOffer, match="at most one video section"):
        offer(picture("0", direction="recvonly"), picture("1", direction="recvonly")).watched()
    with pytest.raises(UnsupportedOffer, match="sendonly: nothing would be watched"):
        offer(sound(), picture("1", direction="recvonly")).watched()


async def answered(asked: StreamOffer) -> str:
    """What aiortc answers, as the program gets it."""
    connection = RTCPeerConnection(RTCConfiguration(iceServers=[]))
    await connection.setRemoteDescription(RTCSessionDescription(asked.sdp, "offer"))
    await connection.setLocalDescription(await connection.createAnswer())
    answer = asked.answer(connection.localDescription.sdp)
    await connection.close()
    return answer


@pytest.mark.parametrize("profile", ["4d400d", "640c1f", "64002A", "f4001f", "640034"])
async def test_any_profile_of_h264_is_carried_and_answered_as_it_was_offered(profile: str) -> None:
    answer = await answered(offer(sound(), picture(codecs=h264(98, profile))))
    assert f"profile-level-id={profile}" in answer
    assert "42e01f" not in answer


async def test_a_profile_that_aiortc_knows_is_left_alone() -> None:
    asked = offer(sound(), picture(codecs=h264(98, "640c1f") + h264(100, "42c00d")))
    assert "640c1f" in asked.sdp
    answer = await answered(asked)
    assert "a=rtpmap:100 H264" in answer
    assert "a=rtpmap:98 H264" not in answer


async def test_the_answer_has_one_fingerprint_for_each_section() -> None:
    answer = await answered(offer(sound(), picture()))
    assert answer.count("a=fingerprint:sha-256 ") == answer.count("a=fingerprint:") == 2


def test_a_fragment_is_read() -> None:
    text = "a=ice-ufrag:wxyz\r\na=ice-pwd:secret\r\nm=audio 9 RTP/AVP 0\r\na=mid:0\r\n"
    candidates = "a=candidate:1 1 udp 2122260223 192.0.2.1 61764 typ host\r\na=end-of-candidates\r\n"
    assert read_fragment(text + candidates) == ("wxyz", 1)
    assert read_fragment(candidates) == (None, 1)


@pytest.mark.parametrize("text", ["", "\r\n", "hello", "a=ice-ufrag:wxyz\r\n<html>\r\n"])
def test_what_is_no_fragment_is_refused(text: str) -> None:
    with pytest.raises(BadOffer, match="RFC 8840"):
        read_fragment(text)
