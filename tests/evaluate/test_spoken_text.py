"""The normalisation: what is no difference, and what is one."""

import pytest

from vmeet_core.evaluate.spoken_text import both_spoken, spoken_tokens, syllables

SAME = [
    ("軟體,里程。", "软体里程"),
    ("ＡＢＣ１２３", "abc 123"),
    ("你好，世界！", "你 好 世 界"),
    ("妳好", "你好"),
    ("「他說：『好……』」", "他说好"),
    ("I don't use Wi-Fi", "i dont USE wifi"),
    ("三十多歲", "30多岁"),
    ("兩個人", "2个人"),
    ("一百一十個", "110 個"),
    ("幺幺零", "110"),
    ("百分之五十", "50%"),
    ("百分之十二點五", "12.5 ％"),
    ("二零二六年五月", "2026年5月"),
    ("二〇二六", "2026"),
    ("兩千零二十六人", "2026人"),
    ("三點一四", "3.14"),
    ("一萬億", "1万亿"),
    ("一點二億", "1.2億"),
    ("電話零九一二三四五六七八", "電話 0912345678"),
    ("二千三百四十五元", "2,345元"),
    ("壹佰元", "100元"),
    ("五攝氏度", "5°C"),
    ("三度", "3°"),
    ("周杰倫的歌", "周杰伦的歌"),
]
DIFFERENT = [("他", "她"), ("一", "二"), ("三十", "十三"), ("早安", "棗安"), ("wifi", "wife"), ("50%", "50")]


@pytest.mark.parametrize(("one", "other"), SAME)
def test_two_ways_to_write_the_same(one: str, other: str) -> None:
    for said, written in (both_spoken(one, other), both_spoken(other, one)):
        assert said == written != ()


@pytest.mark.parametrize(("one", "other"), DIFFERENT)
def test_what_was_heard_wrong_stays_wrong(one: str, other: str) -> None:
    said, written = both_spoken(one, other)
    assert said != written


@pytest.mark.parametrize(
    ("digits", "spoken"),
    [
        ("0", "零"),
        ("7", "七"),
        ("10", "十"),
        ("15", "十五"),
        ("20", "二十"),
        ("100", "一百"),
        ("110", "一百一十"),
        ("105", "一百零五"),
        ("1000", "一千"),
        ("1005", "一千零五"),
        ("1050", "一千零五十"),
        ("10010", "一万零一十"),
        ("12003", "一万二千零三"),
        ("100000", "十万"),
        ("1200034", "一百二十万零三十四"),
        ("12003456", "一二零零三四五六"),
        ("12,003,456", "一千二百万三千四百五十六"),
        ("100,000,000", "一亿"),
        ("100,050,000,001", "一千亿五千万零一"),
        ("007", "零零七"),
        ("12345678901234567", "一二三四五六七八九零一二三四五六七"),
    ],
)
def test_digits_alone_are_read_as_people_do(digits: str, spoken: str) -> None:
    assert "".join(spoken_tokens(digits)) == spoken


def test_each_number_takes_the_reading_that_agrees() -> None:
    said = spoken_tokens("房间一零八有一百零八个人")
    assert spoken_tokens("房間108有108個人", said) == said


def test_a_latin_word_is_one_token_and_a_chinese_character_too() -> None:
    assert spoken_tokens("我用Python 3寫API") == ("我", "用", "python", "三", "写", "api")
    assert spoken_tokens("MP3和5G") == ("mp", "三", "和", "五", "g")
    assert spoken_tokens("こんにちは") == tuple("こんにちは")


@pytest.mark.parametrize("text", ["", " ", "。。。", "♪ - ’", "\n"])
def test_nothing_said_is_no_token(text: str) -> None:
    assert spoken_tokens(text) == ()


def test_syllables_have_tones_and_hear_no_characters() -> None:
    assert syllables(spoken_tokens("早安")) == ("zao3", "an1")
    assert syllables(spoken_tokens("早安")) == syllables(spoken_tokens("棗安"))
    assert syllables(spoken_tokens("買")) != syllables(spoken_tokens("賣"))
    assert syllables(spoken_tokens("銀行行長")) == ("yin2", "hang2", "hang2", "zhang3")
    assert syllables(spoken_tokens("我的")) == ("wo3", "de5")


def test_words_and_what_has_no_pinyin_are_syllables_of_their_own() -> None:
    tokens = spoken_tokens("用Python寫㐀㐁𠀀")
    assert len(syllables(tokens)) == len(tokens)
    assert syllables(tokens)[1] == "python"
