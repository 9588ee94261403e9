"""What the index holds."""

from hypothesis import given
from hypothesis import strategies as st

from vmeet_core.search.folding import fold
from vmeet_core.search.grams import grams
from vmeet_core.search.query import parse_query

TEXT = st.text("早安大家會議a bcé.，ü12", max_size=12)


def test_runs_become_characters_and_pairs() -> None:
    assert grams(" 早安大 gpt") == {"早", "安", "大", "早安", "安大", "gpt"}


@given(TEXT, TEXT)
def test_the_index_misses_nothing_that_a_look_would_find(text: str, wanted: str) -> None:
    """The same as searching the folded text: the index may only say too much, and only where a look is asked for."""
    folded = fold(text)
    for term in parse_query(wanted):
        there = grams(folded)
        begun = any(gram.startswith(term.piece) for gram in there)
        in_index = begun if term.is_prefix else set(term.grams) <= there
        is_there = term.needle in folded
        assert in_index or not is_there
        assert in_index == is_there or term.needs_look
