"""Trains the network for a given number of minutes; may be stopped and resumed, also with other threads and workers."""

import argparse
import copy
import json
import math
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from augment import Library, Studio
from evaluate import SHAPES, held_out_photos, held_out_portraits, held_out_shots, measure, torch_predict
from losses import Batch, losses
from network import PersonNet
from torch.utils.data import DataLoader, IterableDataset

SHARES = (0.5, 0.08, 0.14, 0.16, 0.12)  # of the shapes below, from wide to tall
SMALL = ((112, 192), (128, 176), (144, 144), (176, 128), (192, 112))  # first: cheaper pictures
LARGE = SHAPES
SMALL_SHARE, STRONG_SHARE = 0.5, 0.65  # of the time


class Pictures(IterableDataset[Batch]):
    """Whole batches, since all pictures of one have the same size."""

    def __init__(
        self,
        folder: Path,
        batch: int,
        progress: torch.Tensor,
        small_share: float = SMALL_SHARE,
        strengths: tuple[float, float] = (1.0, 0.5),
    ) -> None:
        """``strengths`` of rotation and colour: at first, and towards the end."""
        self._folder, self._batch, self._progress = folder, batch, progress
        self._small_share, self._strengths = small_share, strengths

    def __iter__(self) -> Iterator[Batch]:
        cv2.setNumThreads(1)
        random = np.random.default_rng(int.from_bytes(os.urandom(8), "little"))
        studio = Studio(Library(self._folder, held_out=False), random)
        while True:
            progress = float(self._progress)
            studio.strength = self._strengths[progress >= STRONG_SHARE]
            size = (SMALL if progress < self._small_share else LARGE)[int(random.choice(len(SHARES), p=SHARES))]
            samples = [studio.sample(size) for _ in range(self._batch)]
            image, mask, groups = (np.stack(planes) for planes in zip(*samples, strict=True))
            yield Batch(torch.from_numpy(image), torch.from_numpy(mask), torch.from_numpy(groups))


def on_device(batch: Batch, device: str) -> Batch:
    image, mask, groups = (plane.to(device, non_blocking=True) for plane in batch)
    image = image.permute(0, 3, 1, 2).float().div_(255).contiguous(memory_format=torch.channels_last)
    return Batch(image, mask.unsqueeze(1).float().div_(255), groups.long())


