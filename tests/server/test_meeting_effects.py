"""What a meeting has and what a person may have of it; nothing runs."""

from typing import Any, Literal

import pytest
from pydantic import Field

from vmeet_core.hookspecs import DenoiserProvider, FrameFilterProvider, Options
from vmeet_core.plugins import Registry
from vmeet_core.protocol import Effect, EffectWishes
from vmeet_core.server.meeting_effects import BadEffects, MeetingEffects
from vmeet_core.settings import Preset


class BlurOptions(Options):
    strength: float = Field(0.5, ge=0, le=1, title="Strength", description="How far.")
    colour: str = Field("grey", title="Colour", description="Which.")


class Blur(FrameFilterProvider):
    api, name, title, licence, options, protects_privacy = 1, "blur", "Blur", "MIT", BlurOptions, True

    def load(self, server_settings: Any, host: Any) -> Any:
        raise AssertionError("nothing is loaded in this test")


class Light(Blur):
    name, title, protects_privacy = "light", "Light", False


class Quiet(DenoiserProvider):
    api, name, title, licence, options = 1, "quiet", "Quiet", "MIT", BlurOptions

    def load(self, server_settings: Any, host: Any) -> Any:
        raise AssertionError("nothing is loaded in this test")


REGISTRY = Registry(
    {"frame_filters": {"blur": Blur(), "light": Light()}, "denoisers": {"quiet": Quiet()}},
    (),
    (),  # type: ignore[dict-item]
)


def effects(
    *filters: str, may: Literal["everything", "options", "nothing"] = "everything", **more: Any
) -> MeetingEffects:
    return MeetingEffects(Preset(frame_filters=filters, people_may_change=may, **more), REGISTRY)


def wishes(*filters: Effect, denoiser: Effect | None = None) -> EffectWishes:
    return EffectWishes(filters=list(filters), denoiser=denoiser)


def test_without_wishes_everything_is_on_with_the_options_of_the_meeting() -> None:
    chosen = effects("light", "blur", live_denoiser="quiet", options={"blur": {"strength": 0.9}}).choose(None)
    assert [name for name, _ in chosen.filters_on] == ["light", "blur"]
    assert dict(chosen.filters_on)["blur"] == {"strength": 0.9, "colour": "grey"}
    assert chosen.denoiser_on == ("quiet", {"strength": 0.5, "colour": "grey"})
    assert chosen.protects_privacy


def test_wishes_are_put_over_the_options_of_the_meeting() -> None:
    chosen = effects("light", "blur", options={"blur": {"strength": 0.9}}).choose(
        wishes(Effect(name="blur", options={"colour": "red"}), Effect(name="light", on=False))
    )
    assert chosen.filters_on == (("blur", {"strength": 0.9, "colour": "red"}),)
    assert [each.on for each in chosen.filters] == [False, True]


def test_privacy_is_protected_by_what_is_on_alone() -> None:
    both = effects("light", "blur")
    assert both.may_protect
    assert not both.choose(wishes(Effect(name="blur", on=False))).protects_privacy
    assert not effects("light").may_protect


@pytest.mark.parametrize(
    ("may", "wish", "said"),
    [
        ("everything", Effect(name="bulr"), "bulr is no live filter"),
        ("everything", Effect(name="blur", options={"strength": 2}), "blur.strength"),
        ("options", Effect(name="blur", on=False), "cannot be turned off"),
        ("nothing", Effect(name="blur", on=False), "cannot be turned off"),
        ("nothing", Effect(name="blur", options={"colour": "red"}), "cannot be changed"),
    ],
)
def test_what_is_not_allowed_is_refused(may: Any, wish: Effect, said: str) -> None:
    with pytest.raises(BadEffects, match=said):
        effects("blur", may=may).choose(wishes(wish))


def test_the_denoiser_is_that_of_the_meeting() -> None:
    with pytest.raises(BadEffects, match="not the live denoiser"):
        effects("blur").choose(wishes(denoiser=Effect(name="quiet")))
    chosen = effects(live_denoiser="quiet").choose(wishes(denoiser=Effect(name="quiet", on=False)))
    assert chosen.denoiser is not None
    assert chosen.denoiser_on is None


def test_a_filter_that_is_not_installed_any_more_shows_no_picture() -> None:
    gone = effects("light", "gone")
    assert (gone.missing, gone.frame_filters) == (("gone",), ("light",))
    assert gone.choose(None).protects_privacy
    assert gone.may_protect
    assert not gone.is_empty
    assert effects().is_empty


def test_a_page_is_told_what_it_needs_for_its_form() -> None:
    told = effects("blur", may="options", live_denoiser="quiet").described()
    assert told["people_may_change"] == "options"
    assert told["filters"][0]["options"] == {"strength": 0.5, "colour": "grey"}
    assert told["filters"][0]["options_schema"]["properties"]["strength"]["maximum"] == 1
    assert (told["filters"][0]["protects_privacy"], told["denoiser"]["protects_privacy"]) == (True, False)
