"""What the settings may say, and what is said of what they may not."""

import json
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel, ValidationError
from vmeet_stt_google import GoogleOptions, GoogleSettings, extras
from vmeet_stt_google.settings import WEB_ENDPOINT

from vmeet_core.settings import SettingsError, validated

CLOUD = {"engine": "cloud", "project": "meetings-1", "credentials_file": "key.json"}


def test_a_table_of_the_settings_file() -> None:
    settings = validated(GoogleSettings, CLOUD | {"auto_languages": ["zh-TW", "en-US"], "try_timeout_s": 30})
    assert settings.credentials_file == Path("key.json")
    assert settings.auto_languages == ("zh-TW", "en-US")
    assert validated(GoogleSettings, {}).engine == "web"


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ({"engine": "cloud"}, "wants project"),
        ({"engine": "cloud", "project": "p"}, "wants credentials_file, the JSON key of a service account"),
        (CLOUD | {"application_default_credentials": True}, "not both"),
        ({"endpoint": "http://example.org/api"}, "endpoint must begin with https:// unless it is on this machine"),
        ({"endpoint": "http://127.0.0.1.example.org/"}, "must begin with https://"),
        ({"endpoint": "ftp://127.0.0.1"}, "must be an address such as https://HOST"),
        ({"endpoint": "https://127.0.0.1:x/"}, "must be an address"),
        ({"endpoint": "https://me:secret@127.0.0.1/"}, "without user and query"),
        ({"endpoint": "https://127.0.0.1/?key=secret"}, "without user and query"),
        (CLOUD | {"endpoint": "https://example.org/path"}, "must have no path"),
        ({"engine": "clod"}, "'web' or 'cloud'"),
        ({"auto_languages": []}, "at least 1 item"),
        ({"default_language": "auto"}, "pattern"),
        ({"project": "../../other"}, "pattern"),
        ({"location": "evil.example.org/"}, "pattern"),
        ({"try_timeout_s": 0}, "greater than or equal to 0.1"),
        ({"tokn": "x"}, "no such setting"),
    ],
)
def test_what_does_not_fit_is_an_error_with_a_remedy(table: dict[str, Any], message: str) -> None:
    with pytest.raises(SettingsError, match=r"plugins\.transcribers\.google") as raised:
        validated(GoogleSettings, table, "plugins.transcribers.google")
    assert message in str(raised.value)
    assert "secret" not in str(raised.value)


@pytest.mark.parametrize(
    "endpoint", ["http://localhost:1/", "http://127.9.9.9:1/", "http://[::1]:1/", "https://a.example/x"]
)
def test_endpoints_that_fit(endpoint: str) -> None:
    settings = GoogleSettings(endpoint=endpoint)
    assert settings.is_local == endpoint.startswith("http:")


def test_by_default_nothing_goes_in_the_clear() -> None:
    assert WEB_ENDPOINT.startswith("https://")
    assert not GoogleSettings().is_local


def test_a_wrong_key_is_not_told() -> None:
    with pytest.raises(SettingsError) as raised:
        validated(GoogleSettings, {"api_key": ["A-SECRET"]}, "plugins.transcribers.google")
    assert "api_key" in str(raised.value)
    assert "A-SECRET" not in str(raised.value)


@pytest.mark.parametrize(
    ("engine", "command"),
    [("web", 'pip install "SpeechRecognition>=3'), ("cloud", 'pip install "google-cloud-speech>=2')],
)
def test_a_package_that_is_missing_is_said_with_the_command(
    engine: str, command: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    absent = {"web": ("no_such_module",), "cloud": ("no_such_package.speech",)}
    monkeypatch.setattr(extras, "_MODULES", absent)
    with pytest.raises(SettingsError) as raised:
        validated(GoogleSettings, CLOUD | {"engine": engine}, "plugins.transcribers.google")
    assert command in str(raised.value)


@pytest.mark.parametrize("table", [{"hot_word_boost": 21}, {"hot_word_boost": -1}, {"punctuation": "much"}])
def test_options_out_of_bounds_are_refused(table: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        GoogleOptions(**table)


@pytest.mark.parametrize("model", [GoogleSettings, GoogleOptions])
def test_every_key_is_in_the_readme_with_its_default_and_meaning(model: type[BaseModel]) -> None:
    readme = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")
    for name, field in model.model_fields.items():
        default = "absent" if field.default is None else f"`{json.dumps(field.default)}`"
        assert f"| `{name}` | {default} | {field.description} |\n" in readme
