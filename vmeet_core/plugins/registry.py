"""Finds the installed plugins and builds the Registry of what they offer; a bad plugin loses only itself."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points
from types import MappingProxyType
from typing import Any, NamedTuple

import pluggy

from vmeet_core import __version__, builtin
from vmeet_core.hookspecs import Hooks, Provider
from vmeet_core.plugins.inspection import BadPlugin, check_provider
from vmeet_core.settings import KINDS, Kind, did_you_mean

GROUP = "vmeet"  #: the entry-point group
BUILTIN = "builtin"
CORE = "vmeet-core"

AnyProvider = Provider[Any]


class Plugin(NamedTuple):
    """A plugin that works: its entry point's name, its package, and (kind, name) of what it offers."""

    name: str
    distribution: str
    version: str
    providers: tuple[tuple[Kind, str], ...]


class PluginProblem(NamedTuple):
    """A plugin that was left out, why, and what to do about it."""

    plugin: str
    distribution: str
    reason: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.plugin} ({self.distribution}): {self.reason}\n    {self.remedy}"


class UnknownProvider(LookupError):
    """No installed plugin offers this name."""


@dataclass(frozen=True)
class Registry:
    """What a meeting can name, and which plugins it comes from."""

    providers: Mapping[Kind, Mapping[str, AnyProvider]]
    plugins: tuple[Plugin, ...]
    problems: tuple[PluginProblem, ...]

    def get(self, kind: Kind, name: str) -> AnyProvider:
        """Raises UnknownProvider, with the names that come close and the plugins that were left out."""
        found = self.providers[kind].get(name)
        if found is None:
            raise UnknownProvider(" ".join(self.why_unknown(kind, name)))
        return found

    def why_unknown(self, kind: Kind, name: str) -> tuple[str, str]:
        """(what is wrong, what to do) about a name that nothing offers."""
        message = f'no installed plugin offers "{name}" among the {kind.replace("_", " ")}.'
        for problem in self.problems:
            if name in f"{problem.plugin} {problem.distribution} {problem.reason}":
                return message, f"The plugin {problem.plugin} was left out: {problem.reason} {problem.remedy}"
        listing = "vmeet plugins lists what is installed, and what was left out."
        return message, f"{did_you_mean(name, self.providers[kind])} {listing}"


class Found(NamedTuple):
    """A plugin before it is looked at."""

    name: str
    distribution: str
    version: str
    entry_point: EntryPoint | None  #: None for the core's own

    def __str__(self) -> str:
        return f"{self.name} ({self.distribution} {self.version})"

    def load(self) -> object:
        return self.entry_point.load() if self.entry_point else builtin


class Census:
    """What was found so far. Of two plugins that clash, the first keeps the name and the second is left out."""

    def __init__(self) -> None:
        self.plugins: list[Plugin] = []
        self.problems: list[PluginProblem] = []
        self._offers: dict[Kind, dict[str, AnyProvider]] = {kind: {} for kind in KINDS}
        self._owners: dict[tuple[str, str], tuple[Found, object]] = {}

    def add(self, found: Found) -> None:
        try:
            offered = providers_of(found)
            owners = self._claim(found, offered)
        except BadPlugin as bad:
            self.problems.append(PluginProblem(found.name, found.distribution, bad.reason, bad.remedy))
            return
        self._owners = owners
        for kind, provider in offered:
            self._offers[kind][provider.name] = provider
        names = tuple((kind, provider.name) for kind, provider in offered)
        self.plugins.append(Plugin(found.name, found.distribution, found.version, names))

    def registry(self) -> Registry:
        frozen = MappingProxyType({kind: MappingProxyType(named) for kind, named in self._offers.items()})
        return Registry(frozen, tuple(self.plugins), tuple(self.problems))

    def _claim(self, found: Found, offered: list[tuple[Kind, AnyProvider]]) -> dict[tuple[str, str], Any]:
        """Who owns each name once this plugin is in. Raises BadPlugin where a name is taken."""
        owners = dict(self._owners)
        claims: list[tuple[str, str, object]] = [("plugins", found.name, found)]
        claims += [(kind, provider.name, provider) for kind, provider in offered]
        # Providers may share a weight, but a file name stands for one content.
        claims += [("weights", weight.name, weight.sha256) for _, provider in offered for weight in provider.weights]
        for group, name, thing in claims:
            owner, owned = owners.setdefault((group, name), (found, thing))
            if owned != thing:
                reason = f'"{name}" of {group} is claimed by both {owner} and {found}.'
                raise BadPlugin(reason, "Uninstall one of the two, or rename it in one.")
        return owners


