"""Transcripts for tests, said in few words."""

from vmeet_core.media.transcript import Transcript, Utterance, Word

PEOPLE = {"p1": "王小明", "p2": "Ann"}


def utterance(
    person: str, start_s: float, end_s: float, text: str, language: str = "zh", words: tuple[Word, ...] = ()
) -> Utterance:
    return Utterance(person=person, start_s=start_s, end_s=end_s, text=text, language=language, words=words)


def words(start_s: float, each_s: float, *texts: str) -> tuple[Word, ...]:
    """One after the other, each as long."""
    return tuple(
        Word(start_s=start_s + number * each_s, end_s=start_s + (number + 1) * each_s, text=text)
        for number, text in enumerate(texts)
    )


def transcript(
    *utterances: Utterance, people: dict[str, str] | None = None, script: str = "traditional-tw"
) -> Transcript:
    known = PEOPLE if people is None else people
    return Transcript.model_validate(
        {"people": known, "utterances": utterances, "transcriber": "whisper", "script": script}
    )
