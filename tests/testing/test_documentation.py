"""docs/conformance.md tells of every check, in the order in which they run."""

import re
from pathlib import Path

import pytest

from vmeet_core.testing import DENOISER_CHECKS, FRAME_FILTER_CHECKS, TRANSCRIBER_CHECKS, Check
from vmeet_core.testing.provider_checks import PROVIDER_CHECKS

TEXT = (Path(__file__).parents[2] / "docs/conformance.md").read_text(encoding="utf-8")


def rows(heading: str) -> list[str]:
    """The names in the table below a heading."""
    part = re.split(r"\n## ", TEXT.partition(f"\n## {heading}\n")[2])[0]
    return [line.split("`")[1] for line in part.splitlines() if line.startswith("| `")]


@pytest.mark.parametrize(
    ("heading", "checks"),
    [
        ("Denoisers", DENOISER_CHECKS),
        ("Frame filters", FRAME_FILTER_CHECKS),
        ("Transcribers", TRANSCRIBER_CHECKS),
    ],
)
def test_every_check_is_documented_in_order(heading: str, checks: tuple[Check, ...]) -> None:
    assert rows("Every provider") == [check.name for check in PROVIDER_CHECKS]
    assert rows("Every provider") + rows(heading) == [check.name for check in checks]
