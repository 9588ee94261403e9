"""The signalling messages, and that their documents say the same."""

import re
from pathlib import Path
from typing import Any, get_args

import pytest
from pydantic import BaseModel, ValidationError

from vmeet_core import protocol

DOCS = Path(__file__).parents[1] / "docs" / "protocol.md"
MESSAGES = [*get_args(protocol.ClientMessage), *get_args(protocol.ServerMessage)]


def test_messages_are_told_apart_by_type() -> None:
    message = protocol.parse_client_message('{"type": "mute", "source": "camera", "muted": true}')
    assert message == protocol.Mute(source="camera", muted=True)


@pytest.mark.parametrize(
    ("data", "field"),
    [
        ("", ""),
        ("nonsense", ""),
        ("[]", ""),
        ('{"type": "dance"}', ""),
        ('{"source": "camera"}', ""),
        ('{"type": "mute", "source": "ear", "muted": true}', "source"),
        ('{"type": "mute", "source": "camera", "muted": true, "extra": 1}', "extra"),
        ('{"type": "join", "name": "' + "x" * 10_000 + '"}', "name"),
        ('{"type": "join", "name": "a\\u0000b"}', "name"),
        ('{"type": "join", "name": "\\u202egnp.exe"}', "name"),
        ('{"type": "join", "name": "   "}', "name"),
        ('{"type": "publish", "sdp": "", "sources": []}', "sdp"),
        ('{"type": "publish", "sdp": "v", "sources": [{"mid": "0", "source": "camera"}, 5]}', "sources"),
        ('{"type": "receive", "sdp": "v"}', "sdp"),
        ('{"type": "view", "pictures": [{"participant_id": "a", "width_px": 0, "height_px": 9}]}', "width_px"),
        ('{"type": "view", "pictures": [{"participant_id": "a", "source": "camera-small"}]}', "source"),
        ('{"type": "chat", "text": " \\n "}', "text"),
        ('{"type": "chat", "text": "a\\u0007"}', "text"),
        ('{"type": "chat", "text": "' + "x" * 2001 + '"}', "text"),
    ],
)
def test_bad_messages_name_the_field(data: str, field: str) -> None:
    with pytest.raises(ValidationError) as caught:
        protocol.parse_client_message(data)
    assert field in str(caught.value.errors()[0]["loc"])


@pytest.mark.parametrize(("given", "kept"), [("  王小明 ", "王小明"), ("e\u0301", "é"), ("Zoë 👩‍🔬", "Zoë 👩‍🔬")])
def test_names_are_trimmed_and_normalised(given: str, kept: str) -> None:
    assert protocol.clean_name(given) == kept


def test_chat_texts_keep_their_lines() -> None:
    assert protocol.clean_text("  a\r\nb\tc\rd \n") == "a\nb\tc\nd"


def test_a_view_is_bounded() -> None:
    one = '{"participant_id": "a", "width_px": 1, "height_px": 1}'
    with pytest.raises(ValidationError, match="64"):
        protocol.parse_client_message('{"type": "view", "pictures": [' + ",".join([one] * 65) + "]}")


def test_every_message_and_field_is_documented() -> None:
    text = DOCS.read_text(encoding="utf-8")
    sections = dict(re.findall(r"^### `([a-z-]+)`\n(.*?)(?=^##|\Z)", text, re.MULTILINE | re.DOTALL))
    assert set(sections) == {model.model_fields["type"].default for model in MESSAGES}
    for model in MESSAGES:
        section = sections[model.model_fields["type"].default]
        for field in _fields(model):
            assert f"`{field}`" in section, f"docs/protocol.md does not tell of {model.__name__}.{field}"


def _fields(model: Any) -> list[str]:
    """Field names of a message, those of the models inside it included."""
    names = []
    for name, field in model.model_fields.items():
        names += [] if name == "type" else [name]
        inner = [field.annotation, *get_args(field.annotation)]
        for kind in inner:
            if isinstance(kind, type) and issubclass(kind, BaseModel):
                names += _fields(kind)
    return names


@pytest.mark.parametrize("name", [name for name in vars(protocol) if re.fullmatch(r"MAX_[A-Z_]+|[A-Z]+_S", name)])
def test_the_limits_in_the_document_are_those_in_force(name: str) -> None:
    value = f"{getattr(protocol, name):g}" if name.endswith("_S") else f"{getattr(protocol, name):,}"
    assert re.search(rf"\| `{name}` \| {value} \|", DOCS.read_text(encoding="utf-8"))
