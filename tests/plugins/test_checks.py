"""The settings are checked against what is really installed, all faults at once, before anything listens."""

import hashlib
from pathlib import Path

import pytest

PROVIDERS = """
from pydantic import Field
from vmeet_core.hookspecs import API, Options, Provider, Source, TranscriberProvider, Weight, hookimpl

class Settings(Options):
    threads: int = Field(1, ge=1, le=8, description="how many processor cores it uses")

class Choices(Options):
    strength: float = Field(0.5, ge=0, le=1, title="Strength", description="how much noise is taken away")

class Cloud(Settings):
    project: str = Field(description="the project that pays")

class Quiet(Provider):
    api, name, title, licence = API, "quiet", "Quiet", "MIT"
    server_settings, options = Settings, Choices
    def load(self, server_settings, host):
        raise AssertionError

class Heavy(Quiet):
    name = "heavy"
    weights = (Weight("heavy.onnx", "{digest}", 5, "MIT", (Source(url="https://example.org/heavy.onnx"),)),)

class Remote(Quiet):
    name, server_settings, leaves_host = "remote", Cloud, True

class Words(TranscriberProvider):
    api, name, title, licence, languages = API, "words", "Words", "MIT", ("zh",)
    def load(self, server_settings, host):
        raise AssertionError

@hookimpl
def register_denoisers():
    return [Quiet(), Heavy(), Remote()]

@hookimpl
def register_transcribers():
    return [Words()]
""".replace("{digest}", hashlib.sha256(b"hello").hexdigest())


@pytest.fixture
def problems(tmp_path, packages, install_plugin, run_vmeet):
    """What the server says about some settings instead of starting."""
    install_plugin("vmeet-some", PROVIDERS)

    def check(toml: str, **environ: str) -> str:
        (tmp_path / "vmeet.toml").write_text(toml, encoding="utf-8")
        done = run_vmeet("serve", packages=packages, **environ)
        assert done.returncode == 1
        assert "Traceback" not in done.stderr
        return str(done.stderr)

    return check


WRONG = {
    "unknown plugin": (
        '[meetings.default]\ndenoiser = "quite"',
        'vmeet.toml: meetings.default.denoiser: no installed plugin offers "quite"',
        'Did you mean "quiet"?',
    ),
    "plugin of another kind": (
        '[meetings.default]\ndenoiser = "words"',
        'meetings.default.denoiser: no installed plugin offers "words" among the denoisers',
        "heavy, quiet, remote",
    ),
    "unknown table": ("[plugins.denoisers.quit]", "plugins.denoisers.quit: no installed", 'Did you mean "quiet"?'),
    "server setting": (
        "[plugins.denoisers.quiet]\nthreds = 1",
        "plugins.denoisers.quiet.threds: there is no such setting",
        'Did you mean "threads"?',
    ),
    "server setting type": (
        '[plugins.denoisers.quiet]\nthreads = "2"',
        "plugins.denoisers.quiet.threads: should be a valid integer",
        "how many processor cores",
    ),
    "server setting bound": (
        "[plugins.denoisers.quiet]\nthreads = 9",
        "plugins.denoisers.quiet.threads: should be less than or equal to 8",
        "how many processor cores",
    ),
    "option": (
        '[meetings.a]\ndenoiser = "quiet"\noptions.quiet = { strength = 3 }',
        "meetings.a.options.quiet.strength: should be less than or equal to 1",
        "how much noise",
    ),
    "option name": (
        '[meetings.a]\ndenoiser = "quiet"\noptions.quiet = { strenth = 1 }',
        "meetings.a.options.quiet.strenth: there is no such setting",
        'Did you mean "strength"?',
    ),
    "options of nothing": (
        '[meetings.a]\ndenoiser = "quiet"\noptions.quieter = { strength = 1 }',
        'meetings.a.options.quieter: no installed plugin offers "quieter"',
        'Did you mean "quiet"?',
    ),
    "options of one that is not chosen": (
        '[meetings.a]\ndenoiser = "heavy"\noptions.quiet = { strength = 3 }',
        "meetings.a.options.quiet.strength: should be less",
        "how much noise",
    ),
    "weight": (
        '[meetings.a]\ndenoiser = "heavy"',
        'meetings.a.denoiser: the model file heavy.onnx of "heavy" is absent',
        "Run: vmeet --settings vmeet.toml weights fetch heavy",
    ),
    "leaves host": (
        '[plugins.denoisers.remote]\nproject = "x"\n[meetings.a]\ndenoiser = "remote"',
        'meetings.a.denoiser: "remote" sends media to another machine',
        'Add "remote" to server.allow_leaving_host',
    ),
    "allowed and unknown": (
        '[server]\nallow_leaving_host = ["remot"]',
        'server.allow_leaving_host[0]: no installed plugin offers "remot"',
        'Did you mean "remote"?',
    ),
    "a needed setting": (
        '[server]\nallow_leaving_host = ["remote"]\n[meetings.a]\ndenoiser = "remote"',
        "plugins.denoisers.remote.project: is needed and absent",
        "the project that pays",
    ),
    "live denoiser": (
        '[meetings.a]\nlive_denoiser = "quite"',
        'meetings.a.live_denoiser: no installed plugin offers "quite"',
        'Did you mean "quiet"?',
    ),
    "frame filter": (
        '[meetings.a]\nframe_filters = ["brightness", "brigthness"]',
        'meetings.a.frame_filters[1]: no installed plugin offers "brigthness"',
        'Did you mean "brightness"?',
    ),
    "no denoised sound": (
        '[meetings.a]\ntranscriber = "words"\ntranscribe_from = "denoised"',
        "meetings.a.transcribe_from: without a denoiser",
        "Choose a denoiser",
    ),
    "enhancer": ('[meetings.a]\nvideo_enhancer = "big"', "meetings.a.video_enhancer: this version", "video_enhancer"),
}


