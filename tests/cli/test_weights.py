"""``vmeet weights`` with a plugin that is really installed and files that really come from somewhere."""

import functools
import hashlib
import threading
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import pytest

PLUGIN = """
from vmeet_core.hookspecs import API, Options, Provider, Source, Weight, hookimpl

def weight(name, digest):
    return Weight(name, digest, 5, "MIT", (Source(url="{address}/" + name),))

class One(Provider):
    api, name, title, licence = API, "one", "One", "MIT"
    weights = (weight("a.bin", "{a}"), weight("b.bin", "{b}"))
    def load(self, server_settings, host):
        raise AssertionError

class Two(One):
    name = "two"
    weights = (weight("c.bin", "{c}"),)

class Naming(Options):
    other: bool = False

class Either(One):
    name, server_settings = "either", Naming
    weights = (weight("d.bin", "{a}"),)
    def weights_for(self, server_settings):
        return (weight("c.bin", "{c}"),) if server_settings.other else self.weights

@hookimpl
def register_denoisers():
    return [One(), Two(), Either()]
"""


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (the base class calls it so)
        pass


@pytest.fixture
def weights(tmp_path, packages, install_plugin, run_vmeet):
    """Runs ``vmeet weights`` beside a server that has the files a.bin, b.bin and c.bin."""
    served = tmp_path / "served"
    served.mkdir()
    for name in "abc":
        (served / f"{name}.bin").write_bytes(name.encode() * 5)
    handler = functools.partial(Quiet, directory=str(served))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        digests = {name: hashlib.sha256(name.encode() * 5).hexdigest() for name in "abc"}
        source = PLUGIN.replace("{address}", f"http://127.0.0.1:{server.server_port}")
        for name, digest in digests.items():
            source = source.replace(f"{{{name}}}", digest)
        install_plugin("vmeet-some", source)
        yield lambda *args: run_vmeet(*args, packages=packages, no_proxy="127.0.0.1")
        server.shutdown()
        thread.join()


def names(folder):
    return sorted(path.name for path in folder.glob("[!.]*"))


def test_fetch_brings_what_the_presets_need(weights, tmp_path):
    (tmp_path / "vmeet.toml").write_text('[meetings.default]\ndenoiser = "one"')
    done = weights("weights", "fetch")
    assert (done.returncode, done.stdout.count("fetched")) == (0, 2)
    assert "a.bin: 100 %" in done.stderr
    assert names(tmp_path / "weights") == ["a.bin", "b.bin"]
    again = weights("weights", "fetch")
    assert (again.returncode, again.stdout.count("present"), again.stderr) == (0, 2, "")


def test_nothing_is_needed_without_models(weights, tmp_path):
    (tmp_path / "vmeet.toml").write_text("[meetings.plain]")
    assert weights("weights", "fetch").stdout == "no model files are needed\n"
    assert not (tmp_path / "weights").exists()


@pytest.mark.parametrize(("name", "files"), [("one", ["a.bin", "b.bin"]), ("c.bin", ["c.bin"])])
def test_fetch_by_name(name, files, weights, tmp_path):
    assert weights("weights", "fetch", name).returncode == 0
    assert names(tmp_path / "weights") == files


def test_the_settings_may_name_another_model(weights, tmp_path):
    presets = '[meetings.default]\ndenoiser = "either"\n'
    (tmp_path / "vmeet.toml").write_text(f"[plugins.denoisers.either]\nother = true\n{presets}")
    said = weights("serve").stderr
    assert "the model file c.bin of" in said
    assert "d.bin" not in said
    assert weights("weights", "fetch").returncode == 0
    assert names(tmp_path / "weights") == ["c.bin"]
    assert "d.bin" not in weights("weights", "list").stdout
    assert "all 1 that the presets need are there" in weights("doctor").stdout


def test_list_shows_every_model_and_its_state(weights, tmp_path):
    weights("weights", "fetch", "one")
    (tmp_path / "weights/b.bin").write_bytes(b"wrong")
    done = weights("weights", "list", "one", "two")
    assert done.returncode == 0
    assert [line.split()[0] for line in done.stdout.splitlines()[1:]] == ["present", "corrupt", "absent"]
    assert f"model files in {tmp_path / 'weights'}" in done.stdout
    assert "a.bin (MIT)" in done.stdout


def test_verify_finds_what_is_wrong_and_fetch_mends_it(weights, tmp_path):
    weights("weights", "fetch", "one", "two")
    assert weights("weights", "verify", "one", "two").returncode == 0
    (tmp_path / "weights/b.bin").write_bytes(b"wrong")
    done = weights("weights", "verify", "one", "two")
    assert done.returncode == 1
    assert "corrupt  b.bin" in done.stdout
    assert "Run: vmeet weights fetch b.bin" in done.stdout
    weights("weights", "fetch", "b.bin")
    assert weights("weights", "verify", "one").returncode == 0


def test_an_unknown_name_is_told(weights):
    done = weights("weights", "fetch", "onne")
    assert done.returncode == 1
    assert 'no installed provider or model file is called "onne". Did you mean "one"?' in done.stderr


def test_a_failure_tells_the_source_and_keeps_what_came(weights, tmp_path):
    (tmp_path / "served/b.bin").write_bytes(b"wrong")
    done = weights("weights", "fetch", "one")
    assert done.returncode == 1
    assert "the model file b.bin cannot be had:\n    http://127.0.0.1:" in done.stderr
    assert "it was deleted" in done.stderr
    assert "Traceback" not in done.stderr
    assert names(tmp_path / "weights") == ["a.bin"]


def test_offline_is_told(weights, tmp_path):
    (tmp_path / "vmeet.toml").write_text("[weights]\noffline = true")
    done = weights("weights", "fetch", "one")
    assert done.returncode == 1
    assert "needs the network, and weights.offline is set" in done.stderr


def test_the_remedy_of_a_missing_weight_works(weights, tmp_path):
    """Whoever does what the server says gets on."""
    (tmp_path / "other.toml").write_text('[weights]\ndir = "models"\n[meetings.default]\ndenoiser = "two"')
    said = weights("--settings", "other.toml", "serve").stderr
    command = next(line for line in said.splitlines() if "Run: vmeet " in line).partition("Run: vmeet ")[2]
    assert command == "--settings other.toml weights fetch two"
    assert weights(*command.split()).returncode == 0
    assert "FAULT model file" not in weights("--settings", "other.toml", "doctor").stdout