class Trainer:
    def __init__(self, arguments: argparse.Namespace) -> None:
        self.arguments, self.device = arguments, arguments.device
        self.net = PersonNet().to(self.device, memory_format=torch.channels_last)
        decayed = [p for p in self.net.parameters() if p.ndim > 1]
        others = [p for p in self.net.parameters() if p.ndim <= 1]
        groups = [{"params": decayed, "weight_decay": 0.02}, {"params": others, "weight_decay": 0.0}]
        self.optimiser = torch.optim.AdamW(groups, lr=arguments.rate, fused=self.device == "cuda")
        self.average = copy.deepcopy(self.net).eval()
        self.seen_s, self.step, self.best = 0.0, 0, 0.0
        self.progress = torch.zeros(1).share_memory_()

    def start_from(self, path: Path) -> None:
        """Takes over the weights of another network where the two are alike."""
        old, new = torch.load(path, map_location=self.device, weights_only=True)["average"], self.net.state_dict()
        for name, value in old.items():
            if name in new and new[name].shape == value.shape:
                new[name].copy_(value)
        self.net.load_state_dict(new)
        self.average.load_state_dict(new)

    def resume(self, path: Path) -> None:
        state = torch.load(path, map_location=self.device, weights_only=True)
        self.net.load_state_dict(state["net"])
        self.average.load_state_dict(state["average"])
        self.optimiser.load_state_dict(state["optimiser"])
        self.seen_s, self.step, self.best = state["seen_s"], state["step"], state["best"]

    def save(self, name: str) -> None:
        state = {"net": self.net.state_dict(), "average": self.average.state_dict()}
        state |= {"optimiser": self.optimiser.state_dict(), "seen_s": self.seen_s, "step": self.step, "best": self.best}
        path = self.arguments.out / name
        torch.save(state, path.with_suffix(".part"))
        path.with_suffix(".part").replace(path)

    def rate(self) -> float:
        """A short rise, then half a cosine down to nothing at the end of the time."""
        done = float(self.progress)
        rise = min(1.0, (self.step + 1) / 100)
        return float(self.arguments.rate) * rise * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * min(1.0, done))))

    def train_step(self, batch: Batch) -> dict[str, float]:
        for group in self.optimiser.param_groups:
            group["lr"] = self.rate()
        with torch.autocast(self.device, torch.bfloat16, enabled=self.arguments.bfloat16):
            parts = losses(self.net, on_device(batch, self.device), self.arguments.points, self.arguments.twins)
        self.optimiser.zero_grad(set_to_none=True)
        sum(parts.values(), torch.zeros((), device=self.device)).backward()
        torch.nn.utils.clip_grad_norm_(self.net.parameters(), 5.0)
        self.optimiser.step()
        self.step += 1
        self.follow(min(0.998, (1 + self.step) / (10 + self.step)))
        return {name: float(part.detach()) for name, part in parts.items()}

    @torch.no_grad()
    def follow(self, decay: float) -> None:
        """The moving average of the weights, which is what is kept."""
        ours, theirs = self.average.state_dict(), self.net.state_dict()
        moving = [name for name, value in ours.items() if value.is_floating_point()]
        torch._foreach_lerp_([ours[name] for name in moving], [theirs[name] for name in moving], 1 - decay)
        for name in ours.keys() - set(moving):
            ours[name].copy_(theirs[name])

    def check(self, recent: dict[str, float]) -> None:
        """Measures on the held-out photos, keeps the best."""
        predict = torch_predict(self.average)
        cases = {"photos": held_out_photos, "portraits": held_out_portraits, "shots": held_out_shots}
        found = {name: measure(of(self.arguments.data), predict) for name, of in cases.items()}
        score = float(np.mean([row[f"refined_{name}"] for row in found.values() for name in ("iou", "boundary_f")]))
        better, self.best = score > self.best, max(score, self.best)
        self.save("last.pt")
        if better:
            self.save("best.pt")
        row: dict[str, Any] = {"step": self.step, "minutes": round(self.seen_s / 60, 1), "score": round(score, 4)}
        row |= {"losses": recent, **found}
        with (self.arguments.out / "log.jsonl").open("a") as log:
            log.write(json.dumps(row) + "\n")
        print(json.dumps(row), flush=True)

    def run(self) -> None:
        arguments = self.arguments
        pictures = Pictures(arguments.data, arguments.batch, self.progress, arguments.small_share)
        loader = DataLoader(pictures, batch_size=None, num_workers=arguments.workers, pin_memory=self.device == "cuda")
        checked_s, budget_s, recent = self.seen_s, arguments.minutes * 60, {}
        before = time.monotonic()
        self.progress.fill_(self.seen_s / budget_s)
        for batch in loader:
            parts = self.train_step(batch)
            for name, value in parts.items():
                recent[name] = round(0.98 * recent.get(name, value) + 0.02 * value, 4)
            now = time.monotonic()
            self.seen_s, before = self.seen_s + now - before, now
            self.progress.fill_(self.seen_s / budget_s)
            if self.seen_s - checked_s >= arguments.check_minutes * 60 or self.seen_s >= budget_s:
                checked_s = self.seen_s
                self.check(recent)
                before = time.monotonic()
            if self.seen_s >= budget_s:
                break


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="the folder that prepare.py filled")
    parser.add_argument("--out", type=Path, required=True, help="where checkpoints and log.jsonl go")
    parser.add_argument("--minutes", type=float, required=True, help="of training, all runs together")
    parser.add_argument("--check-minutes", type=float, default=4)
    parser.add_argument("--batch", type=int, default=24)
    parser.add_argument(
        "--small-share", type=float, default=SMALL_SHARE, help="of the time, at first: with small pictures"
    )
    parser.add_argument("--points", type=int, default=512, help="per picture")
    parser.add_argument("--twins", action="store_true", help="show each picture twice, with other noise")
    parser.add_argument("--rate", type=float, default=4e-3)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--workers", type=int, default=0, help="processes that make pictures; 0: the trainer itself")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--bfloat16", action="store_true")
    parser.add_argument("--start", type=Path, help="a checkpoint whose weights to begin with")
    parser.add_argument("--resume", action="store_true", help="go on from last.pt in --out")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    cv2.setNumThreads(1)
    arguments.out.mkdir(parents=True, exist_ok=True)
    trainer = Trainer(arguments)
    if arguments.start:
        trainer.start_from(arguments.start)
    if arguments.resume:
        trainer.resume(arguments.out / "last.pt")
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        trainer.run()
    except KeyboardInterrupt:
        trainer.save("last.pt")


if __name__ == "__main__":
    main()
