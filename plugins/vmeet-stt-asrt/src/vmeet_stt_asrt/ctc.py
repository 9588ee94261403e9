"""Connectionist temporal classification: from log-probabilities of each step to sequences of labels.

A. Graves et al., "Connectionist Temporal Classification", ICML 2006; the prefix beam search after A. Hannun et al.,
"First-Pass Large Vocabulary Continuous Speech Recognition using Bi-Directional Recurrent DNNs", 2014. The blank is
the last label throughout.
"""

import math
from collections import defaultdict
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

LogProbabilities = NDArray[np.float32]
Labels = tuple[int, ...]
_NEVER = float("-inf")
_LEAST_LIKELY = -12.0  # log-probability under which a label is not tried: e^-12 is one in 160,000


class Reading(NamedTuple):
    """A sequence of labels and the logarithm of its probability, all its alignments together."""

    labels: Labels
    score: float


def greedy(log_probabilities: LogProbabilities) -> Labels:
    """(steps, labels) to the likeliest label of each step, repetitions and blanks removed."""
    blank = log_probabilities.shape[1] - 1
    best = log_probabilities.argmax(axis=1)
    begins = np.ones(len(best), bool)
    begins[1:] = best[1:] != best[:-1]
    return tuple(int(label) for label in best[begins & (best != blank)])


def prefix_beam_search(log_probabilities: LogProbabilities, beam: int, candidates: int = 20) -> list[Reading]:
    """(steps, labels) to at most ``beam`` readings, the likeliest first.

    Each step extends prefixes by at most ``candidates`` labels. Of every prefix two sums are kept: of the alignments
    that end in a blank and of those that do not, since only after a blank the same label begins anew.
    """
    blank = log_probabilities.shape[1] - 1
    beams: dict[Labels, tuple[float, float]] = {(): (0.0, _NEVER)}
    for row in log_probabilities:
        likely = [int(label) for label in np.argsort(-row, kind="stable")[:candidates] if row[label] > _LEAST_LIKELY]
        extended: defaultdict[Labels, list[float]] = defaultdict(lambda: [_NEVER, _NEVER])
        for prefix, (after_blank, after_label) in beams.items():
            either = _sum(after_blank, after_label)
            here = extended[prefix]
            here[0] = _sum(here[0], either + float(row[blank]))
            if prefix:
                here[1] = _sum(here[1], after_label + float(row[prefix[-1]]))
            for label in likely:
                if label == blank:
                    continue
                from_where = after_blank if prefix and prefix[-1] == label else either
                longer = extended[(*prefix, label)]
                longer[1] = _sum(longer[1], from_where + float(row[label]))
        best = sorted(extended.items(), key=lambda item: (-_sum(*item[1]), item[0]))[:beam]
        beams = {prefix: (after_blank, after_label) for prefix, (after_blank, after_label) in best}
    return [Reading(prefix, _sum(*sums)) for prefix, sums in beams.items()]


def _sum(first: float, second: float) -> float:
    """The logarithm of the sum of two probabilities given as logarithms; numpy's is slow for single numbers."""
    high, low = max(first, second), min(first, second)
    return high if low == _NEVER else high + math.log1p(math.exp(low - high))


class Alignment(NamedTuple):
    """The step at which each label begins, and the mean log-probability of the steps that say it."""

    steps: tuple[int, ...]
    scores: tuple[float, ...]


def align(log_probabilities: LogProbabilities, labels: Labels) -> Alignment:
    """The likeliest alignment of ``labels`` (Viterbi over label, blank, label, ...). Raises ValueError where the
    steps are too few for them.
    """
    blank = log_probabilities.shape[1] - 1
    states = [blank] + [each for label in labels for each in (label, blank)]
    emitted = log_probabilities[:, states].astype(np.float64)
    may_skip = np.array([i >= 2 and states[i] != blank and states[i] != states[i - 2] for i in range(len(states))])
    score = np.full(len(states), _NEVER)
    score[:2] = emitted[0, :2]
    came = np.zeros(emitted.shape, np.int8)
    for step in range(1, len(emitted)):
        one, two = np.full_like(score, _NEVER), np.full_like(score, _NEVER)
        one[1:], two[2:] = score[:-1], score[:-2]
        two[~may_skip] = _NEVER
        ways = np.stack([score, one, two])
        came[step] = ways.argmax(axis=0)
        score = ways.max(axis=0) + emitted[step]
    state = len(states) - 1 if score[-1] >= score[-2:].max() else len(states) - 2
    if score[state] == _NEVER:
        raise ValueError(f"{len(labels)} labels do not fit into {len(emitted)} steps")
    path = _path(came, state)
    said = [np.flatnonzero(path == 2 * index + 1) for index in range(len(labels))]
    scores = tuple(float(emitted[steps, 2 * index + 1].mean()) for index, steps in enumerate(said))
    return Alignment(tuple(int(steps[0]) for steps in said), scores)


def _path(came: NDArray[np.int8], state: int) -> NDArray[np.int64]:
    path = np.zeros(len(came), np.int64)
    for step in range(len(came) - 1, -1, -1):
        path[step] = state
        state -= int(came[step, state])
    return path
