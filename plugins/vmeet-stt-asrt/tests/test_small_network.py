"""The small network of train/: it is trained and goes on after a stop, what is exported of it is what torch computes,
and the plugin reads it.

Each test runs in a process of its own, since the modules of train/ have names that others have, too.
"""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from vmeet_stt_asrt import AsrtProvider, AsrtSettings
from vmeet_stt_asrt.engine import AsrtEngine
from vmeet_stt_asrt.features import MOST_ROWS

from vmeet_core.media.audio import AudioWriter
from vmeet_core.testing import local_host, speech_like

TRAIN = Path(__file__).parents[1] / "train"
SYLLABLES = ["da4", "hao3", "jia1", "ju2", "ni3", "shi4", "zao3"]


def run(code: str, *arguments: str) -> Any:
    """The JSON that ``code`` prints, run with the modules of train/ at hand."""
    command = [sys.executable, "-c", code, *arguments]
    done = subprocess.run(command, cwd=TRAIN, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def script(name: str, *arguments: str | Path) -> None:
    """Runs a script of train/ to its end."""
    command = [sys.executable, name, *map(str, arguments)]
    done = subprocess.run(command, cwd=TRAIN, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.fixture
def torch() -> None:
    pytest.importorskip("torch", reason="torch is not installed: pip install torch")
    pytest.importorskip("pypinyin", reason="pypinyin is not installed: pip install pypinyin")


SAVE = f"""
import sys, torch
from network import new_net
syllables = {SYLLABLES!r}
torch.manual_seed(0)
net = new_net("small", syllables)
with torch.no_grad():
    net.output.own.normal_()  # the outputs differ, and batch normalisation is not the identity
    for _ in range(3):
        net(8 * torch.rand(4, 160, 200))
torch.save({{"network": "small", "syllables": syllables, "net": net.state_dict()}}, sys.argv[1])
print("{{}}")
"""

COMPARE = """
import json, sys, numpy, torch
from network import new_net
state = torch.load(sys.argv[1], weights_only=True)
net = new_net(state["network"], state["syllables"]).eval()
net.load_state_dict(state["net"])
with torch.no_grad():
    print(json.dumps(net(torch.from_numpy(numpy.load(sys.argv[2])))[0].tolist()))
"""


@pytest.mark.usefixtures("torch")
def test_the_plugin_hears_what_torch_computes(tmp_path: Path) -> None:
    checkpoint, model, sound = tmp_path / "best.pt", tmp_path / "small.onnx", tmp_path / "rows.npy"
    run(SAVE, str(checkpoint))
    script("export.py", "--checkpoint", checkpoint, "--out", model)
    engine = AsrtProvider().load(AsrtSettings(model=model), local_host())
    assert isinstance(engine, AsrtEngine)
    assert engine.network.syllables == tuple(SYLLABLES)
    rows = (8 * np.random.default_rng(1).random((203, 200))).astype(np.float32)
    rows[90:100] = 0  # digital silence, which counts for nothing
    heard = engine.network.listen(rows)
    assert heard.shape == (26 + 2, 8)
    np.save(sound, np.pad(rows, ((0, 5 + 80), (0, 0)))[None])
    wanted = np.array(run(COMPARE, str(checkpoint), str(sound)))
    np.testing.assert_allclose(np.exp(heard), np.exp(wanted[: len(heard)]), atol=1e-3)
    # The bar means nothing where all outputs are alike.
    assert np.ptp(np.exp(wanted), axis=0).max() > 0.1
    assert engine.network.listen(np.ones((MOST_ROWS, 200), np.float32)).shape == (200, 8)


@pytest.mark.usefixtures("torch")
def test_a_run_goes_on_where_it_ended_and_is_exported(tmp_path: Path) -> None:
    voice = tmp_path / "voice"
    voice.mkdir()
    for number in range(12):
        with AudioWriter(voice / f"{number}.flac", 16_000) as writer:
            writer.write(speech_like(16_000, 1.0, seed=number))
        (voice / f"{number}.txt").write_text(f"ni{1 + number % 4} hao3")
    data, out = tmp_path / "data", tmp_path / "out"
    script("prepare.py", voice, "--data", data, "--held-out", "0.3")
    train = ["train.py", "--data", data, "--out", out, "--network", "small", "--batch", "8"]
    script(*train, "--minutes", "0.01")
    script(*train, "--minutes", "0.02", "--resume")
    rows = [json.loads(line) for line in (out / "log.jsonl").read_text().splitlines()]
    assert rows[-1]["step"] > rows[0]["step"] > 0
    assert rows[-1]["minutes"] >= 0.02
    assert list(rows[-1]["syllable_accuracy"]) == ["voice"]
    script("export.py", "--checkpoint", out / "last.pt", "--out", tmp_path / "small.onnx")
    engine = AsrtProvider().load(AsrtSettings(model=tmp_path / "small.onnx"), local_host())
    assert isinstance(engine, AsrtEngine)
    assert "hao3" in engine.network.syllables


def test_syllables_are_taken_apart_by_how_they_sound() -> None:
    code = 'import json; from parts import parts_of; print(json.dumps([parts_of(s) for s in "S".split()]))'
    found = run(code.replace("S", "zhuang4 shi4 xi1 ju2 nv3 er5 yuan2", 1))
    assert found == [
        ["zh", "uang", "4", "zhuang"],
        ["sh", "-i", "4", "shi"],
        ["x", "i", "1", "xi"],
        ["j", "v", "2", "ju"],
        ["n", "v", "3", "nv"],
        ["", "er", "5", "er"],
        ["y", "van", "2", "yuan"],
    ]
