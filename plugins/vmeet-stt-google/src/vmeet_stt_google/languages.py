"""BCP 47 tags and the codes that Google has for languages."""

from vmeet_core.hookspecs import Permanent
from vmeet_stt_google.settings import AUTO

#: The code of a tag that names no region. Chinese is that of Taiwan unless the tag says otherwise.
_USUAL = {
    "zh": "cmn-Hant-TW",
    "cmn": "cmn-Hant-TW",
    "yue": "yue-Hant-HK",
    **{code.partition("-")[0]: code for code in (
        *("en-US", "ja-JP", "ko-KR", "vi-VN", "th-TH", "id-ID", "ms-MY", "fil-PH", "km-KH", "lo-LA", "my-MM", "mn-MN"),
        *("de-DE", "fr-FR", "es-ES", "it-IT", "pt-BR", "nl-NL", "sv-SE", "da-DK", "nb-NO", "no-NO", "fi-FI", "is-IS"),
        *("pl-PL", "cs-CZ", "sk-SK", "hu-HU", "ro-RO", "bg-BG", "hr-HR", "sl-SI", "sr-RS", "uk-UA", "ru-RU", "el-GR"),
        *("tr-TR", "he-IL", "ar-EG", "fa-IR", "hi-IN", "bn-BD", "ta-IN", "te-IN", "ur-PK", "ne-NP", "si-LK", "mr-IN"),
        *("et-EE", "lv-LV", "lt-LT", "ca-ES", "gl-ES", "eu-ES", "af-ZA", "sw-KE", "zu-ZA", "ka-GE", "hy-AM", "az-AZ"),
    )},
}  # fmt: skip
_CHINESE = {
    **dict.fromkeys(("zh-tw", "zh-hant", "zh-hant-tw", "cmn-tw", "cmn-hant", "cmn-hant-tw"), "cmn-Hant-TW"),
    **dict.fromkeys(("zh-cn", "zh-sg", "zh-hans", "zh-hans-cn", "cmn-cn", "cmn-hans", "cmn-hans-cn"), "cmn-Hans-CN"),
    **dict.fromkeys(("zh-hk", "zh-mo", "zh-hant-hk", "zh-yue", "yue-hk", "yue-hant", "yue-hant-hk"), "yue-Hant-HK"),
}
_ON_THE_WEB = {"cmn-Hant-TW": "zh-TW", "cmn-Hans-CN": "zh-CN"}
_AS_TAGS = {"cmn-hant-tw": "zh-TW", "cmn-hans-cn": "zh-CN", "cmn-hans-hk": "zh-HK", "yue-hant-hk": "yue-HK"}
LANGUAGES = tuple(_USUAL)


def cloud_code(language: str) -> str:
    """``zh`` as ``cmn-Hant-TW``, ``en`` as ``en-US``, "auto" as it is. Raises Permanent for a tag without a region."""
    tag = language.lower()
    known = AUTO if tag == AUTO else _CHINESE.get(tag) or _USUAL.get(tag)
    if known:
        return known
    if "-" not in tag:
        raise Permanent(
            f'google does not know which region\'s "{language}" is meant. '
            f'Give the language with a region, such as "{language}-XX".'
        )
    return _cased(tag)


def web_code(language: str) -> str:
    """``zh`` as ``zh-TW``; raises as ``cloud_code``."""
    code = cloud_code(language)
    return _ON_THE_WEB.get(code, code)


def tag_of(code: str) -> str:
    """A code of Google's, in whatever case, as the BCP 47 tag that others use: ``cmn-hant-tw`` as ``zh-TW``."""
    return _AS_TAGS.get(code.lower()) or _cased(code.lower())


def _cased(tag: str) -> str:
    """As RFC 5646 (2.1.1) recommends: ``sr-Latn-RS``."""
    first, *others = tag.split("-")
    return "-".join([first, *(part.upper() if len(part) == 2 else part.title() for part in others)])
