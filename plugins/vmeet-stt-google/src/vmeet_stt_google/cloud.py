"""The engine ``cloud``: Cloud Speech-to-Text v2 over gRPC."""

import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import grpc
from google.api_core.exceptions import GoogleAPICallError
from google.cloud.speech_v2 import SpeechClient
from google.cloud.speech_v2.services.speech.transports import SpeechGrpcTransport
from google.cloud.speech_v2.types import cloud_speech

from vmeet_core.hookspecs import Audio, Context, Host, Permanent, Segment, Transcriber, TranscriberStream
from vmeet_stt_google.credentials import Token, from_file, of_the_machine
from vmeet_stt_google.faults import fault_of
from vmeet_stt_google.languages import cloud_code
from vmeet_stt_google.patience import Patience
from vmeet_stt_google.results import segments_of
from vmeet_stt_google.settings import AUTO, GoogleOptions, GoogleSettings
from vmeet_stt_google.sound import SAMPLE_RATE_HZ, checked, samples

MAX_CHUNK_S = 59.0  # Google takes a minute; what is resampled may be a little longer
_MESSAGE_SAMPLES = 12_000  # 24,000 bytes: Google takes 25 KB of sound in one message of a stream
_MOST_PHRASES, _MOST_PHRASE_CHARS = 500, 100


class CloudTranscriber(Transcriber):
    """One connection, shared by all streams."""

    sample_rate_hz = SAMPLE_RATE_HZ
    max_chunk_s = MAX_CHUNK_S

    def __init__(self, settings: GoogleSettings, host: Host) -> None:
        """Raises Permanent for credentials or a certificate that cannot be read. Connects when it is first needed."""
        self._settings, self._host = settings, host
        self._token = _token(settings)
        self._channel = _channel(settings)
        self._client = SpeechClient(transport=SpeechGrpcTransport(channel=self._channel))

    def open(self, options: GoogleOptions) -> "CloudStream":
        return CloudStream(self._client, self._token, self._settings, options, self._host)

    def close(self) -> None:
        self._channel.close()
        if self._token is not None:
            self._token.close()


class CloudStream(TranscriberStream):
    """One person's sound."""

    def __init__(
        self, client: SpeechClient, token: Token | None, settings: GoogleSettings, options: GoogleOptions, host: Host
    ) -> None:
        self._client, self._token, self._settings, self._options, self._host = client, token, settings, options, host
        self._patience = Patience(settings.try_timeout_s, settings.give_up_after_s, settings.first_wait_s)
        self._closed = threading.Event()
        self._recognizer = f"projects/{settings.project}/locations/{settings.location}/recognizers/_"

    def update(self, options: GoogleOptions) -> None:
        self._options = options

    def close(self) -> None:
        """Ends the wait for another try."""
        self._closed.set()

    def transcribe(self, audio: Audio, language: str, context: Context) -> list[Segment]:
        """One segment for each phrase that Google tells apart.

        Raises Retryable (quota, network, out of order), Permanent (credentials, permission, language, request) and
        ValueError for sound of another shape or of more than 59 s.
        """
        sound = samples(checked(audio, MAX_CHUNK_S)).tobytes()
        if not any(sound):
            return []
        codes = self._codes(language)
        config = recognition_config(self._settings, self._options, codes, context.hot_words)
        ask = self._recognize if self._settings.method == "recognize" else self._stream
        results = self._patience.ask(lambda: self._try(ask, config, sound), self._closed, self._host.logger)
        return segments_of(results, len(audio) / SAMPLE_RATE_HZ, codes[0])

    def _codes(self, language: str) -> list[str]:
        tags = self._settings.auto_languages if language == AUTO else (language,)
        return list(dict.fromkeys(cloud_code(tag) for tag in tags))

    def _try(self, ask: Any, config: Any, sound: bytes) -> list[Any]:
        self._host.count("google_sent_s", len(sound) / 2 / SAMPLE_RATE_HZ)
        begun_s = time.monotonic()
        metadata = self._token.headers(self._settings.try_timeout_s) if self._token else []
        left_s = max(0.001, self._settings.try_timeout_s - (time.monotonic() - begun_s))
        try:
            results: list[Any] = ask(config, sound, left_s, metadata)
            return results
        except GoogleAPICallError as error:
            raise fault_of(error, self._settings) from None

    def _recognize(self, config: Any, sound: bytes, timeout_s: float, metadata: list[tuple[str, str]]) -> list[Any]:
        request = cloud_speech.RecognizeRequest(recognizer=self._recognizer, config=config, content=sound)
        # No retry of the client's own, in whatever version: it would know nothing of the limits here.
        response = self._client.recognize(request=request, retry=None, timeout=timeout_s, metadata=metadata)
        return list(response.results)

    def _stream(self, config: Any, sound: bytes, timeout_s: float, metadata: list[tuple[str, str]]) -> list[Any]:
        ended = threading.Event()
        sending_s = len(sound) / 2 / SAMPLE_RATE_HZ / self._settings.streaming_pace
        try:
            responses = self._client.streaming_recognize(
                requests=self._messages(config, sound, ended),
                retry=None,
                timeout=timeout_s + sending_s,
                metadata=metadata,
            )
            return [result for response in responses for result in response.results if result.is_final]
        finally:
            ended.set()

    def _messages(
        self, config: Any, sound: bytes, ended: threading.Event
    ) -> Iterator[cloud_speech.StreamingRecognizeRequest]:
        """What the stream is, then the sound, at the pace of the settings; gRPC takes it from a thread of its own."""
        streaming = cloud_speech.StreamingRecognitionConfig(config=config)
        yield cloud_speech.StreamingRecognizeRequest(recognizer=self._recognizer, streaming_config=streaming)
        step = 2 * _MESSAGE_SAMPLES
        for start in range(0, len(sound), step):
            message = sound[start : start + step]
            yield cloud_speech.StreamingRecognizeRequest(audio=message)
            if ended.wait(len(message) / 2 / SAMPLE_RATE_HZ / self._settings.streaming_pace):
                return


