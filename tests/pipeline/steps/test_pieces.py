"""Tests of sound in pieces."""

from pathlib import Path

import numpy as np
import pytest
from material import RATE_HZ

from vmeet_core.media.audio import AudioWriter
from vmeet_core.pipeline.steps.pieces import Piece, people_of, piece_role, pieces, read_pieces


def sound(path: Path, samples: int) -> Path:
    with AudioWriter(path, RATE_HZ) as writer:
        writer.write(np.full(samples, 0.25, np.float32))
    return path


def test_pieces_follow_one_another_with_silence_where_nothing_was_heard(tmp_path: Path) -> None:
    first, third = sound(tmp_path / "0.flac", 2 * RATE_HZ), sound(tmp_path / "2.flac", RATE_HZ // 2)
    inputs = {piece_role(0, "a:b"): first, piece_role(1, "c"): first, piece_role(2, "a:b"): third}
    found = pieces(inputs, "a:b", (10.0, 12.0, 15.0, 15.5))
    assert found == [Piece(first, 2 * RATE_HZ), Piece(None, 3 * RATE_HZ), Piece(third, RATE_HZ // 2)]
    blocks = list(read_pieces(found))
    assert [len(block) for block in blocks] == [RATE_HZ] * 5 + [RATE_HZ // 2]
    assert [bool(block.any()) for block in blocks] == [True, True, False, False, False, True]
    assert people_of(inputs) == ["a:b", "c"]


def test_a_piece_of_another_length_is_a_fault(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"0\.flac has 48000 samples instead of 96000"):
        list(read_pieces([Piece(sound(tmp_path / "0.flac", RATE_HZ), 2 * RATE_HZ)]))
