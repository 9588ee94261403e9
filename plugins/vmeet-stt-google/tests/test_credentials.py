"""Key files and tokens: what is read, renewed and said when they are no good."""

import json
import threading
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from vmeet_stt_google.credentials import Token, from_file, of_the_machine

from vmeet_core.hookspecs import Permanent, Retryable


def test_a_token_is_asked_for_once_and_renewed_when_it_has_run_out(tokens: Any, key_file: Path) -> None:
    credentials = from_file(key_file)
    with closing(Token(credentials, None)) as token:
        assert token.headers(5) == token.headers(5) == [("authorization", f"Bearer {tokens.TOKEN}")]
        assert tokens.asked == 1
        credentials.expiry = credentials.expiry.replace(year=2001)
        token.headers(5)
    assert tokens.asked == 2


@pytest.mark.parametrize(
    ("answer", "error", "message"),
    [
        (
            (400, b'{"error": "invalid_grant", "error_description": "Invalid."}'),
            Permanent,
            "invalid_grant",
        ),
        ((401, b'{"error": "invalid_client"}'), Permanent, "Google refuses the credentials: .*clock of this machine"),
        ((200, b"<html>"), Retryable, "not its JSON"),
        ((200, b"[]"), Retryable, "not its JSON"),
    ],
)
def test_an_answer_without_a_token(
    tokens: Any, key_file: Path, answer: tuple[int, bytes], error: type[Exception], message: str
) -> None:
    tokens.answers.append(answer)
    with closing(Token(from_file(key_file), None)) as token:
        with pytest.raises(error, match=message):
            token.headers(5)
        assert token.headers(5)


def test_a_server_of_tokens_that_is_not_there(key_file: Path, closed_port: int) -> None:
    key = json.loads(key_file.read_text()) | {"token_uri": f"http://127.0.0.1:{closed_port}/token"}
    key_file.write_text(json.dumps(key))
    with closing(Token(from_file(key_file), None)) as token, pytest.raises(Retryable, match="cannot be reached"):
        token.headers(5)


def test_a_server_of_tokens_that_never_answers_is_left_in_time() -> None:
    waits = threading.Event()

    class Waiting:
        valid = False

        def refresh(self, request: Any) -> None:
            waits.wait(20)

    begun_s = time.monotonic()
    with closing(Token(Waiting(), None)) as token, pytest.raises(Retryable, match=r"no access token within 0\.2 s"):
        token.headers(0.2)
    waits.set()
    assert time.monotonic() - begun_s < 10


@pytest.mark.parametrize(
    "content",
    ["", "no JSON", "[]", "{}", '{"type": "service_account", "private_key": "A-SECRET", "client_email": "a"}'],
)
def test_a_file_that_is_no_key_is_named_and_not_told(tmp_path: Path, content: str) -> None:
    path = tmp_path / "key.json"
    path.write_text(content)
    with pytest.raises(Permanent, match=r"key\.json is no key of a service account\. Give the JSON key") as raised:
        from_file(path)
    assert "A-SECRET" not in str(raised.value)
    assert raised.value.__suppress_context__


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(Permanent, match=r"absent\.json cannot be read: No such file"):
        from_file(tmp_path / "absent.json")


def test_a_machine_without_credentials(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(tmp_path / "absent.json"))
    with pytest.raises(Permanent, match="gcloud auth application-default login"):
        of_the_machine()
