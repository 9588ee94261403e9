"""IoU and boundary F-score (at two tolerances) of the coarse and of the refined mask, and of what is made of it."""

import argparse
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from augment import Library, Studio
from metrics import FINE_TOLERANCE, boundary_f, iou
from prepare import PORTRAITS, UNKNOWN

Array = np.ndarray[Any, Any]
Case = tuple[Array, Array]  # RGB picture, boolean mask
Predict = Callable[[Array], tuple[Array, ...]]  # (3, h, w) float32 -> coarse, refined probabilities, any sizes
KINDS = "coarse", "refined", "settled"

SHAPES = ((160, 288), (176, 256), (208, 208), (256, 176), (288, 160))  # (height, width), about as many pixels each


def shape_for(picture: Array) -> tuple[int, int]:
    """The input shape whose aspect is nearest to the picture's."""
    aspect = np.log(picture.shape[1] / picture.shape[0])
    return min(SHAPES, key=lambda shape: abs(float(np.log(shape[1] / shape[0])) - aspect))


def held_out_photos(folder: Path) -> Iterator[Case]:
    """Of each held-out photo the part that a webcam would show, as it was taken."""
    library = Library(folder, held_out=True, sources=("ccp",))
    for number, row in enumerate(library.entries):
        if not row["labelled"]:
            continue
        photo = library[number]
        x, top, head = photo.head
        height, width = photo.groups.shape
        tall = int(min(3.2 * head, width * 9 / 16))
        wide = tall * 16 // 9
        left = int(np.clip(x - wide / 2, 0, width - wide))
        upper = int(np.clip(top - 0.3 * head, 0, height - tall))
        part = np.s_[upper : upper + tall, left : left + wide]
        yield photo.pixels[part], np.where(photo.groups == UNKNOWN, photo.matte > 127, photo.groups > 0)[part]


def held_out_portraits(folder: Path) -> Iterator[Case]:
    """Held-out portraits as they are; what is true of them, the teachers say."""
    library = Library(folder, held_out=True, sources=PORTRAITS)
    for number in range(len(library)):
        photo = library[number]
        yield photo.pixels, photo.matte > 127


def held_out_shots(folder: Path, count: int = 200) -> Iterator[Case]:
    """Augmented pictures of the held-out photos, always the same; those with a person in them.

    Of an empty one the IoU is 0 or 1, as a single pixel decides: it would outweigh all that a training gains.
    """
    studio = Studio(Library(folder, held_out=True), np.random.default_rng(7))
    samples = (studio.sample((144, 256)) for _ in range(count))
    for sample in (sample for sample in samples if sample.mask.max() > 127):
        yield sample.image, cv2.resize(sample.mask, (256, 144), interpolation=cv2.INTER_AREA) > 127


def portraits(folder: Path, wide: bool) -> Iterator[Case]:
    for path in sorted(folder.glob("*.jpg")):
        picture = cv2.cvtColor(cv2.imread(str(path)), cv2.COLOR_BGR2RGB)
        mask = cv2.imread(str(path.with_suffix(".png")), cv2.IMREAD_GRAYSCALE) > 127
        yield in_frame(picture, mask) if wide else (picture, mask)


def in_frame(picture: Array, mask: Array, size: tuple[int, int] = (360, 640)) -> Case:
    """A 16:9 frame: the photo at full height in the middle, a blurred stretched copy of it at the sides."""
    height, width = size
    frame = cv2.GaussianBlur(cv2.resize(picture, (width, height)), (0, 0), height / 30)
    inside = min(width, round(picture.shape[1] * height / picture.shape[0]))
    left, part = (width - inside) // 2, np.zeros(size, bool)
    frame[:, left : left + inside] = cv2.resize(picture, (inside, height), interpolation=cv2.INTER_AREA)
    shown = cv2.resize(mask.astype(np.uint8) * 255, (inside, height), interpolation=cv2.INTER_LINEAR)
    part[:, left : left + inside] = shown > 127
    return frame, part


def measure(cases: Iterator[Case], predict: Predict) -> dict[str, float]:
    totals: list[list[float]] = []
    for picture, mask in cases:
        height, width = shape_for(picture)
        image = cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA).astype(np.float32) / 255
        row: list[float] = []
        for probability in predict(np.ascontiguousarray(image.transpose(2, 0, 1))):
            found = cv2.resize(probability, mask.shape[::-1], interpolation=cv2.INTER_LINEAR) > 0.5
            row += [iou(found, mask), boundary_f(found, mask), boundary_f(found, mask, FINE_TOLERANCE)]
        totals.append(row)
    names = [f"{kind}_{name}" for kind in KINDS for name in ("iou", "boundary_f", "fine_boundary_f")]
    return dict(zip(names, np.mean(totals, 0).round(4).tolist(), strict=False)) | {"n": len(totals)}


def onnx_predict(model: Path) -> Predict:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])

    def predict(image: Array) -> tuple[Array, Array]:
        coarse, refined = session.run(["coarse", "mask"], {"image": image[None]})
        return coarse[0, 0], refined[0, 0]

    return predict


def settled_too(predict: Predict) -> Predict:
    """In addition what the plugin makes of the refined mask."""
    from vmeet_pointrend.doubt import settled

    def both(image: Array) -> tuple[Array, ...]:
        coarse, refined = predict(image)
        return coarse, refined, settled(refined)

    return both


def torch_predict(net: Any) -> Predict:
    import torch

    device = next(net.parameters()).device

    @torch.inference_mode()
    def predict(image: Array) -> tuple[Array, Array]:
        coarse, refined = net(torch.from_numpy(image)[None].to(device))
        return coarse[0, 0].cpu().numpy(), refined[0, 0].cpu().numpy()

    return predict


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path, required=True, help="the ONNX file of export.py")
    parser.add_argument("--data", type=Path, help="the folder that prepare.py filled")
    parser.add_argument("--portraits", type=Path, help="a folder of NAME.jpg and NAME.png (mask)")
    parser.add_argument(
        "--settled", action="store_true", help="also without doubtful patches (install vmeet-core and vmeet-pointrend)"
    )
    arguments = parser.parse_args()
    predict, report = onnx_predict(arguments.model), {}
    if arguments.settled:
        predict = settled_too(predict)
    if arguments.data:
        report["held_out_photos"] = measure(held_out_photos(arguments.data), predict)
        report["held_out_portraits"] = measure(held_out_portraits(arguments.data), predict)
        report["held_out_shots"] = measure(held_out_shots(arguments.data), predict)
    if arguments.portraits:
        report["portraits"] = measure(portraits(arguments.portraits, wide=False), predict)
        report["portraits_16_9"] = measure(portraits(arguments.portraits, wide=True), predict)
    print(json.dumps(report, indent=2))


if __name__ == "__main__":
    main()
