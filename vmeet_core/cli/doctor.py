"""``vmeet doctor``: looks at everything the server stands on, and says what to do about each fault."""

import argparse
import asyncio
import os
import re
import shutil
import sys
from collections.abc import Callable, Iterator
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path
from typing import Any, NamedTuple

from vmeet_core.cli.common import FAULT, OK, Subparsers, add_command
from vmeet_core.plugins import Registry, discover, missing_weights, needed_providers, unfit, weight_store, weights_of
from vmeet_core.settings import Settings, SettingsError, load_settings

DESCRIPTION = """\
Look for anything that would keep VMeet from working: Python, the packages it is
built on, codecs, fonts, disk space, database, UDP ports, settings, plugins and model files.

Each line says ok or FAULT, and a fault says what to do. The exit code is 1 if
there is a fault."""

PYTHON = (3, 11)
CORE = "vmeet-core"
ENCODERS = ("libx264", "aac", "libvpx", "libopus", "flac")
DECODERS = ("h264", "aac", "vp8", "opus", "flac")
CONTAINERS = ("matroska", "mp4", "flac")
SPECIFIER = re.compile(r"(>=|<=|==|<|>)\s*([0-9.]+)")
COMPARE: dict[str, Callable[[tuple[int, ...], tuple[int, ...]], bool]] = {
    ">=": lambda a, b: a >= b,
    "<=": lambda a, b: a <= b,
    "==": lambda a, b: a == b,
    "<": lambda a, b: a < b,
    ">": lambda a, b: a > b,
}


class Finding(NamedTuple):
    """One line: what was looked at, what was found, and the remedy where that is a fault."""

    subject: str
    found: str
    remedy: str = ""


def add_parser(subparsers: Subparsers) -> None:
    add_command(subparsers, "doctor", "look for anything that would keep it from working", DESCRIPTION)


def run(args: argparse.Namespace) -> int:
    settings, problems = _settings(args)
    registry = discover()
    checks: list[Callable[[], Iterator[Finding]]] = [
        python,
        packages,
        private_names,
        codecs,
        fonts,
        lambda: disk(settings),
        lambda: database(settings),
        lambda: udp_ports(settings),
        lambda: configuration(settings, registry, problems),
        lambda: plugins(registry),
        lambda: weights(settings, registry),
    ]
    findings = [finding for check in checks for finding in _guarded(check)]
    for finding in findings:
        print(f"{'FAULT' if finding.remedy else 'ok':6}{finding.subject}: {finding.found}")
        if finding.remedy:
            print(f"      {finding.remedy}")
    return FAULT if any(finding.remedy for finding in findings) else OK


def _settings(args: argparse.Namespace) -> tuple[Settings, list[Finding]]:
    """The settings, or what is left of them, with their faults."""
    try:
        return load_settings(args.settings, os.environ), []
    except SettingsError as error:
        faults = [_from_problem(problem) for problem in error.problems]
        return error.sound or Settings(), faults


def _guarded(check: Callable[[], Iterator[Finding]]) -> list[Finding]:
    """A check that itself breaks is a fault, and the others still run."""
    try:
        return list(check())
    except Exception as error:
        name = getattr(check, "__name__", "check").replace("_", " ")
        return [Finding(name, f"{type(error).__name__}: {error}", "Reinstall VMeet; if that does not help, report it.")]


def python() -> Iterator[Finding]:
    found = ".".join(map(str, sys.version_info[:3]))
    wanted = ".".join(map(str, PYTHON))
    yield Finding("Python", found, "" if sys.version_info[:2] >= PYTHON else f"Install Python {wanted} or newer.")


def packages() -> Iterator[Finding]:
    """Every package that VMeet requires, in a version it was made for."""
    faults = [fault for line in requires(CORE) or [] if "extra ==" not in line and (fault := _unmet(line))]
    for found, remedy in faults:
        yield Finding("packages", found, remedy)
    if not faults:
        yield Finding("packages", "all are installed in the versions asked for")


def _unmet(requirement: str) -> tuple[str, str] | None:
    match = re.match(r"[A-Za-z0-9._-]+", requirement)
    name = match[0] if match else requirement
    remedy = f"Run: {sys.executable} -m pip install '{requirement.partition(';')[0].strip()}'"
    try:
        installed = version(name)
    except PackageNotFoundError:
        return f"{name} is not installed", remedy
    fits = all(COMPARE[sign](_numbers(installed), _numbers(bound)) for sign, bound in SPECIFIER.findall(requirement))
    return None if fits else (f"{name} {installed} does not fit {requirement}", remedy)


