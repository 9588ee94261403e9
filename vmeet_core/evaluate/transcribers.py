"""The bake-off of transcribers: recorded speech in, compared with what was said."""

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from vmeet_core.evaluate.alignment import Operation, aligned, distance
from vmeet_core.evaluate.comparison import MEMORY, Evaluator, Judged, Metric, Texts
from vmeet_core.evaluate.listener import Listener
from vmeet_core.evaluate.ratio import Ratio
from vmeet_core.evaluate.spoken_text import both_spoken, spoken_tokens, syllables
from vmeet_core.evaluate.utterances import Utterance, find_utterances

METRICS = (
    Metric(
        "cer",
        "CER",
        "字錯率",
        "errors/char",
        -1,
        4,
        "characters that are wrong, missing or too many, for each that was said",
        "每說一字，寫錯、漏掉與多出的字數",
    ),
    Metric(
        "substitutions",
        "Subst",
        "替換",
        "errors/char",
        -1,
        4,
        "the share of CER that is characters written as others",
        "字錯率中寫成別字的部分",
    ),
    Metric(
        "deletions",
        "Delet",
        "刪除",
        "errors/char",
        -1,
        4,
        "the share of CER that is characters left out",
        "字錯率中漏掉的部分",
    ),
    Metric(
        "insertions",
        "Insert",
        "插入",
        "errors/char",
        -1,
        4,
        "the share of CER that is characters nobody said",
        "字錯率中多出的部分",
    ),
    Metric(
        "ser",
        "SER",
        "音節錯誤率",
        "errors/syllable",
        -1,
        4,
        "the same of syllables: the pinyin of both texts, with tones",
        "同上，以兩份文字的拼音(含聲調)計算",
    ),
    Metric(
        "rtf",
        "RTF",
        "即時係數",
        "s/s",
        -1,
        3,
        "seconds of computing for each of sound",
        "每秒聲音的計算秒數",
    ),
    Metric(
        MEMORY,
        "Memory",
        "記憶體",
        "MB",
        -1,
        0,
        "by how much the process grew at most, from loading the model on",
        "自載入模型起，程序最多增加的記憶體",
    ),
)
_OPERATIONS: dict[str, Operation] = {
    "substitutions": "substitution",
    "deletions": "deletion",
    "insertions": "insertion",
}


def prepare() -> None:
    """Loads the dictionaries of scripts and of pinyin."""
    syllables(spoken_tokens("軟體"))


def find_items(folder: Path) -> Sequence[Utterance]:
    """Raises CompareError: as ``find_utterances``, or a package that the measuring needs is absent."""
    prepare()
    distance("", "")
    return find_utterances(folder)


def score(item: Utterance, listener: Listener, options: Any) -> Judged:
    """The scores of one transcriber on one utterance; its texts with them."""
    started_s = time.perf_counter()
    heard = listener.heard(item.path)
    elapsed_s = time.perf_counter() - started_s
    judged = judge(item, heard)
    return judged._replace(scores={**judged.scores, "rtf": Ratio(elapsed_s, item.duration_s)})


def judge(item: Utterance, heard: str) -> Judged:
    """The error rates of a text."""
    said, written = both_spoken(item.text, heard)
    alignment = aligned(said, written)
    spoken = syllables(said)
    scores = {"cer": Ratio(alignment.errors, len(said))}
    for name, operation in _OPERATIONS.items():
        scores[name] = Ratio(alignment.count(operation), len(said))
    scores["ser"] = Ratio(distance(spoken, syllables(written)), len(spoken))
    return Judged(scores, Texts(item.text, heard, alignment))


EVALUATOR = Evaluator(
    kind="transcribers",
    title="Transcribers",
    title_zh="語音轉文字外掛",
    metrics=METRICS,
    baseline=None,
    items=find_items,
    score_baseline=None,
    score=score,
    own_process=True,
    prepare=prepare,
)
