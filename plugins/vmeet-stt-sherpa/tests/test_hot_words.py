"""Names in the form of a model."""

from itertools import product
from pathlib import Path

import pytest
from vmeet_stt_sherpa.hot_words import HotWords

TOKENS = {token: number for number, token in enumerate(["<blk>", "陈", "君", "如", "余", "A", "B", "O", "N"])}


def test_names_that_the_model_can_say_are_written_with_their_weight() -> None:
    assert HotWords(TOKENS, None).written(["君如", "余", "君如"], 1.5) == "君如 :1.5/余 :1.5"


def test_traditional_names_are_found_in_simplified() -> None:
    assert HotWords(TOKENS, None).written(["陳君如"], 2) == "陈君如 :2"


def test_what_the_model_cannot_say_is_left_out() -> None:
    assert HotWords(TOKENS, None).written(["范君如", "ABBA", "余Bob", "Siobhán", "", "  ", "。"], 1.5) == ""


@pytest.mark.parametrize("odd", ["君/如", "君:如", ":9 君 如", "#君 @如", "君\n如", "君_如"])
def test_signs_that_mean_something_to_sherpa_are_taken_out(odd: str) -> None:
    written = HotWords(TOKENS, None).written([odd], 1.5)
    assert written in ("君 如 :1.5", "")


def test_no_weight_no_words() -> None:
    assert HotWords(TOKENS, None).written(["余"], 0) == ""


def test_at_most_200_are_taken() -> None:
    names = ["".join(characters) for characters in product("陈君如余", repeat=4)]
    assert HotWords(TOKENS, None).written(names, 1).count("/") == 199


def test_pieces_of_words_make_any_latin_name(tmp_path: Path) -> None:
    words = HotWords(TOKENS, tmp_path / "bpe.vocab")
    assert words.written(["O'Neill", "余 Bob", "范 Bob"], 1.5) == "O'Neill :1.5/余 Bob :1.5"


@pytest.mark.parametrize(
    ("tokens", "pieces", "unit"),
    [(["余", "A"], False, "cjkchar"), (["余", "▁A"], True, "cjkchar+bpe"), (["▁A", "B"], True, "bpe")],
)
def test_the_unit_is_told_by_the_tokens(tokens: list[str], pieces: bool, unit: str) -> None:
    words = HotWords(dict.fromkeys(tokens, 0), Path("bpe.vocab") if pieces else None)
    assert words.modelling_unit == unit
