"""The load: everybody sends and receives in real time, and what of it arrived is counted over a window."""

import asyncio
import contextlib
import gc
import selectors
import time
from collections.abc import AsyncIterator, Callable

import numpy as np
from forwarding_figures import Figures, Layout, Numbers
from forwarding_path import Path
from forwarding_receiving import ReceivingPerson
from forwarding_sending import RING, SendingPerson, Stream

TICK_S = 0.002
STALL_S = 0.2
GRACE_S = 0.4  #: for the last packets of a window to come
FULL_S, FULL_SHARE = 2.0, 0.98


class Load:
    """Senders and receivers; ``running`` carries their media meanwhile."""

    def __init__(self) -> None:
        self.senders: list[SendingPerson] = []
        self.receivers: list[ReceivingPerson] = []
        self.stalls = 0  #: times that the generator itself was held up
        self._selector = selectors.DefaultSelector()

    def add_sender(self, person: SendingPerson) -> None:
        """From now on this person sends."""
        self._watch(person.path)
        self.senders.append(person)

    def add_receiver(self, person: ReceivingPerson) -> None:
        """From now on this person receives."""
        self._watch(person.path)
        self.receivers.append(person)

    def _watch(self, path: Path) -> None:
        if path.socket is None:
            raise RuntimeError("the connection was lost before its media could begin")
        self._selector.register(path.socket, selectors.EVENT_READ, path.drain)

    async def drop(self, index: int) -> None:
        """A person has gone."""
        gone = [person for person in (*self.senders, *self.receivers) if person.index == index]
        self.senders = [person for person in self.senders if person.index != index]
        self.receivers = [person for person in self.receivers if person.index != index]
        for sender in gone:
            for stream in sender.streams if isinstance(sender, SendingPerson) else ():
                for receiver in self.receivers:
                    receiver.arrived_ns.pop(stream.source, None)
        for person in gone:
            if person.path.socket is not None:
                self._selector.unregister(person.path.socket)
            await person.path.close()

    def troubles(self) -> str:
        """What was not as it should be with the generator itself; empty when all is well."""
        paths = [person.path for person in (*self.senders, *self.receivers)]
        counts = {
            "times held up": self.stalls,
            "packets that the socket did not take": sum(path.unsent for path in paths),
            "packets that could not be decrypted": sum(path.refused for path in paths),
        }
        return ", ".join(f"{count} {what}" for what, count in counts.items() if count)

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Send and receive until the end of the block; an error in it ends the block."""
        task = asyncio.create_task(self._run())
        block = asyncio.current_task()
        task.add_done_callback(lambda done: done.cancelled() or block is None or block.cancel())
        gc.freeze()  # so that a full collection does not hold up a burst
        try:
            yield
        except asyncio.CancelledError:
            if task.done() and not task.cancelled():
                task.result()
            raise
        finally:
            gc.unfreeze()
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def _run(self) -> None:
        before_s = time.monotonic()
        while True:
            now_s = time.monotonic()
            if now_s - before_s > STALL_S:
                self.stalls += 1
                for sender in self.senders:
                    sender.pause()
            before_s = now_s
            self._tick(now_s)
            await asyncio.sleep(TICK_S)

    def _tick(self, now_s: float) -> None:
        for sender in self.senders:
            sender.tick(now_s)
        for key, _ in self._selector.select(0):
            key.data()
        for receiver in self.receivers:
            receiver.tick(now_s)

    def expected(self, receiver: ReceivingPerson) -> list[Stream]:
        """What this person should get: everything but their own."""
        others = [s for s in self.senders if s.index != receiver.index]
        return [stream for sender in others for stream in sender.streams]

    async def flowing(self, receivers: int, timeout_s: float) -> None:
        """Until so many get everything that they should. Raises RuntimeError that says who lacks what."""
        deadline_s = time.monotonic() + timeout_s
        while True:
            lacking = {r.index: r.lacks(s.source for s in self.expected(r)) for r in self.receivers if self.expected(r)}
            lacking_some = {index: sources for index, sources in lacking.items() if sources}
            if len(lacking) == receivers and not lacking_some:
                return
            if time.monotonic() > deadline_s:
                raise RuntimeError(
                    f"after {timeout_s:.0f} s {len(lacking)} of {receivers} receivers are connected, "
                    f"and these lack sources: {lacking_some}"
                )
            await asyncio.sleep(0.1)

    async def full(self, timeout_s: float) -> bool:
        """Wait until all of everything comes: a server that adapts begins low. Whether it does."""
        deadline_s = time.monotonic() + timeout_s
        while time.monotonic() < deadline_s:
            first = self._numbers()
            await asyncio.sleep(FULL_S)
            waits_ns, expected = await self._arrived(first, self._numbers())
            if len(waits_ns) >= FULL_SHARE * expected:
                return True
        return False

    async def measure(self, layout: Layout, cpu_ns: Callable[[], int], seconds: float) -> Figures:
        """Over a window of so many seconds."""
        first, before_ns, began_s = self._numbers(), cpu_ns(), time.monotonic()
        await asyncio.sleep(seconds)
        last, used_ns, lasted_s = self._numbers(), cpu_ns() - before_ns, time.monotonic() - began_s
        waits_ns, expected = await self._arrived(first, last)
        return Figures.of(used_ns, len(waits_ns), expected, waits_ns / 1e6, lasted_s, layout)

    async def _arrived(self, first: dict[int, int], last: dict[int, int]) -> tuple[Numbers, int]:
        """How long each packet between the two took that came, and how many should have come."""
        await asyncio.sleep(GRACE_S)
        waits_ns, expected = [np.zeros(0, np.int64)], 0
        for receiver in self.receivers:
            for stream in self.expected(receiver):
                numbers = np.arange(first[stream.source], last[stream.source])
                expected += len(numbers)
                waits_ns.append(_waits_ns(stream, receiver, numbers % RING))
        return np.concatenate(waits_ns), expected

    def _numbers(self) -> dict[int, int]:
        return {stream.source: stream.number for sender in self.senders for stream in sender.streams}

    async def close(self) -> None:
        """Let go of the sockets, then of the connections."""
        for index in {person.index for person in (*self.senders, *self.receivers)}:
            await self.drop(index)
        self._selector.close()


def _waits_ns(stream: Stream, receiver: ReceivingPerson, slots: Numbers) -> Numbers:
    """Of those packets that came; what lies in the ring from a lap before came before it was sent."""
    if stream.source not in receiver.arrived_ns:
        return np.zeros(0, np.int64)
    sent = np.frombuffer(stream.sent_ns, np.int64)[slots]
    arrived = np.frombuffer(receiver.arrived_ns[stream.source], np.int64)[slots]
    return (arrived - sent)[arrived >= sent]
