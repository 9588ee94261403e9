"""The models themselves: frozen, and every key described."""

import pickle

import pytest
from pydantic import BaseModel, ValidationError

from vmeet_core.settings import IceServer, Pipeline, Preset, Recording, Server, Settings, Uploads, Video, Weights
from vmeet_core.settings.models import Tables, split_bind, split_ports


@pytest.mark.parametrize("table", [Tables, Server, IceServer, Weights, Pipeline, Recording, Uploads, Video, Preset])
def test_every_key_is_described_and_frozen(table: type[BaseModel]):
    assert [name for name, field in table.model_fields.items() if not field.description] == []
    assert table.model_config["frozen"]
    assert table.model_config["extra"] == "forbid"


def test_settings_cannot_be_changed():
    with pytest.raises(ValidationError, match="frozen"):
        Settings().server.bind = "x:1"  # type: ignore[misc]


def test_settings_travel_to_other_processes():
    settings = Settings(meetings={"plain": Preset(denoiser="dtln")})
    assert pickle.loads(pickle.dumps(settings)) == settings


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("127.0.0.1:8080", ("127.0.0.1", "8080")),
        ("[::1]:80", ("::1", "80")),
        ("::1:80", ("", "")),
        ("host", ("", "")),
        ("http://host:80", ("", "")),
        ("", ("", "")),
    ],
)
def test_split_bind(text, parts):
    assert split_bind(text) == parts


@pytest.mark.parametrize(
    ("text", "ports"),
    [
        ("50000-50100", (50000, 50100)),
        ("50000", (50000, 50000)),
        ("1-65535", (1, 65535)),
        ("", None),
        ("0", None),
        ("65536", None),
        ("50100-50000", None),
        ("50000-", None),
        ("50000 - 50100", None),
        ("-1", None),
        ("\u0665", None),  # an Arabic digit
        ("any", None),
    ],
)
def test_split_ports(text, ports):
    assert split_ports(text) == ports


def test_any_udp_port_by_default():
    assert Server().udp_range is None
    assert Server(udp_ports="50000-50100").udp_range == (50000, 50100)
