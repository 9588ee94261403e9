"""The folder of model files."""

import hashlib
import os
import subprocess
import sys

import pytest

from vmeet_core.hookspecs import Permanent, Source, Weight
from vmeet_core.weights import Patience, WeightError, WeightStore

QUICK = Patience(stall_s=0.5, tries=2, pause_s=0.01)
HELLO = hashlib.sha256(b"hello").hexdigest()


def carried(package: str = "vmeet_carrier", sources: tuple[Source, ...] = ()) -> Weight:
    return Weight("hello.bin", HELLO, 5, "MIT", (Source(package_data=(package, "data/hello.bin")), *sources))


@pytest.fixture
def carrier(tmp_path, monkeypatch):
    """An importable package that carries the file ``hello.bin``."""
    folder = tmp_path / "site/vmeet_carrier/data"
    folder.mkdir(parents=True)
    (folder.parent / "__init__.py").touch()
    (folder / "hello.bin").write_bytes(b"hello")
    monkeypatch.syspath_prepend(tmp_path / "site")
    yield folder / "hello.bin"
    sys.modules.pop("vmeet_carrier", None)


def test_an_absent_file_names_the_command(tmp_path, server):
    store = WeightStore(tmp_path / "weights")
    assert store.state(server.weight()) == "absent"
    with pytest.raises(Permanent, match=r"model\.onnx is absent .*Run: vmeet weights fetch model\.onnx"):
        store.path(server.weight())
    assert not (tmp_path / "weights").exists()


def test_fetch_and_use(tmp_path, server, content):
    store = WeightStore(tmp_path / "new/weights", patience=QUICK)
    path = store.fetch(server.weight())
    assert path == tmp_path / "new/weights/model.onnx"
    assert path.read_bytes() == content
    assert store.state(server.weight()) == "present"
    assert store.path(server.weight()) == path
    assert store.fetch(server.weight()) == path
    assert len(server.requests) == 1


def test_a_change_is_noticed(tmp_path, server, content):
    store = WeightStore(tmp_path, patience=QUICK)
    path = store.fetch(server.weight())
    path.write_bytes(bytes(len(content)))
    assert store.state(server.weight()) == "corrupt"
    with pytest.raises(Permanent, match="is corrupt"):
        store.path(server.weight())
    assert store.fetch(server.weight()).read_bytes() == content


def test_verify_reads_the_file_again(tmp_path, server, content):
    store = WeightStore(tmp_path, patience=QUICK)
    path = store.fetch(server.weight())
    before = path.stat()
    path.write_bytes(bytes(len(content)))
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert store.state(server.weight()) == "present"  # size and time say so
    assert store.verify(server.weight()) == "corrupt"


def test_sources_are_tried_in_order(tmp_path, server, content):
    server.script = ["absent"]
    weight = server.weight()
    url = weight.sources[0]
    weight = weight._replace(sources=(url, Source(package_data=("no_such_package", "x")), url))
    assert WeightStore(tmp_path, patience=QUICK).fetch(weight).read_bytes() == content
    assert len(server.requests) == 2


def test_every_reason_is_told(tmp_path, server):
    server.script = ["absent", "corrupt"]
    weight = server.weight()
    weight = weight._replace(sources=(*weight.sources, Source(package_data=("no_such_package", "x")), *weight.sources))
    with pytest.raises(WeightError) as caught:
        WeightStore(tmp_path, patience=QUICK).fetch(weight)
    said = str(caught.value)
    assert said.startswith("the model file model.onnx cannot be had:")
    for reason in ("answered 404", "no_such_package, file x: the file is absent. Reinstall", "it was deleted"):
        assert reason in said
    assert not (tmp_path / "model.onnx").exists()


def test_package_data_is_used_where_it_lies(tmp_path, carrier):
    store = WeightStore(tmp_path / "weights", offline=True)
    assert store.state(carried()) == "present"
    assert store.path(carried()) == carrier
    assert store.fetch(carried()) == carrier
    assert not (tmp_path / "weights").exists()


def test_damaged_package_data_is_told(tmp_path, carrier):
    carrier.write_bytes(b"HELLO")
    store = WeightStore(tmp_path / "weights")
    assert store.state(carried()) == "corrupt"
    with pytest.raises(WeightError, match=r"vmeet_carrier, file data/hello.bin: the file has the SHA-256 .* Reinstall"):
        store.fetch(carried())


def test_a_bad_copy_gives_way_to_package_data(tmp_path, carrier):
    (tmp_path / "weights").mkdir()
    (tmp_path / "weights/hello.bin").write_bytes(b"HELLO")
    store = WeightStore(tmp_path / "weights")
    assert store.state(carried()) == "corrupt"
    assert store.fetch(carried()) == carrier


@pytest.mark.parametrize("network", [Source(url="http://127.0.0.1:9/x"), Source(registry_members=(("a==1", "x"),))])
def test_offline_refuses_the_network(network, tmp_path):
    weight = Weight("hello.bin", HELLO, 5, "MIT", (network,))
    with pytest.raises(WeightError, match=r"needs the network, and weights.offline is set.*hello\.bin"):
        WeightStore(tmp_path, offline=True).fetch(weight)


def test_a_file_put_there_by_hand_is_as_good(tmp_path, server, content):
    (tmp_path / "model.onnx").write_bytes(content)
    assert WeightStore(tmp_path, offline=True).fetch(server.weight()).read_bytes() == content


def test_a_folder_that_cannot_be_written_is_told(tmp_path, server):
    (tmp_path / "file").touch()
    with pytest.raises(WeightError, match=r"cannot be written to .*file.*set weights\.dir"):
        WeightStore(tmp_path / "file", patience=QUICK).fetch(server.weight())


def test_a_full_disk_is_told_before_it_is_full(tmp_path):
    weight = Weight("big", HELLO, 1 << 60, "MIT", (Source(url="http://127.0.0.1:9/x"),))
    with pytest.raises(WeightError, match="needs 1152921504606846976 bytes, and the disk"):
        WeightStore(tmp_path).fetch(weight)


FETCH = """
import sys
from pathlib import Path
from vmeet_core.hookspecs import Source, Weight
from vmeet_core.weights import WeightStore
folder, url, digest, size = sys.argv[1:]
weight = Weight("model.onnx", digest, int(size), "MIT", (Source(url=url),))
print(WeightStore(Path(folder)).fetch(weight))
"""


def test_processes_that_want_the_same_file_fetch_it_once(tmp_path, server, content):
    weight = server.weight()
    server.script = ["truncate", "truncate"]
    arguments = [str(tmp_path), str(weight.sources[0].url), weight.sha256, str(weight.size_bytes)]
    processes = [
        subprocess.Popen([sys.executable, "-c", FETCH, *arguments], stdout=subprocess.PIPE, text=True) for _ in range(3)
    ]
    outputs = [process.communicate(timeout=60)[0] for process in processes]
    assert outputs == [f"{tmp_path / 'model.onnx'}\n"] * 3
    assert (tmp_path / "model.onnx").read_bytes() == content
    assert server.requests == ["", "bytes=100000-", "bytes=200000-"]
