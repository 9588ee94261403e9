"""Each check of a denoiser passes a good one and fails one that is broken in just that way."""

import ctypes
import threading
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from vmeet_core.hookspecs import Audio, Host, Permanent
from vmeet_core.testing import DENOISER_CHECKS, Check, GateProvider, Subject, local_host, run_check
from vmeet_core.testing.denoiser_checks import measured_lag
from vmeet_core.testing.fakes import GateEngine, GateStream
from vmeet_core.testing.probes import noise, speech_like

CHECKS = {check.name: check for check in DENOISER_CHECKS}


class WrongLength(GateStream):
    def process(self, audio: Audio) -> Audio:
        return super().process(audio)[:-1]


class WrongType(GateStream):
    def process(self, audio: Audio) -> Any:
        return super().process(audio).astype(np.float64)


class OneBlockOnly(GateStream):
    def process(self, audio: Audio) -> Audio:
        return super().process(audio[: len(self._before)])


class PeakOfTheCall(GateStream):
    """What a call gives depends on all that the call holds."""

    def process(self, audio: Audio) -> Audio:
        return super().process(audio) / max(1e-3, float(np.max(np.abs(audio))))


class SharedState(GateStream):
    """All streams continue one sound."""

    common: Audio = np.zeros(160, np.float32)

    def process(self, audio: Audio) -> Audio:
        self._before = SharedState.common
        out = super().process(audio)
        SharedState.common = self._before
        return out


class ChangesInput(GateStream):
    def process(self, audio: Audio) -> Audio:
        audio *= 1.0
        return super().process(audio)


class ForcesInput(GateStream):
    """Makes the input writeable again and uses it as scratch space."""

    def process(self, audio: Audio) -> Audio:
        out = super().process(audio)
        lent = np.frombuffer(ctypes_view(audio), np.float32)
        lent[:] = 0
        return out


class KeepsInput(GateStream):
    """Holds a view of the last block over the end of the call."""

    def process(self, audio: Audio) -> Audio:
        out = super().process(audio)
        self._before = audio[-len(self._before) :]
        return out


class ReusesOutput(GateStream):
    """Gives the same buffer at every call."""

    def process(self, audio: Audio) -> Audio:
        out = super().process(audio)
        buffer: Audio = self.__dict__.setdefault("buffer", np.zeros(100_000, np.float32))
        buffer[: len(out)] = out
        return buffer[: len(out)]


class Hums(GateStream):
    def process(self, audio: Audio) -> Audio:
        return super().process(audio) + np.float32(0.01)


class DividesByLevel(GateStream):
    """The classic: 0 / 0."""

    def process(self, audio: Audio) -> Audio:
        with np.errstate(invalid="ignore"):
            return super().process(audio) * (audio / np.abs(audio))


class Loud(GateStream):
    def process(self, audio: Audio) -> Audio:
        return 5 * super().process(audio)


class Overflows(GateStream):
    def process(self, audio: Audio) -> Audio:
        out = super().process(audio)
        return np.where(np.abs(out) > 0.9, np.float32(np.inf), out)


class TooLate(GateStream):
    """16 samples later than declared."""

    def process(self, audio: Audio) -> Audio:
        held: Audio = self.__dict__.get("held", np.zeros(16, np.float32))
        joined = np.concatenate([held, super().process(audio)])
        self.__dict__["held"] = joined[len(audio) :].copy()
        return joined[: len(audio)]


class Deaf(GateStream):
    """Nothing of the speech comes through."""

    def process(self, audio: Audio) -> Audio:
        return noise(1, len(audio), seed=5)


class StartsAnewOnUpdate(GateStream):
    def update(self, options: Any) -> None:
        self._before = np.zeros_like(self._before)


class FailsOnUpdate(GateStream):
    def update(self, options: Any) -> None:
        self._floor = 1 / (options.reduction_db - 60 or 1)
        if options.reduction_db == 0:
            raise ZeroDivisionError("reduction_db")


class OneThread(GateStream):
    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self._thread = threading.get_ident()

    def process(self, audio: Audio) -> Audio:
        if threading.get_ident() != self._thread:
            raise RuntimeError("wrong thread")
        return super().process(audio)


class ClosesOnce(GateStream):
    def close(self) -> None:
        del self._before


def ctypes_view(audio: Audio) -> Any:
    """The memory of an array, writeable whatever its flags say."""
    return (ctypes.c_float * len(audio)).from_address(audio.ctypes.data)


