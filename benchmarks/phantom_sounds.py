"""Sounds in which nobody speaks, made with numpy alone: mono float32 (samples,), the same for the same seed."""

from collections.abc import Callable, Mapping
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from vmeet_core.hookspecs import Audio

Sound = Callable[[float, int, int], Audio]  #: of (seconds, sample rate in Hz, seed)
Signal = NDArray[np.float64]

_ROOM_DB = -70.0  #: what an open microphone in a quiet room hears
_PATTERNS = ((0, 2, 4, 7, 9), (0, 2, 3, 5, 7, 8, 11))  # semitones of a pentatonic and of a harmonic minor scale
_CHORDS = ((0, 4, 7), (9, 12, 16), (5, 9, 12), (7, 11, 14))  # I vi IV V
_BEAT_S = 0.5


def silence(seconds: float, rate_hz: int, seed: int = 0) -> Audio:
    """A quiet room, a minute at a time, and a microphone that is off."""
    samples = round(seconds * rate_hz)
    is_on = np.arange(samples) // (60 * rate_hz) % 2 == 0
    return _sound(np.where(is_on, _room(samples, seed), 0.0))


def white_noise(seconds: float, rate_hz: int, seed: int = 0) -> Audio:
    """Half a minute at each of four levels, over and over: it comes and goes, as a fan does."""
    samples = round(seconds * rate_hz)
    levels_db = np.array([-20.0, -60.0, -40.0, -30.0])
    step = levels_db[np.arange(samples) // (30 * rate_hz) % len(levels_db)]
    return _sound(_gain(step) * np.random.default_rng(seed).standard_normal(samples))


def music(seconds: float, rate_hz: int, seed: int = 0) -> Audio:
    """Chords, a bass, a singing lead with vibrato, and drums; parts come and go every eight beats."""
    rng, samples = np.random.default_rng(seed), round(seconds * rate_hz)
    total = _room(samples, seed)
    for beat in range(int(seconds / _BEAT_S)):
        if beat % 8 == 0:
            playing = rng.random(4) < (0.75, 0.75, 0.6, 0.5)
            scale, root = _PATTERNS[rng.integers(len(_PATTERNS))], 48 + rng.integers(12)
        start = round(beat * _BEAT_S * rate_hz)
        for part, make in enumerate((_chord, _bass, _lead, _drum)):
            if playing[part]:
                sound = make(rng, rate_hz, root, scale, beat)[: samples - start]
                total[start : start + len(sound)] += sound
    return _sound(0.25 * total / np.max(np.abs(total)))


def typing(seconds: float, rate_hz: int, seed: int = 0) -> Audio:
    """Keys in bursts, harder and softer, each with its way down and its way up, on a desk that resounds."""
    rng, samples = np.random.default_rng(seed), round(seconds * rate_hz)
    total = _room(samples, seed)
    at_s = 0.5
    while at_s < seconds:
        for _ in range(int(rng.integers(2, 40))):
            loud = _gain(rng.uniform(-34, -14))
            for delay_s, share in ((0.0, 1.0), (rng.uniform(0.05, 0.12), 0.4)):
                start = round((at_s + delay_s) * rate_hz)
                click = loud * share * _click(rng, rate_hz)[: max(0, samples - start)]
                total[start : start + len(click)] += click
            at_s += rng.gamma(4, 0.04)
        at_s += rng.exponential(1.5)
    return _sound(total)


#: By name.
SOUNDS: Mapping[str, Sound] = MappingProxyType(
    {"silence": silence, "white-noise": white_noise, "music": music, "typing": typing}
)


def _sound(signal: Signal) -> Audio:
    return np.clip(signal, -1, 1).astype(np.float32)


def _gain(level_db: float | Signal) -> Signal:
    return np.asarray(10 ** (np.asarray(level_db) / 20))


def _room(samples: int, seed: int) -> Signal:
    return _gain(_ROOM_DB) * np.random.default_rng(seed + 1).standard_normal(samples)


def _tone(midi: float, seconds: float, rate_hz: int, partials: int, vibrato: float = 0.0) -> Signal:
    """A note that is struck and fades; ``vibrato`` in semitones."""
    time = np.arange(round(seconds * rate_hz)) / rate_hz
    bend = vibrato * np.sin(2 * np.pi * 5.5 * time)
    phase = 2 * np.pi * np.cumsum(440 * 2 ** ((midi - 69 + bend) / 12)) / rate_hz
    wave = sum((np.sin(order * phase) / order**1.3 for order in range(1, partials + 1)), np.zeros(len(time)))
    fade = np.minimum(1, (time[-1] - time) / 0.03)
    return np.asarray(np.minimum(1, time / 0.01) * np.exp(-2 * time / seconds) * fade * wave)


def _chord(rng: np.random.Generator, rate_hz: int, root: int, scale: tuple[int, ...], beat: int) -> Signal:
    notes = _CHORDS[beat // 4 % len(_CHORDS)]
    return np.asarray(0.25 * np.sum([_tone(root + note, 2 * _BEAT_S, rate_hz, 6) for note in notes], axis=0))


def _bass(rng: np.random.Generator, rate_hz: int, root: int, scale: tuple[int, ...], beat: int) -> Signal:
    return 0.5 * _tone(root - 12 + _CHORDS[beat // 4 % len(_CHORDS)][0], _BEAT_S, rate_hz, 4)


def _lead(rng: np.random.Generator, rate_hz: int, root: int, scale: tuple[int, ...], beat: int) -> Signal:
    length_s = _BEAT_S * rng.choice([0.5, 1.0, 2.0])
    return 0.4 * _tone(root + 12 + scale[rng.integers(len(scale))], length_s, rate_hz, 12, vibrato=0.4)


def _drum(rng: np.random.Generator, rate_hz: int, root: int, scale: tuple[int, ...], beat: int) -> Signal:
    time = np.arange(round(0.2 * rate_hz)) / rate_hz
    if beat % 2 == 0:
        return np.asarray(0.8 * np.exp(-25 * time) * np.sin(2 * np.pi * (50 * time + 4 * (1 - np.exp(-30 * time)))))
    return np.asarray(0.4 * np.exp(-30 * time) * rng.standard_normal(len(time)))


def _click(rng: np.random.Generator, rate_hz: int) -> Signal:
    """Noise of a few ms, and the desk's resonances."""
    time = np.arange(round(0.06 * rate_hz)) / rate_hz
    snap = np.exp(-time / rng.uniform(0.001, 0.004)) * rng.standard_normal(len(time))
    for _ in range(3):
        frequency_hz = rng.uniform(200, 3500)
        snap += 0.3 * np.exp(-time / rng.uniform(0.004, 0.02)) * np.sin(2 * np.pi * frequency_hz * time)
    return np.asarray(snap / np.max(np.abs(snap)))
