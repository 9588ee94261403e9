"""Trains shipped weights further, on a machine without a GPU: folded norms, a small rate, the first layers as they are.

Part of the way from the old weights to the new ones is often better than either, on old data and on new (M. Wortsman et
al., "Robust fine-tuning of zero-shot models", CVPR 2022): ``--way`` says how much of it is gone.

On two cores, environment ``MALLOC_MMAP_MAX_=0 MALLOC_TRIM_THRESHOLD_=16000000000`` saves a quarter of the time, which
otherwise goes to handing large blocks of memory back and forth.
"""

import argparse
import copy
import json
import math
import time
from pathlib import Path

import cv2
import torch
from folded import fold, read, unfolded
from losses import Batch, losses
from network import PersonNet
from torch import Tensor
from torch.utils.data import DataLoader
from train import Pictures, on_device

STRENGTH = 0.6  #: of rotation and colour, as at the end of a training
TWINS_EVERY, TWINS_SHARE = 4, 4  #: every fourth step shows a quarter of its pictures again, with other noise
RISE_STEPS = 100
SAVE_EVERY_S = 600


class Course:
    """A network that learns, and the moving average of its weights, which is what is kept."""

    def __init__(self, net: PersonNet, most: float, only_heads: bool) -> None:
        """``most`` is the rate at its highest."""
        self.net = net.to(memory_format=torch.channels_last)
        backbone = self.net.backbone
        for module in (backbone,) if only_heads else (backbone.at_2, backbone.at_4, backbone.groups):
            module.requires_grad_(False)
        self.learnt = [weight for weight in self.net.parameters() if weight.requires_grad]
        self.optimiser = torch.optim.AdamW(self.learnt, lr=most, weight_decay=0, fused=True)
        self.average, self.most, self.step = copy.deepcopy(self.net), most, 0
        self.recent: dict[str, float] = {}

    def train_step(self, batch: Batch, points: int, done: float) -> None:
        """``done`` of the time, 0 to 1."""
        for group in self.optimiser.param_groups:
            group["lr"] = rate(self.most, self.step, done)
        parts = parts_of_loss(self.net, batch, points, self.step)
        self.optimiser.zero_grad(set_to_none=True)
        torch.stack(list(parts.values())).sum().backward()
        torch.nn.utils.clip_grad_norm_(self.learnt, 1.0)
        self.optimiser.step()
        self.step += 1
        towards(self.average, self.net, 1 - min(0.998, (1 + self.step) / (10 + self.step)))
        for name, part in parts.items():
            value = float(part.detach())
            self.recent[name] = 0.98 * self.recent.get(name, value) + 0.02 * value

    def save(self, folder: Path) -> None:
        torch.save({"average": unfolded(self.average)}, folder / "last.pt")
        row = {"step": self.step} | {name: round(value, 4) for name, value in self.recent.items()}
        with (folder / "log.jsonl").open("a") as log:
            log.write(json.dumps(row) + "\n")
        print(json.dumps(row), flush=True)


def rate(most: float, step: int, done: float) -> float:
    """A short rise, then half a cosine."""
    return most * min(1.0, (step + 1) / RISE_STEPS) * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * min(1.0, done))))


def parts_of_loss(net: PersonNet, batch: Batch, points: int, step: int) -> dict[str, Tensor]:
    """Without the groups of labels, whose head an exported network lacks."""
    parts = losses(net, batch, points)
    del parts["groups"]
    if step % TWINS_EVERY == 0:
        few = Batch(*(plane[: len(plane) // TWINS_SHARE] for plane in batch))
        parts["twins"] = losses(net, few, points, with_twins=True)["twins"]
    return parts


@torch.no_grad()
def towards(net: PersonNet, other: PersonNet, share: float) -> None:
    """Moves the weights of ``net`` that share of the way to those of ``other``."""
    torch._foreach_lerp_(list(net.parameters()), list(other.parameters()), share)


def train(course: Course, arguments: argparse.Namespace) -> None:
    """For the given minutes."""
    began_s = saved_s = time.monotonic()
    pictures = Pictures(
        arguments.data, arguments.batch, torch.zeros(1), small_share=0.0, strengths=(STRENGTH, STRENGTH)
    )
    for batch in DataLoader(pictures, batch_size=None, num_workers=1, prefetch_factor=3):
        now_s = time.monotonic()
        done = (now_s - began_s) / 60 / arguments.minutes
        if done >= 1:
            break
        course.train_step(on_device(batch, "cpu"), arguments.points, done)
        if now_s - saved_s > SAVE_EVERY_S:
            saved_s = now_s
            course.save(arguments.out)
    course.save(arguments.out)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path, required=True, help="what to begin with: an ONNX file or a checkpoint")
    parser.add_argument("--only-heads", action="store_true", help="leaves the backbone, and so the coarse mask, alone")
    parser.add_argument("--data", type=Path, required=True, help="the folder that prepare.py filled")
    parser.add_argument("--out", type=Path, required=True, help="where end.pt goes, for export.py, and log.jsonl")
    parser.add_argument("--minutes", type=float, required=True)
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--points", type=int, default=512, help="per picture")
    parser.add_argument("--rate", type=float, default=3e-4)
    parser.add_argument("--way", type=float, default=0.5, help="from the old weights (0) to the new ones (1)")
    parser.add_argument("--threads", type=int, default=2)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    cv2.setNumThreads(1)
    arguments.out.mkdir(parents=True, exist_ok=True)
    start = read if arguments.model.suffix == ".onnx" else fold
    course = Course(start(arguments.model), arguments.rate, arguments.only_heads)
    train(course, arguments)
    between = start(arguments.model)
    towards(between, course.average, arguments.way)
    torch.save({"average": unfolded(between)}, arguments.out / "end.pt")


if __name__ == "__main__":
    main()
