"""Writes the whole inference, refinement included, as one ONNX file, compares it with torch, and times it.

Input ``image`` (1, 3, height, width) float32 RGB in [0, 1], sides multiples of 16 and of any size;
outputs ``coarse`` (1, 1, height / 4, width / 4) and ``mask`` (1, 1, height / 4 * 2**steps, ...), probabilities.
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
from network import PersonNet, enlarge
from torch import Tensor, nn

OPSET = 17


class Deployed(nn.Module):
    """The same inference for one picture, reading rows of channels: faster than ONNX Runtime's GridSample."""

    def __init__(self, net: PersonNet) -> None:
        super().__init__()
        self.net = net
        head = net.head
        self.first, self.second, self.last = (
            (layer.weight.detach()[:, :, 0].T.contiguous(), layer.bias.detach())
            for layer in (head.first, head.second, head.last)
        )

    def head(self, planes: list[tuple[Tensor, Tensor, Tensor]], y: Tensor, x: Tensor) -> Tensor:
        """Rows of every plane at the points, then the perceptron: (n,)."""
        seen = torch.cat([bilinear(*plane, y, x) for plane in planes], 1)
        row = torch.relu(torch.addmm(self.first[1], seen, self.first[0]))
        row = torch.relu(torch.addmm(self.second[1], torch.cat((row, seen[:, :1]), 1), self.second[0]))
        return torch.addmm(self.last[1], torch.cat((row, seen[:, :1]), 1), self.last[0])[:, 0]

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor]:
        features = self.net.backbone(image)
        quarter = torch.cat((features.coarse, features.context), 1)
        planes = [rows(plane) for plane in (quarter, features.fine, features.full)]
        logits = features.coarse
        for _ in range(self.net.steps):
            logits = enlarge(logits)
            height, width = logits.shape[2], logits.shape[3]
            flat = logits.flatten()
            index = (-flat.abs()).topk(self.net.points, sorted=False).indices
            y = (torch.div(index, width, rounding_mode="floor").float() + 0.5) / height
            x = ((index % width).float() + 0.5) / width
            logits = flat.scatter(0, index, self.head(planes, y, x)).view(1, 1, height, width)
        return torch.sigmoid(features.coarse), torch.sigmoid(logits)


def rows(plane: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """(1, channels, h, w) -> (h * w, channels), h, w."""
    height, width = plane.shape[2], plane.shape[3]
    return plane.flatten(2)[0].T.contiguous(), height, width


def bilinear(table: Tensor, height: Tensor, width: Tensor, y: Tensor, x: Tensor) -> Tensor:
    """What ``network.sample`` reads, from a table of rows; y and x in [0, 1]: (n, channels)."""
    y, x = (y * height - 0.5).clamp(min=0), (x * width - 0.5).clamp(min=0)
    y0, x0 = y.floor(), x.floor()
    down, right = y - y0, x - x0
    y0, x0 = y0.long(), x0.long()
    y1, x1 = (y0 + 1).clamp(max=height - 1), (x0 + 1).clamp(max=width - 1)
    index = torch.stack((y0 * width + x0, y0 * width + x1, y1 * width + x0, y1 * width + x1))
    weight = torch.stack(((1 - down) * (1 - right), (1 - down) * right, down * (1 - right), down * right))
    return (table[index] * weight.unsqueeze(2)).sum(0)


def load(checkpoint: Path, steps: int, points: int) -> PersonNet:
    state = torch.load(checkpoint, map_location="cpu", weights_only=True)
    net = PersonNet(steps, points).eval()
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
    parser.add_argument("--steps", type=int, default=2, help="doublings: 2 gives the input's size, 3 twice it")
    parser.add_argument("--points", type=int, default=512, help="predicted again in each step")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    net = load(arguments.checkpoint, arguments.steps, arguments.points)
    export(net, arguments.out)
    content = arguments.out.read_bytes()
    report: dict[str, Any] = {"file": str(arguments.out), "size_bytes": len(content)}
    report |= {"sha256": hashlib.sha256(content).hexdigest()}
    report |= {"parameters": sum(weight.numel() for weight in net.parameters())}
    report |= {"differing": differing(net, arguments.out), "frame": time_ms(arguments.out)}
    print(json.dumps(report, indent=2))


if __name__ == "__main__":
    main()
