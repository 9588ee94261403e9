"""The provider against the contract with a model of each kind, and a model's way from a server into the engine."""

import functools
import hashlib
import os
import subprocess
import sys
import tarfile
import threading
from collections.abc import Iterator
from dataclasses import replace
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from importlib.metadata import entry_points, version
from pathlib import Path
from typing import ClassVar

import pytest
from tiny_models import GREETING, tones
from vmeet_stt_sherpa import SENSE_VOICE, SherpaProvider, register_transcribers
from vmeet_stt_sherpa.settings import SherpaArchive, SherpaOptions, SherpaSettings

from vmeet_core.hookspecs import Context, Permanent
from vmeet_core.testing import TRANSCRIBER_CHECKS, Subject, TranscriberConformance, local_host, melody
from vmeet_core.testing.provider_checks import PROVIDER_CHECKS
from vmeet_core.weights import Patience, WeightError, WeightStore

PROVIDER = len(PROVIDER_CHECKS)


class Conforms(TranscriberConformance):
    kind: ClassVar[str]
    models: ClassVar[dict[str, Path]]
    checks = TRANSCRIBER_CHECKS[PROVIDER:]

    @pytest.fixture(autouse=True)
    def use(self, folders: dict[str, Path]) -> None:
        type(self).models = folders

    @classmethod
    def subject(cls) -> Subject:
        settings = SherpaSettings(folder=cls.models[cls.kind], threads=1)
        return Subject(SherpaProvider(), local_host(), settings, speech=tones)


class TestSenseVoice(Conforms):
    kind = "sense-voice"
    checks = TRANSCRIBER_CHECKS


class TestParaformer(Conforms):
    kind = "paraformer"


class TestZipformerCtc(Conforms):
    kind = "zipformer-ctc"


class TestZipformerTransducer(Conforms):
    kind = "zipformer-transducer"


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (the base class calls it so)
        pass


@pytest.fixture
def archive(folders: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[SherpaArchive]:
    """Served on this machine: a tiny SenseVoice, packed as the publisher packs his."""
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    served = tmp_path / "served"
    served.mkdir()
    path = served / "sherpa-onnx-tiny.tar.bz2"
    with tarfile.open(path, "w:bz2") as tar:
        tar.add(folders["sense-voice"], "sherpa-onnx-tiny")
    with ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=str(served))) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield SherpaArchive(
            url=f"http://127.0.0.1:{server.server_port}/{path.name}",
            sha256=hashlib.sha256(path.read_bytes()).hexdigest(),
            size_bytes=path.stat().st_size,
        )
        server.shutdown()
        thread.join()


def test_from_a_server_to_text(archive: SherpaArchive, tmp_path: Path) -> None:
    provider, settings = SherpaProvider(), SherpaSettings(archive=archive)
    store = WeightStore(tmp_path / "weights")
    host = replace(local_host(store.path), weights_dir=store.dir)
    with pytest.raises(
        Permanent, match=r"sherpa-onnx-tiny\.tar\.bz2 is absent .* Run: vmeet weights fetch [0-9a-f]{12}-"
    ):
        provider.load(settings, host)
    store.fetch_all(provider.weights_for(settings))
    for _ in range(2):  # the second time from what was unpacked
        engine = provider.load(settings, host)
        (segment,) = engine.open(SherpaOptions()).transcribe(melody(16_000, GREETING, 3.0), "zh-TW", Context())
        assert (segment.text, segment.language) == ("你好5", "zh")
        engine.close()
    assert [path.name for path in store.dir.glob("[!.]*") if path.is_dir()] == [f"sherpa-{archive.sha256[:16]}"]


def test_another_content_than_the_pinned_one_is_not_unpacked(archive: SherpaArchive, tmp_path: Path) -> None:
    store = WeightStore(tmp_path / "weights", patience=Patience(tries=1))
    settings = SherpaSettings(archive=archive.model_copy(update={"sha256": "0" * 64}))
    with pytest.raises(WeightError, match="has the SHA-256"):
        store.fetch_all(SherpaProvider().weights_for(settings))
    assert [path for path in store.dir.iterdir() if not path.name.startswith(".")] == []


def test_the_commands_bring_and_check_the_archive_of_the_settings(archive: SherpaArchive, tmp_path: Path) -> None:
    (tmp_path / "vmeet.toml").write_text(
        "[plugins.transcribers.sherpa]\nthreads = 1\n"
        f'archive = {{ url = "{archive.url}", sha256 = "{archive.sha256}", size_bytes = {archive.size_bytes} }}\n'
    )

    def vmeet(*args: str) -> str:
        command = [sys.executable, "-c", "import sys; from vmeet_core.cli import main; sys.exit(main())", *args]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=120, env={**os.environ})
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    assert f"fetched  {tmp_path / 'weights' / archive.weight().name}" in vmeet("weights", "fetch", "sherpa")
    count = len(TRANSCRIBER_CHECKS)
    assert vmeet("check", "sherpa").endswith(f"sherpa: {count} of {count} checks passed\n")


def test_without_weights_the_command_is_named() -> None:
    store = WeightStore(Path("nowhere"))
    with pytest.raises(Permanent, match=f"is absent .* Run: vmeet weights fetch {SENSE_VOICE.name}"):
        SherpaProvider().load(SherpaSettings(), local_host(store.path))


def test_a_folder_that_is_not_there_is_told(tmp_path: Path) -> None:
    folder = tmp_path / "none"
    with pytest.raises(Permanent, match=rf"the folder {folder} of \[plugins\.transcribers\.sherpa\] does not exist"):
        SherpaProvider().load(SherpaSettings(folder=folder), local_host())


def test_the_settings_say_which_files_are_needed(folders: dict[str, Path]) -> None:
    provider = SherpaProvider()
    archive = SherpaArchive(url="https://example.org/a.tar.gz", sha256="ab" * 32, size_bytes=5)
    assert provider.weights_for(SherpaSettings()) == provider.weights == (SENSE_VOICE,)
    assert provider.weights_for(SherpaSettings(archive=archive)) == (archive.weight(),)
    assert provider.weights_for(SherpaSettings(folder=folders["paraformer"])) == ()


def test_results_of_another_model_have_another_key(folders: dict[str, Path]) -> None:
    provider = SherpaProvider()
    settings = [
        SherpaSettings(),
        SherpaSettings(precision="float"),
        SherpaSettings(languages=("zh",)),
        *(SherpaSettings(folder=folder) for folder in folders.values()),
    ]
    versions = [provider.version_for(each) for each in settings]
    assert len(set(versions)) == len(versions)
    assert all(each.startswith(provider.version) for each in versions)
    assert provider.version_for(SherpaSettings(threads=4)) == versions[0]


def test_the_entry_point_offers_one_transcriber() -> None:
    (point,) = entry_points(group="vmeet", name="sherpa")
    (provider,) = point.load().register_transcribers()
    assert (provider.name, provider.version) == ("sherpa", version("vmeet-stt-sherpa"))
    assert [each.name for each in register_transcribers()] == ["sherpa"]
