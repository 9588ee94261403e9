"""The engine cloud against a gRPC server that implements Speech v2 with Google's limits, and all that goes wrong."""

import logging
import time
import traceback
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import grpc
import numpy as np
import pytest
from vmeet_stt_google import GoogleOptions, GoogleProvider, GoogleSettings
from vmeet_stt_google.cloud import CloudTranscriber, target_of

from vmeet_core.hookspecs import Audio, Context, Permanent, Retryable, Segment, Transcriber
from vmeet_core.testing import local_host

QUICK = {"try_timeout_s": 15, "give_up_after_s": 30, "first_wait_s": 0.05, "streaming_pace": 50}
WORDS = ((0.1, 0.5, "今天"), (0.5, 0.9, "天氣"), (1.0, 1.4, "很好。"))
SAID = [Segment(0.1, 1.4, "今天天氣很好。", "zh-TW", pytest.approx(0.9), WORDS)]
Status = grpc.StatusCode


def settings_for(endpoint: str, **settings: Any) -> GoogleSettings:
    return GoogleSettings(**({"engine": "cloud", "project": "meetings-1", "endpoint": endpoint} | QUICK | settings))


def load(endpoint: str, **settings: Any) -> Transcriber:
    return GoogleProvider().load(settings_for(endpoint, **settings), local_host())


