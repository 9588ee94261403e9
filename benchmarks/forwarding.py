"""What forwarding costs: server CPU per packet, delivery and added latency of VMeet, aiortc's MediaRelay and Janus.

    python benchmarks/forwarding.py --servers vmeet,janus --receivers 10,30 --seconds 6 --rounds 3

Prints a table, and one JSON object as its last line: {server: {receivers: figures or null}}. docs/benchmarks.md says
how it measures.
"""

import argparse
import asyncio
import json
import logging
import os
import signal
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import aiohttp
import forwarding_janus
import forwarding_mediarelay
from forwarding_figures import Figures, Layout, best, ratios, table
from forwarding_load import Load
from forwarding_network import Place, baseline_ms, place, split_cores, why_no_namespace
from forwarding_path import gather_only
from forwarding_server import Server
from forwarding_vmeet import VMeet

WARM_S = 2.0
MAX_SETUP_S = 240.0
RECEIVERS = "1,10,30,5x5,10x10"
SERVERS: dict[str, type[Server]] = {
    "vmeet": VMeet,
    "mediarelay": forwarding_mediarelay.MediaRelay,
    "janus": forwarding_janus.Janus,
}


class Cell(NamedTuple):
    """One figure of the table."""

    server: str
    layout: Layout


def cells(servers: Sequence[str], layouts: Sequence[Layout]) -> list[Cell]:
    """Layout by layout, so that the servers take turns; MediaRelay also with the most that it can carry."""
    found = [Cell(server, layout) for layout in layouts for server in servers]
    most = Layout.parse(str(forwarding_mediarelay.MOST_RECEIVERS))
    if "mediarelay" in servers and most not in layouts:
        found.append(Cell("mediarelay", most))
    return found


def why_not(cell: Cell, where: Place) -> str | None:
    """None where it can be measured."""
    if cell.server == "janus":
        return forwarding_janus.why_absent(where)
    if cell.server == "mediarelay":
        return forwarding_mediarelay.why_not(cell.layout)
    return None


async def measure(cell: Cell, where: Place, cores: set[int], seconds: float) -> Figures:
    """One server, started and ended for it. Raises RuntimeError or OSError that says what is wrong."""
    with tempfile.TemporaryDirectory(prefix="vmeet-bench-") as folder:
        server, load = SERVERS[cell.server](where, cores, Path(folder)), Load()
        try:
            async with asyncio.timeout(MAX_SETUP_S + seconds):
                await server.start()
                async with load.running():
                    await server.connect(cell.layout, load)
                    await server.flowing(cell.layout, load)
                    await asyncio.sleep(WARM_S)
                    figures = await server.measure(cell.layout, load, seconds)
                if troubles := load.troubles():
                    print(f"{cell.server} {cell.layout.name}: the generator: {troubles}", file=sys.stderr)
                return figures
        finally:
            await load.close()
            await server.stop()


async def run(args: argparse.Namespace) -> dict[str, dict[str, Figures | None]]:
    """All cells, round by round."""
    end_on_sigterm()
    server_cores, own_cores = split_cores()
    if own_cores:
        os.sched_setaffinity(0, own_cores)
    rounds: dict[Cell, list[Figures]] = {cell: [] for cell in cells(args.servers, args.receivers)}
    reasons: dict[tuple[str, str], str] = {}
    no_namespace = "as asked" if args.loopback else why_no_namespace()
    with place(use_namespace=no_namespace is None) as where:
        _describe(where, no_namespace, server_cores, own_cores)
        gather_only(where.own_address)
        for _ in range(args.rounds):
            for cell, found in rounds.items():
                reason = why_not(cell, where)
                if reason is None:
                    reason = await _add(cell, where, server_cores, args.seconds, found)
                if reason is not None:
                    reasons[cell.server, cell.layout.name] = reason
    results: dict[str, dict[str, Figures | None]] = {server: {} for server in args.servers}
    for cell, found in rounds.items():
        results[cell.server][cell.layout.name] = best(found)
    print("\n".join([table(results, reasons), *ratios(results)]))
    return results


async def _add(cell: Cell, where: Place, cores: set[int], seconds: float, found: list[Figures]) -> str | None:
    try:
        found.append(await measure(cell, where, cores, seconds))
    except (RuntimeError, OSError, aiohttp.ClientError) as error:
        reason = f"{type(error).__name__}: {error}"
        print(f"{cell.server} {cell.layout.name}: {reason}", file=sys.stderr, flush=True)
        return reason.splitlines()[0]
    figures = found[-1]
    print(
        f"{cell.server} {cell.layout.name}: {figures.us_per_packet:.1f} us, delivery {figures.delivery:.5f}, "
        f"p95 {figures.added_p95_ms:.2f} ms",
        file=sys.stderr,
        flush=True,
    )
    return None


def end_on_sigterm() -> None:
    """As Ctrl-C does: servers and namespaces are cleaned up."""
    task = asyncio.current_task()
    assert task is not None
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)


def _describe(where: Place, no_namespace: str | None, server_cores: set[int], own_cores: set[int]) -> None:
    p50, p95 = baseline_ms(where)
    path = "a veth pair into a network namespace" if no_namespace is None else f"loopback ({no_namespace})"
    pinned = f"core {server_cores}, generator on {own_cores}" if server_cores else "any core: there is only one"
    print(f"path: {path}; one way without a server takes {p50:.3f} ms (p50), {p95:.3f} ms (p95); server on {pinned}")


def _servers(text: str) -> list[str]:
    names = text.split(",")
    unknown = [name for name in names if name not in SERVERS]
    if unknown:
        raise argparse.ArgumentTypeError(f"no such server: {', '.join(unknown)}; there are: {', '.join(SERVERS)}")
    return names


def _layouts(text: str) -> list[Layout]:
    try:
        return [Layout.parse(name) for name in text.split(",")]
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--servers", type=_servers, default=list(SERVERS), help="which, with commas (default: all)")
    parser.add_argument("--receivers", type=_layouts, default=_layouts(RECEIVERS), help=f"(default: {RECEIVERS})")
    parser.add_argument("--seconds", type=float, default=6, help="length of a window (default: 6)")
    parser.add_argument("--rounds", type=int, default=3, help="of which the best counts (default: 3)")
    parser.add_argument("--loopback", action="store_true", help="no network namespace, even where one can be had")
    parser.add_argument("--json", type=Path, help="a file for the JSON, too")
    return parser.parse_args()


def main() -> int:
    args = _arguments()
    logging.getLogger("aioice").setLevel(logging.WARNING)
    try:
        results = asyncio.run(run(args))
    except (KeyboardInterrupt, asyncio.CancelledError):
        print("ended before it was done", file=sys.stderr)
        return 130
    as_json = {
        server: {layout: found.as_json() if found else None for layout, found in by_layout.items()}
        for server, by_layout in results.items()
    }
    text = json.dumps(as_json)
    if args.json is not None:
        args.json.write_text(text + "\n", encoding="utf-8")
    print(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