def discover() -> Registry:
    """Import every installed plugin (none of which imports its model runtime for that) and call its hooks.

    The order is the core's own plugin first, then by distribution, then by name.
    """
    census = Census()
    census.add(Found(BUILTIN, CORE, __version__, None))
    for found in sorted(map(_found, entry_points(group=GROUP)), key=lambda f: (f.distribution.lower(), f.name)):
        census.add(found)
    return census.registry()


def _found(point: EntryPoint) -> Found:
    name, version = (point.dist.name, point.dist.version) if point.dist else ("?", "?")
    return Found(point.name, name, version, point)


def providers_of(found: Found) -> list[tuple[Kind, AnyProvider]]:
    """Everything the plugin offers, checked. Raises BadPlugin."""
    manager = _registered(found)
    offered: list[tuple[Kind, AnyProvider]] = []
    for kind in KINDS:
        hook = f"register_{kind}"
        for provider in _call(manager, hook):
            check_provider(kind, provider, hook)
            offered.append((kind, provider))
    return offered


def _registered(found: Found) -> pluggy.PluginManager:
    """A manager with this plugin alone, so that what it does wrong touches no other. Raises BadPlugin."""
    remedy = f"Correct or reinstall {found.distribution}, or uninstall it."
    try:
        module = found.load()
    except (Exception, SystemExit) as error:
        raise BadPlugin(f"cannot be imported: {type(error).__name__}: {error}", remedy) from error
    manager = pluggy.PluginManager("vmeet")
    manager.add_hookspecs(Hooks)
    try:
        manager.register(module, found.name)
    except pluggy.PluginValidationError as error:
        raise BadPlugin(f"a hook has the wrong signature: {_one_line(error)}", "Hooks take no arguments.") from error
    _refuse_unknown_hooks(manager, module)
    return manager


def _refuse_unknown_hooks(manager: pluggy.PluginManager, module: object) -> None:
    known = [f"register_{kind}" for kind in KINDS]
    callers = manager.get_hookcallers(module) or []
    for caller in callers:
        if caller.name not in known:
            raise BadPlugin(
                f'marks "{caller.name}" with @hookimpl, which is no hook.', did_you_mean(caller.name, known)
            )
    marked = {caller.name for caller in callers}
    unmarked = [name for name in known if name not in marked and callable(getattr(module, name, None))]
    if unmarked:
        raise BadPlugin(f'has a function "{unmarked[0]}" without @hookimpl.', "Put @hookimpl above it.")
    if not callers:
        raise BadPlugin("has no hook.", f"Mark one of these functions with @hookimpl: {', '.join(known)}.")


def _call(manager: pluggy.PluginManager, hook: str) -> list[Any]:
    """What the plugin's function returned, as a list; a generator runs here. Raises BadPlugin."""
    try:
        results: list[Iterable[Any]] = getattr(manager.hook, hook)()
    except (Exception, SystemExit) as error:
        raise BadPlugin(f"{hook} raised {type(error).__name__}: {error}", "This is a fault of the plugin.") from error
    offered: list[Any] = []
    for result in results:
        if isinstance(result, str | bytes | Mapping) or not isinstance(result, Iterable):
            reason = f"{hook} returned {_describe(result)}, not a list of providers."
            raise BadPlugin(reason, "Return a list: [MyProvider()].")
        try:
            offered.extend(result)
        except (Exception, SystemExit) as error:
            reason = f"{hook} raised {type(error).__name__}: {error}"
            raise BadPlugin(reason, "This is a fault of the plugin.") from error
    return offered


def _describe(value: object) -> str:
    return f"{type(value).__name__} {value!r:.80}"


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())
