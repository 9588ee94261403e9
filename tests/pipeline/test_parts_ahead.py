"""That what is asked of a part while a recording runs is what is asked afterwards: otherwise it would be done twice."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from journal_prefixes import nameless
from recorded_people import Simulation

from vmeet_core.manifest import AnyEvent, SegmentEnded
from vmeet_core.pipeline.graph import build_graph
from vmeet_core.pipeline.parts import borders_every
from vmeet_core.pipeline.prepared import CanvasFormat, Prepared
from vmeet_core.pipeline.spec import keyed
from vmeet_core.pipeline.views import ProcessRequest
from vmeet_core.plugins import Registry
from vmeet_core.readiness import ready_s
from vmeet_core.settings import Settings
from vmeet_core.timeline import build_timeline

PART_S = 10.0
MOST_S = 200.0  #: a file that is still open counts as endless here


def prepared(events: Sequence[AnyEvent], ready: float | None) -> Prepared:
    """As the first step finds it; only finished files have digests, so that no step may read another one."""
    timeline = nameless(build_timeline(events, lambda file: 1e9))
    closed = {event.file for event in events if isinstance(event, SegmentEnded)}
    return Prepared(
        timeline=timeline,
        canvas=CanvasFormat(),
        digests={f"segments/{file}": file for file in closed},
        borders=borders_every(PART_S, min(timeline.duration_s, MOST_S)),
        is_cut=True,
        ready_s=ready,
    )


@pytest.mark.parametrize(("layout", "source"), [("grid", "original"), ("speaker", "denoised")])
@pytest.mark.parametrize("seed", range(6))
def test_no_part_is_made_twice(
    tmp_path: Path, seed: int, layout: Any, source: Any, settings: Settings, registry: Registry
) -> None:
    events = Simulation(seed, seconds=80 + 10 * (seed % 4), part_s=PART_S).record(tmp_path / "r")
    request = ProcessRequest(layout=layout, denoiser="half", transcriber="tones", transcribe_from=source)
    final = {key for _, key in keyed(build_graph(prepared(events, None), request, settings, registry), {})}
    settled = {ready_s(events[:length]): length for length in range(len(events), 0, -1)}
    made: set[str] = set()
    for ready, length in settled.items():
        steps = keyed(build_graph(prepared(events[:length], ready), request, settings, registry), {})
        late = {spec.name for spec, key in steps if key not in final}
        assert not late, (ready, late)
        made |= {spec.name for spec, _ in steps}
    assert len([name for name in made if name.startswith("layout:")]) >= 2
    assert len([name for name in made if name.startswith("sound:")]) >= 3
    assert len([name for name in made if name.startswith("transcribe:")]) >= 3
