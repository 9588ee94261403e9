"""The files of the settings: paths, and URLs at a real server on this machine."""

import hashlib
import threading
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from vmeet_stt_asrt.files import find

from vmeet_core.hookspecs import Host, Permanent, Retryable
from vmeet_core.testing import local_host

CONTENT = b"what an acoustic model is made of" * 1000
SHA256 = hashlib.sha256(CONTENT).hexdigest()


class Quiet(SimpleHTTPRequestHandler):
    """A file server that counts what it is asked for."""

    asked: list[str]

    def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002
        self.asked.append(self.requestline)


@pytest.fixture
def host(tmp_path: Path) -> Host:
    return replace(local_host(), weights_dir=tmp_path / "weights")


@pytest.fixture
def server(tmp_path: Path) -> Iterator[tuple[str, list[str]]]:
    folder = tmp_path / "served"
    folder.mkdir()
    (folder / "model.h5").write_bytes(CONTENT)
    handler = type("Handler", (Quiet,), {"asked": []})
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(handler, directory=str(folder))) as httpd:
        thread = threading.Thread(target=httpd.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{httpd.server_port}", handler.asked
        httpd.shutdown()
        thread.join()


def test_a_path_is_taken_as_it_is(tmp_path: Path, host: Host) -> None:
    path = tmp_path / "model.h5"
    path.write_bytes(CONTENT)
    assert find(str(path), "", host) == path
    assert find(str(path), SHA256, host) == path


def test_an_absent_path_is_named(tmp_path: Path, host: Host) -> None:
    with pytest.raises(Permanent, match=r"wants the file .*model\.h5, which is not there"):
        find(str(tmp_path / "model.h5"), "", host)


def test_another_file_than_the_one_wanted_is_refused(tmp_path: Path, host: Host) -> None:
    path = tmp_path / "model.h5"
    path.write_bytes(CONTENT[1:])
    with pytest.raises(Permanent, match=f"wants {SHA256}"):
        find(str(path), SHA256, host)


def test_a_url_is_downloaded_once(server: tuple[str, list[str]], host: Host) -> None:
    url, asked = server
    path = find(f"{url}/model.h5", SHA256, host)
    assert path == host.weights_dir / f"asrt-{SHA256[:12]}.h5"
    assert path.read_bytes() == CONTENT
    asked.clear()
    assert find(f"{url}/model.h5", SHA256, host) == path
    assert asked == []


def test_what_a_url_gives_is_checked(server: tuple[str, list[str]], host: Host) -> None:
    wanted = hashlib.sha256(b"another").hexdigest()
    with pytest.raises(Permanent, match="cannot be had"):
        find(f"{server[0]}/model.h5", wanted, host)
    assert not list(host.weights_dir.glob("*.h5"))


def test_a_damaged_copy_is_brought_anew(server: tuple[str, list[str]], host: Host) -> None:
    path = find(f"{server[0]}/model.h5", SHA256, host)
    path.write_bytes(CONTENT[:-1] + b"?")
    assert find(f"{server[0]}/model.h5", SHA256, host).read_bytes() == CONTENT


def test_an_absent_url_is_named(server: tuple[str, list[str]], host: Host) -> None:
    with pytest.raises(Permanent, match=r"nothing\.h5 answered 404"):
        find(f"{server[0]}/nothing.h5", SHA256, host)


def test_a_server_that_is_away_may_come_back(server: tuple[str, list[str]], host: Host) -> None:
    with ThreadingHTTPServer(("127.0.0.1", 0), Quiet) as closed:
        port = closed.server_port
    with pytest.raises(Retryable, match="cannot be reached"):
        find(f"http://127.0.0.1:{port}/model.h5", SHA256, host)
