"""What a person wishes for of the live effects: sent, remembered, dropped where it is not offered."""

from typing import Any

import pytest
from effects_room import BRIGHTNESS, FAILED, MASK, OFF, ON, QUIET, STARTING, effects
from playwright.async_api import Page
from pydantic import Field

from vmeet_core.effects.options import EffectOptions
from vmeet_core.hookspecs import Options

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]
MAKE = """async (offer) => {
    const { EffectControl } = await import('/static/js/effect-control.js');
    window.control = new EffectControl(offer);
    window.sent = [];
    window.refusals = [];
    window.control.send = (wishes) => { window.sent.push(wishes); return true; };
    window.control.addEventListener('refused', ({ detail }) => window.refusals.push(detail));
    [window.mask] = window.control.offers;
}"""
WISHES = "() => window.control.wishes()"


def told(camera: dict[str, Any], on: bool = True, **options: Any) -> dict[str, Any]:
    filters = [{"name": "mask", "on": on, "options": {**MASK["options"], **options}}]
    return {"type": "effects-changed", "filters": filters, "denoiser": None, "camera": camera, "microphone": OFF}


async def make(page: Page, offer: dict[str, Any]) -> None:
    await page.evaluate(MAKE, offer)


async def test_nothing_is_wished_for_at_first(blank: Page) -> None:
    await make(blank, effects("everything", MASK, denoiser=QUIET))
    assert await blank.evaluate(WISHES) == {"filters": [], "denoiser": None}
    assert await blank.evaluate("() => window.control.isOn(window.mask)") is True
    assert await blank.evaluate("() => window.control.optionsOf(window.mask)") == MASK["options"]


async def test_what_is_changed_is_sent_and_remembered_by_the_name_of_the_provider(blank: Page) -> None:
    await make(blank, effects("everything", BRIGHTNESS, MASK, denoiser=QUIET))
    change = """() => {
        const [, mask, quiet] = window.control.offers;
        window.control.set(mask, { options: { effect: 'replace', background: 'dawn' } });
        window.control.set(quiet, { on: false });
        return new Promise((resolve) => setTimeout(() => resolve(window.sent.at(-1)), 400));
    }"""
    wished = {
        "filters": [{"name": "mask", "on": True, "options": {"effect": "replace", "background": "dawn"}}],
        "denoiser": {"name": "quiet", "on": False, "options": {}},
    }
    assert await blank.evaluate(change) == wished
    await blank.reload()
    await make(blank, effects("everything", MASK, denoiser=QUIET))  # another meeting
    assert await blank.evaluate(WISHES) == wished
    await make(blank, effects("everything", BRIGHTNESS))
    assert await blank.evaluate(WISHES) == {"filters": [], "denoiser": None}
    await make(blank, effects("everything", MASK))
    assert (await blank.evaluate(WISHES))["filters"] == wished["filters"]


async def test_a_slider_that_moves_is_no_flood_and_its_last_place_counts(blank: Page) -> None:
    await make(blank, effects())
    slide = """async () => {
        for (let step = 0; step <= 60; step++) {
            window.control.set(window.mask, { options: { strength: step / 60 } });
            await new Promise((resolve) => setTimeout(resolve, 10));
        }
        await new Promise((resolve) => setTimeout(resolve, 400));
        return window.sent.map(({ filters: [mask] }) => mask.options.strength);
    }"""
    strengths = await blank.evaluate(slide)
    assert strengths[0] == 0, "the first goes out at once"
    assert strengths[-1] == 1
    assert 3 <= len(strengths) <= 15
    assert strengths == sorted(strengths)


async def test_only_what_the_meeting_allows_is_wished_for(blank: Page) -> None:
    await make(blank, effects())
    await blank.evaluate("() => window.control.set(window.mask, { on: false, options: { strength: 0.9 } })")
    await make(blank, effects("options"))
    assert (await blank.evaluate(WISHES))["filters"] == [{"name": "mask", "on": True, "options": {"strength": 0.9}}]
    await make(blank, effects("nothing"))
    assert await blank.evaluate(WISHES) is None
    assert await blank.evaluate("() => window.control.isOn(window.mask)") is True
    assert await blank.evaluate("() => window.control.optionsOf(window.mask)") == MASK["options"]
    await make(blank, effects())
    assert (await blank.evaluate(WISHES))["filters"] == [{"name": "mask", "on": False, "options": {"strength": 0.9}}]


async def test_what_a_provider_no_longer_takes_is_dropped_and_told(blank: Page) -> None:
    remembered = {"filters": {"mask": {"options": {"strength": 7, "gone": 1, "feather": 0.5, "background": "A b"}}}}
    await blank.evaluate("(effects) => localStorage.setItem('vmeet.effects', JSON.stringify(effects))", remembered)
    await make(blank, effects())
    assert (await blank.evaluate(WISHES))["filters"] == [{"name": "mask", "on": True, "options": {"feather": 0.5}}]
    assert await blank.evaluate("() => window.control.outdated.map(({ title }) => title)") == ["Mask"]
    await make(blank, effects())
    assert await blank.evaluate("() => window.control.outdated") == [], "it is told once"


