"""docs/effects.md and the code say the same, and the example runs as it stands."""

import re
from pathlib import Path

import numpy as np
from effect_scenes import plain

from vmeet_core.effects import pictures
from vmeet_core.effects.options import EffectOptions

DOCS = (Path(__file__).parents[2] / "docs/effects.md").read_text(encoding="utf-8")


def test_every_option_is_documented_with_its_default_and_meaning():
    rows = [f"| `{n}` | `{f.default}` | {f.description} |" for n, f in EffectOptions.model_fields.items()]
    assert "\n".join(rows) in DOCS


def test_every_module_is_documented():
    modules = {path.stem for path in Path(pictures.__file__).parent.glob("*.py")} - {"__init__"}
    assert {name for name in modules if f"`{name}`" not in DOCS} == set()


def test_the_limits_of_uploads_are_those_of_the_code():
    megapixels = pictures.MOST_PIXELS // 10**6
    assert f"{pictures.MOST_BYTES // 2**20} MiB and {megapixels} million pixels" in DOCS
    assert f"to {pictures.LARGEST_SIDE_PX} pixels" in DOCS


def test_the_example_runs_as_it_stands():
    (example,) = re.findall(r"```python\n(.*?)```", DOCS, re.DOTALL)
    names: dict = {}
    exec(example, names)
    stream = names["MaskStream"](
        lambda rgb: np.zeros(rgb.shape[:2], np.float32), EffectOptions(background="dawn"), pictures.built_in
    )
    assert stream.process(plain((90, 160), 100), 0.0).y.std() > 10
    stream.update(EffectOptions(background="#000000"))
    assert (stream.process(plain((90, 160), 100), 0.0).y == 16).all()
    stream.update(EffectOptions(background="#ffffff"))
    assert (stream.process(plain((90, 160), 100), 0.0).y == 235).all()
    stream.close()
