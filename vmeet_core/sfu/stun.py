"""The little of STUN that an ICE-lite server needs (RFC 8489, RFC 8445 7.3): read a Binding request, answer it."""

import struct
from typing import NamedTuple

from aioice.stun import Class, Message, Method, parse_message

HEADER = struct.Struct("!HHI12s")
ATTRIBUTE = struct.Struct("!HH")
BINDING_REQUEST = 0x0001
COOKIE = 0x2112A442
USERNAME = 0x0006
MAX_REQUEST_BYTES = 1024
MAX_ATTRIBUTES = 24
REASONS = {400: "Bad Request", 401: "Unauthenticated", 487: "Role Conflict"}


class Username(NamedTuple):
    """The two halves of USERNAME: whom a check is for, and whom it is from."""

    local: str
    remote: str


class Refused(Exception):
    """A Binding request that is answered by an error, and by nothing more than its code."""

    def __init__(self, code: int) -> None:
        super().__init__(f"{code} {REASONS[code]}")
        self.code = code


def is_request(data: bytes) -> bool:
    """Whether this has the shape of a Binding request; costs next to nothing, proves nothing."""
    if not 20 <= len(data) <= MAX_REQUEST_BYTES:
        return False
    kind, length, cookie, _ = HEADER.unpack_from(data)
    return bool(kind == BINDING_REQUEST and cookie == COOKIE and length == len(data) - 20)


def username(data: bytes) -> Username | None:
    """USERNAME of a request, found without checking the rest, which tells cheaply whether it is for anybody here."""
    position = 20
    for _ in range(MAX_ATTRIBUTES):
        if position + 4 > len(data):
            return None
        kind, length = ATTRIBUTE.unpack_from(data, position)
        if kind == USERNAME:
            local, colon, remote = data[position + 4 : position + 4 + length].decode("ascii", "replace").partition(":")
            return Username(local, remote) if colon else None
        position += 4 + (length + 3 & ~3)
    return None


def read_check(data: bytes, password: str) -> Message:
    """A connectivity check whose FINGERPRINT and MESSAGE-INTEGRITY hold.

    Raises ValueError for what is no STUN (to be dropped), Refused for what is to be answered by an error.
    """
    try:
        message = parse_message(data)
    except struct.error as error:
        raise ValueError(f"an attribute has the wrong length: {error}") from error
    if not {"USERNAME", "MESSAGE-INTEGRITY", "FINGERPRINT"} <= message.attributes.keys():
        raise Refused(400)
    if not message.check_message_integrity(password.encode()):
        raise Refused(401)
    return message


def success(request: Message, address: tuple[str, int], password: str) -> bytes:
    """The answer to a valid check that came from ``address``."""
    reply = Message(Method.BINDING, Class.RESPONSE, request.transaction_id, {"XOR-MAPPED-ADDRESS": address})
    reply.add_message_integrity(password.encode())
    return bytes(reply)


def failure(data: bytes, code: int, password: str | None = None) -> bytes:
    """The error that answers the request in ``data``; signed where the request was authenticated (RFC 8489 9.1.3)."""
    reply = Message(Method.BINDING, Class.ERROR, data[8:20], {"ERROR-CODE": (code, REASONS[code])})
    if password is None:
        reply.add_fingerprint()
    else:
        reply.add_message_integrity(password.encode())
    return bytes(reply)
