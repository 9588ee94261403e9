"""What the server's settings and a meeting may say."""

from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, StringConstraints, model_validator

from vmeet_core.hookspecs import Options
from vmeet_stt_google.extras import check_installed

WEB_ENDPOINT = "https://www.google.com/speech-api/v2/recognize"
AUTO = "auto"
_TAG = r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*"
Tag = Annotated[str, StringConstraints(pattern=rf"^{_TAG}$")]
TagOrAuto = Annotated[str, StringConstraints(pattern=rf"^(auto|{_TAG})$")]


class GoogleSettings(Options):
    """What vmeet.toml may say under ``[plugins.transcribers.google]``."""

    engine: Literal["web", "cloud"] = Field(
        "web",
        title="Engine",
        description='"web": the speech API of browsers, for trying out; "cloud": Cloud Speech-to-Text v2, paid.',
    )
    default_language: Tag = Field(
        "zh-TW",
        title="Default language",
        description='The language that "web" is told where a meeting says "auto": it detects none. A BCP 47 tag.',
    )
    auto_languages: tuple[TagOrAuto, ...] = Field(
        (AUTO,),
        min_length=1,
        max_length=3,
        title="Languages of auto",
        description='What "cloud" chooses from where a meeting says "auto": up to three BCP 47 tags, '
        'or ["auto"] for all (models chirp_2 and chirp_3).',
    )
    api_key: SecretStr | None = Field(
        None,
        title="API key",
        description='Of "web": a key of your own. Without one, the key of SpeechRecognition is used.',
    )
    project: str = Field(
        "",
        pattern=r"^([a-z0-9.:-]*[a-z0-9])?$",
        max_length=100,
        title="Project",
        description='Of "cloud": the id of the Google Cloud project that pays.',
    )
    location: str = Field(
        "asia-southeast1",
        pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$",
        max_length=40,
        title="Location",
        description='Of "cloud": where Google computes, such as asia-southeast1, us, eu or global.',
    )
    model: str = Field(
        "chirp_2",
        pattern=r"^[a-z0-9_]+$",
        max_length=40,
        title="Model",
        description='Of "cloud": the model, such as chirp_2, chirp_3, long or short.',
    )
    method: Literal["recognize", "streaming"] = Field(
        "recognize",
        title="Method",
        description='Of "cloud": "recognize" sends a part of the sound at once, "streaming" at the speed of speech.',
    )
    streaming_pace: float = Field(
        1.0,
        ge=0.5,
        le=100,
        title="Streaming pace",
        description="How many times faster than speech a stream is sent; Google asks for about 1.",
    )
    credentials_file: Path | None = Field(
        None, title="Credentials", description='Of "cloud": the JSON key file of a service account.'
    )
    application_default_credentials: bool = Field(
        False,
        title="Credentials of the machine",
        description='Of "cloud": use what the machine has instead of credentials_file '
        "(GOOGLE_APPLICATION_CREDENTIALS, gcloud, a machine of Google's).",
    )
    endpoint: str | None = Field(
        None,
        title="Endpoint",
        description="Another address than Google's own: https://HOST; http:// on this machine only, for tests.",
    )
    ca_file: Path | None = Field(
        None,
        title="Certificate authority",
        description='Of "cloud": a PEM file of authorities to trust instead of the usual ones.',
    )
    try_timeout_s: float = Field(
        60.0,
        ge=0.1,
        le=600,
        title="Time of a try",
        description="Seconds that one try may take; with streaming, beyond the length of the sound.",
    )
    give_up_after_s: float = Field(
        120.0,
        ge=0.1,
        le=3600,
        title="Time of all tries",
        description="Seconds after which no other try begins, and the part is left to be done later.",
    )
    first_wait_s: float = Field(
        1.0,
        ge=0.01,
        le=60,
        title="First wait",
        description="Seconds before the second try; each further wait is twice as long, up to 20 s.",
    )

    @model_validator(mode="after")
    def _fits(self) -> Self:
        check_installed(self.engine)
        if self.endpoint is not None:
            _check_endpoint(self.endpoint, self.engine)
        if self.engine == "cloud":
            _check_cloud(self)
        return self

    @property
    def is_local(self) -> bool:
        """Whether the endpoint is on this machine and speaks without TLS."""
        return self.endpoint is not None and urlsplit(self.endpoint).scheme == "http"


class GoogleOptions(Options):
    """What a meeting may set."""

    punctuation: bool = Field(True, title="Punctuation", description="Set punctuation (engine cloud only).")
    word_times: bool = Field(True, title="Word times", description="Tell the time of each word (engine cloud only).")
    hot_word_boost: float = Field(
        10.0,
        ge=0,
        le=20,
        title="Weight of names",
        description="How much people's names are preferred to other words; 0 sends no names (engine cloud only).",
    )
    profanity_filter: bool = Field(
        False, title="Hide profanity", description="Show only the first letter of coarse words."
    )


def _check_cloud(settings: GoogleSettings) -> None:
    if not settings.project:
        raise ValueError('engine = "cloud" wants project, the id of your Google Cloud project')
    if settings.credentials_file and settings.application_default_credentials:
        raise ValueError("give either credentials_file or application_default_credentials, not both")
    if not (settings.credentials_file or settings.application_default_credentials or settings.is_local):
        raise ValueError(
            'engine = "cloud" wants credentials_file, the JSON key of a service account '
            "(or application_default_credentials = true)"
        )


def _check_endpoint(endpoint: str, engine: str) -> None:
    parts = urlsplit(endpoint)
    try:
        fits = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port or 1) > 0
    except ValueError:  # a port that is no number
        fits = False
    if not fits or parts.query or parts.fragment or parts.username is not None:
        raise ValueError("endpoint must be an address such as https://HOST:PORT, without user and query")
    if engine == "cloud" and parts.path not in ("", "/"):
        raise ValueError('endpoint of engine = "cloud" must have no path')
    if parts.scheme == "http" and not _is_loopback(str(parts.hostname)):
        raise ValueError(
            "endpoint must begin with https:// unless it is on this machine, or sound is sent in the clear"
        )


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False
