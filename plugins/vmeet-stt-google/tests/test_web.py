"""The engine web against a server that speaks the API: what is asked, what is answered, and all that goes wrong."""

import logging
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any

import numpy as np
import pytest
from vmeet_stt_google import GoogleOptions, GoogleProvider, GoogleSettings

from vmeet_core.hookspecs import Audio, Context, Permanent, Retryable, Segment, TranscriberStream
from vmeet_core.testing import local_host

QUICK = {"try_timeout_s": 15, "give_up_after_s": 30, "first_wait_s": 0.01}
SAID = [Segment(0.0, 2.0, "今天天氣很好", "zh-TW", 0.93)]


def stream_to(double: Any, options: GoogleOptions | None = None, **settings: Any) -> TranscriberStream:
    checked = GoogleSettings(**({"endpoint": double.endpoint} | QUICK | settings))
    return GoogleProvider().load(checked, local_host()).open(options or GoogleOptions())


@pytest.fixture
def stream(web: Any) -> Iterator[TranscriberStream]:
    with closing(stream_to(web)) as opened:
        yield opened


def test_what_is_said_comes_back_over_the_whole_part(web: Any, stream: TranscriberStream, speech: Audio) -> None:
    assert stream.transcribe(speech, "zh", Context(("王小明",), "早安")) == SAID
    (request,) = web.requests
    assert request.query["lang"] == "zh-TW"
    assert request.query["key"]
    assert request.query["pFilter"] == "0"
    assert request.content_type == "audio/x-flac; rate=16000"
    assert request.seconds == 2.0
    assert request.peak == pytest.approx(float(np.abs(speech).max()), abs=1e-4)


def test_the_key_and_the_options_are_sent(web: Any, speech: Audio) -> None:
    stream = stream_to(web, GoogleOptions(profanity_filter=True), api_key="my-own-key", default_language="en-GB")
    web.text, web.confidence = "good morning ", 0.0
    assert stream.transcribe(speech, "auto", Context()) == [Segment(0.0, 2.0, "good morning", "en-GB", None)]
    query = web.requests[0].query
    assert (query["key"], query["lang"], query["pFilter"]) == ("my-own-key", "en-GB", "1")


def test_new_options_hold_from_the_next_part(web: Any, stream: TranscriberStream, speech: Audio) -> None:
    stream.update(GoogleOptions(profanity_filter=True))
    stream.transcribe(speech, "zh", Context())
    assert web.requests[0].query["pFilter"] == "1"


def test_where_nothing_is_understood_there_is_no_segment(web: Any, stream: TranscriberStream, speech: Audio) -> None:
    web.next.append(web.nothing)
    assert stream.transcribe(speech, "zh", Context()) == []


def test_digital_silence_is_not_sent(web: Any, stream: TranscriberStream) -> None:
    assert stream.transcribe(np.zeros(16_000, np.float32), "zh", Context()) == []
    assert stream.transcribe(np.zeros(0, np.float32), "zh", Context()) == []
    assert web.requests == []


def test_more_than_15_s_is_refused(web: Any, stream: TranscriberStream) -> None:
    with pytest.raises(ValueError, match=r"at most 15 s of sound at once, not 15\.50 s"):
        stream.transcribe(np.ones(248_000, np.float32), "zh", Context())
    with pytest.raises(ValueError, match=r"not of shape \(2, 8\)"):
        stream.transcribe(np.ones((2, 8), np.float32), "zh", Context())
    assert web.requests == []


#: What may happen to a request, and pass.
PASSING: dict[str, Callable[[Any], Any]] = {
    "429": lambda web: web.status(429),
    "429 with a time": lambda web: web.status(429, Retry_After="0"),
    "500": lambda web: web.status(500),
    "503": lambda web: web.status(503),
    "hung up": lambda web: web.hang_up,
    "broken off": lambda web: web.break_off,
    "no JSON": lambda web: web.page(b"<html>Please log in</html>"),
    "half a JSON": lambda web: web.page(b'{"result":[{"alternat'),
    "another JSON": lambda web: web.page(b'{"error": "none"}'),
    "a list": lambda web: web.page(b"[1, 2]"),
    "a number": lambda web: web.page(b"17"),
    "no text": lambda web: web.page(b'{"result":[{"alternative":[{"transcript":7}]}]}'),
    "a wrong alternative": lambda web: web.page(b'{"result":[{"alternative":{"a":1}}]}'),
    "no UTF-8": lambda web: web.page(b"\xff\xfe{}"),
}


@pytest.mark.parametrize("fault", PASSING)
def test_what_passes_is_tried_again_until_the_transcript_is_whole(
    web: Any, stream: TranscriberStream, speech: Audio, fault: str
) -> None:
    web.next += [PASSING[fault](web)] * 2
    assert stream.transcribe(speech, "zh", Context()) == SAID
    assert len(web.requests) == 3


@pytest.mark.parametrize(
    ("fault", "message"),
    {
        "429": r"answered 429 \(Too Many Requests\): too many requests\. Wait, .* \(tried \d+ times in",
        "503": r"answered 503 \(Service Unavailable\): it is out of order for now \(tried",
        "hung up": r"the connection to Google's web speech API broke off \(RemoteDisconnected\) \(tried",
        "broken off": r"broke off \(IncompleteRead\) \(tried",
        "no JSON": r"gave an answer that is not its JSON: is another server at its address\? \(tried",
    }.items(),
)
def test_what_lasts_is_one_clear_error_that_may_be_retried(web: Any, speech: Audio, fault: str, message: str) -> None:
    stream = stream_to(web, give_up_after_s=1)
    web.next += [PASSING[fault](web)] * 100
    with pytest.raises(Retryable, match=message) as raised:
        stream.transcribe(speech, "zh", Context())
    assert raised.value.after_s == 30
    assert 2 <= len(web.requests) < 12
    web.next.clear()
    assert stream.transcribe(speech, "zh", Context()) == SAID


