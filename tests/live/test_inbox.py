"""Order, bounds, and which frames are late."""

import threading

from vmeet_core.live.inbox import MAX_MESSAGES, Inbox
from vmeet_core.live.messages import Kind, LiveFrame, Message


def frame(track: int, number: int = 0) -> Message:
    return Message(Kind.FRAME, track, LiveFrame("vp8", b"", number))


def test_only_the_newest_frame_of_a_track_is_worth_the_work() -> None:
    inbox = Inbox()
    for message in (frame(1, 0), frame(2, 0), frame(1, 1), Message(Kind.PING, 0, {}), frame(1, 2)):
        inbox.put(message)
    worth = [inbox.take() for _ in range(5)]
    assert [(m.kind, m.track, w) for m, w in worth if m] == [  # type: ignore[misc]
        (Kind.FRAME, 1, False),
        (Kind.FRAME, 2, True),
        (Kind.FRAME, 1, False),
        (Kind.PING, 0, True),
        (Kind.FRAME, 1, True),
    ]


def test_whoever_fills_it_waits_until_there_is_room() -> None:
    inbox = Inbox()
    for number in range(MAX_MESSAGES):
        inbox.put(frame(1, number))
    done = threading.Event()
    filler = threading.Thread(target=lambda: (inbox.put(frame(1, -1 % 2**32)), done.set()))
    filler.start()
    assert not done.wait(0.05)
    assert inbox.take() is not None
    assert done.wait(5)
    filler.join()


def test_a_closed_inbox_is_emptied_and_then_says_so() -> None:
    inbox = Inbox()
    inbox.put(frame(1))
    inbox.close()
    assert inbox.take() is not None
    assert inbox.take() is None


def test_closing_frees_whoever_waits() -> None:
    inbox, found = Inbox(), list[object]()
    waiting = threading.Thread(target=lambda: found.append(inbox.take()))
    waiting.start()
    inbox.close()
    waiting.join(5)
    assert found == [None]
