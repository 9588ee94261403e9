"""What vmeet.toml may say: sound or refused at start-up, before anything is loaded."""

from typing import Any

import pytest
from pydantic import ValidationError
from vmeet_pointrend.settings import PointRendSettings


def test_without_a_word_it_is_our_own_network_on_one_thread() -> None:
    assert (PointRendSettings().backend, PointRendSettings().threads) == ("onnx", 1)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"threads": 0}, "threads"),
        ({"threads": 17}, "threads"),
        ({"threads": 1.5}, "threads"),
        ({"backend": "torch"}, "backend"),
        ({"least_score": 1.1}, "least_score"),
        ({"checkpiont": "x"}, "checkpiont"),
        ({"backend": "detectron2"}, "wants both config and checkpoint"),
        ({"backend": "detectron2", "config": "a.yaml"}, "wants both config and checkpoint"),
    ],
)
def test_what_makes_no_sense_is_refused(given: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        PointRendSettings.model_validate(given)


def test_every_field_has_a_title_and_a_description() -> None:
    assert all(field.title and field.description for field in PointRendSettings.model_fields.values())
