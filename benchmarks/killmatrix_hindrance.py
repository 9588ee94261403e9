"""What makes it harder still for a server that is killed: nothing, by default."""

from typing import Any

from killmatrix_people import Person
from killmatrix_truth import Told


class Hindrance:
    """Overridden as needed; ``faults`` are those that belong to no recording."""

    def __init__(self) -> None:
        self.faults: list[str] = []

    async def begin(self) -> None:
        """Before the server is started for the first time."""

    async def before_recording(self) -> None:
        """Just before somebody asks for a recording, in the runs that are killed while it begins."""

    async def while_recording(self, people: list[Person], told: Told) -> None:
        """Just before the kill, people are recorded."""

    async def at_step(self) -> None:
        """Just before the kill, at the point of a step at which it is due."""

    async def killed(self) -> None:
        """Before the server is started again."""

    async def restarted(self) -> None:
        """It answers again, or it was not killed after all: what is hindered now ends soon."""

    async def end(self) -> None:
        """No more kills: from now on nothing is hindered. Twice does no harm."""

    def figures(self) -> dict[str, Any]:
        """For the report."""
        return {}
