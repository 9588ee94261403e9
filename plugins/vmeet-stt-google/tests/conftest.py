"""Doubles of Google's servers, which speak the real protocols on real sockets of this machine."""

import json
import socket
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cutting_proxy import CuttingProxy
from google_speech import RATE_HZ, SpeechDouble, result_of
from google_tokens import TokenDouble
from google_web import WebDouble
from own_certificate import Certificate, signed_by_itself

from vmeet_core.hookspecs import Audio
from vmeet_core.testing import speech_like


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever proxy this machine has, the doubles are reached without."""
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.setenv(name, "127.0.0.1,localhost")


@pytest.fixture(scope="session")
def speech() -> Audio:
    return speech_like(RATE_HZ, 2.0)


@pytest.fixture
def closed_port() -> int:
    """Where nobody listens."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


@pytest.fixture
def web() -> Iterator[WebDouble]:
    with closing(WebDouble()) as double:
        yield double


@pytest.fixture
def cloud() -> Iterator[SpeechDouble]:
    with closing(SpeechDouble()) as double:
        yield double


@pytest.fixture
def cutting_proxy(cloud: SpeechDouble) -> Iterator[Callable[..., CuttingProxy]]:
    made: list[CuttingProxy] = []

    def make(cuts: int, after_bytes: int) -> CuttingProxy:
        made.append(CuttingProxy(cloud.port, cuts, after_bytes))
        return made[-1]

    yield make
    for proxy in made:
        proxy.close()


@pytest.fixture
def tokens() -> Iterator[TokenDouble]:
    with closing(TokenDouble()) as double:
        yield double


@pytest.fixture(scope="session")
def private_key_pem() -> str:
    key = rsa.generate_private_key(public_exponent=65_537, key_size=2048)
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()


@pytest.fixture
def key_file(tmp_path: Path, tokens: TokenDouble, private_key_pem: str) -> Path:
    """The key of a service account, as the Cloud console gives it."""
    path = tmp_path / "key.json"
    key = {
        "type": "service_account",
        "project_id": "meetings-1",
        "private_key_id": "1",
        "private_key": private_key_pem,
        "client_email": "vmeet@meetings-1.iam.gserviceaccount.com",
        "client_id": "1",
        "token_uri": tokens.address,
    }
    path.write_text(json.dumps(key))
    return path


@pytest.fixture(scope="session")
def certificate() -> Certificate:
    return signed_by_itself()


@pytest.fixture
def tls_cloud(certificate: Certificate) -> Iterator[SpeechDouble]:
    with closing(SpeechDouble(certificate)) as double:
        yield double


@pytest.fixture
def make_result() -> Callable[..., Any]:
    return result_of
