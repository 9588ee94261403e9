"""Tests of punctuation and spaces."""

import pytest

from vmeet_core.media.typography import typeset

CASES = {
    "你好,我是小明.": "你好，我是小明。",
    "你好 , 我 是 小 明 。": "你好，我是小明。",
    "真的嗎?太好了!": "真的嗎？太好了！",
    "議程: 第一項;第二項": "議程：第一項；第二項",
    "我用Python寫程式": "我用 Python 寫程式",
    "我用  Python  寫程式": "我用 Python 寫程式",
    "成長了12%左右": "成長了 12% 左右",
    "版本是3.14,很新": "版本是 3.14，很新",
    "請看 https://example.org/a,b.html 的說明": "請看 https://example.org/a,b.html 的說明",
    "檔案是report.pdf": "檔案是 report.pdf",
    "時間是10:30到11:00": "時間是 10:30 到 11:00",
    "測試(第一版)完成": "測試（第一版）完成",
    "等等...": "等等……",
    "等等。。。好": "等等……好",
    "他說Ben.": "他說 Ben。",
    "Ben來了. 我們開始": "Ben 來了。我們開始",
    "我們用VMeet. 很方便": "我們用 VMeet。很方便",
    "「你好」 他說": "「你好」他說",
    "第1頁": "第 1 頁",
    "Hello, world. 3.14 (beta)": "Hello, world. 3.14 (beta)",
    "": "",
}


@pytest.mark.parametrize(("before", "after"), CASES.items())
def test_as_it_is_written(before: str, after: str) -> None:
    assert typeset(before) == after
    assert typeset(after) == after
