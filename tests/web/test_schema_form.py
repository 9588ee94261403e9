"""Forms made from the JSON schema that pydantic writes."""

from typing import Annotated, Any, Literal

import pytest
from playwright.async_api import Page, expect
from pydantic import BaseModel, Field

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]


class Band(BaseModel):
    low_hz: float = Field(100.0, ge=20, title="From")
    name: str = Field("speech", min_length=2, max_length=8, title="Name")


class Everything(BaseModel):
    strength: float = Field(0.5, ge=0, le=1, title="Strength", description="How much is taken away")
    passes: int = Field(2, gt=0, lt=9, title="Passes")
    mode: Literal["fast", "good"] = Field("good", title="Mode")
    keep_music: bool = Field(True, title="Keep music")
    limit_hz: Annotated[float, Field(ge=100)] | None = Field(None, title="Limit")
    band: Band = Field(default=Band(), title="Band")
    code: str = Field("AB", pattern="^[A-Z]+$", title="Code")
    only: Literal["one"] = "one"


MAKE = """async ([schema, values]) => {
    const { SchemaForm } = await import('/static/js/schema-form.js');
    document.body.replaceChildren(new SchemaForm(schema, values));
}"""
READ = "() => { const form = document.querySelector('vmeet-schema-form'); return [form.validate(), form.value]; }"


async def make(page: Page, model: type[BaseModel] = Everything, values: dict[str, Any] | None = None) -> None:
    await page.evaluate(MAKE, [model.model_json_schema(), values or {}])


async def test_the_defaults_come_back_and_are_valid(blank: Page) -> None:
    await make(blank)
    valid, value = await blank.evaluate(READ)
    assert valid
    assert Everything.model_validate(value) == Everything()


async def test_given_values_go_over_the_defaults(blank: Page) -> None:
    values = {"strength": 0.25, "mode": "fast", "keep_music": False, "limit_hz": 400, "band": {"low_hz": 60}}
    await make(blank, values=values)
    _, value = await blank.evaluate(READ)
    assert Everything.model_validate(value) == Everything.model_validate(values)


async def test_what_is_typed_is_read(blank: Page) -> None:
    await make(blank)
    await blank.get_by_label("Strength").fill("0.75")
    await blank.get_by_label("Passes").fill("8")
    await blank.get_by_label("Mode").select_option("fast")
    await blank.get_by_label("Keep music").uncheck()
    await blank.get_by_label("Limit").fill("250.5")
    await blank.get_by_label("From").fill("33")
    valid, value = await blank.evaluate(READ)
    assert valid
    expected = Everything(
        strength=0.75, passes=8, mode="fast", keep_music=False, limit_hz=250.5, band=Band(low_hz=33), code="AB"
    )
    assert Everything.model_validate(value) == expected


@pytest.mark.parametrize(
    ("label", "typed", "complaint"),
    [
        ("Strength", "1.5", "At most 1."),
        ("Strength", "-1", "At least 0."),
        ("Strength", "much", "A number, please."),
        ("Strength", "", "Please fill this in."),
        ("Passes", "2.5", "A whole number, please."),
        ("Passes", "0", "More than 0."),
        ("Passes", "9", "Less than 9."),
        ("Limit", "99", "At least 100."),
        ("Name", "x", "At least 2 characters."),
        ("Name", "far too long", "At most 8 characters."),
        ("Code", "abc", "This does not have the right form."),
    ],
)
async def test_a_wrong_value_is_told_at_its_field(blank: Page, label: str, typed: str, complaint: str) -> None:
    await make(blank)
    field = blank.get_by_label(label)
    await field.fill(typed)
    valid, _ = await blank.evaluate(READ)
    assert not valid
    await expect(blank.get_by_role("alert").filter(has_text=complaint)).to_be_visible()
    await expect(field).to_have_attribute("aria-invalid", "true")
    await expect(field).to_be_focused()


async def test_slider_and_number_follow_each_other(blank: Page) -> None:
    await make(blank)
    slider = blank.locator("[data-field=strength] input[type=range]")
    await blank.get_by_label("Strength").fill("0.9")
    assert await slider.input_value() == "0.9"
    await slider.fill("0.2")
    assert await blank.get_by_label("Strength").input_value() == "0.2"


async def test_the_description_belongs_to_its_field(blank: Page) -> None:
    await make(blank)
    await expect(blank.get_by_label("Strength")).to_have_accessible_description("How much is taken away")


async def test_a_schema_that_refers_to_itself_ends(blank: Page) -> None:
    schema = {
        "$defs": {
            "Node": {"type": "object", "properties": {"next": {"$ref": "#/$defs/Node"}, "depth": {"type": "integer"}}}
        },
        "$ref": "#/$defs/Node",
        "properties": {"next": {"$ref": "#/$defs/Node"}},
    }
    await blank.evaluate(MAKE, [schema, {}])
    assert 0 < await blank.locator("vmeet-schema-form fieldset").count() < 20


async def test_the_servers_complaint_is_shown_at_the_field(blank: Page) -> None:
    await make(blank)
    await blank.evaluate("() => document.querySelector('vmeet-schema-form').setFault('passes', 'too many for us')")
    await expect(blank.get_by_text("too many for us")).to_be_visible()
    await expect(blank.get_by_label("Passes")).to_be_focused()
