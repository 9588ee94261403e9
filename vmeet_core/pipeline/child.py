"""The process of one step: ``python -m vmeet_core.pipeline.child``.

It reads its order from stdin, reports on stdout, logs on stderr, writes its results under temporary names, renames
them at the end, and dies with its parent, whatever kills that.
"""

import faulthandler
import importlib
import logging
import os
import shutil
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

from vmeet_core.child_process import ORPHANED, be_in_background, be_nice, die_with_parent
from vmeet_core.full_disk import is_full
from vmeet_core.hookspecs import Permanent, Retryable
from vmeet_core.pipeline.messages import NO_ROOM, Order, Report
from vmeet_core.pipeline.spec import PluginUse, Work
from vmeet_core.settings import Settings
from vmeet_core.usage import own_usage

_REPORT_EVERY_S = 0.1
_MAX_MESSAGE_CHARS = 4000
_USED_BY_MOST = ("numpy", "av", "vmeet_core.plugins", "vmeet_core.pipeline.steps.pieces")


def main() -> int:
    """0 when the step is done; its failure is reported, and 1 returned."""
    reports = _own_stdout()
    faulthandler.enable()  # of a segmentation fault, the log shows where
    # Whoever stops the machine may tell every process at once: when a step ends is the server's to say.
    signal.signal(signal.SIGTERM, lambda *_: None)
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")
    _read_in()
    line = sys.stdin.buffer.readline()
    if not line:  # nobody wants it any more
        return ORPHANED
    order = Order.model_validate_json(line)
    _die_with_parent(order.parent_pid)
    if order.background:
        be_in_background(order.niceness)
    else:
        be_nice(order.niceness)
    report = run(order, lambda progress: _send(reports, progress))
    _send(reports, _with_usage(report))
    return 0 if report.kind == "done" else 1


def _read_in() -> None:
    """A process that waits for its order begins at once when that comes."""
    for module in _USED_BY_MOST:
        importlib.import_module(module)


def run(order: Order, send: Callable[[Report], None]) -> Report:
    """Do the work, and say how it ended."""
    try:
        _work(order, _Progress(send))
    except Retryable as error:
        return _failed(str(error), error.after_s)
    except Permanent as error:
        return _failed(str(error))
    except MemoryError as error:
        traceback.print_exc()
        return _failed(f"memory ran out: {error}", crashed=True)
    except Exception as error:
        traceback.print_exc()
        if is_full(error):
            return Report(kind="failed", message=NO_ROOM, no_room=True)
        return _failed(f"{type(error).__name__}: {error}")
    return Report(kind="done")


def _failed(message: str, retry_after_s: float | None = None, crashed: bool = False) -> Report:
    message = message[:_MAX_MESSAGE_CHARS]
    return Report(kind="failed", message=message, retry_after_s=retry_after_s, crashed=crashed)


def _with_usage(report: Report) -> Report:
    usage = own_usage()
    if usage is None:
        return report
    return report.model_copy(update={"cpu_s": usage.cpu_s, "peak_memory_bytes": usage.peak_memory_bytes})


def _work(order: Order, progress: Callable[[float], None]) -> None:
    if order.plugin is not None:
        _check_plugin(order.plugin, order.settings)
    shutil.rmtree(order.temp_dir, ignore_errors=True)
    order.temp_dir.mkdir(parents=True)
    unfinished = {role: order.temp_dir / path.name for role, path in order.outputs.items()}
    work = Work(
        folder=order.folder,
        params=order.params,
        inputs=order.inputs,
        outputs=unfinished,
        temp_dir=order.temp_dir,
        settings=order.settings,
        threads=order.threads,
        progress=progress,
    )
    module, _, function = order.function.partition(":")
    getattr(importlib.import_module(module), function)(work)
    for role, path in order.outputs.items():
        _publish(unfinished[role], path)
    shutil.rmtree(order.temp_dir, ignore_errors=True)


def _check_plugin(use: PluginUse, settings: Settings) -> None:
    from vmeet_core.pipeline.installed import check_installed  # imports all plugins: only where it is asked for

    check_installed(use, settings)


def _publish(source: Path, target: Path) -> None:
    """On the disk first, then under its name."""
    with source.open("rb+") as file:
        os.fsync(file.fileno())
    source.replace(target)


class _Progress:
    """Passes on only what is worth a line."""

    def __init__(self, send: Callable[[Report], None]) -> None:
        self._send, self._sent_s = send, 0.0

    def __call__(self, share: float) -> None:
        now_s = time.monotonic()
        if now_s - self._sent_s >= _REPORT_EVERY_S:
            self._sent_s = now_s
            self._send(Report(kind="progress", progress=min(1.0, max(0.0, share))))


def _own_stdout() -> BinaryIO:
    """stdout for reports alone: what a plugin prints goes to the log."""
    reports = os.fdopen(os.dup(1), "wb", buffering=0)
    os.dup2(2, 1)
    sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]
    return reports


def _send(reports: BinaryIO, report: Report) -> None:
    reports.write(report.model_dump_json().encode() + b"\n")


def _die_with_parent(parent_pid: int) -> None:
    """By the kernel where it can, and everywhere by the end of stdin."""
    die_with_parent(parent_pid)
    threading.Thread(target=_exit_at_end_of_stdin, name="parent-watch", daemon=True).start()


def _exit_at_end_of_stdin() -> None:
    while os.read(0, 1):  # sys.stdin's lock would be held at exit
        pass
    os._exit(ORPHANED)


if __name__ == "__main__":
    sys.exit(main())
