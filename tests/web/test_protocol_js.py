"""web/js/protocol.js says what vmeet_core/protocol.py says."""

import re
from typing import Any, get_args

import pytest

from vmeet_core import protocol
from vmeet_core.server.app import WEB

SOURCE = (WEB / "js" / "protocol.js").read_text(encoding="utf-8")
RENAMED = {"Error": "ErrorMessage"}  # Error is a class of every browser
CLIENT = get_args(protocol.ClientMessage)
SERVER = get_args(protocol.ServerMessage)
SHARED = (protocol.ParticipantInfo, protocol.RecordingInfo, protocol.Slot, protocol.SourceSection)


def listed(name: str) -> list[str]:
    match = re.search(rf"export const {name} = \[(.*?)\];", SOURCE, re.DOTALL)
    assert match, f"{name} is not in protocol.js"
    return re.findall(r'"([\w-]+)"', match[1])


def type_of(message: Any) -> str:
    return str(message.model_fields["type"].default)


def typedef_fields(name: str) -> set[str]:
    """The fields of a typedef, written on one line or as a list of properties."""
    short = re.search(rf"@typedef {{{{(.*?)}}}} {name}(?: \*/)?$", SOURCE, re.MULTILINE)
    if short:
        return set(re.findall(r"(\w+)\??:", short[1]))
    long = re.search(rf"@typedef {{object}} {name}\n(.*?)\*/", SOURCE, re.DOTALL)
    assert long, f"{name} has no typedef in protocol.js"
    return set(re.findall(r"@property {[^}]*} (\w+)", long[1]))


def test_the_lists_of_messages_agree() -> None:
    assert listed("CLIENT_MESSAGES") == [type_of(message) for message in CLIENT]
    assert listed("SERVER_MESSAGES") == [type_of(message) for message in SERVER]


@pytest.mark.parametrize("message", [*CLIENT, *SERVER, *SHARED], ids=lambda each: each.__name__)
def test_fields_agree(message: Any) -> None:
    name = message.__name__
    assert typedef_fields(RENAMED.get(name, name)) == set(message.model_fields)


def test_error_codes_and_limits_agree() -> None:
    assert listed("ERROR_CODES") == list(get_args(protocol.Error.model_fields["code"].annotation))
    limit = re.search(r"MAX_NAME_CHARS = (\d+)", SOURCE)
    assert limit
    assert int(limit[1]) == protocol.MAX_NAME_CHARS


def test_every_error_code_has_a_text() -> None:
    english = (WEB / "js" / "i18n" / "en.js").read_text(encoding="utf-8")
    for code in get_args(protocol.Error.model_fields["code"].annotation):
        assert f'"trouble.{code}"' in english or f'"ended.{code}"' in english, code
