"""Trains the acoustic network for a given number of minutes; may be stopped and resumed."""

import argparse
import json
import math
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from augment import RATE_HZ, ROWS_PER_S, Audio, Augmenter, Voice, hurry, noises_of
from dataset import Dataset, Utterance
from metrics import accuracy
from network import new_net, rows_for
from numpy.typing import NDArray
from torch import Tensor
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn
from torch.utils.data import DataLoader, IterableDataset
from vmeet_stt_asrt.ctc import Labels, greedy
from vmeet_stt_asrt.features import BINS, MOST_ROWS, Rows, spectrogram
from vmeet_stt_asrt.graph import ROWS_PER_STEP

_LONGEST_S = 10.0  # of a part; the network hears 16 s at most
_SHORT_BATCHES = 1500  # until parts are that long
_PLAIN_STEPS, _RISING_STEPS = 400, 2000  # without augmentation and dropout; until they have their full strength
_GUIDED_STEPS = 2500  # so many steps are told, ever less, where syllables are
_OF_LIKE_LENGTH = 4  # syllables of an utterance of which that can be told
_MEASURED = 60  # utterances of each source at most
_LONGEST_STEP_S = 10  # longer than that is no step: the process was stopped
_KEPT_OF_MEAN = 0.998  # of the running mean of the weights, which is what is measured and kept


class Part(NamedTuple):
    """A spectrogram, what is said in it, and the row in the middle of each syllable, -1 where that is not known."""

    rows: Rows
    labels: list[int]
    middles: list[int]


class Batch(NamedTuple):
    """``rows`` (n, most, 200), the ``steps`` (n,) of each, ``labels`` one after the other, their ``lengths`` (n,), and
    the step of each label, ``middles``, -1 where not known.
    """

    rows: Tensor
    steps: Tensor
    labels: Tensor
    lengths: Tensor
    middles: Tensor


class Utterances(IterableDataset[Batch]):
    """Batches without end, each of parts of like length; every worker has chances of its own."""

    def __init__(self, arguments: argparse.Namespace, seed: int) -> None:
        self._arguments, self._seed = arguments, seed

    def __iter__(self) -> Iterator[Batch]:
        worker = torch.utils.data.get_worker_info()
        random = np.random.default_rng((self._seed, worker.id if worker else 0))
        maker = Parts(self._arguments, random)
        batch_rows, made = self._arguments.batch * ROWS_PER_S, self._seed
        while True:
            # What is short is learned first: there is less to align.
            longest_s = 2.5 + (_LONGEST_S - 2.5) * min(1.0, made / _SHORT_BATCHES)
            batches = list(batched_by_length(maker.parts(8 * batch_rows, longest_s, strength(made)), batch_rows))
            for place in random.permutation(len(batches)):
                yield batch_of(batches[int(place)])
            made += len(batches) * max(1, self._arguments.workers)


def strength(steps: int) -> float:
    """Of augmentation and dropout: nothing is learned at first where everything is disguised at once."""
    return min(1.0, max(0.0, (steps - _PLAIN_STEPS) / _RISING_STEPS))


def batched_by_length(parts: list[Part], batch_rows: int) -> Iterator[list[Part]]:
    """Parts of like length together, so that little of a batch is padding."""
    batch: list[Part] = []
    for part in sorted(parts, key=lambda part: len(part.rows)):
        if batch and rows_for(len(part.rows)) * (len(batch) + 1) > batch_rows:
            yield batch
            batch = []
        batch.append(part)
    yield batch


