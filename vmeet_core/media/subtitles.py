"""SubRip (SRT): subtitles that every player and every video site takes."""

from collections.abc import Iterable

from vmeet_core.media.captions import Cue, time_text

_MIN_CUE_S = 0.001


def subtitles(cues: Iterable[Cue]) -> str:
    """In order of time. Some players take "<" and "{" for their own signs: these become ones that look alike."""
    blocks = []
    for number, cue in enumerate(sorted(cues), start=1):
        end_s = max(cue.end_s, cue.start_s + _MIN_CUE_S)
        times = f"{time_text(cue.start_s)} --> {time_text(end_s)}".replace(".", ",")
        lines = [" ".join(line.split()) for line in cue.text.splitlines() if line.strip()]
        blocks.append(f"{number}\n{times}\n{_plain(chr(10).join(lines))}\n")
    return "\n".join(blocks)


def _plain(text: str) -> str:
    return text.replace("\0", "\ufffd").replace("-->", "→").translate(str.maketrans("<>{}", "‹›｛｝"))
