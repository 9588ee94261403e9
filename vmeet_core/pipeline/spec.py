"""A step before it runs: what it reads, writes and depends on, and the key of its result."""

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

from pydantic import BaseModel, ConfigDict

from vmeet_core.settings import Settings


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Output(_Model):
    """A file that a step writes: the name of the result, and its file name in the job's folder."""

    result: str
    file: str


class PluginUse(_Model):
    """Which provider a step uses, and all of it that may change the result."""

    kind: str
    name: str
    version: str
    weights: dict[str, str]  #: file name → SHA-256
    options: dict[str, Any]


class PluginsUsed(NamedTuple):
    """By a job; None for none."""

    denoiser: PluginUse | None = None
    transcriber: PluginUse | None = None


class Needs(_Model):
    """What a step takes of the machine while it runs; it is ended when it uses more memory (0: nobody knows)."""

    cpu: int = 1  #: threads
    gpu: int = 0
    memory_bytes: int = 0


class StepSpec(_Model):
    """A step of a job's graph. ``inputs`` (role → result of another step) and ``files`` (path → digest) are read.

    ``needs`` and ``extra`` say when it may run, ``group`` and ``group_title`` as what it is shown together with others
    that make the same of other parts of the recording; they change nothing of the result. Nor does ``reads_folder``:
    the step looks for itself at what is in the recording's folder, so it runs where that is.
    """

    name: str
    title: str
    function: str  #: ``module:function`` called with a Work
    version: int
    params: dict[str, Any] = {}
    inputs: dict[str, str] = {}
    outputs: dict[str, Output] = {}  #: by role
    files: dict[str, str] = {}
    plugin: PluginUse | None = None
    needs: Needs = Needs()
    extra: bool = False  #: the recording can be played without it
    group: str = ""
    group_title: str = ""
    reads_folder: bool = False


@dataclass(frozen=True)
class Work:
    """What a step's function gets, in its own process. Paths are absolute; ``progress`` is told 0 to 1."""

    folder: Path  #: the recording's
    params: dict[str, Any]
    inputs: Mapping[str, Path]
    outputs: Mapping[str, Path]
    temp_dir: Path
    settings: Settings
    threads: int
    progress: Callable[[float], None]


def function_of(module: ModuleType, name: str = "run") -> str:
    return f"{module.__name__}:{name}"


def step_key(spec: StepSpec, keys: Mapping[str, str]) -> str:
    """SHA-256 over everything that the result depends on; ``keys`` maps results to the keys of what they came from."""
    parts = spec.model_dump(include={"function", "version", "params", "files", "plugin"}, mode="json")
    parts["inputs"] = {role: keys[result] for role, result in spec.inputs.items()}
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def keyed(specs: list[StepSpec], known: Mapping[str, str]) -> list[tuple[StepSpec, str]]:
    """Every step with its key; a step must come after those whose results it reads."""
    keys = dict(known)
    found = []
    for spec in specs:
        key = step_key(spec, keys)
        keys.update({output.result: f"{key}:{role}" for role, output in spec.outputs.items()})
        found.append((spec, key))
    return found
