"""Characters by their neighbours: the original's weak point, tones that are off, and what no word is read as."""

import pytest
from vmeet_stt_asrt.decoder import Decoder
from vmeet_stt_asrt.tables import Tables


@pytest.fixture(scope="module")
def decoder() -> Decoder:
    return Decoder(Tables.load())


@pytest.mark.parametrize(
    ("syllables", "wanted"),
    [
        ("zao3 an1", "早安"),
        ("da4 jia1 zao3 an1", "大家早安"),
        ("wo3 men5 zai4 kai1 hui4", "我们在开会"),
        ("zai4 shuo1 yi1 ci4", "再说一次"),
        ("ta1 de5 shou3 ji1 mei2 dian4 le5", "他的手机没电了"),
        ("shi4 shi2 shang4", "事实上"),
        ("yi1 jiu3 jiu3 ba1 nian2", "一九九八年"),
        ("lin2 shi2 qu3 xiao1 hui4 yi4", "临时取消会议"),
    ],
)
def test_the_character_is_chosen_by_its_neighbours(decoder: Decoder, syllables: str, wanted: str) -> None:
    assert decoder.decode(tuple(syllables.split())).text == wanted


@pytest.mark.parametrize(
    ("syllables", "wanted"),
    [
        ("zao2 an1", "早安"),  # the wrong tone
        ("ni2 hao3", "你好"),  # sandhi: two third tones
        ("wo3 men2", "我们"),  # the neutral tone, said in full
        ("bu2 shi4", "不是"),
    ],
)
def test_tones_may_be_off(decoder: Decoder, syllables: str, wanted: str) -> None:
    assert decoder.decode(tuple(syllables.split())).text == wanted


def test_other_spellings_of_the_same_sound_are_known(decoder: Decoder) -> None:
    assert decoder.decode(("lüe4", "duo2")).text == decoder.decode(("lve4", "duo2")).text == "掠夺"


def test_what_is_no_syllable_stays(decoder: Decoder) -> None:
    found = decoder.decode(("zao3", "an1", "xyz1", "da4", "jia1"))
    assert found.text == "早安xyz1大家"
    assert [(word.start, word.length) for word in found.words] == [(0, 2), (2, 1), (3, 2)]


def test_words_cover_all_syllables_in_order(decoder: Decoder) -> None:
    syllables = ("jin1", "tian1", "xia4", "wu3", "wo3", "men5", "kai1", "hui4") * 4
    words = decoder.decode(syllables).words
    assert [word.start for word in words] == [sum(w.length for w in words[:at]) for at in range(len(words))]
    assert sum(word.length for word in words) == len(syllables)
    assert all(len(word.text) == word.length for word in words)


def test_nothing_becomes_nothing(decoder: Decoder) -> None:
    assert decoder.decode(()).text == ""


def test_the_likelier_text_costs_less(decoder: Decoder) -> None:
    assert decoder.decode(("zao3", "an1")).cost < decoder.decode(("zao3", "an1", "gun3")).cost
    assert decoder.decode(("zao3", "an1")).cost < decoder.decode(("zao4", "an1")).cost
