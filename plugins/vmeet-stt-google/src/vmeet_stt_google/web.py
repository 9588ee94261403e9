"""The engine ``web``: the speech API that browsers use, through SpeechRecognition's ``recognize_google``."""

import threading
from http.client import HTTPException
from typing import Any
from urllib.error import HTTPError

import speech_recognition
from pydantic import BaseModel, Field

from vmeet_core.hookspecs import Audio, Context, Host, Permanent, Retryable, Segment, Transcriber, TranscriberStream
from vmeet_stt_google.languages import tag_of, web_code
from vmeet_stt_google.patience import Patience, within
from vmeet_stt_google.settings import AUTO, WEB_ENDPOINT, GoogleOptions, GoogleSettings
from vmeet_stt_google.sound import SAMPLE_RATE_HZ, checked, flac, samples

_WHO = "Google's web speech API"
MAX_CHUNK_S = 15.0  # of longer sound it leaves out what it likes
_QUOTA_WAIT_S, _LONGEST_WAIT_S = 60.0, 3600.0
_REMEDIES = {
    400: "It takes neither the key nor the sound: check api_key under [plugins.transcribers.google].",
    401: "Give a key that is valid (api_key under [plugins.transcribers.google]).",
    403: "The key is not allowed or used up for today: give another api_key, or use engine = \"cloud\".",
    404: "Check endpoint under [plugins.transcribers.google].",
}  # fmt: skip
_LATER = (408, 425, 429, 500, 502, 503, 504)


class _Alternative(BaseModel):
    transcript: str = ""
    confidence: float | None = Field(None, ge=0, le=1)


class _Answer(BaseModel):
    alternative: list[_Alternative] = Field(min_length=1)


class WebTranscriber(Transcriber):
    """Asks for one part at a time; keeps no connection."""

    sample_rate_hz = SAMPLE_RATE_HZ
    max_chunk_s = MAX_CHUNK_S

    def __init__(self, settings: GoogleSettings, host: Host) -> None:
        self._settings, self._host = settings, host

    def open(self, options: GoogleOptions) -> "WebStream":
        return WebStream(self._settings, options, self._host)


class WebStream(TranscriberStream):
    """One person's sound. It is told neither word times nor hot words: the API has none."""

    def __init__(self, settings: GoogleSettings, options: GoogleOptions, host: Host) -> None:
        self._settings, self._options, self._host = settings, options, host
        self._patience = Patience(settings.try_timeout_s, settings.give_up_after_s, settings.first_wait_s)
        self._closed = threading.Event()

    def update(self, options: GoogleOptions) -> None:
        self._options = options

    def close(self) -> None:
        """Ends the wait for another try."""
        self._closed.set()

    def transcribe(self, audio: Audio, language: str, context: Context) -> list[Segment]:
        """One segment over the whole part, or none.

        Raises Retryable (quota, network, an answer that makes no sense), Permanent (key, language, request) and
        ValueError for sound of another shape or of more than 15 s.
        """
        sound = samples(checked(audio, MAX_CHUNK_S))
        if not sound.any():
            return []
        code = web_code(self._settings.default_language if language == AUTO else language)
        part = _Flac(sound.tobytes(), flac(sound))
        answer = self._patience.ask(lambda: self._try(part, code), self._closed, self._host.logger)
        text = answer.transcript.strip() if answer else ""
        if answer is None or not text:
            return []
        return [Segment(0.0, len(audio) / SAMPLE_RATE_HZ, text, tag_of(code), answer.confidence or None)]

    def _try(self, part: "_Flac", code: str) -> _Alternative | None:
        self._host.count("google_sent_s", len(part.frame_data) / 2 / SAMPLE_RATE_HZ)
        try:
            return _best(within(self._settings.try_timeout_s, lambda: self._recognize(part, code)))
        except speech_recognition.UnknownValueError:  # its word for: nothing was said
            return None
        except speech_recognition.RequestError as error:
            raise self._refusal(error) from None
        except TimeoutError:
            message = f"{_WHO} gave no answer within {self._settings.try_timeout_s:g} s"
        except (ValueError, KeyError, TypeError, AttributeError):
            message = f"{_WHO} gave an answer that is not its JSON: is another server at its address?"
        except (OSError, HTTPException) as error:
            message = f"the connection to {_WHO} broke off ({type(error).__name__})"
        raise Retryable(message, 0.0)

    def _recognize(self, part: "_Flac", code: str) -> Any:
        recognizer = speech_recognition.Recognizer()
        recognizer.operation_timeout = self._settings.try_timeout_s
        key = self._settings.api_key
        return recognizer.recognize_google(
            part,
            key=key.get_secret_value() if key else None,
            language=code,
            pfilter=int(self._options.profanity_filter),
            show_all=True,
            endpoint=self._settings.endpoint or WEB_ENDPOINT,
        )

    def _refusal(self, error: speech_recognition.RequestError) -> Exception:
        """What it says is not passed on where it may hold the address, and so the key."""
        cause = error.__cause__ or error.__context__
        if not isinstance(cause, HTTPError):
            return Retryable(f"{_WHO} cannot be reached: {self._without_key(str(error))}", 0.0)
        with cause:  # closes the connection
            said = f"{_WHO} answered {cause.code} ({self._without_key(str(cause.reason))})"
            after_s = _retry_after_s(cause)
        if cause.code == 429:
            return Retryable(f"{said}: too many requests. Wait, or give a key with a larger quota.", after_s)
        if cause.code in _LATER:
            return Retryable(f"{said}: it is out of order for now", after_s)
        return Permanent(f"{said}. {_REMEDIES.get(cause.code, 'See the README of vmeet-stt-google.')}")

    def _without_key(self, text: str) -> str:
        key = self._settings.api_key
        return text.replace(key.get_secret_value(), "…") if key else text


class _Flac(speech_recognition.AudioData):  # type: ignore[misc]
    """Sound that is encoded already."""

    def __init__(self, frames: bytes, encoded: bytes) -> None:
        super().__init__(frames, SAMPLE_RATE_HZ, 2)
        self._encoded = encoded

    def get_flac_data(self, convert_rate: int | None = None, convert_width: int | None = None) -> bytes:
        return self._encoded


def _best(answer: Any) -> _Alternative | None:
    """The first is the likeliest. Raises ValueError for what is no answer."""
    if answer == []:
        return None
    return _Answer.model_validate(answer).alternative[0]


def _retry_after_s(error: HTTPError) -> float:
    try:
        return min(max(0.0, float(error.headers.get("Retry-After", "0"))), _LONGEST_WAIT_S)
    except ValueError:  # a date
        return _QUOTA_WAIT_S