def recognition_config(
    settings: GoogleSettings, options: GoogleOptions, codes: list[str], hot_words: tuple[str, ...]
) -> cloud_speech.RecognitionConfig:
    """What is asked of Google: the sound's form, the model, the languages, and the names to expect."""
    phrases = _phrases(hot_words) if options.hot_word_boost else []
    return cloud_speech.RecognitionConfig(
        explicit_decoding_config=cloud_speech.ExplicitDecodingConfig(
            encoding=cloud_speech.ExplicitDecodingConfig.AudioEncoding.LINEAR16,
            sample_rate_hertz=SAMPLE_RATE_HZ,
            audio_channel_count=1,
        ),
        model=settings.model,
        language_codes=codes,
        features=cloud_speech.RecognitionFeatures(
            enable_automatic_punctuation=options.punctuation,
            enable_word_time_offsets=options.word_times,
            profanity_filter=options.profanity_filter,
        ),
        adaptation=_adaptation(phrases, options.hot_word_boost) if phrases else None,
    )


def _phrases(hot_words: tuple[str, ...]) -> list[str]:
    words = dict.fromkeys(word.strip()[:_MOST_PHRASE_CHARS] for word in hot_words)
    return [word for word in words if word][:_MOST_PHRASES]


def _adaptation(phrases: list[str], boost: float) -> cloud_speech.SpeechAdaptation:
    values = [cloud_speech.PhraseSet.Phrase(value=phrase, boost=boost) for phrase in phrases]
    phrase_set = cloud_speech.SpeechAdaptation.AdaptationPhraseSet(
        inline_phrase_set=cloud_speech.PhraseSet(phrases=values)
    )
    return cloud_speech.SpeechAdaptation(phrase_sets=[phrase_set])


def _token(settings: GoogleSettings) -> Token | None:
    """None for a server on this machine that needs none."""
    if settings.credentials_file is not None:
        return Token(from_file(settings.credentials_file), settings.ca_file)
    return Token(of_the_machine(), settings.ca_file) if settings.application_default_credentials else None


def _channel(settings: GoogleSettings) -> grpc.Channel:
    """Built here, for Google and for others alike: the client's own endpoint option knows only TLS."""
    target = target_of(settings)
    options = [("grpc.initial_reconnect_backoff_ms", 500), ("grpc.max_reconnect_backoff_ms", 5_000)]
    if settings.is_local:
        return grpc.insecure_channel(target, options)
    roots = _pem(settings.ca_file) if settings.ca_file else None
    return grpc.secure_channel(target, grpc.ssl_channel_credentials(root_certificates=roots), options)


def target_of(settings: GoogleSettings) -> str:
    """HOST:PORT of the endpoint, else of the location."""
    if settings.endpoint is not None:
        parts = urlsplit(settings.endpoint)
        host = f"[{parts.hostname}]" if ":" in str(parts.hostname) else parts.hostname
        return f"{host}:{parts.port or (80 if parts.scheme == 'http' else 443)}"
    prefix = "" if settings.location == "global" else f"{settings.location}-"
    return f"{prefix}speech.googleapis.com:443"


def _pem(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise Permanent(f"ca_file {path} cannot be read: {error.strerror}. Give a PEM file of certificates.") from None
