"""The network in ONNX Runtime: what it gives for pictures of all proportions, and that it wants no more memory."""

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from vmeet_pointrend import MODEL
from vmeet_pointrend.network import Network
from vmeet_pointrend.picture import SHAPES

from vmeet_core.hookspecs import Frame, Host
from vmeet_core.testing import flat_picture, noise_picture, person_picture

SIZES = ((144, 256), (480, 640), (333, 333), (640, 480), (721, 405), (16, 16), (1080, 1920))


@pytest.mark.parametrize("size", SIZES)
def test_a_mask_of_probabilities_for_the_whole_picture(network: Network, size: tuple[int, int]) -> None:
    mask = network.mask(person_picture(*size))
    assert mask.shape in SHAPES
    assert mask.dtype == np.float32
    assert 0 <= mask.min() <= mask.max() <= 1


def test_the_refined_mask_is_four_times_as_fine_as_the_coarse_one(network: Network) -> None:
    frame = person_picture(720, 1280)
    coarse, refined = network.masks(frame)
    assert (coarse.shape, refined.shape) == ((40, 72), (160, 288))
    assert np.array_equal(refined, network.mask(frame))
    # They agree but for the edge, which is what is refined.
    differing = np.abs(np.repeat(np.repeat(coarse, 4, 0), 4, 1) - refined) > 0.25
    assert 0 < differing.mean() < 0.2


def test_pictures_without_people_have_none(network: Network) -> None:
    for empty in (flat_picture(360, 640), noise_picture(360, 640)):
        assert (network.mask(empty) > 0.5).mean() < 0.02


def test_the_same_picture_gives_the_same_mask_each_time_and_one_of_its_own(network: Network) -> None:
    frame = person_picture(360, 640)
    first, second = network.mask(frame), network.mask(frame)
    assert np.array_equal(first, second)
    assert not np.shares_memory(first, second)


def test_several_threads_may_share_it(host: Host) -> None:
    shared = Network(host.weight_path(MODEL), threads=2)
    frames = [person_picture(*size) for size in SIZES[:5]] * 4
    alone = [shared.mask(frame) for frame in frames]
    with ThreadPoolExecutor(4) as executor:
        together = list(executor.map(shared.mask, frames))
    assert all(np.allclose(one, other, atol=1e-4) for one, other in zip(alone, together, strict=True))


def test_it_takes_as_many_threads_as_it_may(host: Host) -> None:
    tasks = Path("/proc/self/task")
    if not tasks.exists():
        pytest.skip("no /proc on this system")
    kept = []
    for threads in (1, 4):
        before = set(tasks.iterdir())
        kept.append(Network(host.weight_path(MODEL), threads))
        assert len(set(tasks.iterdir()) - before) == threads - 1, "the caller's is one of them"


def test_memory_stays_flat_over_changing_sizes(network: Network) -> None:
    if not Path("/proc/self/statm").exists():
        pytest.skip("no /proc on this system")
    frames = [person_picture(*size) for size in SIZES[:6]]

    def resident_mib(rounds: int) -> float:
        for _ in range(rounds):
            for frame in frames:
                network.mask(frame)
        return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20

    settled = resident_mib(20)
    assert resident_mib(100) < settled + 5


def test_planes_with_gaps_between_rows_are_taken(network: Network) -> None:
    wide = person_picture(360, 700)
    view = Frame(wide.y[:, :640], wide.u[:, :320], wide.v[:, :320])
    whole = Frame(*(np.ascontiguousarray(plane) for plane in (view.y, view.u, view.v)))
    assert np.array_equal(network.mask(view), network.mask(whole))
