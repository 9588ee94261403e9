"""Faults in a person's words."""

from pathlib import Path
from typing import Annotated, Literal

import pytest
from pydantic import BaseModel, ConfigDict, Field

from vmeet_core.settings import Problem, SettingsError, did_you_mean, validated
from vmeet_core.settings.problems import key_path


class Inner(BaseModel):
    model_config = ConfigDict(extra="forbid")
    depth: int = Field(1, description="how deep it goes")


class Outer(BaseModel):
    model_config = ConfigDict(extra="forbid")
    path: Path = Path("x")
    mode: Literal["fast", "slow"] = "fast"
    pair: tuple[int, int] = (1, 2)
    inner: Inner | None = None
    many: dict[str, Inner] = {}
    listed: Annotated[tuple[Inner, ...], Field(description="a list")] = ()


def test_good_data_is_taken_as_json():
    checked = validated(Outer, {"path": "a/b", "pair": [3, 4], "listed": [{"depth": 2}], "many": {"k": {"depth": 3}}})
    assert checked.path == Path("a/b")
    assert checked.pair == (3, 4)
    assert (checked.listed[0].depth, checked.many["k"].depth) == (2, 3)


@pytest.mark.parametrize(
    ("data", "key", "words"),
    [
        ({"mod": "fast"}, "k.mod", 'Did you mean "mode"?'),
        ({"mode": "medium"}, "k.mode", "'fast' or 'slow'"),
        ({"inner": {"deph": 1}}, "k.inner.deph", 'Did you mean "depth"?'),
        ({"many": {"a": {"deph": 1}}}, "k.many.a.deph", 'Did you mean "depth"?'),
        ({"listed": [{}, {"deph": 1}]}, "k.listed[1].deph", 'Did you mean "depth"?'),
        ({"listed": [{"depth": "1"}]}, "k.listed[0].depth", "Meaning of the key: how deep it goes."),
        ({"listed": 3}, "k.listed", "Meaning of the key: a list."),
        ({"pair": [1, "2"]}, "k.pair[1]", "integer"),
    ],
)
def test_faults_name_the_key_and_a_remedy(data, key, words):
    with pytest.raises(SettingsError) as caught:
        validated(Outer, data, "k", "f.toml")
    (problem,) = caught.value.problems
    assert (problem.file, problem.key) == ("f.toml", key)
    assert words in f"{problem.message} {problem.remedy}"


def test_what_is_no_table_is_told():
    with pytest.raises(SettingsError, match="k: should be a table"):
        validated(Outer, [], "k")  # type: ignore[arg-type]


def test_the_text_of_a_problem():
    assert str(Problem("f.toml", "a.b", "is wrong.", "Put it right.")) == "f.toml: a.b: is wrong.\n    Put it right."
    assert str(Problem("", "a.b", "is wrong.", "Put it right.")) == "a.b: is wrong.\n    Put it right."


def test_key_paths():
    assert key_path(("server", "ice_servers", 0, "urls")) == "server.ice_servers[0].urls"
    assert key_path(("plugins", "denoiser", "[key]")) == "plugins.denoiser"


def test_did_you_mean():
    assert did_you_mean("Denoser", ["denoiser", "other"]) == 'Did you mean "denoiser"?'
    assert did_you_mean("zzz", ["b", "a"]) == "Known here: a, b."
    assert did_you_mean("zzz", []) == "There are none here."
