"""Writes the whole inference, refinement included, as one ONNX file, compares it with torch, and times it.

Input ``image`` (1, 3, height, width) float32 RGB in [0, 1], sides multiples of 16 and of any size;
outputs ``coarse`` (1, 1, height / 4, width / 4) and ``mask`` (1, 1, height, width), probabilities.
"""

import argparse
import hashlib
import json
import time
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import torch
from network import COARSE, PATCH, PersonNet, children, enlarge, most_uncertain
from torch import Tensor, nn

OPSET = 17


class Deployed(nn.Module):
    """The same inference for one picture, written so that ONNX Runtime has little to do for the points.

    Rows of channels instead of its GridSample. A plane is read at single places where the points lie on its pixels. The
    coarse logit at a point follows from the context there: both are linear.
    """

    def __init__(self, net: PersonNet) -> None:
        super().__init__()
        self.net = net
        self.heads = [[transposed(layer) for layer in (head.first, head.second, head.last)] for head in net.heads]
        self.coarse = transposed(net.backbone.coarse)

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor]:
        features = self.net.backbone(image)
        context, fine = Rows(features.context), Rows(features.fine)
        height, width = image.shape[2], image.shape[3]
        flat = enlarge(features.coarse).flatten(1)
        index = most_uncertain(flat, self.net.points)
        y, x = places(index[0], width // 2)
        seen = torch.cat((context.between(y, x, 2), fine.at(y, x)), 1)
        logits = flat.scatter(1, index, self.predicted(0, seen)).view(1, 1, height // 2, width // 2)
        flat = enlarge(logits).flatten(1)
        index = most_uncertain(flat, self.net.points, children(index, width // 2))
        y, x = places(index[0], width)
        seen = torch.cat((context.between(y, x, 4), fine.between(y, x, 2), around(features.pixels, y, x)), 1)
        logits = flat.scatter(1, index, self.predicted(1, seen)).view(1, 1, height, width)
        return torch.sigmoid(features.coarse), torch.sigmoid(logits)

    def predicted(self, step: int, seen: Tensor) -> Tensor:
        """The perceptron of a step; ``seen`` (n, context and what follows it): (1, n)."""
        first, second, last = self.heads[step]
        coarse = torch.addmm(self.coarse[1], seen[:, :COARSE], self.coarse[0])
        x = torch.relu(torch.addmm(first[1], torch.cat((coarse, seen), 1), first[0]))
        x = torch.relu(torch.addmm(second[1], torch.cat((x, coarse), 1), second[0]))
        return torch.addmm(last[1], torch.cat((x, coarse), 1), last[0]).T


def transposed(layer: nn.Module) -> tuple[Tensor, Tensor]:
    """Weight (inputs, outputs) and bias of a convolution of one pixel."""
    assert isinstance(layer, nn.Conv1d | nn.Conv2d)
    assert layer.bias is not None
    return layer.weight.detach().flatten(1).T.contiguous(), layer.bias.detach()


def places(index: Tensor, width: Tensor | int) -> tuple[Tensor, Tensor]:
    return torch.div(index, width, rounding_mode="floor"), index % width


class Rows:
    """A plane (1, channels, h, w), whose channels are read together."""

    def __init__(self, plane: Tensor) -> None:
        self.table = plane.permute(0, 2, 3, 1).reshape(-1, plane.shape[1])
        self.height, self.width = plane.shape[2], plane.shape[3]

    def at(self, y: Tensor, x: Tensor) -> Tensor:
        """At its own pixels: (n, channels)."""
        return self.table[y * self.width + x]

    def between(self, y: Tensor, x: Tensor, times: int) -> Tensor:
        """What ``network.sample`` reads at pixels of a plane that is ``times`` as large: (n, channels)."""
        y, x = ((each.float() + 0.5) / times - 0.5 for each in (y, x))
        y0, x0 = y.floor(), x.floor()
        down, right = y - y0, x - x0
        top, left = y0.long(), x0.long()
        y0, y1 = top.clamp(min=0) * self.width, (top + 1).clamp(max=self.height - 1) * self.width
        x0, x1 = left.clamp(min=0), (left + 1).clamp(max=self.width - 1)
        index = torch.stack((y0 + x0, y0 + x1, y1 + x0, y1 + x1))
        weight = torch.stack(((1 - down) * (1 - right), (1 - down) * right, down * (1 - right), down * right))
        return (self.table[index] * weight.unsqueeze(2)).sum(0)


def around(pixels: Tensor, y: Tensor, x: Tensor) -> Tensor:
    """What ``network.patches`` reads at pixels: (n, 3 * PATCH * PATCH)."""
    margin = PATCH // 2
    wide = Rows(nn.functional.pad(pixels, (margin,) * 4, mode="replicate"))
    steps = torch.arange(PATCH)
    offsets = (steps.unsqueeze(1) * wide.width + steps).flatten()
    return wide.table[(y * wide.width + x).unsqueeze(1) + offsets].flatten(1)


def load(checkpoint: Path, points: int) -> PersonNet:
    state = torch.load(checkpoint, map_location="cpu", weights_only=True)
    net = PersonNet(points).eval()
    net.load_state_dict(state["average"])
    return net


def export(net: PersonNet, path: Path) -> None:
    free = {2: "height", 3: "width"}
    torch.onnx.export(
        Deployed(net).eval(),
        (torch.rand(1, 3, 144, 256),),
        str(path),
        input_names=["image"],
        output_names=["coarse", "mask"],
        dynamic_axes={"image": free, "coarse": {2: "h4", 3: "w4"}, "mask": {2: "mask_height", 3: "mask_width"}},
        opset_version=OPSET,
        dynamo=False,
    )
    onnx.checker.check_model(str(path))


def session(path: Path) -> Any:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def differing(net: PersonNet, path: Path) -> float:
    """The largest share of pixels, over several sizes, on which torch and ONNX Runtime differ by more than 0.01.

    Not quite none: of points of equal uncertainty they may choose others.
    """
    worst, model = 0.0, session(path)
    for height, width in ((144, 256), (256, 144), (192, 192)):
        image = nn.functional.interpolate(torch.rand(1, 3, 9, 9), size=(height, width), mode="bicubic").clamp(0, 1)
        with torch.inference_mode():
            expected = net(image)
        for ours, theirs in zip(model.run(None, {"image": image.numpy()}), expected, strict=True):
            worst = max(worst, float((np.abs(ours - theirs.numpy()) > 0.01).mean()))
    return worst


def time_ms(path: Path, outputs: list[str] | None = None, runs: int = 200) -> dict[str, float]:
    """Of one thread, for 256x144."""
    model, image = session(path), {"image": np.random.default_rng(0).random((1, 3, 144, 256), np.float32)}
    times = []
    for _ in range(runs):
        before = time.perf_counter()
        model.run(outputs, image)
        times.append((time.perf_counter() - before) * 1000)
    return {"median_ms": round(float(np.median(times)), 2), "fastest_ms": round(min(times), 2)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--checkpoint", type=Path, required=True, help="best.pt of train.py")
    parser.add_argument("--out", type=Path, required=True, help="the ONNX file to write")
    parser.add_argument("--points", type=int, default=512, help="predicted again in each step")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    net = load(arguments.checkpoint, arguments.points)
    export(net, arguments.out)
    content = arguments.out.read_bytes()
    report: dict[str, Any] = {"file": str(arguments.out), "size_bytes": len(content)}
    report |= {"sha256": hashlib.sha256(content).hexdigest()}
    report |= {"parameters": sum(weight.numel() for weight in net.parameters())}
    report |= {"differing": differing(net, arguments.out), "frame": time_ms(arguments.out)}
    print(json.dumps(report, indent=2))


if __name__ == "__main__":
    main()
