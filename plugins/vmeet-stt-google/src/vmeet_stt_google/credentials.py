"""The token that each request to Cloud Speech-to-Text carries, got and renewed within a time limit."""

import threading
from functools import partial
from pathlib import Path
from typing import Any

import google.auth
import requests
from google.auth.exceptions import GoogleAuthError, RefreshError, TransportError
from google.auth.transport.requests import Request
from google.oauth2 import service_account

from vmeet_core.hookspecs import Permanent, Retryable
from vmeet_stt_google.patience import within

SCOPES = ("https://www.googleapis.com/auth/cloud-platform",)
_TABLE = "[plugins.transcribers.google]"


def from_file(path: Path) -> Any:
    """The credentials of a service account. Raises Permanent; what the file holds is never told."""
    remedy = f"Give the JSON key of a service account as credentials_file under {_TABLE}."
    try:
        return service_account.Credentials.from_service_account_file(  # type: ignore[no-untyped-call]
            str(path), scopes=SCOPES
        )
    except OSError as error:
        raise Permanent(f"the credentials file {path} cannot be read: {error.strerror}. {remedy}") from None
    except (GoogleAuthError, ValueError, KeyError, TypeError, AttributeError):
        raise Permanent(f"the credentials file {path} is no key of a service account. {remedy}") from None


def of_the_machine() -> Any:
    """Application Default Credentials. Raises Permanent when there are none."""
    try:
        found, _ = google.auth.default(scopes=SCOPES)
    except GoogleAuthError:
        raise Permanent(
            "this machine has no credentials for Google Cloud. Run: gcloud auth application-default login, "
            f"or give credentials_file under {_TABLE}."
        ) from None
    return found


class Token:
    """Renewed when it is needed. Thread-safe."""

    def __init__(self, credentials: Any, ca_file: Path | None) -> None:
        self._credentials = credentials
        self._session = requests.Session()
        if ca_file is not None:
            self._session.verify = str(ca_file)
        self._lock = threading.Lock()

    def headers(self, timeout_s: float) -> list[tuple[str, str]]:
        """Metadata for one request. Raises Retryable and Permanent."""
        with self._lock:
            if not self._credentials.valid:
                self._renew(timeout_s)
            headers: dict[str, str] = {}
            self._credentials.apply(headers)
        return [(name.lower(), value) for name, value in headers.items()]

    def close(self) -> None:
        self._session.close()

    def _renew(self, timeout_s: float) -> None:
        try:
            request = partial(Request(self._session), timeout=timeout_s)
            within(timeout_s, lambda: self._credentials.refresh(request))
        except TimeoutError:
            raise Retryable(f"Google gave no access token within {timeout_s:g} s", 0.0) from None
        except RefreshError as error:
            if error.retryable:
                raise Retryable(f"Google gives no access token for now: {_said(error)}", 0.0) from None
            raise Permanent(
                f"Google refuses the credentials: {_said(error)}. Is the key deleted, or the clock of this machine "
                f"wrong? Make a new key and give it as credentials_file under {_TABLE}."
            ) from None
        except TransportError:
            raise Retryable("Google's server for access tokens cannot be reached", 0.0) from None
        except (ValueError, KeyError, TypeError, AttributeError):
            raise Retryable("Google's server for access tokens gave an answer that is not its JSON", 0.0) from None


def _said(error: RefreshError) -> str:
    """Its first words: what follows is the whole answer."""
    return str(error.args[0] if error.args else error)[:200].rstrip(".")
