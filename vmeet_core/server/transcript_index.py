"""What was said, as search finds it: entered when the job that wrote it down has ended."""

import asyncio
import logging
from pathlib import Path

from vmeet_core.media.transcript import Transcript, read_transcript
from vmeet_core.pipeline.views import JobView
from vmeet_core.search import Phrase
from vmeet_core.server.store import Store

RESULT = "transcript"
logger = logging.getLogger(__name__)


class TranscriptIndex:
    """``recordings_dir`` holds a folder for each recording."""

    def __init__(self, store: Store, recordings_dir: Path) -> None:
        self._store = store
        self._recordings_dir = recordings_dir

    async def enter(self, job: JobView) -> None:
        """The transcript of a job, where it has ended and has one, in place of what that job wrote before."""
        if job.state not in ("queued", "running") and RESULT in job.results:
            await self._enter(job.recording_id, job.id, job.results[RESULT])

    async def enter_missing(self) -> None:
        """Of jobs that ended when a server was killed before it could enter what they wrote."""
        for recording_id, job_id, path in await self._store.without_transcripts(RESULT):
            await self._enter(recording_id, job_id, path)

    async def _enter(self, recording_id: str, job_id: str, path: str) -> None:
        try:
            transcript = await asyncio.to_thread(read_transcript, self._recordings_dir / recording_id / path)
        except (OSError, ValueError) as error:  # somebody has deleted it
            logger.warning("the transcript of recording %s cannot be found by search: %s", recording_id, error)
            return
        await self._store.set_transcript(recording_id, job_id, phrases(transcript))


def phrases(transcript: Transcript) -> list[Phrase]:
    """Every utterance with its place."""
    return [
        Phrase(each.text, transcript.people.get(each.person) or None, each.start_s, each.end_s, each.language)
        for each in transcript.utterances
    ]
