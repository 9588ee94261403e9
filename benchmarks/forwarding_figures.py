"""What is measured, for whom, and the table and the JSON that are made of it."""

import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

Numbers = np.ndarray[tuple[int], np.dtype[Any]]
Results = Mapping[str, Mapping[str, "Figures | None"]]


class Layout(NamedTuple):
    """Who sends and who receives: ``name`` is a number of receivers of one sender, or "NxN"."""

    name: str
    senders: int
    receivers: int
    is_meeting: bool  #: everybody does both

    @classmethod
    def parse(cls, name: str) -> "Layout":
        """Raises ValueError for what is neither "N" nor "NxN"."""
        people, is_meeting, other = name.partition("x")
        if not people.isdigit() or not 1 <= int(people) <= 100 or (is_meeting and (other != people or people == "1")):
            raise ValueError(f"receivers {name!r}: give a number such as 10 (of one sender), or 5x5 for five people")
        return cls(name, int(people) if is_meeting else 1, int(people), bool(is_meeting))

    @property
    def people(self) -> int:
        return self.senders if self.is_meeting else self.senders + self.receivers

    @property
    def outputs(self) -> int:
        """Pictures that the server sends."""
        return self.receivers * (self.senders - 1 if self.is_meeting else self.senders)


class Figures(NamedTuple):
    """One server with one layout. ``us_per_packet`` is server CPU per packet that came, ingress included.

    The latencies are from just before sending to the kernel's stamp at the receiver.
    """

    us_per_packet: float
    delivery: float
    added_p50_ms: float
    added_p95_ms: float
    cores_per_output: float  #: of a CPU core, for each 720p picture sent, with its sound

    @classmethod
    def of(
        cls, cpu_ns: int, packets: int, expected: int, latency_ms: Numbers, seconds: float, layout: Layout
    ) -> "Figures":
        """``latency_ms`` holds one value for each of the ``expected`` that came."""
        p50, p95 = np.percentile(latency_ms, (50, 95)) if len(latency_ms) else (math.nan, math.nan)
        return cls(
            us_per_packet=cpu_ns / 1e3 / packets if packets else math.nan,
            delivery=len(latency_ms) / expected if expected else math.nan,
            added_p50_ms=float(p50),
            added_p95_ms=float(p95),
            cores_per_output=cpu_ns / 1e9 / seconds / layout.outputs,
        )

    def as_json(self) -> dict[str, float | None]:
        """Rounded; None for what could not be had."""
        digits = {"us_per_packet": 2, "delivery": 6, "added_p50_ms": 3, "added_p95_ms": 3, "cores_per_output": 6}
        values = {name: getattr(self, name) for name in self._fields}
        return {name: None if math.isnan(value) else round(value, digits[name]) for name, value in values.items()}


def best(rounds: Sequence[Figures]) -> Figures | None:
    """Of several rounds the least of each: other work on the machine only adds CPU and latency.

    Of the delivery that is the worst: a loss is not made good by another round.
    """
    return Figures(*map(min, zip(*rounds, strict=True))) if rounds else None


def table(results: Results, reasons: Mapping[tuple[str, str], str]) -> str:
    """For people."""
    titles = f"{'us/packet':>11}{'delivery':>10}{'p50 ms':>9}{'p95 ms':>9}{'cores/output':>14}"
    lines = [f"{'server':<12}{'receivers':>10}{titles}"]
    for server, by_layout in results.items():
        for layout, found in by_layout.items():
            lines.append(
                f"{server:<12}{layout:>10}" + (_row(found) if found else f"  {reasons.get((server, layout), '')}")
            )
    return "\n".join(lines)


def _row(found: Figures) -> str:
    return (
        f"{found.us_per_packet:>11.1f}{found.delivery:>10.5f}{found.added_p50_ms:>9.2f}{found.added_p95_ms:>9.2f}"
        f"{found.cores_per_output:>14.5f}"
    )


def ratios(results: Results) -> list[str]:
    """VMeet against the others, where both were measured."""
    lines, ours = [], results.get("vmeet", {})
    for layout, found in results.get("janus", {}).items():
        own = ours.get(layout)
        if own and found:
            lines.append(
                f"{layout}: VMeet takes {own.us_per_packet / found.us_per_packet:.2f} of Janus's CPU per packet"
            )
    relayed = [found.cores_per_output for found in results.get("mediarelay", {}).values() if found]
    carried = [found.cores_per_output for found in ours.values() if found]
    if relayed and carried:
        lines.append(
            f"MediaRelay takes {min(relayed) / min(carried):.0f} times VMeet's CPU per 720p output at its best"
        )
    return lines
