"""What stands before a phrase."""

from vmeet_stt_whisper.prompt import names_of, prompt_for, prompt_with_names

from vmeet_core.hookspecs import Context


def test_chinese_has_a_style() -> None:
    style = prompt_for("zh")
    assert style.endswith("。")
    assert prompt_for("zh", "上一句話。") == style + "上一句話。"
    assert prompt_with_names("zh", ("王小明", "Kevin")) == style + "王小明、Kevin。"


def test_other_languages_have_none() -> None:
    assert prompt_for("en") == ""
    assert prompt_for("en", "Well, then.") == "Well, then."
    assert prompt_with_names("en", ("王小明", "Kevin")) == "王小明, Kevin."


def test_names_are_named_once_and_letters_are_none() -> None:
    assert names_of(Context(("王小明", " Kevin  Lin ", "", "J", "王小明"))) == ("王小明", "Kevin Lin")


def test_it_stays_short() -> None:
    assert len(prompt_for("zh", "話" * 10_000)) < 100
    assert len(names_of(Context(tuple(f"人{number}" for number in range(500))))) == 20
