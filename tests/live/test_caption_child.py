"""The parts of the process that writes captions which a whole one cannot be made to show quickly."""

import os
import socket
import time
from collections.abc import Iterator

import pytest

from vmeet_core.live.caption_child import STUCK, STUCK_S, Ear, Line, Scribe, _written
from vmeet_core.live.dictation import Dictation
from vmeet_core.live.dictation_queue import DictationQueue
from vmeet_core.live.messages import Kind, Message, Unpacker

TW = Dictation("zh", "traditional-tw")


class Ended(Exception):
    """The process would be over."""


@pytest.fixture
def ends() -> Iterator[tuple[socket.socket, socket.socket]]:
    """The server's end and the process's."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        yield ours, theirs


@pytest.mark.parametrize("busy_s", [None, 1.0, STUCK_S - 5])
def test_it_answers_while_the_transcriber_works(
    ends: tuple[socket.socket, socket.socket], busy_s: float | None
) -> None:
    ours, theirs = ends
    queue = DictationQueue(lambda track: None)
    scribe = Scribe(Line(theirs), queue)
    scribe.since_s = time.monotonic() - busy_s if busy_s is not None else None
    Ear(theirs, Line(theirs), queue, scribe)._hear(Message(Kind.PING, 0, {}))
    (answer,) = Unpacker().feed(ours.recv(1000))
    assert answer.kind is Kind.PONG


def test_a_transcriber_that_never_returns_ends_the_process(
    ends: tuple[socket.socket, socket.socket], monkeypatch: pytest.MonkeyPatch
) -> None:
    def end(code: int) -> None:
        assert code == STUCK
        raise Ended

    monkeypatch.setattr(os, "_exit", end)
    queue = DictationQueue(lambda track: None)
    scribe = Scribe(Line(ends[1]), queue)
    scribe.since_s = time.monotonic() - STUCK_S - 1
    with pytest.raises(Ended):
        Ear(ends[1], Line(ends[1]), queue, scribe)._hear(Message(Kind.PING, 0, {}))


@pytest.mark.parametrize(
    ("text", "language", "before", "written"),
    [
        ("软件 很好", "zh", "", "軟體很好"),
        ("文件在范先生那里", "zh", "这个软件", "檔案在范先生那裡"),
        ("文件", "zh", "這個軟體", "文件"),
        ("会議の資料", "ja", "", "会議の資料"),
        ("Good morning.", "en", "", "Good morning."),
    ],
)
def test_text_is_written_as_the_meeting_wants_it(text: str, language: str, before: str, written: str) -> None:
    assert _written(text, language, before, TW) == written


def test_numbers_are_digits_where_the_meeting_wants_them() -> None:
    assert _written("二十三个人", "zh", "", TW._replace(numbers="digits")) == "23 個人"