def test_the_wait_that_the_service_asks_for_is_kept(web: Any, speech: Audio) -> None:
    web.next += [web.status(429, Retry_After="1")]
    begun_s = time.monotonic()
    assert stream_to(web).transcribe(speech, "zh", Context()) == SAID
    assert time.monotonic() - begun_s >= 1


@pytest.mark.parametrize(("header", "after_s"), [("120", 120), ("1e999", 3600), ("Wed, 21 Oct 2037 07:28:00 GMT", 60)])
def test_a_longer_wait_is_left_to_the_core(
    web: Any, stream: TranscriberStream, speech: Audio, header: str, after_s: float
) -> None:
    web.next += [web.status(503, Retry_After=header)]
    with pytest.raises(Retryable, match="tried once") as raised:
        stream.transcribe(speech, "zh", Context())
    assert raised.value.after_s == after_s


@pytest.mark.parametrize(
    ("code", "message"),
    [
        (400, r"answered 400 \(Bad Request\)\. It takes neither the key nor the sound: check api_key under \[plugins"),
        (401, r"answered 401 \(Unauthorized\)\. Give a key that is valid"),
        (403, r"answered 403 \(Forbidden\)\. The key is not allowed or used up for today"),
        (404, r"answered 404 \(Not Found\)\. Check endpoint"),
        (413, r"answered 413 .*\. See the README"),
    ],
)
def test_what_no_other_try_would_change_fails_at_once(
    web: Any, stream: TranscriberStream, speech: Audio, code: int, message: str
) -> None:
    web.next.append(web.status(code))
    with pytest.raises(Permanent, match=message):
        stream.transcribe(speech, "zh", Context())
    assert len(web.requests) == 1


def test_a_server_that_is_not_there_is_a_clear_error(closed_port: int, speech: Audio) -> None:
    settings = GoogleSettings(endpoint=f"http://127.0.0.1:{closed_port}/", give_up_after_s=0.1)
    stream = GoogleProvider().load(settings, local_host()).open(GoogleOptions())
    with pytest.raises(Retryable, match=r"cannot be reached: .*refused"):
        stream.transcribe(speech, "zh", Context())


def test_a_stall_ends_with_the_try_and_the_next_one_brings_the_transcript(web: Any, speech: Audio) -> None:
    web.next.append(web.stall(20))
    begun_s = time.monotonic()
    assert stream_to(web, try_timeout_s=0.5).transcribe(speech, "zh", Context()) == SAID
    assert 0.5 <= time.monotonic() - begun_s < 15
    assert len(web.requests) >= 2


@pytest.mark.parametrize("behaviour", ["stall", "drip"])
def test_a_server_that_never_ends_its_answer_is_left_in_time(web: Any, speech: Audio, behaviour: str) -> None:
    web.next += [web.stall(20) if behaviour == "stall" else web.drip] * 5
    begun_s = time.monotonic()
    with pytest.raises(Retryable, match=r"gave no answer within 0\.3 s \(tried"):
        stream_to(web, try_timeout_s=0.3, give_up_after_s=0.4).transcribe(speech, "zh", Context())
    assert time.monotonic() - begun_s < 10


def test_close_ends_the_wait_for_another_try(web: Any, speech: Audio) -> None:
    stream = stream_to(web, give_up_after_s=600)
    web.next.append(web.status(429, Retry_After="500"))
    raised: list[Retryable] = []

    def transcribe() -> None:
        with pytest.raises(Retryable, match="was closed") as found:
            stream.transcribe(speech, "zh", Context())
        raised.append(found.value)

    thread = threading.Thread(target=transcribe)
    thread.start()
    while not web.requests:
        time.sleep(0.01)
    stream.close()
    stream.close()
    thread.join(10)
    assert not thread.is_alive()
    assert [error.after_s for error in raised] == [0]


def test_no_key_is_told_to_anybody(web: Any, speech: Audio, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    key = "A-KEY-THAT-NOBODY-MAY-READ"
    told = [repr(GoogleSettings(api_key=key)), str(GoogleSettings(api_key=key).model_dump())]
    stream = stream_to(web, api_key=key)
    web.next += [fault(web) for fault in PASSING.values()][:6]
    told.append(str(stream.transcribe(speech, "zh", Context())))
    for code in (400, 403, 429):
        web.next.append(web.status(code, Retry_After="99"))
        with pytest.raises((Permanent, Retryable)) as raised:
            stream.transcribe(speech, "zh", Context())
        told += traceback.format_exception(raised.value)
    web.next.append(web.status(400, reason=f"Bad Request: {key}"))
    with pytest.raises(Permanent, match=r"answered 400 \(Bad Request: …\)") as echoed:
        stream.transcribe(speech, "zh", Context())
    told += traceback.format_exception(echoed.value)
    assert [request.query["key"] for request in web.requests] == [key] * 11
    assert len(caplog.records) >= 6
    assert key not in caplog.text + "".join(told)