@pytest.mark.parametrize("text", ["", "no json", "[]", '{"filters": [1]}', '{"filters": {"mask": 3}}', "null"])
async def test_what_is_no_memory_is_none(blank: Page, text: str) -> None:
    await blank.evaluate("(text) => localStorage.setItem('vmeet.effects', text)", text)
    await make(blank, effects())
    assert await blank.evaluate(WISHES) == {"filters": [], "denoiser": None}


async def test_what_the_server_refuses_is_forgotten(blank: Page) -> None:
    await make(blank, effects())
    await blank.evaluate("(message) => window.control.told(message)", told(ON, background="dawn", effect="replace"))
    refuse = """() => {
        const options = { background: 'nowhere', effect: 'replace', strength: 0.1 };
        window.control.set(window.mask, { on: false, options });
        window.control.refused('no picture nowhere');
    }"""
    await blank.evaluate(refuse)
    in_force = {"name": "mask", "on": True, "options": {"background": "dawn", "effect": "replace"}}
    assert (await blank.evaluate(WISHES))["filters"] == [in_force]
    assert await blank.evaluate("() => window.refusals") == ["no picture nowhere"]
    await make(blank, effects())
    assert (await blank.evaluate(WISHES))["filters"] == [in_force]
    await blank.evaluate("(message) => window.control.told(message)", told(ON))
    await blank.evaluate("() => window.control.refused('not this either')")
    assert (await blank.evaluate(WISHES))["filters"] == [], "the meeting's own needs no wish"


async def test_the_way_back_to_what_the_meeting_has(blank: Page) -> None:
    await make(blank, effects())
    await blank.evaluate("() => window.control.set(window.mask, { on: false })")
    assert await blank.evaluate("() => window.control.isChanged(window.mask)") is True
    await blank.evaluate("() => window.control.reset(window.mask)")
    assert await blank.evaluate("() => window.control.isChanged(window.mask)") is False
    await blank.wait_for_function("() => window.sent.length === 2")
    assert await blank.evaluate("() => window.sent.at(-1)") == {"filters": [], "denoiser": None}
    await make(blank, effects())
    assert await blank.evaluate(WISHES) == {"filters": [], "denoiser": None}


@pytest.mark.parametrize(
    ("wished", "message", "secret"),
    [
        (True, None, True),
        (False, None, False),
        (True, told(ON), True),
        (True, told(OFF, on=False), True),  # asked for, and not said to be on yet
        (False, told(ON), True),  # asked to be off, and not said to be off yet
        (False, told(OFF, on=False), False),
        (True, told(STARTING), True),
        (False, told(FAILED, on=False), True),  # a card is shown, for a reason that is not known here
    ],
)
async def test_when_the_room_may_not_be_seen(blank: Page, wished: bool, message: Any, secret: bool) -> None:
    await make(blank, effects())
    await blank.evaluate("(on) => window.control.set(window.mask, { on })", wished)
    if message is not None:
        await blank.evaluate("(message) => window.control.told(message)", message)
    assert await blank.evaluate("() => window.control.secret") is secret


async def test_brightness_hides_nothing(blank: Page) -> None:
    await make(blank, effects("everything", BRIGHTNESS))
    message = {**told(ON), "filters": [{"name": "brightness", "on": True, "options": {}}]}
    await blank.evaluate("(message) => window.control.told(message)", message)
    assert await blank.evaluate("() => window.control.secret") is False


async def test_a_meeting_without_the_protection_of_another_says_so(blank: Page) -> None:
    missing = "async (offer) => (await import('/static/js/effect-control.js')).missingProtection(offer)"
    await make(blank, effects("everything", MASK, BRIGHTNESS))
    change = "() => window.control.offers.forEach((offer) => window.control.set(offer, { options: { strength: 0.8 } }))"
    await blank.evaluate(change)
    lacks = {"name": "mask", "title": "Mask"}
    assert await blank.evaluate(missing, effects("everything", BRIGHTNESS)) == [lacks]
    assert await blank.evaluate(missing, None) == [lacks]
    assert await blank.evaluate(missing, effects()) == []
    await blank.evaluate("() => window.control.set(window.mask, { on: false })")
    assert await blank.evaluate(missing, None) == []


LAYOUT = "async (schema) => (await import('/static/js/effect-schema.js')).layoutOf(schema)"


class MoreOptions(EffectOptions):
    detail: int = Field(2, ge=1, le=5)


class NoBackground(Options):
    """Names that mean something else here."""

    effect: str = "blur"
    background: str = "black"
    feather: float = Field(0.3, ge=0, le=1)


@pytest.mark.parametrize(
    ("options", "picks", "main", "advanced"),
    [
        (EffectOptions, True, ["strength"], ["feather", "light_wrap", "smoothing"]),
        (MoreOptions, True, ["strength", "detail"], ["feather", "light_wrap", "smoothing"]),
        (NoBackground, False, ["effect", "background", "feather"], []),
    ],
)
async def test_how_options_are_laid_out(
    blank: Page, options: Any, picks: bool, main: list[str], advanced: list[str]
) -> None:
    found = await blank.evaluate(LAYOUT, options.model_json_schema())
    assert (found["picks"], found["main"]["names"], found["advanced"]["names"]) == (picks, main, advanced)
    assert list(found["main"]["schema"]["properties"]) == main
