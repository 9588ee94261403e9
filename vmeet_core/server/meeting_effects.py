"""The live effects that a meeting has, and what becomes of a person's wishes: no input or output."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from vmeet_core.hookspecs import DenoiserProvider, FrameFilterProvider, Options
from vmeet_core.plugins import Registry
from vmeet_core.protocol import Effect, EffectWishes
from vmeet_core.settings import Preset, SettingsError, validated

Named = tuple[str, dict[str, Any]]
NO_WISHES = EffectWishes()


class BadEffects(ValueError):
    """Wishes that cannot be had: the text names the effect and says why."""


class Chosen(NamedTuple):
    """A person's effects, each with all its options; ``protects_privacy`` is of the filters that are on."""

    filters: tuple[Effect, ...] = ()
    denoiser: Effect | None = None
    protects_privacy: bool = False

    @property
    def filters_on(self) -> tuple[Named, ...]:
        """Name and options of the filters to be run, in order."""
        return tuple((each.name, each.options) for each in self.filters if each.on)

    @property
    def denoiser_on(self) -> Named | None:
        """Name and options of the denoiser, where it is on."""
        return (self.denoiser.name, self.denoiser.options) if self.denoiser is not None and self.denoiser.on else None


class MeetingEffects:
    """What the preset of a meeting names, over the registry. What is not installed any more is left out, and named by
    ``missing``: the picture of a meeting that asked for it must not be shown.
    """

    def __init__(self, preset: Preset, registry: Registry) -> None:
        offered: Mapping[str, FrameFilterProvider] = registry.providers["frame_filters"]  # type: ignore[assignment]
        denoisers: Mapping[str, DenoiserProvider] = registry.providers["denoisers"]
        self.people_may_change = preset.people_may_change
        self.missing = tuple(name for name in preset.frame_filters if name not in offered)
        self._filters = {name: offered[name] for name in preset.frame_filters if name in offered}
        self._denoiser = denoisers.get(preset.live_denoiser or "")
        self._options = preset.options

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to choose from."""
        return not self._filters and self._denoiser is None and not self.missing

    @property
    def frame_filters(self) -> tuple[str, ...]:
        """Names of the filters, in order."""
        return tuple(self._filters)

    @property
    def denoiser(self) -> str | None:
        """Name of the live denoiser."""
        return self._denoiser.name if self._denoiser is not None else None

    @property
    def may_protect(self) -> bool:
        """Whether one of the filters protects privacy."""
        return bool(self.missing) or any(each.protects_privacy for each in self._filters.values())

    def described(self) -> dict[str, Any]:
        """What a page needs to know before anybody joins."""
        return {
            "people_may_change": self.people_may_change,
            "filters": [self._described(each) for each in self._filters.values()],
            "denoiser": self._described(self._denoiser) if self._denoiser is not None else None,
        }

    def _described(self, provider: FrameFilterProvider | DenoiserProvider) -> dict[str, Any]:
        return {
            "name": provider.name,
            "title": provider.title,
            "protects_privacy": getattr(provider, "protects_privacy", False),
            "options_schema": provider.options.model_json_schema(),
            "options": self._full_options(provider.name, provider.options, {}),
        }

    def choose(self, wishes: EffectWishes | None) -> Chosen:
        """What is in force for a person with these wishes. Raises BadEffects for what the meeting does not allow."""
        wanted = wishes or NO_WISHES
        by_name = {wish.name: wish for wish in wanted.filters}
        unknown = [name for name in by_name if name not in self._filters]
        if unknown:
            raise BadEffects(f"{unknown[0]} is no live filter of this meeting")
        filters = tuple(
            self._effect(name, provider.options, by_name.get(name)) for name, provider in self._filters.items()
        )
        private = any(self._filters[each.name].protects_privacy for each in filters if each.on)
        return Chosen(filters, self._chosen_denoiser(wanted.denoiser), private or bool(self.missing))

    def _chosen_denoiser(self, wish: Effect | None) -> Effect | None:
        if wish is not None and wish.name != self.denoiser:
            raise BadEffects(f"{wish.name} is not the live denoiser of this meeting")
        if self._denoiser is None:
            return None
        return self._effect(self._denoiser.name, self._denoiser.options, wish)

    def _effect(self, name: str, options: type[Options], wish: Effect | None) -> Effect:
        if wish is None:
            return Effect(name=name, options=self._full_options(name, options, {}))
        if not wish.on and self.people_may_change != "everything":
            raise BadEffects(f"{name} cannot be turned off in this meeting")
        if wish.options and self.people_may_change == "nothing":
            raise BadEffects(f"the options of {name} cannot be changed in this meeting")
        return Effect(name=name, on=wish.on, options=self._full_options(name, options, wish.options))

    def _full_options(self, name: str, options: type[Options], wish: dict[str, Any]) -> dict[str, Any]:
        try:
            given = {**self._options.get(name, {}), **wish}
            return validated(options, given, f"options.{name}").model_dump(mode="json")
        except SettingsError as error:
            raise BadEffects(str(error)) from None
