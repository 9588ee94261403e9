"""The weighted mean of several checkpoints of one beginning: ``mean.py A.pt=0.5 B.pt=0.25 C.pt=0.25 --out MEAN.pt``.

M. Wortsman et al., "Model soups: averaging weights of multiple fine-tuned models improves accuracy without increasing
inference time", ICML 2022.
"""

import argparse
import math
from pathlib import Path

import torch
from torch import Tensor

Weighted = tuple[Path, float]


def weighted(text: str) -> Weighted:
    path, _, share = text.rpartition("=")
    return Path(path), float(share)


def mean(parts: list[Weighted]) -> dict[str, Tensor]:
    """Raises ValueError where the shares are not 1 together or the networks are not alike."""
    if not math.isclose(sum(share for _, share in parts), 1, abs_tol=1e-6):
        raise ValueError("the shares add up to 1")
    states = [torch.load(path, map_location="cpu", weights_only=True)["average"] for path, _ in parts]
    if any(state.keys() != states[0].keys() for state in states):
        raise ValueError("these are networks of different kinds")
    shares = [share for _, share in parts]
    return {
        name: sum(share * state[name] for share, state in zip(shares, states, strict=True))
        if value.is_floating_point()
        else value
        for name, value in states[0].items()
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("parts", type=weighted, nargs="+", metavar="CHECKPOINT=SHARE")
    parser.add_argument("--out", type=Path, required=True, help="the checkpoint to write, for export.py")
    arguments = parser.parse_args()
    torch.save({"average": mean(arguments.parts)}, arguments.out)


if __name__ == "__main__":
    main()
