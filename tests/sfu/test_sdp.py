"""What is added to the descriptions that aiortc writes."""

from vmeet_core.sfu.sdp import enrich_answer, enrich_offer, transport_sequence_id
from vmeet_core.sfu.transport_feedback import TRANSPORT_SEQUENCE

OFFER = f"""v=0
s=-
t=0 0
m=audio 9 UDP/TLS/RTP/SAVPF 111
a=mid:0
a=extmap:4 {TRANSPORT_SEQUENCE}
a=rtpmap:111 opus/48000/2
a=rtcp-fb:111 transport-cc
m=video 9 UDP/TLS/RTP/SAVPF 96 97
a=mid:1
a=extmap:4 {TRANSPORT_SEQUENCE}
a=rtpmap:96 VP8/90000
a=rtcp-fb:96 transport-cc
a=rtcp-fb:96 nack
a=rtpmap:97 rtx/90000
m=video 9 UDP/TLS/RTP/SAVPF 96
a=mid:2
a=rtpmap:96 VP8/90000
""".replace("\n", "\r\n")
ANSWER = """v=0
s=-
t=0 0
m=audio 9 UDP/TLS/RTP/SAVPF 111
a=mid:0
a=rtpmap:111 opus/48000/2
m=video 9 UDP/TLS/RTP/SAVPF 96 97
a=mid:1
a=rtpmap:96 VP8/90000
a=rtcp-fb:96 nack
a=rtpmap:97 rtx/90000
a=fmtp:97 apt=96
m=video 9 UDP/TLS/RTP/SAVPF 96
a=mid:2
a=rtpmap:96 VP8/90000
""".replace("\n", "\r\n")


def section(sdp: str, index: int) -> list[str]:
    return sdp.split("m=")[index + 1].splitlines()


def test_transport_feedback_is_accepted_where_it_is_offered() -> None:
    answer = enrich_answer(ANSWER, OFFER)
    assert f"a=extmap:4 {TRANSPORT_SEQUENCE}" in section(answer, 0)
    assert "a=rtcp-fb:111 transport-cc" in section(answer, 0)
    assert "a=rtcp-fb:96 transport-cc" in section(answer, 1)
    assert "a=rtcp-fb:97 transport-cc" not in section(answer, 1)
    assert not [line for line in section(answer, 2) if "transport" in line]
    assert transport_sequence_id(OFFER) == 4
    assert transport_sequence_id(ANSWER) == 0


def test_opus_is_asked_for_with_redundancy() -> None:
    for described in (enrich_answer(ANSWER, OFFER), enrich_offer(ANSWER)):
        lines = section(described, 0)
        assert lines.index("a=fmtp:111 minptime=10;useinbandfec=1") == lines.index("a=rtpmap:111 opus/48000/2") + 1


def test_nothing_else_is_changed() -> None:
    added = ("a=fmtp:111", "a=extmap:4", "a=rtcp-fb:96 transport-cc")
    kept = [line for line in enrich_offer(ANSWER).splitlines() if not line.startswith(added)]
    assert kept == ANSWER.splitlines()
    assert enrich_offer("v=0\r\n") == "v=0\r\n"
