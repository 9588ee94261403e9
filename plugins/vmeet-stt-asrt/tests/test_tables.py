"""The tables as a file, and what is looked up in them."""

from pathlib import Path

import numpy as np
import pytest
from vmeet_stt_asrt.tables import Tables, pack, steps_of


@pytest.fixture
def small() -> dict[str, np.ndarray]:
    """Two words, 早安 and 安; after 早安 the sentence often ends, and 安 may follow 安."""
    probabilities = np.array([0.5, 0.3, 0.2])
    return {
        "words": np.frombuffer("\n早安\n安".encode(), np.uint8),
        "bases": np.frombuffer(b"an\nzao", np.uint8),
        "unigrams": steps_of(-np.log(probabilities)),
        "backoffs": steps_of(np.array([0.0, 0.7, 1.2])),
        "followers": np.array([1, 1, 0, 2], np.int32),  # 0: {1, 2}, 1: {0}, 2: {2}
        "follower_counts": np.array([2, 1, 1], np.uint32),
        "pair_costs": steps_of(np.array([1.0, 2.0, 0.5, 3.0])),
        "bases1": np.array([[0]], np.uint16),
        "tones1": np.array([[1]], np.uint8),
        "words1": np.array([2], np.int32),
        "costs1": steps_of(np.array([0.0])),
        "bases2": np.array([[1, 0]], np.uint16),
        "tones2": np.array([[3, 1]], np.uint8),
        "words2": np.array([1], np.int32),
        "costs2": steps_of(np.array([0.0])),
    }


def test_a_file_gives_back_what_was_packed(small: dict[str, np.ndarray], tmp_path: Path) -> None:
    (tmp_path / "tables").write_bytes(pack(small))
    tables = Tables.load(tmp_path / "tables")
    assert tables.words == ["", "早安", "安"]
    entries = tables.entries((tables.bases["zao"], tables.bases["an"]))
    assert entries is not None
    assert [tables.words[word] for word in entries.words] == ["早安"]
    assert entries.tones.tolist() == [[3, 1]]
    assert tables.entries((1, 1)) is None


def test_the_same_arrays_give_the_same_bytes(small: dict[str, np.ndarray]) -> None:
    assert pack(small) == pack(dict(small))


def test_known_pairs_cost_what_was_counted_and_others_back_off(small: dict[str, np.ndarray]) -> None:
    costs = Tables(small).follow_costs(np.arange(3), np.arange(3))
    backed_off = [[0.7, 1.2, 1.6][after] + [0.0, 0.7, 1.2][before] for before in range(3) for after in range(3)]
    wanted = np.array(backed_off).reshape(3, 3)
    wanted[0, 1], wanted[0, 2], wanted[1, 0], wanted[2, 2] = 1.0, 2.0, 0.5, 3.0
    np.testing.assert_allclose(costs, wanted, atol=0.06)


def test_probabilities_after_a_word_sum_up_to_one() -> None:
    tables = Tables.load()
    everything = np.arange(len(tables.words))
    some = np.array([0, *(tables.words.index(word) for word in ("我们", "早安", "会议", "的"))])
    sums = np.exp(-tables.follow_costs(some, everything).astype(np.float64)).sum(axis=1)
    np.testing.assert_allclose(sums, 1, atol=0.05)  # bytes hold steps of a tenth


def test_the_tables_are_small() -> None:
    import vmeet_stt_asrt

    (path,) = Path(vmeet_stt_asrt.__file__).parent.glob("tables.npz.xz")
    assert path.stat().st_size < 4_000_000
