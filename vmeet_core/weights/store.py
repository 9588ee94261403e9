"""The folder of model files: what is there, whether it is right, and how it gets there."""

import os
import shutil
from collections.abc import Iterable
from importlib.resources import files
from pathlib import Path
from typing import Literal

from vmeet_core.hookspecs import Permanent, Source, Weight
from vmeet_core.weights.download import Patience, download
from vmeet_core.weights.lock import locked
from vmeet_core.weights.registry_wheels import Wheels
from vmeet_core.weights.transfer import Progress, SourceError, WeightError, fault_of, no_progress

State = Literal["present", "absent", "corrupt"]
Stamp = tuple[str, str, int, int]  #: path, SHA-256 expected, size, modification time in ns


class WeightStore:
    """Model files in ``folder``, or inside their plugin where the plugin carries them.

    A file is checked by size and SHA-256 before its path is given out; within a process the check is repeated only
    when its size or modification time has changed. Safe in several processes at once.
    """

    def __init__(self, folder: Path, offline: bool = False, patience: Patience | None = None) -> None:
        self.dir = folder
        self._offline = offline
        self._patience = patience or Patience()
        self._good: set[Stamp] = set()

    def path(self, weight: Weight) -> Path:
        """The verified file. Raises Permanent naming the command that brings it."""
        path = self.locate(weight)
        state = self._state_of(path, weight)
        if path is None or state != "present":
            raise Permanent(
                f"the model file {weight.name} is {state} ({self.dir}). Run: vmeet weights fetch {weight.name}"
            )
        return path

    def state(self, weight: Weight) -> State:
        return self._state_of(self.locate(weight), weight)

    def verify(self, weight: Weight) -> State:
        """As ``state``, but the file is read whatever was found before."""
        self._good.clear()
        return self.state(weight)

    def locate(self, weight: Weight) -> Path | None:
        """Where the file is, checked or not: in the folder, else in the package that carries it."""
        kept = self.dir / weight.name
        if kept.is_file():
            return kept
        carried = (_package_file(source) for source in weight.sources if source.package_data)
        return next((path for path in carried if path is not None), None)

    def fetch(self, weight: Weight, progress: Progress = no_progress) -> Path:
        """The verified file, fetched if need be. Raises WeightError saying what failed at each source."""
        return self.fetch_all([weight], progress)[0]

    def fetch_all(self, weights: Iterable[Weight], progress: Progress = no_progress) -> list[Path]:
        """As ``fetch`` for several; a wheel that several are in is downloaded once."""
        with Wheels() as wheels:
            return [self._fetch(weight, progress, wheels) for weight in weights]

    def _fetch(self, weight: Weight, progress: Progress, wheels: Wheels) -> Path:
        if self.state(weight) == "present":
            return self.path(weight)
        try:
            self.dir.mkdir(parents=True, exist_ok=True)
            with locked(self.dir / f".{weight.name}.lock"):
                # Another process may have brought it while this one waited.
                if self.state(weight) != "present":
                    self._from_sources(weight, progress, wheels)
        except OSError as error:
            raise WeightError(
                f"{weight.name} cannot be written to {self.dir}: {error.strerror or error}. "
                "Free some space or set weights.dir to a folder that can be written."
            ) from None
        return self.path(weight)

    def _from_sources(self, weight: Weight, progress: Progress, wheels: Wheels) -> None:
        reasons = []
        for source in weight.sources:
            try:
                self._from_source(source, weight, progress, wheels)
                return
            except SourceError as error:
                reasons.append(f"\n    {describe(source)}: {error}")
        raise WeightError(f"the model file {weight.name} cannot be had:{''.join(reasons)}")

    def _from_source(self, source: Source, weight: Weight, progress: Progress, wheels: Wheels) -> None:
        target = self.dir / weight.name
        if source.package_data:
            self._use_package(source, target, weight)
            return
        if self._offline:
            raise SourceError(
                f"needs the network, and weights.offline is set. Unset it, or copy the file to {target} yourself"
            )
        if shutil.disk_usage(self.dir).free < weight.size_bytes:
            raise SourceError(f"needs {weight.size_bytes} bytes, and the disk of {self.dir} has less")
        if source.url:
            download(source.url, target, weight, progress, self._patience)
        else:
            wheels.extract(source.registry_members, target, weight, progress)

    def _use_package(self, source: Source, target: Path, weight: Weight) -> None:
        """Package data is used where it lies; only a bad file in the folder can stand before it."""
        carried = _package_file(source)
        fault = "is absent" if carried is None else fault_of(carried, weight)
        if fault:
            raise SourceError(f"the file {fault}. Reinstall the package")
        target.unlink(missing_ok=True)

    def _state_of(self, path: Path | None, weight: Weight) -> State:
        if path is None:
            return "absent"
        try:
            status = path.stat()
            stamp = (os.fspath(path), weight.sha256, status.st_size, status.st_mtime_ns)
            if stamp not in self._good:
                if fault_of(path, weight):
                    return "corrupt"
                self._good.add(stamp)
        except FileNotFoundError:
            return "absent"
        return "present"


def describe(source: Source) -> str:
    """A source in a few words."""
    if source.package_data:
        return f"package {source.package_data[0]}, file {source.package_data[1]}"
    if source.url:
        return source.url
    return "package registry, " + ", ".join(sorted({requirement for requirement, _ in source.registry_members}))


def _package_file(source: Source) -> Path | None:
    assert source.package_data
    package, inside = source.package_data
    try:
        path = Path(str(files(package).joinpath(inside)))
    except ModuleNotFoundError:
        return None
    return path if path.is_file() else None
