"""The recognizers of sherpa-onnx: what is made of a model, a language and the settings."""

import threading
from collections import OrderedDict
from typing import Any, NamedTuple

import numpy as np
import sherpa_onnx

from vmeet_core.hookspecs import Audio, Permanent
from vmeet_stt_sherpa.hot_words import HotWords
from vmeet_stt_sherpa.language import AUTO
from vmeet_stt_sherpa.model import Model

SAMPLE_RATE_HZ = 16_000
MOST_LOADED = 2  #: recognizers of SenseVoice, each of which holds the network: one for each language in use


class Heard(NamedTuple):
    """As sherpa-onnx gives it: ``times_s`` of the tokens, or (); language and event as tags, such as <|zh|>, or ""."""

    text: str
    tokens: tuple[str, ...]
    times_s: tuple[float, ...]
    language_tag: str
    event_tag: str
    log_probabilities: tuple[float, ...]


class Recognizers:
    """Those of one model, made when first needed: for SenseVoice, one for each language. Safe in threads."""

    def __init__(self, model: Model, threads: int) -> None:
        self._model, self._threads = model, threads
        self._hot_words = HotWords(model.tokens, model.bpe_vocabulary)
        self._loaded: OrderedDict[str, Any] = OrderedDict()
        self._lock = threading.Lock()

    def load(self, language: str = AUTO) -> Any:
        """The recognizer for a language. Raises Permanent where the network is none that can be used."""
        key = language if self._model.kind == "sense-voice" else AUTO
        with self._lock:
            if key not in self._loaded:
                while len(self._loaded) >= MOST_LOADED:
                    self._loaded.popitem(last=False)
                self._loaded[key] = self._made(key)
            self._loaded.move_to_end(key)
            return self._loaded[key]

    def recognise(
        self, audio: Audio, language: str, written_form: bool, hot_words: tuple[str, ...], boost: float
    ) -> Heard:
        recognizer = self.load(language)
        phrases = self._hot_words.written(hot_words, boost) if self._model.kind == "zipformer-transducer" else ""
        stream = recognizer.create_stream(hotwords=phrases) if phrases else recognizer.create_stream()
        if self._model.kind == "sense-voice":
            stream.set_option("use_itn", str(int(written_form)))
        stream.accept_waveform(SAMPLE_RATE_HZ, audio)
        recognizer.decode_stream(stream)
        result = stream.result
        return Heard(
            result.text,
            tuple(result.tokens),
            tuple(result.timestamps),
            result.lang,
            result.event,
            tuple(result.ys_log_probs),
        )

    def try_out(self) -> None:
        """Recognise a second of noise: what fails later in the network, sherpa-onnx may take for silence.

        Raises Permanent.
        """
        audio = (0.01 * np.random.default_rng(0).standard_normal(SAMPLE_RATE_HZ)).astype(np.float32)
        try:
            heard = self.recognise(audio, AUTO, True, (), 0)
        except (RuntimeError, ValueError, IndexError) as error:
            raise self._unusable(error) from None
        # SenseVoice tells its language before anything else, and be it that nobody speaks.
        if self._model.kind == "sense-voice" and not heard.language_tag:
            raise self._unusable(RuntimeError("it fails in the network; the log says why"))

    def close(self) -> None:
        with self._lock:
            self._loaded.clear()

    def _made(self, language: str) -> Any:
        try:
            return self._maker(language)
        except (RuntimeError, ValueError, IndexError) as error:
            raise self._unusable(error) from None

    def _unusable(self, error: Exception) -> Permanent:
        reason = str(error).strip().splitlines() or [type(error).__name__]
        return Permanent(f"sherpa-onnx cannot use the model in {self._model.tokens_file.parent}: {reason[0]}")

    def _maker(self, language: str) -> Any:
        make = sherpa_onnx.OfflineRecognizer
        networks = [str(path) for path in self._model.networks]
        common = {"tokens": str(self._model.tokens_file), "num_threads": self._threads}
        if self._model.kind == "sense-voice":
            return make.from_sense_voice(networks[0], language=language, **common)
        if self._model.kind == "paraformer":
            return make.from_paraformer(networks[0], **common)
        if self._model.kind == "zipformer-ctc":
            return make.from_zipformer_ctc(networks[0], **common)
        return make.from_transducer(
            *networks,
            decoding_method="modified_beam_search",  # with "greedy_search" it takes no hot words
            modeling_unit=self._hot_words.modelling_unit,
            bpe_vocab=str(self._model.bpe_vocabulary or ""),
            **common,
        )
