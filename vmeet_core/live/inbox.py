"""What a worker has still to do: messages in order, bounded, and which frames are too late to be worth the work."""

import threading
from collections import Counter, deque

from vmeet_core.live.messages import Kind, Message

MAX_MESSAGES = 256


class Inbox:
    """Filled by one thread, emptied by another.

    A frame is worth the work when no newer one of its track waits behind it: late means drop, never queue.
    """

    def __init__(self) -> None:
        self._messages: deque[Message] = deque()
        self._frames: Counter[int] = Counter()  # that wait, by track
        self._changed = threading.Condition()
        self._closed = False

    def put(self, message: Message) -> None:
        """Waits while it is full: then the sender's socket fills up, and the sender drops."""
        with self._changed:
            self._changed.wait_for(lambda: len(self._messages) < MAX_MESSAGES or self._closed)
            self._messages.append(message)
            self._frames[message.track] += message.kind is Kind.FRAME
            self._changed.notify_all()

    def take(self) -> tuple[Message, bool] | None:
        """The next message, and whether it is worth the work; waits for one. None when it is closed and empty."""
        with self._changed:
            self._changed.wait_for(lambda: self._messages or self._closed)
            if not self._messages:
                return None
            message = self._messages.popleft()
            self._changed.notify_all()
            if message.kind is not Kind.FRAME:
                return message, True
            self._frames[message.track] -= 1
            newest = not self._frames[message.track]
            if newest:
                del self._frames[message.track]
            return message, newest

    def close(self) -> None:
        """Nothing more comes."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
