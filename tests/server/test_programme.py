"""Who is seen and heard, judged on real connections that nothing comes through."""

import time
from collections.abc import AsyncIterator

import pytest

from vmeet_core.manifest import SourceKind
from vmeet_core.server.programme import choose
from vmeet_core.sfu.ingress import Ingress
from vmeet_core.sfu.network import Network
from vmeet_core.sfu.publish_connection import PublishConnection

NOW_S = time.monotonic()


class Publishing(PublishConnection):
    """What comes from there is heard as it is."""

    @property
    def sound(self) -> Ingress | None:
        return self.sources.get("microphone")


class People(dict[str, Publishing]):
    """Connections by name."""

    def __init__(self, network: Network) -> None:
        super().__init__()
        self._network = network

    def add(self, name: str, *sources: SourceKind) -> None:
        """Who publishes these, and sends them."""
        self[name] = Publishing(self._network)
        for source in sources:
            ingress = Ingress(source, lambda _: True, self[name].clock)
            ingress.heard_s = NOW_S - 0.1
            self[name].sources[source] = ingress

    def seen(self, *order: str) -> tuple[str, str]:
        """Name and source of the largest size of the picture chosen."""
        picture = choose(self, order, NOW_S).picture
        return self._name(picture[-1]) if picture else ("", "")

    def heard(self, *order: str) -> list[str]:
        return [self._name(sound)[0] for sound in choose(self, order, NOW_S).sounds]

    def _name(self, ingress: Ingress) -> tuple[str, str]:
        return next((name, i.source) for name, each in self.items() for i in each.sources.values() if i is ingress)


@pytest.fixture
async def people() -> AsyncIterator[People]:
    network = Network(addresses=["127.0.0.1"])
    await network.open()
    made = People(network)
    yield made
    for connection in made.values():
        await connection.close()
    await network.close()


def test_nobody_is_nothing() -> None:
    assert choose({}, ["anna"], NOW_S) == ((), [])


async def test_those_who_matter_most_are_seen_and_heard_first(people: People) -> None:
    for name in ("anna", "ben", "cleo"):
        people.add(name, "microphone", "camera-small", "camera")
    assert people.seen() == ("anna", "camera")
    assert people.seen("gone", "ben") == ("ben", "camera")
    assert people.heard("cleo", "ben", "cleo") == ["cleo", "ben", "anna"]
    assert [i.source for i in choose(people, ["ben"], NOW_S).picture] == ["camera-small", "camera"]


async def test_a_shared_screen_goes_before_the_speaker(people: People) -> None:
    people.add("anna", "microphone", "camera")
    people.add("ben", "microphone", "camera", "screen")
    people["ben"].sources["screen"].set_muted(True)
    assert people.seen("anna") == ("anna", "camera")
    people["ben"].sources["screen"].set_muted(False)
    assert people.seen("anna") == ("ben", "screen")
    assert people.heard("anna") == ["anna", "ben"]


async def test_what_is_turned_off_is_neither_seen_nor_heard(people: People) -> None:
    people.add("anna", "microphone", "camera")
    people.add("ben", "microphone", "camera")
    for source in people["anna"].sources.values():
        source.set_muted(True)
    assert people.seen("anna") == ("ben", "camera")
    assert people.heard("anna") == ["ben"]


async def test_what_sends_nothing_comes_last(people: People) -> None:
    people.add("anna", "microphone", "camera")
    people.add("ben", "microphone", "camera")
    for source in people["anna"].sources.values():
        source.heard_s = NOW_S - 60
    assert people.seen("anna") == ("ben", "camera")
    assert people.heard("anna") == ["ben", "anna"]
    people["ben"].sources.clear()
    assert people.seen("ben") == ("anna", "camera")
    assert people.heard("ben") == ["anna"]
