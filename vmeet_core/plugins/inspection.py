"""Checks one provider that a hook returned against the contract."""

import re
from typing import Any

from vmeet_core.hookspecs import (
    API,
    FrameFilterProvider,
    Options,
    Provider,
    Source,
    TranscriberProvider,
    VideoEnhancerProvider,
    Weight,
)
from vmeet_core.settings import Kind

BASES: dict[Kind, Any] = {  # Any: type checkers want concrete classes where a class is a value
    "frame_filters": FrameFilterProvider,
    "video_enhancers": VideoEnhancerProvider,
    "transcribers": TranscriberProvider,
    "denoisers": Provider,
}
SPECIAL = tuple(base for base in BASES.values() if base is not Provider)
NAME = re.compile(r"[a-z0-9]+([-_][a-z0-9]+)*")
FILE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


class BadPlugin(Exception):
    """A plugin that must be left out."""

    def __init__(self, reason: str, remedy: str) -> None:
        super().__init__(reason)
        self.reason = reason
        self.remedy = remedy


def check_provider(kind: Kind, provider: Any, hook: str) -> None:
    """Raises BadPlugin at the first thing that breaks the contract."""
    _check_class(kind, provider, hook)
    label = f"the provider {provider.name!r}" if isinstance(getattr(provider, "name", None), str) else "a provider"
    if getattr(provider, "api", None) != API:
        has = f"was written for API {provider.api!r}" if hasattr(provider, "api") else 'states no API number "api"'
        raise BadPlugin(f"{label} {has}; this VMeet has API {API}.", "Install the version of the plugin that fits it.")
    for attribute, message in _faults(kind, provider):
        raise BadPlugin(f"{label} of {hook}: {attribute} {message}.", "See docs/hooks.md for what a provider states.")


def _check_class(kind: Kind, provider: Any, hook: str) -> None:
    base = BASES[kind]
    wanted = "DenoiserProvider" if base is Provider else base.__name__
    if isinstance(provider, type) and issubclass(provider, Provider):
        raise BadPlugin(f"{hook} returned the class {provider.__name__}.", f"Return an object: {provider.__name__}().")
    wrong_kind = base is Provider and isinstance(provider, SPECIAL)
    if not isinstance(provider, base) or wrong_kind:
        reason = f"{hook} returned {type(provider).__name__} {provider!r:.80}, which is no {wanted}."
        raise BadPlugin(reason, f"Return objects of subclasses of {wanted}.")


def _faults(kind: Kind, provider: Any) -> list[tuple[str, str]]:
    """(attribute, what is wrong) of everything that the provider states wrongly."""
    faults = [
        (attribute, "must be a text that is not empty")
        for attribute in ("name", "title", "licence")
        if not isinstance(getattr(provider, attribute, None), str) or not getattr(provider, attribute).strip()
    ]
    if not faults and not NAME.fullmatch(provider.name):
        faults.append(("name", "may hold lower-case letters, digits, - and _ only"))
    faults += [
        (attribute, "must be a subclass of vmeet_core.hookspecs.Options")
        for attribute in ("server_settings", "options")
        if not _is_options(getattr(provider, attribute))
    ]
    faults += [
        (attribute, f"must be {kind_.__name__}, not {getattr(provider, attribute)!r}")
        for attribute, kind_ in (("version", str), ("leaves_host", bool))
        if not isinstance(getattr(provider, attribute), kind_)
    ]
    return faults + _faults_of_kind(kind, provider) + _faults_of_weights(provider.weights)


def _is_options(value: Any) -> bool:
    return isinstance(value, type) and issubclass(value, Options)


def _faults_of_kind(kind: Kind, provider: Any) -> list[tuple[str, str]]:
    if kind == "frame_filters" and not isinstance(provider.protects_privacy, bool):
        return [("protects_privacy", "must be bool")]
    if kind == "video_enhancers" and not _is_positive(getattr(provider, "scale", None)):
        return [("scale", "must be a whole number of at least 1")]
    languages = getattr(provider, "languages", None)
    if kind == "transcribers" and not (_is_tuple_of(languages, str) and languages):
        return [("languages", "must be a tuple of BCP 47 tags")]
    return []


def _is_positive(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 1


def _is_tuple_of(value: Any, kind: type) -> bool:
    return isinstance(value, tuple) and all(isinstance(item, kind) for item in value)


def _faults_of_weights(weights: Any) -> list[tuple[str, str]]:
    if not _is_tuple_of(weights, Weight):
        return [("weights", "must be a tuple of Weight")]
    return [
        (f"weights[{i}].{attribute}", message) for i, weight in enumerate(weights) for attribute, message in _of(weight)
    ]


def _of(weight: Weight) -> list[tuple[str, str]]:
    checks = {
        "name": (isinstance(weight.name, str) and FILE_NAME.fullmatch(weight.name), "must be a plain file name"),
        "sha256": (re.fullmatch("[0-9a-f]{64}", str(weight.sha256)), "must be 64 lower-case hexadecimal digits"),
        "size_bytes": (_is_positive(weight.size_bytes), "must be a whole number of at least 1"),
        "licence": (bool(weight.licence), "must be stated"),
        "sources": (_is_tuple_of(weight.sources, Source) and weight.sources, "must be a tuple of Source, not empty"),
    }
    faults = [(attribute, message) for attribute, (good, message) in checks.items() if not good]
    return faults or [("sources", message) for source in weight.sources for message in _of_source(source)]


def _of_source(source: Source) -> list[str]:
    given = [value for value in source if value]
    if len(given) != 1:
        return ["must each name exactly one of package_data, registry_members and url"]
    if source.url and not re.match(r"https?://", source.url):
        return [f"have a url that is not http(s): {source.url}"]
    unpinned = [requirement for requirement, _ in source.registry_members if "==" not in requirement]
    return [f"have a requirement without ==: {unpinned[0]}"] if unpinned else []
