"""What counts as the same text, and where it is."""

import pytest

from vmeet_core.search.folding import fold, marks


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        ("Hello, World!", " hello world"),
        ("早安，大家", " 早安 大家"),
        ("GPT模型v2", " gpt 模型 v2"),
        ("Zoë naïve CAFÉ Łódź Straße", " zoe naive cafe lodz strasse"),
        ("Zoe\u0308", " zoe"),
        ("ＡＢＣ　１２３", " abc 123"),
        ("don’t won't 'quoted'", " dont wont quoted"),
        ("snake_case-and 3.5", " snake case and 3 5"),
        ("がくせい カタカナ ｶﾞ", " がくせい カタカナ ガ"),
        ("한국어", " 한국어"),
        ("\U00020000\U0002a700字", " \U00020000\U0002a700字"),
        ("…!? 👍\0", ""),
        ("", ""),
    ],
)
def test_folding(text: str, folded: str) -> None:
    assert fold(text) == folded
    assert fold(folded) == folded


def test_simplified_and_traditional_stay_apart() -> None:
    assert fold("會議") != fold("会议")


@pytest.mark.parametrize(
    ("text", "wanted", "marked"),
    [
        ("大家早安，早安！", ["早安"], ["早安", "早安"]),
        ("大家早安", ["早"], ["早"]),
        ("Zoë met Zoeva, not azoe", ["zoe"], ["Zoë", "Zoe"]),
        ("Straße", ["strass"], ["Straß"]),
        ("I don’t know", ["dont"], ["don’t"]),
        ("ＡＢＣ 模型", ["abc", "模型"], ["ＡＢＣ", "模型"]),
        ("early, earlier", ["earl", "earlier"], ["earl", "earlier"]),
        ("GPT模型", ["模", "gpt"], ["GPT", "模"]),
        ("nothing", ["x"], []),
        ("nothing", [], []),
    ],
)
def test_marks(text: str, wanted: list[str], marked: list[str]) -> None:
    assert [text[a:b] for a, b in marks(text, wanted)] == marked
