"""Sound to text: spectrogram, acoustic network, connectionist temporal classification, characters."""

import math
from typing import Any, NamedTuple

import numpy as np

from vmeet_core.hookspecs import Audio, Context, Permanent, Segment, Transcriber, TranscriberStream
from vmeet_stt_asrt.ctc import Alignment, Labels, align, greedy, prefix_beam_search
from vmeet_stt_asrt.decoder import Decoded, Decoder
from vmeet_stt_asrt.features import MOST_ROWS, SAMPLE_RATE_HZ, WINDOW, spectrogram
from vmeet_stt_asrt.network import STEP_S, LogProbabilities, Network

LANGUAGE = "zh-CN"  #: Mandarin in Simplified characters, which the tables have
MANDARIN = ("zh", "cmn", "auto")
LANGUAGE_WEIGHT = (
    0.4  #: of the words' cost against the sound's; acoustic models of this kind are too sure of themselves
)


INAUDIBLE = 1e-3  #: -60 dB of full scale: of less than that a network only makes things up


class _Text(NamedTuple):
    labels: Labels
    decoded: Decoded
    cost: float


class AsrtEngine(Transcriber):
    """One network and one decoder for all streams."""

    sample_rate_hz = SAMPLE_RATE_HZ
    max_chunk_s = MOST_ROWS / 100

    def __init__(self, network: Network, decoder: Decoder, beam: int) -> None:
        self.network, self._decoder, self._beam = network, decoder, beam

    def open(self, options: Any) -> "AsrtStream":
        """``options`` has no fields: nothing of this engine is a matter of taste."""
        return AsrtStream(self.network, self._decoder, self._beam)


class AsrtStream(TranscriberStream):
    """Parts are independent of one another."""

    def __init__(self, network: Network, decoder: Decoder, beam: int) -> None:
        self._network, self._decoder, self._beam = network, decoder, beam

    def transcribe(self, audio: Audio, language: str, context: Context) -> list[Segment]:
        """One segment of Simplified Chinese without punctuation, or none.

        Raises Permanent for a language other than Mandarin, ValueError for more than 16 s.
        """
        if language.lower().split("-")[0] not in MANDARIN:
            raise Permanent(f'asrt understands zh (Mandarin) alone, not "{language}": choose another transcriber')
        if len(audio) > MOST_ROWS * SAMPLE_RATE_HZ // 100:
            raise ValueError(
                f"asrt takes at most {MOST_ROWS / 100:g} s at once, not {len(audio) / SAMPLE_RATE_HZ:.1f} s"
            )
        if len(audio) < WINDOW or np.abs(audio).max() < INAUDIBLE:
            return []
        heard = self._network.listen(spectrogram(audio))
        text = self._likeliest(heard)
        if not text.labels:
            return []
        return [_segment(text, align(heard, text.labels), len(audio) / SAMPLE_RATE_HZ)]

    def _likeliest(self, heard: LogProbabilities) -> _Text:
        """Of the readings of the sound, the one that sounds right and reads well."""
        if self._beam == 1:
            readings = [(greedy(heard), 0.0)]
        else:
            readings = [(reading.labels, reading.score) for reading in prefix_beam_search(heard, self._beam)]
        texts = [self._weighed(labels, score) for labels, score in readings]
        return min(texts, key=lambda text: text.cost)

    def _weighed(self, labels: Labels, score: float) -> _Text:
        decoded = self._decoder.decode(tuple(self._network.syllables[label] for label in labels))
        return _Text(labels, decoded, LANGUAGE_WEIGHT * decoded.cost - score)


def _segment(text: _Text, alignment: Alignment, length_s: float) -> Segment:
    begins = [min(step * STEP_S, length_s) for step in alignment.steps]
    # A syllable has no end of its own: it lasts until the next one, or a fifth of a second.
    ends = [min(begin + 0.2, after) for begin, after in zip(begins, [*begins[1:], length_s], strict=True)]
    words = tuple((begins[word.start], ends[word.start + word.length - 1], word.text) for word in text.decoded.words)
    confidence = math.exp(sum(alignment.scores) / len(alignment.scores))
    return Segment(begins[0], ends[-1], text.decoded.text, LANGUAGE, confidence, words)
