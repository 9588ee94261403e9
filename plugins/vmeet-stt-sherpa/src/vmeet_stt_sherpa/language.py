"""From the tags of BCP 47 to the languages of a model."""

from collections.abc import Sequence

from vmeet_core.hookspecs import Permanent
from vmeet_stt_sherpa.tokens import is_ideographic

AUTO = "auto"
UNDETERMINED = "und"
_CANTONESE_REGIONS = {"hk", "mo", "yue"}


def language_of(tag: str, known: Sequence[str]) -> str:
    """That of ``known`` which the tag means, or "auto". Raises Permanent for another one."""
    primary, *subtags = tag.lower().split("-")
    if primary == AUTO:
        return AUTO
    language = {"cmn": "zh"}.get(primary, primary)
    # People in Hong Kong and Macau speak Cantonese, and say zh-HK for it.
    if language == "zh" and "yue" in known and _CANTONESE_REGIONS.intersection(subtags):
        language = "yue"
    if language not in known:
        raise Permanent(f"this model of sherpa does not know the language {tag!r}: it knows {', '.join(known)}")
    return language


def language_heard(text: str, known: Sequence[str]) -> str:
    """By its script, where nobody said: the first of ``known`` that is written in Han or Kana, or that is not."""
    ideographic = any(map(is_ideographic, text))
    fitting = [each for each in known if (each in ("zh", "yue", "ja")) == ideographic]
    return fitting[0] if fitting else known[0]
