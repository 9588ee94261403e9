"""Known phrases are known in both scripts, and speech is not taken for them."""

import pytest
from vmeet_stt_whisper.phantoms import is_never_said, is_perhaps_said

NEVER = [
    "字幕由 Amara.org 社區提供",
    "字幕由Amara.org社群提供",
    "请不吝点赞 订阅 转发 打赏支持明镜与点点栏目",
    "優優獨播劇場——YoYo Television Series Exclusive",
]
NEVER += ["Subtitles by the Amara.org community"]
PERHAPS = [
    "請訂閱",
    "请订阅我的频道",
    "請按讚、訂閱、分享",
    "謝謝收看",
    "谢谢大家的观看！",
    "感謝您的收看",
    "下次再見",
    "字幕志願者 李宗盛",
]
PERHAPS += ["Thanks for watching!", "Thank you for watching.", "Please subscribe to my channel.", "See you next time."]
PERHAPS += ["ご視聴ありがとうございました", "시청해주셔서 감사합니다", "中文字幕志愿者 杨茜茜"]
SPEECH = [
    "謝謝",
    "謝謝大家",
    "大家好",
    "我們下次開會再討論預算",
    "這個月的訂閱人數增加了",
    "字幕的部分請小陳處理",
    "請大家看這張圖",
    "你好",
]
SPEECH += [
    "Thank you",
    "Thanks for the report.",
    "We should subscribe to that service next month.",
    "加",
    "我",
    "See you tomorrow.",
]


@pytest.mark.parametrize("text", NEVER)
def test_what_nobody_says(text: str) -> None:
    assert is_never_said(text)


@pytest.mark.parametrize("text", PERHAPS)
def test_what_somebody_might_say(text: str) -> None:
    assert is_perhaps_said(text)
    assert not is_never_said(text)


@pytest.mark.parametrize("text", SPEECH)
def test_speech_is_neither(text: str) -> None:
    assert not is_perhaps_said(text)
    assert not is_never_said(text)
