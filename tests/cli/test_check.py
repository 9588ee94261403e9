"""``vmeet check`` as a user runs it, on plugins installed for the test."""

import json

import pytest

from vmeet_core.cli.check import checks_of
from vmeet_core.testing import DENOISER_CHECKS, FRAME_FILTER_CHECKS, PROVIDER_CHECKS, TRANSCRIBER_CHECKS

PLUGIN = """
import numpy as np
from vmeet_core.hookspecs import hookimpl
from vmeet_core.testing import GateProvider
from vmeet_core.testing.fakes import GateEngine, GateStream

class Humming(GateStream):
    def process(self, audio):
        return super().process(audio) + np.float32(0.01)

class HummingEngine(GateEngine):
    def open(self, options):
        return Humming(options, 160)

class Hums(GateProvider):
    name = "hums"
    def load(self, server_settings, host):
        return HummingEngine()

class Far(GateProvider):
    name, leaves_host = "far", True

@hookimpl
def register_denoisers():
    return [GateProvider(), Hums(), Far()]
"""


NOTES = """
from vmeet_core.hookspecs import hookimpl
from vmeet_core.testing import NotesProvider

@hookimpl
def register_transcribers():
    return [NotesProvider()]
"""


@pytest.fixture
def check(run_vmeet, install_plugin, packages):
    install_plugin("vmeet-gate", PLUGIN)
    return lambda *args: run_vmeet("check", *args, packages=packages)


def test_a_good_denoiser_passes_every_check(check):
    done = check("gate")
    assert done.returncode == 0, done.stdout
    count = len(DENOISER_CHECKS)
    assert done.stdout.endswith(f"gate: {count} of {count} checks passed\n")
    assert "latency: the latency is as declared (160 samples, 10 ms)" in done.stdout


def test_a_bad_one_fails_with_the_remedy(check):
    done = check("hums")
    assert done.returncode == 1
    assert "hums: silence comes out with a peak of 0.01.\n        Remedy: Let zeros give zeros." in done.stdout


def test_json_holds_every_result(check):
    done = check("hums", "--json")
    results = {result["check"]: result for result in json.loads(done.stdout)}
    assert results.keys() == {each.name for each in DENOISER_CHECKS}
    assert results["silence"]["state"] == "failed"
    assert results["length"]["state"] == "passed"


def test_the_built_in_filter_passes_every_check(run_vmeet):
    done = run_vmeet("check", "brightness")
    assert done.returncode == 0, done.stdout
    count = len(FRAME_FILTER_CHECKS)
    assert done.stdout.endswith(f"brightness: {count} of {count} checks passed\n")
    assert "ms per 360p frame" in done.stdout


def test_a_good_transcriber_passes_every_check(run_vmeet, install_plugin, packages):
    install_plugin("vmeet-notes", NOTES)
    done = run_vmeet("check", "notes", packages=packages)
    assert done.returncode == 0, done.stdout
    count = len(TRANSCRIBER_CHECKS)
    assert done.stdout.endswith(f"notes: {count} of {count} checks passed\n")
    assert "words in order, inside their segment" in done.stdout


def test_of_other_kinds_what_they_say_is_checked():
    assert checks_of("video_enhancers") == PROVIDER_CHECKS
    assert checks_of("transcribers") == TRANSCRIBER_CHECKS


def test_an_unknown_name_gets_a_suggestion(check):
    done = check("gates")
    assert done.returncode == 1
    assert 'no installed plugin offers "gates". Did you mean "gate"?' in done.stderr


def test_what_may_not_leave_the_machine_is_refused(check):
    done = check("far")
    assert done.returncode == 1
    assert "sends media to another machine" in done.stderr


def test_one_name_in_two_kinds_asks_for_the_kind(run_vmeet, install_plugin, packages):
    source = PLUGIN.replace('name = "hums"', 'name = "brightness"')
    install_plugin("vmeet-twice", source)
    done = run_vmeet("check", "brightness", packages=packages)
    assert done.returncode == 1
    assert '"brightness" is offered in frame_filters and denoisers: name one with --kind' in done.stderr
    assert run_vmeet("check", "brightness", "--kind", "frame_filters", packages=packages).returncode == 0


def test_a_plugin_that_was_left_out_says_why(run_vmeet, install_plugin, packages):
    install_plugin("vmeet-broken", "raise ImportError('no luck')")
    done = run_vmeet("check", "vmeet-broken", packages=packages)
    assert done.returncode == 1
    assert "no luck" in done.stderr
