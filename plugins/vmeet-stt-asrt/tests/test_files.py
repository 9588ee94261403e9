"""The files of the settings: paths, and addresses, whose files are brought from a real server on this machine."""

import hashlib
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import asrt_reference as reference
import pytest
from vmeet_stt_asrt import AsrtFile, AsrtProvider, AsrtSettings
from vmeet_stt_asrt.files import digest, find

from vmeet_core.hookspecs import Permanent
from vmeet_core.testing import local_host
from vmeet_core.weights import WeightStore


class Quiet(SimpleHTTPRequestHandler):
    """A file server that says nothing."""

    def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002
        pass


@pytest.fixture
def release(tmp_path: Path) -> Path:
    """A folder with a model of 30 outputs and its labels."""
    folder = tmp_path / "release"
    folder.mkdir()
    reference.save(reference.random_layers(30), folder / "model.h5")
    (folder / "dict.txt").write_text("\n".join(f"a{tone}" for tone in "12345" * 6)[:-3])
    return folder


@pytest.fixture
def address(release: Path) -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(release))) as httpd:
        thread = threading.Thread(target=httpd.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{httpd.server_port}"
        httpd.shutdown()
        thread.join()


def published(address: str, path: Path) -> AsrtFile:
    content = path.read_bytes()
    return AsrtFile(url=f"{address}/{path.name}", sha256=hashlib.sha256(content).hexdigest(), size_bytes=len(content))


def test_a_path_is_taken_as_it_is(release: Path) -> None:
    assert find(release / "model.h5", local_host()) == release / "model.h5"


def test_an_absent_path_is_named(tmp_path: Path) -> None:
    with pytest.raises(Permanent, match=r"model\.h5 of \[plugins\.transcribers\.asrt\] does not exist"):
        find(tmp_path / "model.h5", local_host())


def test_what_is_published_is_brought_and_loaded(release: Path, address: str, tmp_path: Path) -> None:
    files = {name: published(address, release / name) for name in ("model.h5", "dict.txt")}
    settings = AsrtSettings(model=files["model.h5"], labels=files["dict.txt"])
    store = WeightStore(tmp_path / "weights")
    with pytest.raises(Permanent, match=r"-model\.h5 is absent .*vmeet weights fetch"):
        AsrtProvider().load(settings, local_host(store.path))
    store.fetch_all(AsrtProvider().weights_for(settings))
    engine = AsrtProvider().load(settings, local_host(store.path))
    assert engine.max_chunk_s == 16.0


def test_only_addresses_are_weights(release: Path) -> None:
    model = AsrtFile(url="https://example.org/model.h5", sha256="0" * 64, size_bytes=1)
    settings = AsrtSettings(model=model, labels=release / "dict.txt")
    assert [weight.name for weight in AsrtProvider().weights_for(settings)] == ["000000000000-model.h5"]
    assert AsrtProvider().weights_for(AsrtSettings()) == ()


def test_another_model_in_the_same_place_makes_other_results(release: Path) -> None:
    settings = AsrtSettings(model=release / "model.h5", labels=release / "dict.txt")
    before = AsrtProvider().version_for(settings)
    assert digest(release / "model.h5") in before
    assert AsrtProvider().version_for(settings) == before
    reference.save(reference.random_layers(30, seed=1), release / "model.h5")
    assert AsrtProvider().version_for(settings) != before
    assert AsrtProvider().version_for(settings.model_copy(update={"beam": 1})) != before
    (release / "model.h5").unlink()
    assert "absent" in AsrtProvider().version_for(settings)
