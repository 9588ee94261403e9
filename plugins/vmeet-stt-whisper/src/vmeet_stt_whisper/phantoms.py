"""Phrases that Whisper learnt from the subtitles of films and videos, and writes where nobody says them.

Which ones: reports of many users of Whisper, and what was measured here. They are of two kinds. Some nobody says in a
meeting. How videos begin their credits or end, somebody may well say: such a phrase goes only where there is doubt.
"""

import re
import unicodedata

_NO_LETTERS = re.compile(r"[\W_]+")

#: Anywhere in a phrase. In both Chinese scripts; compared without spaces and punctuation, in lower case.
_NEVER_SAID = re.compile(
    r"amara\.?org"
    r"|[请請]不吝[点點][赞贊讚]"
    r"|(支持|打[赏賞])明[镜鏡]|明[镜鏡][与與和][点點][点點][栏欄]目"
    r"|[优優][优優][独獨]播[剧劇][场場]|yoyotelevisionseries"
    r"|dimatorzok|редакторсубтитров|mbc뉴스\w{3}입니다"
)
_THANKS = r"(非常)?([谢謝][谢謝]|感[谢謝])(大家|各位|[您你][们們]?)?的?(收看|[观觀]看|[观觀][赏賞]|收[听聽])"
_ASK = r"[订訂][阅閱]|(按|[点點])[个個]?[赞贊讚]"
#: The whole phrase.
_PERHAPS_SAID = re.compile(
    r"字幕(由|by)?.{0,12}(提供|制作|製作|翻[译譯]|校[对對])|(中文)?字幕(志[愿願]者|[组組]|by).{0,12}"
    rf"|{_THANKS}|{_THANKS}.{{0,4}}下(次|期|集)[再]?[见見]"
    rf"|(?=.*({_ASK}))([请請]|[欢歡]迎|[记記]得|大家|[您你]|加|和|[并並]|我[们們]?的?|{_ASK}|[频頻]道|分享|[转轉][发發]|[开開][启啟]|小[铃鈴][铛鐺])+"
    r"|(那)?(我[们們])?下([个個]|一)?(次|期|集|影片|[视視][频頻])(再|[见見])+"
    r"|(and|so)?(thanks?|thankyou)(all|guys|everyone|somuch|verymuch)*for(watching|listening|viewing)(andseeyou.{0,20})?"
    r"|(please)?(like|share|comment|and|dontforgetto)*subscribe(to(my|our|the)channel)?(formorevideos)?"
    r"|(ill)?see(you|ya)(guys|all)?(in|inthe)?next(time|video|one)"
    r"|subtitles(by|providedby).{0,30}|(translated|transcribed|captioned|captioning)by.{0,30}"
    r"|ご[視清]聴(いただき)?ありがとうござい(ました|ます)|(?=.*(チャンネル登録|高評価)).{0,40}(お願い|よろしく).{0,12}"
    r"|(次の|また次の)動画でお会いしましょう|시청해?주셔서감사합니다|구독과?좋아요.{0,12}|다음영상에서만나요"
    r"|untertitel(ung)?(von|im|der).{0,40}|soustitr(es|age).{0,40}|sottotitoli.{0,40}|subt[íi]tulos.{0,40}|legendas.{0,40}"
    r"|продолжениеследует|спасибозапросмотр.{0,12}|субтитры.{0,40}|abone?olmayıunutmayın"
)


def letters(text: str) -> str:
    """Without spaces and punctuation, in lower case."""
    return _NO_LETTERS.sub("", unicodedata.normalize("NFKC", text).lower())


def is_never_said(text: str) -> bool:
    """Whether it holds what only subtitles say."""
    return bool(_NEVER_SAID.search(letters(text)))


def is_perhaps_said(text: str) -> bool:
    """Whether it is, as a whole, how videos end or name those who wrote their subtitles."""
    return bool(_PERHAPS_SAID.fullmatch(letters(text)))