def provider(stream: type[GateStream] = GateStream, **attributes: Any) -> GateProvider:
    """The gate with other streams, and with other attributes of its engine."""

    def open_(self: GateEngine, options: Any) -> GateStream:
        return stream(options, self.block_samples)

    engine = type("Engine", (GateEngine,), {"open": open_, **attributes})

    class Changed(GateProvider):
        def load(self, server_settings: Any, host: Host) -> Any:
            return engine()

    return Changed()


def outcome(name: str, tested: GateProvider) -> tuple[str, str]:
    result = run_check(Subject(tested, local_host()), CHECKS[name])
    return result.state, result.message


@pytest.mark.parametrize("check", DENOISER_CHECKS, ids=lambda check: check.name)
def test_a_good_denoiser_passes(check: Check) -> None:
    result = run_check(Subject(GateProvider(), local_host()), check)
    assert (result.state, result.remedy) == ("passed", "")


@pytest.mark.parametrize(
    ("name", "stream", "message"),
    [
        ("length", WrongLength, "1 blocks: (160,) float32 in, (159,) float32 out"),
        ("length", WrongType, "(160,) float64 out"),
        ("length", OneBlockOnly, "2 blocks: (320,) float32 in, (160,) float32 out"),
        ("cutting", PeakOfTheCall, "cut into 1 blocks the result differs"),
        ("cutting", OneBlockOnly, "cut into 1 blocks"),
        ("state", SharedState, "beside another stream the result differs"),
        ("input", ChangesInput, "read-only input is refused"),
        ("input", ForcesInput, "the input was changed"),
        ("input", KeepsInput, "used again after each call the result differs"),
        ("silence", Hums, "silence comes out with a peak of 0.01"),
        ("silence", DividesByLevel, "silence gives NaN"),
        ("loud", Loud, "a square wave at full scale comes out at 5.0"),
        ("loud", Overflows, "a square wave at full scale gives NaN or infinity"),
        ("latency", TooLate, "speech comes 176 samples late, declared are 160"),
        ("latency", Deaf, "the latency cannot be told"),
        ("update", StartsAnewOnUpdate, "after an update to the options it has the result differs"),
        ("update", FailsOnUpdate, "it raised ZeroDivisionError"),
        ("thread", OneThread, "it raised RuntimeError: wrong thread"),
        ("close", ClosesOnce, "closing a stream twice raised AttributeError"),
    ],
)
def test_a_broken_stream_fails(name: str, stream: type[GateStream], message: str) -> None:
    state, text = outcome(name, provider(stream))
    assert state == "failed"
    assert message in text


def test_an_output_buffer_that_is_used_again_fails() -> None:
    assert "failed" in {outcome(name, provider(ReusesOutput))[0] for name in ("cutting", "input")}


@pytest.mark.parametrize(
    ("attributes", "message"),
    [
        ({"sample_rate_hz": 0}, "sample_rate_hz is 0"),
        ({"block_samples": 1.5}, "block_samples is 1.5"),
        ({"latency_samples": -1}, "latency_samples is -1"),
    ],
)
def test_a_wrong_declaration_fails(attributes: dict[str, Any], message: str) -> None:
    state, text = outcome("load", provider(**attributes))
    assert state == "failed"
    assert message in text


def test_what_is_no_engine_fails() -> None:
    class Nothing(GateProvider):
        def load(self, server_settings: Any, host: Host) -> Any:
            return object()

    assert "load() returned object" in outcome("load", Nothing())[1]


def test_an_engine_that_closes_once_fails() -> None:
    def close(self: Any) -> None:
        if self.__dict__.setdefault("gone", False):
            raise Permanent("closed already")
        self.gone = True

    assert "closing an engine twice raised Permanent" in outcome("close", provider(close=close))[1]


def test_closing_one_engine_must_not_harm_another() -> None:
    alive = {"value": True}

    def close(self: Any) -> None:
        alive["value"] = False

    class Dead(GateStream):
        def process(self, audio: Audio) -> Audio:
            return super().process(audio) * np.float32(alive["value"])

    assert "after another engine was closed" in outcome("close", provider(Dead, close=close))[1]


def test_a_crash_fails_the_speed_check() -> None:
    def crash(self: Any, audio: Audio) -> Audio:
        raise OSError("no")

    crashing: type[GateStream] = type("Crashing", (GateStream,), {"process": crash})
    assert outcome("speed", provider(crashing))[0] == "failed"


@pytest.mark.parametrize("make", [lambda: speech_like(16_000, 2.0), lambda: noise(16_000, 2.0)])
def test_a_lag_is_found(make: Callable[[], Audio]) -> None:
    audio = make()
    late = np.concatenate([np.zeros(123, np.float32), audio])[: len(audio)]
    assert measured_lag(audio, late)[0] == 123
    assert measured_lag(late, audio)[0] == -123
