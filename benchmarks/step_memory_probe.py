"""Runs in the process of a step, around its function: what it holds at the beginning, and the most it ever holds."""

import importlib
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

from vmeet_core.pipeline.spec import Work
from vmeet_core.pipeline.steps import denoise

FORGET_PEAK = "5"  #: proc(5), clear_refs


def memory_bytes(name: str) -> int:
    """``VmRSS`` or ``VmHWM`` of this process."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(f"{name}:"):
            return int(line.split()[1]) << 10
    raise RuntimeError(f"this system does not tell {name}")


class Base:
    """What the process holds before it works: all that it imported, and its model."""

    def __init__(self) -> None:
        self.held_bytes = 0
        self.note()

    def note(self) -> None:
        Path("/proc/self/clear_refs").write_text(FORGET_PEAK)
        self.held_bytes = memory_bytes("VmRSS")


def run(work: Work) -> None:
    """``params`` has the step's own, its function, and where to report."""
    module_name, _, function = work.params["function"].partition(":")
    module = importlib.import_module(module_name)
    base = Base()
    if module is denoise:
        _note_after_loading(base)
    getattr(module, function)(replace(work, params=work.params["params"]))
    told = {"base_bytes": base.held_bytes, "peak_bytes": memory_bytes("VmHWM")}
    Path(work.params["report"]).write_text(json.dumps(told))


def _note_after_loading(base: Base) -> None:
    """The step loads its model itself: what it holds then is known once that is done."""
    load = denoise.load_provider

    def noted(*given: Any, **named: Any) -> Any:
        engine = load(*given, **named)
        base.note()
        return engine

    denoise.load_provider = noted  # type: ignore[attr-defined]