@pytest.mark.parametrize("fault", WRONG)
def test_a_fault_names_the_file_the_key_and_the_remedy(fault, problems):
    toml, place, remedy = WRONG[fault]
    said = problems(toml)
    assert place in said
    assert remedy in said
    assert "vmeet.toml: " in said


def test_a_preset_names_a_plugin_that_was_left_out(problems, install_plugin):
    install_plugin("vmeet-loud", "import no_such_runtime")
    said = problems('[meetings.a]\ndenoiser = "loud"')
    assert 'meetings.a.denoiser: no installed plugin offers "loud"' in said
    assert "vmeet-loud was left out: cannot be imported: ModuleNotFoundError" in said


def test_all_faults_are_told_at_once(problems):
    said = problems(
        '[server]\nbnd = 1\nbind = 5\n[meetings.a]\ndenoiser = "heavyy"\nlanguage = 5\n[meetings.b]\ndenoiser = "heavy"'
    )
    for key in ("server.bnd", "server.bind", "meetings.a.language", "meetings.a.denoiser", "meetings.b.denoiser"):
        assert f"vmeet.toml: {key}: " in said


def test_a_corrupt_weight_is_told(problems, tmp_path: Path):
    (tmp_path / "weights").mkdir()
    (tmp_path / "weights/heavy.onnx").write_bytes(b"HELLO")
    assert 'the model file heavy.onnx of "heavy" is corrupt' in problems('[meetings.a]\ndenoiser = "heavy"')


def test_the_environment_reaches_plugins(problems):
    said = problems("[plugins.denoisers.quiet]", VMEET_PLUGINS__DENOISERS__QUIET__THREADS="99")
    assert "plugins.denoisers.quiet.threads: should be less than or equal to 8" in said


def test_good_settings_pass(tmp_path, packages, install_plugin, run_vmeet):
    install_plugin("vmeet-some", PROVIDERS)
    (tmp_path / "weights").mkdir()
    (tmp_path / "weights/heavy.onnx").write_bytes(b"hello")
    (tmp_path / "vmeet.toml").write_text(
        '[server]\nallow_leaving_host = ["remote"]\n[plugins.denoisers]\nquiet.threads = 2\nremote.project = "x"\n'
        '[meetings.a]\ndenoiser = "heavy"\noptions.quiet.strength = 1\n'
        '[meetings.b]\ndenoiser = "remote"\n[meetings.plain]\n'
    )
    done = run_vmeet("doctor", packages=packages)
    assert "ok    settings: vmeet.toml; presets: a, b, plain" in done.stdout
    assert "ok    model files: all 1 that the presets need are there" in done.stdout
