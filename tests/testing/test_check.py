"""The runner of checks: what it reports, and what it skips."""

from typing import Any

import numpy as np
import pytest

from vmeet_core.hookspecs import Host, Permanent
from vmeet_core.testing import (
    Breach,
    Check,
    GateProvider,
    Subject,
    local_host,
    run_check,
    run_checks,
)


class Unloadable(GateProvider):
    def load(self, server_settings: Any, host: Host) -> Any:
        raise Permanent("run: vmeet weights fetch gate")


def breach(subject: Subject) -> str:
    raise Breach("it is green.", "Paint it red.")


def crash(subject: Subject) -> str:
    raise KeyError("colour")


def load(subject: Subject) -> str:
    return f"{type(subject.engine).__name__}"


def test_a_pass_shows_its_detail() -> None:
    result = run_check(Subject(GateProvider(), local_host()), Check("load", "it loads", load))
    assert str(result) == "passed  load: it loads (GateEngine)"


def test_a_breach_names_provider_check_and_remedy() -> None:
    text = str(run_check(Subject(GateProvider(), local_host()), Check("colour", "it is red", breach)))
    assert text.split("\n") == [
        "failed  colour: it is red",
        "        gate: it is green.",
        "        Remedy: Paint it red.",
    ]


def test_an_exception_is_a_failure() -> None:
    result = run_check(Subject(GateProvider(), local_host()), Check("colour", "it is red", crash))
    assert (result.state, result.message) == ("failed", "it raised KeyError: 'colour'")


def test_what_needs_an_engine_is_skipped_when_it_does_not_load() -> None:
    checks = [Check("load", "it loads", load), Check("colour", "it is red", breach, True), Check("other", "", crash)]
    results = list(run_checks(Subject(Unloadable(), local_host()), checks))
    assert [result.state for result in results] == ["failed", "skipped", "failed"]
    assert "vmeet weights fetch gate" in results[0].remedy


def test_a_host_without_weights_says_so() -> None:
    weight: Any = type("W", (), {"name": "model.onnx"})()
    with pytest.raises(Permanent, match=r"model\.onnx"):
        local_host().weight_path(weight)


def test_variants_reach_both_ends_of_every_option() -> None:
    variants = [options.model_dump() for options in Subject(GateProvider(), local_host()).variants()]
    assert {(v["threshold_db"], v["reduction_db"]) for v in variants} == {(-90, 60), (0, 60), (-45, 0), (-45, 90)}


def test_a_host_for_tests_has_a_picture_of_every_name() -> None:
    picture = local_host().picture("whatever")
    assert picture.ndim == 3
    assert picture.dtype == np.uint8
    assert not picture.flags.writeable
    assert picture.std() > 20, "not flat: a filter that shows it can be seen to"
    assert local_host(picture=lambda name: picture[:1]).picture("beach").shape == (1, 160, 3)