class Parts:
    """Makes parts of utterances of one source, each part in a voice of its own."""

    def __init__(self, arguments: argparse.Namespace, random: np.random.Generator) -> None:
        self._data, self._random = Dataset(arguments.data), random
        self._augmenter = Augmenter(random, noises_of(arguments.noises))
        shares = dict(share.split("=") for share in arguments.shares)
        by_source: dict[str, list[Utterance]] = {}
        for utterance in self._data.utterances:
            if not utterance.held_out and float(shares.get(utterance.source, 1)):
                by_source.setdefault(utterance.source, []).append(utterance)
        self._pools = list(by_source.values())
        weights = np.array([float(shares.get(source, 1)) for source in by_source])
        self._chances = weights / weights.sum()
        self._known: dict[int, NDArray[np.float16]] = {}

    def parts(self, rows: int, longest_s: float, strength: float) -> list[Part]:
        """Of all lengths to ``longest_s``, ``rows`` rows in all."""
        made: list[Part] = []
        while rows > 0:
            part = self._part(self._random.uniform(1.0, longest_s), strength)
            if part is not None:
                made.append(part)
                rows -= len(part.rows)
        return made

    def _part(self, length_s: float, strength: float) -> Part | None:
        """Utterances one after the other until they last ``length_s``; None where too much is said in too few steps."""
        random, pieces, labels, middles, length = self._random, list[Rows](), list[int](), list[int](), 0
        pool, voice = self._pools[int(random.choice(len(self._pools), p=self._chances))], Voice(random, strength)
        while length < length_s * ROWS_PER_S * 0.75:
            utterance = self._fitting(pool, length_s - length / ROWS_PER_S)
            rows = self._rows(utterance)
            said = voice.says(rows, hurry(random, len(utterance.syllables), len(rows)))
            pause = np.repeat(said.min(axis=0, keepdims=True), int(random.exponential(10)), axis=0)
            pieces += [said, pause]
            labels += self._data.labels(utterance)
            middles += middles_of(len(utterance.syllables), length, len(said))
            length += len(said) + len(pause)
        rows = self._augmenter.rows(np.concatenate(pieces), strength)
        fits = len(labels) * 2 <= len(rows) // ROWS_PER_STEP and len(rows) <= MOST_ROWS
        return Part(rows, labels, middles) if fits else None

    def _fitting(self, pool: list[Utterance], length_s: float) -> Utterance:
        """One of a few that is not much longer than ``length_s``, or the shortest of them."""
        few = [pool[int(place)] for place in self._random.integers(len(pool), size=4)]
        short = [utterance for utterance in few if utterance.length < 1.3 * length_s * RATE_HZ]
        return short[0] if short else min(few, key=lambda utterance: utterance.length)

    def _rows(self, utterance: Utterance) -> Rows:
        """Its spectrogram, computed once."""
        if utterance.start not in self._known:
            self._known[utterance.start] = spectrogram(float_of(self._data, utterance)).astype(np.float16)
        return self._known[utterance.start].astype(np.float32)


def middles_of(syllables: int, start: int, length: int) -> list[int]:
    """The rows in the middle of syllables of like length: nearly true of a word, not of a sentence."""
    known = syllables <= _OF_LIKE_LENGTH
    return [start + int((number + 0.5) * length / syllables) if known else -1 for number in range(syllables)]


def float_of(data: Dataset, utterance: Utterance) -> Audio:
    return data.sound(utterance).astype(np.float32) / 32_768


