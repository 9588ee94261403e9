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
from augment import Audio, Augmenter, noises_of
from dataset import Dataset, Utterance
from metrics import accuracy
from network import AsrtNet, rows_for
from torch import Tensor
from torch.utils.data import DataLoader, IterableDataset
from vmeet_stt_asrt.ctc import greedy
from vmeet_stt_asrt.features import BINS, MOST_ROWS, Rows, spectrogram
from vmeet_stt_asrt.graph import ROWS_PER_STEP


class Batch(NamedTuple):
    """``rows`` (n, most, 200), the ``steps`` (n,) of each, ``labels`` one after the other, their ``lengths`` (n,)."""

    rows: Tensor
    steps: Tensor
    labels: Tensor
    lengths: Tensor


class Utterances(IterableDataset[Batch]):
    """Whole batches without end, of parts of like length; each worker has chances of its own."""

    def __init__(self, folder: Path, batch: int, noises: Path | None, seed: int) -> None:
        self._folder, self._batch, self._noises, self._seed = folder, batch, noises, seed

    def __iter__(self) -> Iterator[Batch]:
        worker = torch.utils.data.get_worker_info()
        random = np.random.default_rng((self._seed, worker.id if worker else 0))
        data = Dataset(self._folder)
        seen = [utterance for utterance in data.utterances if not utterance.held_out]
        augmenter = Augmenter(random, noises_of(self._noises))
        while True:
            pool = [seen[int(place)] for place in random.permutation(len(seen))]
            pool.sort(key=lambda utterance: utterance.length + random.integers(16_000))
            starts = range(0, len(pool), self._batch)
            for start in random.permutation(np.array(starts)):
                parts = [self._part(data, augmenter, random, each) for each in pool[start : start + self._batch]]
                yield batch_of([part for part in parts if part is not None])

    def _part(
        self, data: Dataset, augmenter: Augmenter, random: np.random.Generator, utterance: Utterance
    ) -> tuple[Rows, list[int]] | None:
        """Sometimes two utterances in one part, since meetings have longer ones than the data."""
        audio, labels = float_of(data, utterance), data.labels(utterance)
        if random.random() < 0.3:
            other = data.utterances[int(random.integers(len(data.utterances)))]
            if not other.held_out and len(audio) + other.length < 14 * 16_000:
                pause = np.zeros(int(random.uniform(0, 0.6) * 16_000), np.float32)
                audio = np.concatenate([audio, pause, float_of(data, other)])
                labels = labels + data.labels(other)
        rows = augmenter.rows(spectrogram(augmenter.sound(audio)))
        fits = len(labels) * 2 <= len(rows) // ROWS_PER_STEP and rows_for(len(rows)) <= MOST_ROWS + 80
        return (rows, labels) if fits else None


def float_of(data: Dataset, utterance: Utterance) -> Audio:
    return data.sound(utterance).astype(np.float32) / 32_768


def batch_of(parts: list[tuple[Rows, list[int]]]) -> Batch:
    most = rows_for(max(len(rows) for rows, _ in parts))
    padded = np.zeros((len(parts), most, BINS), np.float32)
    for number, (rows, _) in enumerate(parts):
        padded[number, : len(rows)] = rows
    steps = [-(-len(rows) // ROWS_PER_STEP) + 2 for rows, _ in parts]
    labels = [label for _, labels in parts for label in labels]
    lengths = [len(labels) for _, labels in parts]
    return Batch(torch.from_numpy(padded), torch.tensor(steps), torch.tensor(labels), torch.tensor(lengths))


class Trainer:
    def __init__(self, arguments: argparse.Namespace) -> None:
        self.arguments, self.device = arguments, arguments.device
        self.data = Dataset(arguments.data)
        self.net = AsrtNet(len(self.data.syllables) + 1, arguments.dropout).to(self.device)
        self.optimiser = torch.optim.AdamW(self.net.parameters(), lr=arguments.rate, weight_decay=0.02)
        self.loss = torch.nn.CTCLoss(blank=len(self.data.syllables), zero_infinity=True)
        self.seen_s, self.step, self.best = 0.0, 0, float("-inf")

    def resume(self, path: Path) -> None:
        state = torch.load(path, map_location=self.device, weights_only=True)
        self.net.load_state_dict(state["net"])
        self.optimiser.load_state_dict(state["optimiser"])
        self.seen_s, self.step, self.best = state["seen_s"], state["step"], state["best"]

    def save(self, name: str) -> None:
        """Whole or not at all: a kill while it is written leaves the one before."""
        state = {"net": self.net.state_dict(), "optimiser": self.optimiser.state_dict(), "seen_s": self.seen_s}
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
        rows, steps, labels, lengths = (part.to(self.device, non_blocking=True) for part in batch)
        with torch.autocast(self.device, torch.bfloat16, enabled=self.arguments.bfloat16):
            said = self.net(rows)
        loss = self.loss(said.float().transpose(0, 1), labels, steps, lengths)
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.net.parameters(), 5.0)
        self.optimiser.step()
        self.step += 1
        return float(loss.detach())

    @torch.no_grad()
    def syllable_accuracy(self) -> float:
        """On what was held out."""
        self.net.eval()
        pairs = []
        for utterance in self.data.utterances:
            if utterance.held_out:
                rows = spectrogram(float_of(self.data, utterance))
                batch = batch_of([(rows, self.data.labels(utterance))])
                said = self.net(batch.rows.to(self.device))[0, : int(batch.steps[0])]
                pairs.append((self.data.labels(utterance), greedy(said.float().cpu().numpy())))
        self.net.train()
        return accuracy(pairs)

    def check(self, loss: float) -> None:
        """Measures, keeps the last and the best."""
        score = self.syllable_accuracy()
        better, self.best = score > self.best, max(score, self.best)
        self.save("last.pt")
        if better:
            self.save("best.pt")
        row: dict[str, Any] = {"step": self.step, "minutes": round(self.seen_s / 60, 2), "loss": round(loss, 4)}
        row |= {"syllable_accuracy": round(score, 4), "best": round(self.best, 4)}
        with (self.arguments.out / "log.jsonl").open("a") as log:
            log.write(json.dumps(row) + "\n")
        print(json.dumps(row), flush=True)

    def run(self) -> None:
        arguments = self.arguments
        utterances = Utterances(arguments.data, arguments.batch, arguments.noises, seed=self.step)
        loader = DataLoader(utterances, batch_size=None, num_workers=arguments.workers)
        budget_s, checked_s, recent = arguments.minutes * 60, self.seen_s, 0.0
        before = time.monotonic()
        for batch in loader:
            loss = self.train_step(batch)
            recent = loss if not recent else 0.98 * recent + 0.02 * loss
            now = time.monotonic()
            self.seen_s, before = self.seen_s + now - before, now
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
    parser.add_argument("--batch", type=int, default=16)
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
