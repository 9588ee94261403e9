"""Tests of the keys of steps: what changes a result changes its key, and nothing else does."""

from typing import Any

import pytest

from vmeet_core.pipeline.spec import Output, PluginUse, StepSpec, keyed, step_key

PLUGIN = PluginUse(kind="denoisers", name="dtln", version="1", weights={"a.onnx": "00"}, options={"strength": 1.0})
BASE = StepSpec(
    name="denoise:ann",
    title="Denoise Ann",
    function="steps:run",
    version=1,
    params={"x": 1, "y": [1, 2]},
    inputs={"sound": "audio:ann"},
    outputs={"denoised": Output(result="audio-denoised:ann", file="a.flac")},
    files={"segments/a.mkv": "10:ab"},
    plugin=PLUGIN,
)
KEYS = {"audio:ann": "k1:sound", "audio:bob": "k2:sound"}


@pytest.mark.parametrize(
    "change",
    [
        {"function": "steps:other"},
        {"version": 2},
        {"params": {"x": 2, "y": [1, 2]}},
        {"files": {"segments/a.mkv": "10:ac"}},
        {"inputs": {"sound": "audio:bob"}},
        {"plugin": None},
        {"plugin": PLUGIN.model_copy(update={"version": "2"})},
        {"plugin": PLUGIN.model_copy(update={"weights": {"a.onnx": "01"}})},
        {"plugin": PLUGIN.model_copy(update={"options": {"strength": 0.5}})},
    ],
    ids=str,
)
def test_what_the_result_depends_on_changes_the_key(change: dict[str, Any]) -> None:
    assert step_key(BASE.model_copy(update=change), KEYS) != step_key(BASE, KEYS)


@pytest.mark.parametrize(
    "change",
    [
        {"name": "other"},
        {"title": "Clean"},
        {"params": {"y": [1, 2], "x": 1}},
        {"outputs": {"denoised": Output(result="other", file="b.flac")}},
    ],
    ids=str,
)
def test_names_and_order_do_not(change: dict[str, Any]) -> None:
    assert step_key(BASE.model_copy(update=change), KEYS) == step_key(BASE, KEYS)


def test_a_change_is_passed_on_to_all_that_follow() -> None:
    first = StepSpec(
        name="a", title="", function="f", version=1, outputs={"sound": Output(result="audio:ann", file="a")}
    )
    before = keyed([first, BASE], {})
    after = keyed([first.model_copy(update={"version": 2}), BASE], {})
    assert before[1][1] != after[1][1]
    assert before == keyed([first, BASE], {})