@pytest.fixture(params=["recognize", "streaming"])
def method(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def engine(cloud: Any, method: str) -> Iterator[Transcriber]:
    with closing(load(cloud.endpoint, method=method)) as loaded:
        yield loaded


def said(
    engine: Transcriber, speech: Audio, language: str = "zh", options: GoogleOptions | None = None
) -> list[Segment]:
    with closing(engine.open(options or GoogleOptions())) as stream:
        return stream.transcribe(speech, language, Context(("王小明", " 王小明 ", "", "VMeet"), "早安"))


def calls(cloud: Any) -> int:
    return len(cloud.metadata)


def test_phrases_come_back_with_the_times_of_words(cloud: Any, engine: Transcriber, speech: Audio) -> None:
    assert said(engine, speech) == SAID


def test_what_is_asked(cloud: Any, speech: Audio) -> None:
    with closing(load(cloud.endpoint)) as engine:
        said(engine, speech)
    (request,) = cloud.requests
    config = request.config
    assert np.frombuffer(request.content, np.int16) == pytest.approx(speech * 32_767, abs=0.51)
    assert (config.model, list(config.language_codes)) == ("chirp_2", ["cmn-Hant-TW"])
    assert config.features.enable_automatic_punctuation
    assert config.features.enable_word_time_offsets
    phrases = config.adaptation.phrase_sets[0].inline_phrase_set.phrases
    assert [(phrase.value, phrase.boost) for phrase in phrases] == [("王小明", 10), ("VMeet", 10)]


def test_options_ask_for_less(cloud: Any, speech: Audio) -> None:
    options = GoogleOptions(punctuation=False, word_times=False, hot_word_boost=0, profanity_filter=True)
    with closing(load(cloud.endpoint, model="long")) as engine:
        said(engine, speech, "en", options)
    config = cloud.requests[0].config
    assert (config.model, list(config.language_codes)) == ("long", ["en-US"])
    assert not config.features.enable_automatic_punctuation
    assert not config.features.enable_word_time_offsets
    assert config.features.profanity_filter
    assert not config.adaptation.phrase_sets


def test_new_options_hold_from_the_next_part(cloud: Any, speech: Audio) -> None:
    with closing(load(cloud.endpoint)) as engine:
        stream = engine.open(GoogleOptions())
        stream.update(GoogleOptions(punctuation=False))
        stream.transcribe(speech, "zh", Context())
    assert not cloud.requests[0].config.features.enable_automatic_punctuation


@pytest.mark.parametrize(
    ("auto", "codes"), [({}, ["auto"]), ({"auto_languages": ("zh", "zh-TW", "en")}, ["cmn-Hant-TW", "en-US"])]
)
def test_auto_lets_google_choose(
    cloud: Any, speech: Audio, auto: dict[str, Any], codes: list[str], make_result: Any
) -> None:
    cloud.results = [make_result("good morning", [], 2.0, "en-us"), make_result("…", [], 2.0, "")]
    with closing(load(cloud.endpoint, **auto)) as engine:
        found = said(engine, speech, "auto")
    assert list(cloud.requests[0].config.language_codes) == codes
    assert [segment.language for segment in found] == ["en-US", "und" if codes == ["auto"] else "zh-TW"]


def test_a_stream_goes_in_messages_at_the_pace_of_the_settings(cloud: Any, speech: Audio) -> None:
    with closing(load(cloud.endpoint, method="streaming", streaming_pace=4)) as engine:
        begun_s = time.monotonic()
        assert said(engine, speech) == SAID  # what the double takes back later is not in it
        assert time.monotonic() - begun_s >= 0.5
    first, *messages = cloud.streams[0]
    assert first.streaming_config.config.model == "chirp_2"
    sound = b"".join(message.audio for message in messages)
    assert np.frombuffer(sound, np.int16) == pytest.approx(speech * 32_767, abs=0.51)
    assert [len(message.audio) for message in messages] == [24_000, 24_000, 16_000]


def test_silence_is_not_sent_and_nothing_said_is_no_segment(cloud: Any, engine: Transcriber, speech: Audio) -> None:
    assert said(engine, np.zeros(16_000, np.float32)) == []
    assert calls(cloud) == 0
    cloud.results = []
    assert said(engine, speech) == []


def test_as_much_as_is_declared_is_taken_and_no_more(cloud: Any) -> None:
    with closing(load(cloud.endpoint)) as engine:
        assert len(said(engine, np.full(59 * 16_000, 0.1, np.float32))) == 1
        with pytest.raises(ValueError, match=r"at most 59 s of sound at once, not 60\.00 s"):
            said(engine, np.full(60 * 16_000, 0.1, np.float32))


PASSING = {
    Status.RESOURCE_EXHAUSTED: "the quota of the project is used up",
    Status.UNAVAILABLE: "it cannot be reached or is out of order",
    Status.INTERNAL: "it failed",
    Status.DEADLINE_EXCEEDED: "it gave no answer in time",
    Status.ABORTED: "it gave up",
}


@pytest.mark.parametrize("code", PASSING)
def test_what_passes_is_tried_again_until_the_transcript_is_whole(
    cloud: Any, engine: Transcriber, speech: Audio, code: grpc.StatusCode
) -> None:
    cloud.next += [cloud.status(code, "not now")] * 2
    assert said(engine, speech) == SAID
    assert calls(cloud) == 3


@pytest.mark.parametrize("code", PASSING)
def test_what_lasts_is_one_clear_error_that_may_be_retried(
    cloud: Any, speech: Audio, code: grpc.StatusCode, method: str
) -> None:
    cloud.next += [cloud.status(code, "not now")] * 100
    with closing(load(cloud.endpoint, method=method, give_up_after_s=0.3)) as engine:
        with pytest.raises(Retryable, match=f"{PASSING[code]}.*{code.name}: not now \\(tried .+ in") as raised:
            said(engine, speech)
        assert raised.value.after_s == 30
        cloud.next.clear()
        assert said(engine, speech) == SAID


def test_nobody_but_the_plugin_tries_again(cloud: Any, speech: Audio, method: str) -> None:
    cloud.next += [cloud.status(Status.UNAVAILABLE, "not now")] * 9
    engine = load(cloud.endpoint, method=method, first_wait_s=60)
    with closing(engine), pytest.raises(Retryable, match="tried once"):
        said(engine, speech)
    assert calls(cloud) == 1


def test_the_wait_that_google_asks_for_is_kept_or_left_to_the_core(
    cloud: Any, engine: Transcriber, speech: Audio
) -> None:
    cloud.next.append(cloud.status(Status.RESOURCE_EXHAUSTED, "slow down", retry_s=0.5))
    begun_s = time.monotonic()
    assert said(engine, speech) == SAID
    assert time.monotonic() - begun_s >= 0.5
    cloud.next.append(cloud.status(Status.RESOURCE_EXHAUSTED, "slow down", retry_s=90))
    with pytest.raises(Retryable, match="tried once") as raised:
        said(engine, speech)
    assert raised.value.after_s == 90


@pytest.mark.parametrize(
    ("code", "message"),
    [
        (Status.UNAUTHENTICATED, "does not accept the credentials. Give credentials_file of a service account"),
        (Status.PERMISSION_DENIED, 'the role "Cloud Speech Client" in project meetings-1'),
        (Status.NOT_FOUND, r"Check project \(meetings-1\), location \(asia-southeast1\) and model \(chirp_2\)"),
        (Status.INVALID_ARGUMENT, "Check that model chirp_2 in asia-southeast1 knows the language"),
        (Status.FAILED_PRECONDITION, "Check billing"),
        (Status.OUT_OF_RANGE, "longer than it takes"),
        (Status.UNIMPLEMENTED, "Check endpoint"),
    ],
)
def test_what_no_other_try_would_change_fails_at_once(
    cloud: Any, engine: Transcriber, speech: Audio, code: grpc.StatusCode, message: str
) -> None:
    cloud.next.append(cloud.status(code, "never"))
    with pytest.raises(Permanent, match=f"{message}.*It said: {code.name}: never"):
        said(engine, speech)
    assert calls(cloud) == 1


def test_a_language_that_google_has_not_is_told_in_its_words(cloud: Any, engine: Transcriber, speech: Audio) -> None:
    with pytest.raises(Permanent, match="The language is not supported by the model"):
        said(engine, speech, "xx-XX")


def test_an_answer_that_is_no_message_is_tried_again(cloud: Any, engine: Transcriber, speech: Audio) -> None:
    cloud.garbage.append(b"\xff\xff\xff<html>")
    assert said(engine, speech) == SAID
    assert calls(cloud) == 2


def test_a_server_of_another_sort_is_one_clear_error(web: Any, speech: Audio, method: str) -> None:
    port = web.endpoint.split(":")[2].split("/")[0]
    with (
        closing(load(f"http://127.0.0.1:{port}", method=method, try_timeout_s=1, give_up_after_s=1)) as engine,
        pytest.raises(Retryable, match=r"cannot be reached|no answer in time"),
    ):
        said(engine, speech)


def test_connections_that_drop_amid_the_sound_cost_no_word(
    cloud: Any, cutting_proxy: Any, speech: Audio, method: str
) -> None:
    proxy = cutting_proxy(cuts=2, after_bytes=30_000)
    with closing(load(f"http://127.0.0.1:{proxy.port}", method=method, give_up_after_s=30)) as engine:
        assert said(engine, speech) == SAID
    assert proxy.connections == 3


def test_a_server_that_is_not_there_is_a_clear_error(closed_port: int, speech: Audio, method: str) -> None:
    with (
        closing(load(f"http://127.0.0.1:{closed_port}", method=method, give_up_after_s=0.2)) as engine,
        pytest.raises(Retryable, match=r"cannot be reached.*UNAVAILABLE.*\(tried"),
    ):
        said(engine, speech)


def test_a_stall_ends_with_the_try_and_the_next_one_brings_the_transcript(
    cloud: Any, speech: Audio, method: str
) -> None:
    cloud.next.append(cloud.stall(20))
    with closing(load(cloud.endpoint, method=method, try_timeout_s=0.7, give_up_after_s=30)) as engine:
        begun_s = time.monotonic()
        assert said(engine, speech) == SAID
        assert 0.7 <= time.monotonic() - begun_s < 15
    assert calls(cloud) >= 2


def test_a_server_that_never_answers_is_left_in_time(cloud: Any, speech: Audio, method: str) -> None:
    cloud.next += [cloud.stall(20)] * 5
    with closing(load(cloud.endpoint, method=method, try_timeout_s=0.3, give_up_after_s=0.4)) as engine:
        begun_s = time.monotonic()
        with pytest.raises(Retryable, match=r"it gave no answer in time \(try_timeout_s\)"):
            said(engine, speech)
        assert time.monotonic() - begun_s < 10


def test_a_key_file_is_exchanged_for_a_token_that_each_request_carries(
    cloud: Any, tokens: Any, key_file: Path, speech: Audio, method: str
) -> None:
    cloud.token = tokens.TOKEN
    with closing(load(cloud.endpoint, credentials_file=key_file, method=method)) as engine:
        assert said(engine, speech) == said(engine, speech) == SAID
    assert tokens.asked == 1


def test_with_tls_and_an_authority_of_ones_own(
    tls_cloud: Any, certificate: Any, tokens: Any, key_file: Path, speech: Audio, tmp_path: Path
) -> None:
    tls_cloud.token = tokens.TOKEN
    ca_file = tmp_path / "ca.pem"
    ca_file.write_bytes(certificate.certificate_pem)
    with closing(load(tls_cloud.endpoint, credentials_file=key_file, ca_file=ca_file)) as engine:
        assert said(engine, speech) == SAID
    with (
        closing(load(tls_cloud.endpoint, credentials_file=key_file, give_up_after_s=0.2)) as engine,
        pytest.raises(Retryable, match=r"cannot be reached.*UNAVAILABLE"),
    ):  # nobody it trusts has signed that
        said(engine, speech)
    assert calls(tls_cloud) == 1


def test_the_credentials_of_the_machine(
    cloud: Any, tokens: Any, key_file: Path, speech: Audio, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(key_file))
    cloud.token = tokens.TOKEN
    with closing(load(cloud.endpoint, application_default_credentials=True)) as engine:
        assert said(engine, speech) == SAID


def test_an_authority_that_cannot_be_read_is_named(key_file: Path, tmp_path: Path) -> None:
    with pytest.raises(Permanent, match=r"ca_file .*absent\.pem cannot be read: No such file"):
        load("https://127.0.0.1:1", credentials_file=key_file, ca_file=tmp_path / "absent.pem")


@pytest.mark.parametrize(
    ("settings", "target"),
    [
        ({"endpoint": None, "location": "asia-southeast1"}, "asia-southeast1-speech.googleapis.com:443"),
        ({"endpoint": None, "location": "global"}, "speech.googleapis.com:443"),
        ({"endpoint": "https://speech.example.org"}, "speech.example.org:443"),
        ({"endpoint": "https://speech.example.org:8443/"}, "speech.example.org:8443"),
        ({"endpoint": "http://[::1]:50051"}, "[::1]:50051"),
        ({"endpoint": "http://localhost"}, "localhost:80"),
    ],
)
def test_whom_it_connects_to(settings: dict[str, Any], target: str) -> None:
    checked = GoogleSettings(engine="cloud", project="p", credentials_file=Path("key.json"), **settings)
    assert target_of(checked) == target


def test_no_key_and_no_token_is_told_to_anybody(
    cloud: Any, tokens: Any, key_file: Path, private_key_pem: str, speech: Audio, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    cloud.token = tokens.TOKEN
    tokens.answers += [(503, b"later"), (200, b"no JSON")]
    settings = settings_for(cloud.endpoint, credentials_file=key_file, give_up_after_s=30)
    told = [repr(settings)]
    with closing(GoogleProvider().load(settings, local_host())) as engine:
        for code in (None, Status.UNAVAILABLE, Status.PERMISSION_DENIED, Status.UNAUTHENTICATED):
            cloud.next += [cloud.status(code, "no")] if code else []
            try:
                told.append(str(said(engine, speech)))
            except Permanent as error:
                told += traceback.format_exception(error)
    assert isinstance(engine, CloudTranscriber)
    assert len(told) > 5
    everything = caplog.text + "".join(told)
    assert "another in" in everything
    assert tokens.TOKEN not in everything
    assert private_key_pem.splitlines()[1] not in everything
