"""Characters given the true pinyin, which is what the decoder alone can get right."""

import csv
import re
from pathlib import Path

import pytest
from vmeet_stt_asrt.decoder import Decoder
from vmeet_stt_asrt.tables import Tables

pypinyin = pytest.importorskip("pypinyin", reason="pypinyin is not installed: pip install pypinyin")
HAN = re.compile(r"[一-鿿]+")
ROOT = Path(__file__).parents[3]


def accuracy(texts: list[str]) -> float:
    """Share of the characters that come out of their own pinyin again."""
    decoder = Decoder(Tables.load())
    right = 0
    for text in texts:
        syllables = pypinyin.lazy_pinyin(text, style=pypinyin.Style.TONE3, neutral_tone_with_five=True)
        right += sum(a == b for a, b in zip(text, decoder.decode(tuple(syllables)).text, strict=True))
    return right / sum(map(len, texts))


def test_sentences_that_the_decoder_was_developed_on() -> None:
    lines = (Path(__file__).parents[1] / "tables" / "development.txt").read_text(encoding="utf-8").split()
    assert accuracy(lines) > 0.98


def test_transcripts_that_it_never_saw() -> None:
    path = ROOT / "../shared/data/mandarin/transcripts.tsv"
    if not path.is_file():
        pytest.skip("the folder shared/data/mandarin beside the checkout is absent")
    with path.open(encoding="utf-8", newline="") as file:
        texts = ["".join(HAN.findall(row["text"])) for row in csv.DictReader(file, delimiter="\t")]
    assert accuracy(texts) >= 0.92
