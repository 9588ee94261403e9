"""Makes the .onnx file that the plugin reads of a checkpoint, and checks it against torch."""

import argparse
import hashlib
from pathlib import Path

import numpy as np
import torch
from network import graph_of, new_net
from vmeet_stt_asrt.features import BINS
from vmeet_stt_asrt.network import MARGIN_ROWS, Network

_MOST_OFF = 1e-3


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--checkpoint", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    arguments = parser.parse_args()
    state = torch.load(arguments.checkpoint, map_location="cpu", weights_only=True)
    net = new_net(state["network"], state["syllables"]).eval()
    net.load_state_dict(state["net"])
    packed = graph_of(net, state["syllables"]).SerializeToString()
    rows = (4 * np.random.default_rng(0).random((400, BINS))).astype(np.float32)
    found = Network(packed, threads=1).listen(rows)
    padded = np.concatenate([rows, np.zeros((MARGIN_ROWS, BINS), np.float32)])
    with torch.no_grad():
        wanted = net(torch.from_numpy(padded)[None])[0, : len(found)].numpy()
    off = float(np.abs(np.exp(found) - np.exp(wanted)).max())
    if off > _MOST_OFF:
        raise SystemExit(f"the exported network is off by {off}")
    arguments.out.write_bytes(packed)
    print(f"{arguments.out}: {len(packed)} bytes, SHA-256 {hashlib.sha256(packed).hexdigest()}, off by {off:.1e}")


if __name__ == "__main__":
    main()
