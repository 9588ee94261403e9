"""What a worker tells, and what the server hears of it."""

from pathlib import Path

from executor_stage import Notes

from vmeet_core.pipeline.executors.remote_messages import RemoteReport
from vmeet_core.pipeline.executors.remote_try import RemoteTry
from vmeet_core.pipeline.executors.remote_voice import MAX_CHARS, Voice
from vmeet_core.pipeline.log_file import LogFile
from vmeet_core.pipeline.process import StepFailed


async def test_all_that_is_told_arrives_once(tmp_path: Path) -> None:
    notes, log = Notes(), tmp_path / "step.log"
    attempt = RemoteTry(notes, LogFile(log))
    assert attempt.silent_s() == 0
    voice = Voice("t", lambda text: attempt.hear(RemoteReport.model_validate_json(text)))
    voice.begun()
    assert not voice.has_news
    voice.progress(0.5)
    voice.log("bar 1\rbar 2")
    voice.usage(1.5, 2_000_000)
    assert voice.has_news
    voice.flush()
    voice.flush()
    assert (notes.lines, notes.shares, set(notes.costs)) == (["bar 2"], [0.5], {(1.5, 2_000_000)})
    assert not attempt.began_again.is_set()
    voice.log("last words")
    voice.failed(StepFailed("no", retry_after_s=3, crashed=True))
    ended = attempt.ended.result()
    assert (ended.message, ended.retry_after_s, ended.crashed) == ("no", 3, True)
    await attempt.write_log()
    assert log.read_text() == "bar 2\nlast words\n"
    voice.begun()
    assert attempt.began_again.is_set()


async def test_what_comes_too_fast_is_left_out_and_counted() -> None:
    sent: list[str] = []
    voice = Voice("t", sent.append)
    for _ in range(1000):
        voice.log("x" * 100)
    voice.done()
    (text,) = sent
    report = RemoteReport.model_validate_json(text)
    assert sum(map(len, report.lines)) < MAX_CHARS + 100
    assert report.lines[-1] == f"... {1000 - len(report.lines) + 1} lines came too fast and are left out here"
