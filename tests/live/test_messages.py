"""What goes over the socket comes out again, however it is cut up; nonsense ends the conversation."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vmeet_core.live.messages import CODECS, MAX_BODY_BYTES, Kind, LiveFrame, Message, Unpacker, pack

frames = st.builds(
    LiveFrame,
    codec=st.sampled_from(CODECS),
    data=st.binary(max_size=300),
    rtp_timestamp=st.integers(0, 2**32 - 1),
    epoch=st.integers(0, 2**32 - 1),
    keyframe=st.booleans(),
    size=st.integers(0, 3),
    temporal=st.integers(0, 2),
    switchable=st.booleans(),
    sent_s=st.floats(0, 1e9, allow_subnormal=False),
)
orders = st.dictionaries(st.text(max_size=5), st.one_of(st.integers(), st.text(max_size=5), st.none()), max_size=3)
messages = st.one_of(
    st.builds(Message, st.just(Kind.FRAME), st.integers(0, 2**32 - 1), frames),
    st.builds(Message, st.sampled_from([k for k in Kind if k is not Kind.FRAME]), st.integers(0, 9), orders),
)


@given(st.lists(messages, max_size=5), st.lists(st.integers(1, 60), min_size=1, max_size=20))
def test_messages_survive_any_cutting(sent: list[Message], cuts: list[int]) -> None:
    data, unpacker, got = b"".join(map(pack, sent)), Unpacker(), list[Message]()
    while data:
        size = cuts[len(data) % len(cuts)]
        got += unpacker.feed(data[:size])
        data = data[size:]
    assert got == sent


@pytest.mark.parametrize(
    ("data", "fault"),
    [
        (b"\xff\xff\xff\xff", "bytes"),
        (b"\0\0\0\2\0\0", "bytes"),
        (b"\0\0\0\5\x63\0\0\0\0", "99"),
        (b"\0\0\0\7\1\0\0\0\0[]", "no object"),
        (b"\0\0\0\7\x08\0\0\0\1xy", "cut short"),
        (b"\0\0\0\x1d\x08\0\0\0\1\x63" + bytes(23), "unknown codec 99"),
    ],
)
def test_nonsense_is_refused(data: bytes, fault: str) -> None:
    with pytest.raises(ValueError, match=fault):
        list(Unpacker().feed(data))


def test_what_is_too_large_is_not_sent() -> None:
    with pytest.raises(ValueError, match="too large"):
        pack(Message(Kind.FRAME, 1, LiveFrame("vp8", bytes(MAX_BODY_BYTES), 0)))