def batch_of(parts: list[Part]) -> Batch:
    most = rows_for(max(len(part.rows) for part in parts))
    padded = np.zeros((len(parts), most, BINS), np.float32)
    for number, part in enumerate(parts):
        padded[number, : len(part.rows)] = part.rows
    steps = torch.tensor([-(-len(part.rows) // ROWS_PER_STEP) + 2 for part in parts])
    labels = torch.tensor([label for part in parts for label in part.labels])
    lengths = torch.tensor([len(part.labels) for part in parts])
    middles = torch.tensor([row // ROWS_PER_STEP for part in parts for row in part.middles])
    return Batch(torch.from_numpy(padded), steps, labels, lengths, middles)


class Trainer:
    def __init__(self, arguments: argparse.Namespace) -> None:
        self.arguments, self.device = arguments, arguments.device
        self.data = Dataset(arguments.data)
        if not any(utterance.held_out for utterance in self.data.utterances):
            raise SystemExit(f"{arguments.data} holds nothing out to measure on: raise --held-out of prepare.py")
        self.net = new_net(arguments.network, self.data.syllables, arguments.dropout).to(self.device)
        averaged = get_ema_multi_avg_fn(_KEPT_OF_MEAN)
        self.mean = AveragedModel(self.net, multi_avg_fn=averaged, use_buffers=True).eval()
        self.optimiser = torch.optim.AdamW(self.net.parameters(), lr=arguments.rate, weight_decay=0.02, fused=True)
        self.loss = torch.nn.CTCLoss(blank=len(self.data.syllables), zero_infinity=True)
        self.seen_s, self.step, self.best = 0.0, 0, float("-inf")

    def resume(self, path: Path) -> None:
        state = torch.load(path, map_location=self.device, weights_only=True)
        self.net.load_state_dict(state["learning"])
        self.mean.module.load_state_dict(state["net"])
        self.mean.n_averaged.fill_(state["step"])
        self.optimiser.load_state_dict(state["optimiser"])
        self.seen_s, self.step, self.best = state["seen_s"], state["step"], state["best"]

    def save(self, name: str) -> None:
        """Whole or not at all: a kill while it is written leaves the one before."""
        state: dict[str, Any] = {"net": self.mean.module.state_dict(), "learning": self.net.state_dict()}
        state |= {"network": self.arguments.network, "optimiser": self.optimiser.state_dict(), "seen_s": self.seen_s}
        state |= {"step": self.step, "best": self.best, "syllables": list(self.data.syllables)}
        path = self.arguments.out / name
        torch.save(state, path.with_suffix(".part"))
        path.with_suffix(".part").replace(path)

    def rate(self) -> float:
        """A short rise, then half a cosine down to nothing at the end of the time."""
        done = min(1.0, self.seen_s / (60 * self.arguments.minutes))
        rise = min(1.0, (self.step + 1) / 200)
        return float(self.arguments.rate) * rise * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * done)))

    def train_step(self, batch: Batch) -> float:
        for group in self.optimiser.param_groups:
            group["lr"] = self.rate()
        for module in self.net.modules():
            if isinstance(module, torch.nn.Dropout | torch.nn.Dropout1d):
                module.p = self.arguments.dropout * strength(self.step)
        rows, steps, labels, lengths, middles = (part.to(self.device, non_blocking=True) for part in batch)
        with torch.autocast(self.device, torch.bfloat16, enabled=self.arguments.bfloat16):
            said = self.net(rows)
        loss = self.loss(said.float().transpose(0, 1), labels, steps, lengths)
        guided = max(0.0, 1 - self.step / _GUIDED_STEPS)
        if guided and bool((middles >= 0).any()):
            # Where the syllables of words are is about known: that saves CTC from saying nothing at all for long.
            part = torch.repeat_interleave(torch.arange(len(lengths), device=self.device), lengths)
            known = middles >= 0
            loss = loss - guided * said[part[known], middles[known], labels[known]].float().mean()
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.net.parameters(), 5.0)
        self.optimiser.step()
        self.mean.update_parameters(self.net)
        self.step += 1
        return float(loss.detach())

    @torch.no_grad()
    def accuracies(self) -> dict[str, float]:
        """By source, on what was held out."""
        pairs: dict[str, list[tuple[list[int], Labels]]] = {}
        for utterance in self.data.utterances:
            of_source = pairs.setdefault(utterance.source, [])
            if utterance.held_out and len(of_source) < _MEASURED:
                rows = spectrogram(float_of(self.data, utterance))
                batch = batch_of([Part(rows, self.data.labels(utterance), [])])
                said = self.mean(batch.rows.to(self.device))[0, : int(batch.steps[0])]
                of_source.append((self.data.labels(utterance), greedy(said.float().cpu().numpy())))
        return {source: round(accuracy(of_source), 4) for source, of_source in pairs.items() if of_source}

    def check(self, loss: float) -> None:
        """Measures, keeps the last and the best."""
        found = self.accuracies()
        score = sum(found[source] for source in self.arguments.judges or found) / len(self.arguments.judges or found)
        better, self.best = score > self.best, max(score, self.best)
        self.save("last.pt")
        if better:
            self.save("best.pt")
        row: dict[str, Any] = {"step": self.step, "minutes": round(self.seen_s / 60, 2), "loss": round(loss, 4)}
        row |= {"syllable_accuracy": found, "score": round(score, 4), "best": round(self.best, 4)}
        with (self.arguments.out / "log.jsonl").open("a") as log:
            log.write(json.dumps(row) + "\n")
        print(json.dumps(row), flush=True)

    def run(self) -> None:
        arguments = self.arguments
        utterances = Utterances(arguments, seed=self.step)
        loader = DataLoader(utterances, batch_size=None, num_workers=arguments.workers)
        budget_s, checked_s, recent = arguments.minutes * 60, self.seen_s, 0.0
        before = time.monotonic()
        for batch in loader:
            loss = self.train_step(batch)
            recent = loss if not recent else 0.98 * recent + 0.02 * loss
            now = time.monotonic()
            self.seen_s, before = self.seen_s + min(now - before, _LONGEST_STEP_S), now
            over = self.seen_s >= budget_s
            if over or self.seen_s - checked_s >= arguments.check_minutes * 60:
                checked_s = self.seen_s
                self.check(recent)
                before = time.monotonic()
            if over:
                break


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="the folder that prepare.py filled")
    parser.add_argument("--out", type=Path, required=True, help="where checkpoints and log.jsonl go")
    parser.add_argument("--noises", type=Path, help="a folder of noises to add; made-up ones without it")
    parser.add_argument("--minutes", type=float, required=True, help="of training, all runs together")
    parser.add_argument("--check-minutes", type=float, default=2)
    parser.add_argument("--network", choices=("asrt", "small"), default="asrt")
    parser.add_argument("--shares", nargs="*", default=[], metavar="SOURCE=2", help="how often; 1 where not named")
    parser.add_argument("--judges", nargs="*", default=[], help="sources whose held-out part says which is best; all")
    parser.add_argument("--batch", type=int, default=60, help="seconds of sound in a step")
    parser.add_argument("--rate", type=float, default=1e-3)
    parser.add_argument("--dropout", type=float, default=0.15)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--workers", type=int, default=0, help="processes that make batches; 0: the trainer itself")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--bfloat16", action="store_true")
    parser.add_argument("--resume", action="store_true", help="go on from last.pt in --out")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    arguments.out.mkdir(parents=True, exist_ok=True)
    trainer = Trainer(arguments)
    if arguments.resume:
        trainer.resume(arguments.out / "last.pt")
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        trainer.run()
    except KeyboardInterrupt:
        trainer.save("last.pt")


if __name__ == "__main__":
    main()
