"""Reading and answering connectivity checks."""

import struct
from random import Random

import pytest
from aioice.stun import Class, Message, Method, parse_message
from raw_stun import check

from vmeet_core.sfu import stun

PASSWORD = "p" * 24


def request(**options: object) -> bytes:
    return bytes(check("server", PASSWORD, **options))  # type: ignore[arg-type]


def with_attribute(kind: int, value: bytes, length: int | None = None) -> bytes:
    """A Binding request of a single attribute."""
    body = struct.pack("!HH", kind, len(value) if length is None else length) + value + bytes(-len(value) % 4)
    return struct.pack("!HHI12s", 1, len(body), stun.COOKIE, b"t" * 12) + body


def test_a_check_has_the_shape_of_a_request() -> None:
    assert stun.is_request(request())


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x00\x01",
        request()[:-1],  # cut short
        request() + b"\x00",
        b"\x01\x01" + request()[2:],  # an answer
        b"\x00\x11" + request()[2:],  # an indication
        b"\x00\x03" + request()[2:],  # TURN
        request()[:4] + b"\x21\x12\xa4\x43" + request()[8:],  # no magic cookie
        struct.pack("!HHI12s", 1, 2000, stun.COOKIE, b"t" * 12) + bytes(2000),  # larger than any check
    ],
    ids=range(9),  # of random bytes every process would make another name
)
def test_other_datagrams_have_not(data: bytes) -> None:
    assert not stun.is_request(data)


def test_the_username_is_found() -> None:
    assert stun.username(request(remote="page")) == ("server", "page")


def test_the_username_is_found_behind_other_attributes() -> None:
    message = Message(Method.BINDING, Class.REQUEST, None, {"SOFTWARE": "abc", "USERNAME": "a:b"})
    assert stun.username(bytes(message)) == ("a", "b")


@pytest.mark.parametrize(
    "data",
    [
        with_attribute(0x8022, b"name"),
        with_attribute(stun.USERNAME, b"no colon"),
        with_attribute(stun.USERNAME, b""),
        with_attribute(0x8022, b"", length=0xFFFF),
        struct.pack("!HHI12s", 1, 400, stun.COOKIE, b"t" * 12) + struct.pack("!HH", 0x8022, 0) * 100,
    ],
)
def test_a_request_without_a_username_has_none(data: bytes) -> None:
    assert stun.is_request(data)
    assert stun.username(data) is None


def test_a_username_that_is_no_ascii_is_of_nobody() -> None:
    found = stun.username(with_attribute(stun.USERNAME, b"\xff\xfe:b"))
    assert found is not None
    assert not found.local.isascii()


def test_a_valid_check_is_read() -> None:
    message = stun.read_check(request(nominate=True), PASSWORD)
    assert "USE-CANDIDATE" in message.attributes


def test_a_wrong_password_is_refused() -> None:
    with pytest.raises(stun.Refused, match="401"):
        stun.read_check(request(), "other")


def test_a_check_that_was_changed_is_refused_though_its_fingerprint_fits() -> None:
    message = check("server", PASSWORD)
    message.attributes["PRIORITY"] = 2
    message.add_fingerprint()
    with pytest.raises(stun.Refused, match="401"):
        stun.read_check(bytes(message), PASSWORD)


@pytest.mark.parametrize("name", ["USERNAME", "MESSAGE-INTEGRITY", "FINGERPRINT"])
def test_what_every_check_must_have(name: str) -> None:
    message = check("server", PASSWORD)
    del message.attributes[name]
    if name != "FINGERPRINT":
        message.add_fingerprint()
    with pytest.raises(stun.Refused, match="400"):
        stun.read_check(bytes(message), PASSWORD)


def test_a_wrong_fingerprint_means_that_it_is_no_stun() -> None:
    data = bytearray(request())
    data[-1] ^= 1
    with pytest.raises(ValueError, match="fingerprint"):
        stun.read_check(bytes(data), PASSWORD)


def test_an_attribute_of_the_wrong_length_means_that_it_is_no_stun() -> None:
    with pytest.raises(ValueError, match="wrong length"):
        stun.read_check(with_attribute(0x0024, b"\x00"), PASSWORD)


@pytest.mark.parametrize("address", [("192.0.2.7", 50000), ("2001:db8::7", 50000)])
def test_a_success_says_where_the_check_came_from(address: tuple[str, int]) -> None:
    asked = check("server", PASSWORD)
    answer = parse_message(stun.success(asked, address, PASSWORD))
    assert answer.message_class is Class.RESPONSE
    assert answer.transaction_id == asked.transaction_id
    assert answer.attributes["XOR-MAPPED-ADDRESS"] == address
    assert answer.check_message_integrity(PASSWORD.encode())
    assert "FINGERPRINT" in answer.attributes


def test_a_failure_says_its_code_and_nothing_more() -> None:
    asked = check("server", PASSWORD)
    answer = parse_message(stun.failure(bytes(asked), 401))
    assert answer.message_class is Class.ERROR
    assert answer.transaction_id == asked.transaction_id
    assert answer.error_code == 401
    assert answer.attributes.keys() == {"ERROR-CODE", "FINGERPRINT"}


def test_a_failure_for_somebody_who_is_known_is_signed() -> None:
    answer = parse_message(stun.failure(request(), 487, PASSWORD))
    assert answer.error_code == 487
    assert answer.check_message_integrity(PASSWORD.encode())


def test_a_failure_is_no_larger_than_the_question() -> None:
    assert len(stun.failure(request(), 401)) < len(request())


def test_damage_is_refused_and_never_anything_else() -> None:
    random = Random(1)
    whole = request(nominate=True)
    for _ in range(2000):
        data = bytearray(whole)
        for _ in range(random.randint(1, 4)):
            data[random.randrange(len(data))] = random.randrange(256)
        del data[random.randint(20, len(data)) :]
        data[2:4] = (len(data) - 20).to_bytes(2, "big")
        stun.is_request(bytes(data))
        stun.username(bytes(data))
        if bytes(data) != whole:
            with pytest.raises((ValueError, stun.Refused)):
                stun.read_check(bytes(data), PASSWORD)