def _numbers(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", text)[:3])


def private_names() -> Iterator[Finding]:
    """What one file of ours uses of aiortc beyond its public names."""
    from vmeet_core.sfu.rtc import self_test  # heavy, and only needed here

    faults = self_test()
    remedy = (
        f"Run: {sys.executable} -m pip install --force-reinstall {CORE}, which brings the versions that were tried."
    )
    for fault in faults:
        yield Finding("aiortc", fault, remedy)
    if not faults:
        yield Finding("aiortc", "everything that is used of it is there")


def codecs() -> Iterator[Finding]:
    import av  # heavy, and only needed here

    wanted: list[tuple[str, Callable[[Any, Any], object], str, tuple[str, ...]]] = [
        ("encoder", av.codec.Codec, "w", ENCODERS),
        ("decoder", av.codec.Codec, "r", DECODERS),
        ("format", av.format.ContainerFormat, "w", CONTAINERS),
    ]
    missing = [f"{what} {name}" for what, look, mode, names in wanted for name in names if not _has(look, name, mode)]
    remedy = f"Run: {sys.executable} -m pip install --force-reinstall --only-binary=:all: av"
    yield Finding("codecs", f"missing: {', '.join(missing)}" if missing else "all are there", remedy if missing else "")


def _has(look_up: Callable[[Any, Any], object], name: str, mode: str) -> bool:
    try:
        look_up(name, mode)
    except ValueError:  # PyAV's errors for unknown codecs and formats are ValueErrors
        return False
    return True


def fonts() -> Iterator[Finding]:
    """A font with Chinese characters, for names under pictures."""
    from vmeet_core.media.titles import CJK_FONTS  # heavy, and only needed here

    found = next((font for font in CJK_FONTS if Path(font).is_file()), None)
    remedy = "Chinese names would be drawn as boxes. Debian: apt install fonts-noto-cjk"
    yield Finding("fonts", found or "none with Chinese characters", "" if found else remedy)


def disk(settings: Settings) -> Iterator[Finding]:
    folder = settings.server.data_dir
    while not folder.exists():
        folder = folder.parent
    free = shutil.disk_usage(folder).free
    low = free < settings.recording.min_free_bytes
    remedy = "Free some space, or set server.data_dir to another disk: recordings would stop at once." if low else ""
    yield Finding("disk", f"{free / 1e9:.1f} GB free for {settings.server.data_dir}", remedy)
    if not os.access(folder, os.W_OK):
        yield Finding("disk", f"{folder} cannot be written", "Set server.data_dir to a folder that can be written.")


def database(settings: Settings) -> Iterator[Finding]:
    """Which one, in which version, and whether the server could start on it."""
    from vmeet_core.database import DatabaseError  # heavy, and only needed here
    from vmeet_core.database.inspection import look
    from vmeet_core.server.app import database_address

    address = database_address(settings)
    try:
        found = asyncio.run(look(address))
    except DatabaseError as error:
        yield Finding("database", str(error), "See docs/database.md; the key is server.database.")
        return
    yield Finding("database", f"{found.program}, {address}: {found.tables}")


def udp_ports(settings: Settings) -> Iterator[Finding]:
    """Whether media could be received now: a free port of the range, on every address."""
    from vmeet_core.sfu import network  # heavy, and only needed here

    addresses = network.usable_addresses()
    try:
        network.refuse_unreachable(settings.server.public_address, addresses)
        sockets = network.bind_all(addresses, settings.server.udp_range)
    except OSError as error:
        remedy = "A VMeet that runs uses one; else free one, or correct server.udp_ports and server.public_address."
        yield Finding("UDP ports", str(error.strerror), remedy)
        return
    port = next(iter(sockets.values())).getsockname()[1]
    for sock in sockets.values():
        sock.close()
    chosen = f"{port} is the first free one of {settings.server.udp_ports}" if settings.server.udp_ports else "any"
    yield Finding("UDP ports", f"{chosen}, on {', '.join(sockets)}")


def configuration(settings: Settings, registry: Registry, problems: list[Finding]) -> Iterator[Finding]:
    faults = problems + [_from_problem(problem) for problem in unfit(settings, registry)]
    yield from faults
    if not faults:
        yield Finding("settings", f"{settings.file or 'no file'}; presets: {', '.join(settings.meetings)}")


def _from_problem(problem: object) -> Finding:
    text, _, remedy = str(problem).partition("\n")
    return Finding("settings", text, remedy.strip() or "See docs/settings.md.")


def plugins(registry: Registry) -> Iterator[Finding]:
    for plugin in registry.plugins:
        names = ", ".join(name for _, name in plugin.providers) or "nothing"
        yield Finding("plugin", f"{plugin.name} ({plugin.distribution} {plugin.version}) offers {names}")
    for problem in registry.problems:
        yield Finding(
            "plugin", f"{problem.plugin} ({problem.distribution}) was left out: {problem.reason}", problem.remedy
        )


def weights(settings: Settings, registry: Registry) -> Iterator[Finding]:
    missing = missing_weights(settings, registry, weight_store(settings))
    for problem in missing:
        yield Finding("model file", f"{problem.key}: {problem.message}", problem.remedy)
    if not missing:
        found = needed_providers(settings, registry).items()
        needed = sum(len(weights_of(settings, kind, provider)) for (kind, _), provider in found)
        yield Finding("model files", f"all {needed} that the presets need are there" if needed else "none are needed")
