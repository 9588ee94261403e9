"""The README.txt of an export: what is what, in Chinese and English."""

import time
from collections.abc import Iterable

from vmeet_core.pipeline.views import JobView
from vmeet_core.server.store import RecordingRow

#: Of a result's name before the colon: what it is, in Chinese and English. The page has the same words.
RESULTS = {
    "video": ("影片", "the video"),
    "video-original": ("影片（原始聲音）", "the video with the sound as it was"),
    "sound": ("聲音", "the sound"),
    "sound-original": ("原始聲音", "the sound as it was"),
    "audio": ("單一與會者的聲音", "the sound of one person"),
    "audio-denoised": ("單一與會者的聲音（已降噪）", "the sound of one person, denoised"),
    "mix": ("所有人的聲音", "the sound of everyone"),
    "mix-denoised": ("所有人的聲音（已降噪）", "the sound of everyone, denoised"),
    "thumbnail": ("縮圖", "a small picture of it"),
    "captions": ("字幕", "captions: who speaks when, and what is said where it was transcribed"),
    "transcript": ("逐字稿（資料）", "the transcript, for programs: who said what and when"),
    "transcript-txt": ("逐字稿（純文字）", "the transcript as text"),
    "transcript-srt": ("逐字稿（SRT 字幕）", "the transcript as subtitles"),
    "transcript-vtt": ("逐字稿（WebVTT 字幕）", "the transcript as captions with speakers"),
    "transcript-md": ("會議記錄（Markdown）", "minutes: who said what and when, as Markdown"),
    "transcript-docx": ("會議記錄（Word）", "minutes: who said what and when, for word processors"),
    "chapters": ("章節", "chapters: who came and left, and when a screen was shared"),
    "person-video": ("單一與會者的影片", "the video of one person"),
    "person-audio": ("單一與會者的聲音檔", "the sound of one person, for any player"),
    "phrases": ("語句：每句一個聲音檔，附文字", "the phrases: a sound file for each, with their texts"),
}
PLACES = (
    (
        "manifest.json",
        "manifest.json：錄影日誌（誰在何時加入、離開、靜音；每個片段從何時開始）",
        "the journal: who came, left and was muted when, and when each segment begins",
    ),
    (
        "segments/",
        "segments/：收到時的原始影音片段，未經轉碼",
        "sound and picture of each person as they were received",
    ),
    ("upload/", "upload/：上傳的原始檔案", "the file as it was uploaded"),
)


def readme(row: RecordingRow, jobs: Iterable[JobView], files: list[str]) -> str:
    """Lines end as Windows wants them; every other system takes that, too."""
    began = time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(row.started_at_s))
    lines = [row.title or "VMeet", began, *([", ".join(row.people)] if row.people else []), ""]
    lines += [
        "這個壓縮檔是 VMeet 錄影的全部內容。",
        "This archive holds everything that VMeet has of this recording.",
        "",
    ]
    for place, chinese, english in PLACES:
        if any(name.startswith(place) for name in files):
            lines += [chinese, f"    {english}", ""]
    lines += [
        "recording.json：標題、日期、與會者、每次處理的設定與步驟",
        "    title, date, people, and the choices and steps of each processing",
        "",
    ]
    for job in jobs:
        lines += _of_job(job, files)
    return "\r\n".join(lines) + "\r\n"


def _of_job(job: JobView, files: list[str]) -> list[str]:
    results = [(name, path) for name, path in sorted(job.results.items()) if path in files]
    if not results:
        return []
    began = time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(job.created_at_s))
    denoiser, transcriber = job.request.denoiser, job.request.transcriber
    chinese = f"降噪：{denoiser}" if denoiser else "未降噪"
    english = f"denoiser: {denoiser}" if denoiser else "without denoising"
    if transcriber:
        chinese, english = f"{chinese}，語音辨識：{transcriber}", f"{english}, transcriber: {transcriber}"
    lines = [f"處理結果（{began}，{chinese}）", f"Results of the processing of {began}, {english}"]
    for name, path in results:
        chinese, english = RESULTS.get(name.partition(":")[0], (name, name))
        lines += [f"    {path}", f"        {chinese} / {english}"]
    return [*lines, ""]
