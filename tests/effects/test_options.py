"""What people may choose, and what a provider can be built with where OpenCV is absent."""

import json
import subprocess
import sys

import pytest
from pydantic import ValidationError

from vmeet_core.effects.options import EffectOptions
from vmeet_core.effects.pictures import BUILT_IN


def test_the_form_has_all_it_needs():
    for name, field in EffectOptions.model_json_schema()["properties"].items():
        assert {"title", "description", "default"} <= set(field), name
        assert {"minimum", "maximum"} <= set(field) or "enum" in field or "pattern" in field, name
    json.dumps(EffectOptions.model_json_schema())


def test_the_default_is_blur_and_knows_a_picture():
    options = EffectOptions()
    assert options.effect == "blur"
    assert options.background in BUILT_IN


def test_whoever_names_a_background_alone_gets_it():
    assert EffectOptions(background="#00ff00").effect == "replace"
    assert EffectOptions(background="#00ff00", effect="blur").effect == "blur"
    assert EffectOptions.model_validate({"strength": 1}).effect == "blur"
    again = EffectOptions.model_validate_json(EffectOptions(background="dawn").model_dump_json())
    assert again == EffectOptions(background="dawn", effect="replace")


@pytest.mark.parametrize(
    "given",
    [
        {"background": ""},
        {"background": "#12345"},
        {"background": "../etc/passwd"},
        {"background": "Dawn"},
        {"background": "dawn\n"},
        {"effect": "none"},
        {"strength": 1.1},
        {"strength": float("nan")},
        {"feather": -0.1},
        {"light_wrap": 2},
        {"smoothing": -1},
        {"blur": 1},
    ],
)
def test_what_cannot_be_is_refused(given):
    with pytest.raises(ValidationError):
        EffectOptions(**given)


def test_a_provider_can_be_built_without_opencv():
    code = (
        "import sys; sys.modules['cv2'] = None\n"
        "from vmeet_core.effects.options import EffectOptions\n"
        "from vmeet_core.effects.pictures import built_in\n"
        "EffectOptions(); built_in('dawn')"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
