"""The provider against the contract, what it says of itself, and that nothing leaves this machine unless it may."""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from importlib.metadata import entry_points, version
from pathlib import Path
from typing import Any

import pytest
from vmeet_stt_google import GoogleOptions, GoogleProvider, GoogleSettings, register_transcribers

from vmeet_core.hookspecs import Audio, Context, Permanent, Transcriber
from vmeet_core.plugins import discover, load_provider
from vmeet_core.settings import load_settings
from vmeet_core.testing import PROVIDER_CHECKS, Check, Subject, local_host


@pytest.mark.parametrize("check", PROVIDER_CHECKS, ids=[check.name for check in PROVIDER_CHECKS])
def test_conforms(check: Check) -> None:
    check.run(Subject(GoogleProvider(), local_host()))


def test_the_entry_point_offers_one_transcriber() -> None:
    (point,) = entry_points(group="vmeet", name="google")
    (provider,) = point.load().register_transcribers()
    assert (provider.name, provider.version) == ("google", version("vmeet-stt-google"))
    assert [each.name for each in register_transcribers()] == ["google"]


def test_results_of_one_model_are_not_taken_for_those_of_another() -> None:
    provider = GoogleProvider()
    web, cloud = (
        GoogleSettings(engine="web"),
        GoogleSettings(engine="cloud", project="p", application_default_credentials=True),
    )
    others = [cloud.model_copy(update=change) for change in ({"model": "short"}, {"location": "eu"}, {"project": "q"})]
    versions = [provider.version_for(each) for each in (web, cloud, *others)]
    assert len(set(versions)) == 4  # whose project pays changes nothing
    assert versions[1] == versions[4]
    assert all(version.startswith(provider.version) for version in versions)


def test_it_is_known_to_leave_this_machine() -> None:
    assert GoogleProvider.leaves_host
    assert discover().get("transcribers", "google").leaves_host


def test_importing_it_loads_no_library_of_the_engines() -> None:
    code = "import sys, vmeet_stt_google; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert {"vmeet_stt_google", "vmeet_stt_google.settings"} <= set(done.stdout.split())
    assert not {"speech_recognition", "grpc", "google.cloud", "google.auth", "av"} & set(done.stdout.split())


def loaded(tmp_path: Path, endpoint: str, allowed: str) -> Transcriber:
    file = tmp_path / "vmeet.toml"
    table = f'[plugins.transcribers.google]\nengine = "web"\nendpoint = "{endpoint}"\n'
    file.write_text(f"[server]\nallow_leaving_host = {allowed}\n{table}")
    engine: Transcriber = load_provider(load_settings(file, {}), discover(), "transcribers", "google", tmp_path)
    return engine


def test_no_sound_leaves_this_machine_unless_the_settings_allow_it(tmp_path: Path, web: Any, speech: Audio) -> None:
    with pytest.raises(Permanent, match='"google" sends media to another machine, which the settings do not allow'):
        loaded(tmp_path, web.endpoint, "[]")
    assert web.requests == []
    with closing(loaded(tmp_path, web.endpoint, '["google"]')) as engine:
        assert [each.text for each in engine.open(GoogleOptions()).transcribe(speech, "zh", Context())] == [web.text]
    assert len(web.requests) == 1


def test_loading_asks_nobody_anything(web: Any, cloud: Any) -> None:
    local = {"engine": "cloud", "project": "meetings-1", "endpoint": cloud.endpoint}
    for settings, most_s in ((GoogleSettings(endpoint=web.endpoint), 15), (GoogleSettings(**local), 59)):
        with closing(GoogleProvider().load(settings, local_host())) as engine:
            assert (engine.sample_rate_hz, engine.max_chunk_s) == (16_000, most_s)
            engine.open(GoogleOptions()).close()
        engine.close()
    assert web.requests == cloud.metadata == []


def test_ten_seconds_without_a_word_are_waited_for(web: Any, cloud: Any, speech: Audio) -> None:
    """With the limits as they are by default: neither engine gives up, or asks twice."""
    web.next.append(web.stall(10))
    cloud.next += [cloud.stall(10)] * 2
    at_cloud = {"engine": "cloud", "project": "meetings-1", "endpoint": cloud.endpoint}
    every = [
        GoogleSettings(endpoint=web.endpoint),
        GoogleSettings(**at_cloud),
        GoogleSettings(method="streaming", **at_cloud),
    ]

    def said(settings: GoogleSettings) -> str:
        with closing(GoogleProvider().load(settings, local_host())) as engine:
            (segment,) = engine.open(GoogleOptions()).transcribe(speech, "zh", Context())
        return segment.text

    with ThreadPoolExecutor(len(every)) as pool:
        assert list(pool.map(said, every)) == ["今天天氣很好", "今天天氣很好。", "今天天氣很好。"]
    assert (len(web.requests), len(cloud.metadata)) == (1, 2)
