"""What is typed, as terms."""

import pytest

from vmeet_core.search.query import MAX_QUERY_CHARS, QueryError, parse_query


@pytest.mark.parametrize(
    ("text", "needles"),
    [
        ("早", ["早"]),
        ("早安", ["早安"]),
        ("Budget 預算 budget", [" budget", "預算"]),
        ("GPT模型", [" gpt", "模型"]),
        ('"quoted" AND * ( OR NOT \'; --', [" quoted", " and", " or", " not"]),
        ("  ，。 ", []),
    ],
)
def test_terms(text: str, needles: list[str]) -> None:
    assert [term.needle for term in parse_query(text)] == needles


def test_what_is_too_long_is_refused() -> None:
    parse_query("a" * MAX_QUERY_CHARS)
    with pytest.raises(QueryError, match="200 characters at most"):
        parse_query("a" * (MAX_QUERY_CHARS + 1))
    with pytest.raises(QueryError, match="16 words at most"):
        parse_query(" ".join(f"w{number}" for number in range(17)))
