"""Reading vmeet.toml and the environment."""

from pathlib import Path

import pytest

from vmeet_core.settings import Settings, SettingsError, load_settings, with_bind


def load(folder: Path, toml: str, **environ: str) -> Settings:
    file = folder / "vmeet.toml"
    file.write_text(toml, encoding="utf-8")
    return load_settings(file, environ)


def faults(folder: Path, toml: str, **environ: str) -> dict[str, str]:
    """What is wrong, by key."""
    with pytest.raises(SettingsError) as caught:
        load(folder, toml, **environ)
    for problem in caught.value.problems:
        assert str(problem) in str(caught.value)
        assert problem.remedy
    return {problem.key: f"{problem.file}: {problem.message} {problem.remedy}" for problem in caught.value.problems}


def test_without_a_file_there_is_one_plain_preset(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    settings = load_settings(None, {})
    assert list(settings.meetings) == ["plain"]
    assert settings.meetings["plain"].chosen() == []
    assert settings.file is None
    assert (settings.server.host, settings.server.port) == ("127.0.0.1", 8080)
    assert settings.server.data_dir == tmp_path / "data"
    assert settings.weights.dir == tmp_path / "weights"
    assert settings.server.ice_servers == ()


def test_a_file_in_the_working_directory_is_found(tmp_path, monkeypatch):
    (tmp_path / "vmeet.toml").write_text('[server]\nbind = "localhost:1"')
    monkeypatch.chdir(tmp_path)
    assert load_settings(None, {}).server.port == 1


def test_the_variable_names_the_file(tmp_path):
    (tmp_path / "other.toml").write_text('[server]\nbind = "localhost:2"')
    settings = load_settings(None, {"VMEET_SETTINGS": str(tmp_path / "other.toml")})
    assert settings.server.port == 2
    assert settings.file == tmp_path / "other.toml"


def test_everything_can_be_set(tmp_path):
    settings = load(
        tmp_path,
        """
        [server]
        bind = "[::1]:0"
        ice_servers = [{ urls = "turn:t.example.org", username = "u", credential = "c" }]
        public_address = "203.0.113.7"
        udp_ports = "50000-50100"
        allow_leaving_host = ["google"]
        data_dir = "/var/lib/vmeet"
        access_key = "secret"
        [weights]
        dir = "../models"
        offline = true
        [plugins.denoisers.dtln]
        threads = 1
        [meetings.default]
        frame_filters = ["brightness", "pointrend"]
        live_denoiser = "dtln"
        denoiser = "unet"
        transcriber = "whisper"
        video_enhancer = "realesrgan"
        language = "zh"
        script = "traditional-tw"
        options.pointrend = { effect = "blur", strength = 0.6 }
        [meetings.plain]
        [pipeline]
        executor = "processes"
        workers = 2
        [recording]
        min_free_bytes = 1
        """,
    )
    assert (settings.server.host, settings.server.port) == ("::1", 0)
    assert settings.server.ice_servers[0].urls == "turn:t.example.org"
    assert settings.server.public_address == "203.0.113.7"
    assert settings.server.udp_range == (50000, 50100)
    assert settings.server.data_dir == Path("/var/lib/vmeet")
    assert settings.weights.dir == tmp_path / "../models"
    assert settings.weights.offline is True
    assert settings.plugins == {"denoisers": {"dtln": {"threads": 1}}}
    assert settings.meetings["default"].options == {"pointrend": {"effect": "blur", "strength": 0.6}}
    assert settings.meetings["default"].chosen() == [
        ("frame_filters[0]", "frame_filters", "brightness"),
        ("frame_filters[1]", "frame_filters", "pointrend"),
        ("live_denoiser", "denoisers", "dtln"),
        ("denoiser", "denoisers", "unet"),
        ("transcriber", "transcribers", "whisper"),
        ("video_enhancer", "video_enhancers", "realesrgan"),
    ]
    assert (settings.pipeline.workers, settings.recording.min_free_bytes) == (2, 1)


def test_secrets_are_not_shown(tmp_path):
    settings = load(
        tmp_path,
        """
        [server]
        access_key = "s3cret"
        ice_servers = [{urls = "turn:a", credential = "s3cret"}, {urls = "turn:b", secret = "s3cret"}]
        """,
    )
    assert settings.server.access_key == "s3cret"
    assert settings.server.ice_servers[1].secret == "s3cret"
    assert "s3cret" not in repr(settings)


WRONG = {
    "[server]\nbnd = 1": ("server.bnd", 'Did you mean "bind"?'),
    "[sever]": ("sever", 'Did you mean "server"?'),
    "server = 5": ("server", "where the server listens"),
    '[server]\nbind = "8080"': ("server.bind", "HOST:PORT"),
    '[server]\nbind = ":8080"': ("server.bind", "HOST:PORT"),
    '[server]\nbind = "host:65536"': ("server.bind", "HOST:PORT"),
    '[server]\nbind = "::1:80"': ("server.bind", "HOST:PORT"),
    '[server]\npublic_address = "here"': ("server.public_address", "IP address"),
    '[server]\nudp_ports = "50100-50000"': ("server.udp_ports", '"50000-50100"'),
    "[server]\nudp_ports = 50000": ("server.udp_ports", "string"),
    '[server]\nallow_leaving_host = "google"': ("server.allow_leaving_host", "valid"),
    '[server]\nice_servers = [{ urls = "http://x" }]': ("server.ice_servers[0].urls", '"stun:"'),
    "[server]\nice_servers = [{}]": ("server.ice_servers[0].urls", "is needed and absent"),
    '[server]\nice_servers = [{ urls = "stun:x", user = "a" }]': ("server.ice_servers[0].user", '"username"'),
    '[server]\nice_servers = [{ urls = "turn:x", username = "a", secret = "b" }]': (
        "server.ice_servers[0].secret",
        "should not stand beside username",
    ),
    '[server]\nice_servers = [{ urls = "turn:x", credential = "a", secret = "b" }]': (
        "server.ice_servers[0].secret",
        "should not stand beside username or credential",
    ),
    '[server]\nice_servers = [{ urls = "stun:x", secret = "b" }]': ("server.ice_servers[0].secret", '"turn:"'),
    '[server]\nice_servers = [{ urls = "turn:x", secret = "b", lifetime_s = 1 }]': (
        "server.ice_servers[0].lifetime_s",
        "greater than or equal to 60",
    ),
    '[weights]\noffline = "yes"': ("weights.offline", "boolean"),
    "[weights]\noffline = 1": ("weights.offline", "boolean"),
    "[weights]\ndir = 5": ("weights.dir", "string"),
    "[plugins.denoiser.dtln]": ("plugins.denoiser", 'Did you mean "denoisers"?'),
    "[plugins]\ndenoisers = 5": ("plugins.denoisers", "should be a table"),
    "[meetings.default]\ndenoiser = 5": ("meetings.default.denoiser", "string"),
    '[meetings.default]\ndenoiser = ""': ("meetings.default.denoiser", "at least 1"),
    "[meetings.default]\nlive_denoser = 5": ("meetings.default.live_denoser", 'Did you mean "live_denoiser"?'),
    '[meetings.default]\nlanguage = "Chinese!"': ("meetings.default.language", "BCP 47"),
    '[meetings.default]\nscript = "latin"': ("meetings.default.script", "traditional-tw"),
    '[meetings."My Meeting"]': ("meetings.My Meeting", "lower-case"),
    "[meetings.default]\nframe_filters = [5]": ("meetings.default.frame_filters[0]", "string"),
    "[pipeline]\nworkers = -1": ("pipeline.workers", "greater than or equal to 0"),
    '[pipeline]\nworkers = "2"': ("pipeline.workers", "integer"),
    '[pipeline]\nexecutor = "cloud"': ("pipeline.executor", "processes"),
    "[recording]\nmin_free_bytes = -1": ("recording.min_free_bytes", "greater"),
    "[recording]\npart_s = 9": ("recording.part_s", "greater"),
    "[recording]\npart_s = 601": ("recording.part_s", "less"),
}


@pytest.mark.parametrize("toml", WRONG)
def test_a_fault_names_the_file_the_key_and_the_remedy(toml, tmp_path):
    key, words = WRONG[toml]
    found = faults(tmp_path, toml)
    assert list(found) == [key]
    assert words in found[key]
    assert str(tmp_path / "vmeet.toml") in found[key]


def test_all_faults_come_together_with_what_is_sound(tmp_path):
    file = tmp_path / "vmeet.toml"
    file.write_text('[server]\nbind = "x"\nbnd = 1\n[meetings.a]\ndenoiser = "d"\nscript = 1\n[weights]\ndir = "w"')
    with pytest.raises(SettingsError) as caught:
        load_settings(file, {"VMEET_SERVR__BIND": "x"})
    keys = {problem.key for problem in caught.value.problems}
    assert keys == {"server.bind", "server.bnd", "meetings.a.script", "VMEET_SERVR__BIND"}
    assert caught.value.sound.meetings["a"].denoiser == "d"
    assert caught.value.sound.weights.dir == tmp_path / "w"


@pytest.mark.parametrize("text", ["[server", 'bind = "a', "a = 1\na = 2", "bind = 127.0.0.1:8080"])
def test_what_is_no_toml_is_told_with_the_line(text, tmp_path):
    (message,) = faults(tmp_path, text).values()
    assert "is no TOML" in message
    assert "line" in message or "end of document" in message


def test_what_is_no_text_is_told(tmp_path):
    file = tmp_path / "vmeet.toml"
    file.write_bytes(b"[server]\n# \xff")
    with pytest.raises(SettingsError, match=r"no UTF-8 text \(byte 11\)"):
        load_settings(file, {})


def test_an_absent_file_is_told(tmp_path):
    with pytest.raises(SettingsError, match=r"none\.toml: the settings cannot be read: No such file"):
        load_settings(tmp_path / "none.toml", {})
    with pytest.raises(SettingsError, match=r"none\.toml"):
        load_settings(None, {"VMEET_SETTINGS": str(tmp_path / "none.toml")})


def test_the_environment_overrides_with_the_types_of_the_models(tmp_path):
    settings = load(
        tmp_path,
        '[server]\nbind = "a:1"\n[plugins.denoisers.dtln]\nthreads = 1\n[meetings.default]',
        VMEET_SERVER__BIND="b:2",
        VMEET_SERVER__ACCESS_KEY="1234",
        VMEET_SERVER__ALLOW_LEAVING_HOST='["google"]',
        VMEET_WEIGHTS__OFFLINE="true",
        VMEET_WEIGHTS__DIR="models",
        VMEET_PIPELINE__WORKERS="3",
        VMEET_PLUGINS__DENOISERS__DTLN__THREADS="2",
        VMEET_PLUGINS__DENOISERS__DTLN__MODE="fast",
        VMEET_MEETINGS__DEFAULT__DENOISER="dtln",
        VMEET_RECORDING__MIN_FREE_BYTES="5",
    )
    assert (settings.server.bind, settings.server.access_key) == ("b:2", "1234")
    assert settings.server.allow_leaving_host == ("google",)
    assert (settings.weights.offline, settings.weights.dir) == (True, tmp_path / "models")
    assert (settings.pipeline.workers, settings.recording.min_free_bytes) == (3, 5)
    assert settings.plugins["denoisers"]["dtln"] == {"threads": 2, "mode": "fast"}
    assert settings.meetings["default"].denoiser == "dtln"


@pytest.mark.parametrize(
    ("variable", "value", "words"),
    [
        ("VMEET_SERVER__BIND", "x", "HOST:PORT"),
        ("VMEET_SERVER__BND", "x", 'Did you mean "bind"?'),
        ("VMEET_SERVR__BIND", "x", 'Did you mean "server"?'),
        ("VMEET_PIPELINE__WORKERS", "many", "integer"),
        ("VMEET_PIPELINE__WORKERS", "2.5", "integer"),
        ("VMEET_WEIGHTS__OFFLINE", "yes", "boolean"),
        ("VMEET_WEIGHTS", "", None),
        ("VMEET_PORT", "tcp://10.0.0.1:80", None),
    ],
)
def test_a_wrong_variable_is_named(variable, value, words, tmp_path):
    """Container platforms set VMEET_PORT and its like for a service of this name: only ``__`` makes a setting."""
    if words is None:
        assert load(tmp_path, "", **{variable: value}).server.port == 8080
        return
    found = faults(tmp_path, "", **{variable: value})
    assert list(found) == [variable]
    assert found[variable].startswith("environment: ")
    assert words in found[variable]


def test_with_bind_checks_too(tmp_path):
    settings = load(tmp_path, '[server]\naccess_key = "k"')
    moved = with_bind(settings, "0.0.0.0:9")
    assert (moved.server.host, moved.server.port, moved.server.access_key) == ("0.0.0.0", 9, "k")
    assert moved.server.data_dir == settings.server.data_dir
    with pytest.raises(SettingsError, match=r"--bind: bind: should be"):
        with_bind(settings, "nowhere")


def test_every_table_of_the_file_is_in_force(tmp_path: Path) -> None:
    file = tmp_path / "vmeet.toml"
    file.write_text("[live]\nworkers = 3\n[pipeline]\nworkers = 2\n[recording]\nmin_free_bytes = 1\n")
    settings = load_settings(file, {})
    assert (settings.live.workers, settings.pipeline.workers, settings.recording.min_free_bytes) == (3, 2, 1)


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("", ""),
        ("postgresql://me:pw@db/vmeet", "postgresql+asyncpg://me:pw@db/vmeet"),
        ("postgresql+asyncpg://me@db:5433/vmeet?ssl=require", "postgresql+asyncpg://me@db:5433/vmeet?ssl=require"),
        ("postgres:///vmeet?host=/run/postgresql", "postgresql+asyncpg:///vmeet?host=/run/postgresql"),
    ],
)
def test_addresses_of_databases(given: str, kept: str) -> None:
    assert load_settings(None, {"VMEET_SERVER__DATABASE": given}).server.database == kept


@pytest.mark.parametrize("given", ["mysql://db/vmeet", "postgresql://db", "postgresql+psycopg://db/vmeet", "vmeet.db"])
def test_what_is_no_address_of_a_database_is_told(given: str) -> None:
    with pytest.raises(SettingsError, match=r"VMEET_SERVER__DATABASE: .*postgresql://USER:PASSWORD@HOST/NAME"):
        load_settings(None, {"VMEET_SERVER__DATABASE": given})


def test_no_table_is_lost(tmp_path):
    settings = load(tmp_path, "[live]\nworkers = 3\n[pipeline]\nworkers = 4\n[recording]\nmin_free_bytes = 5")
    assert (settings.live.workers, settings.pipeline.workers, settings.recording.min_free_bytes) == (3, 4, 5)


def test_the_picture_of_a_recording(tmp_path):
    settings = load(
        tmp_path,
        """
        [video]
        layout = "speaker"
        width_px = 1920
        height_px = 1080
        fps = 60
        [meetings.default]
        layout = "grid"
        """,
    )
    assert settings.video.model_dump() == {"layout": "speaker", "width_px": 1920, "height_px": 1080, "fps": 60}
    assert settings.meetings["default"].layout == "grid"
    defaults = load(tmp_path, "").video
    assert (defaults.layout, defaults.width_px, defaults.height_px, defaults.fps) == ("grid", 1280, 720, 30)


@pytest.mark.parametrize(
    ("toml", "key", "message"),
    [
        ("[video]\nfps = 14", "video.fps", "greater than or equal to 15"),
        ("[video]\nfps = 61", "video.fps", "less than or equal to 60"),
        ("[video]\nfps = 29.97", "video.fps", "integer"),
        ("[video]\nwidth_px = 1281", "video.width_px", "multiple of 2"),
        ("[video]\nwidth_px = 7680", "video.width_px", "less than or equal to 3840"),
        ("[video]\nheight_px = 100", "video.height_px", "greater than or equal to 180"),
        ('[video]\nlayout = "mosaic"', "video.layout", "'grid' or 'speaker'"),
        ('[meetings.m]\nlayout = "gird"', "meetings.m.layout", "'grid' or 'speaker'"),
    ],
)
def test_a_picture_that_cannot_be_made_is_refused_with_its_key(tmp_path, toml, key, message):
    (found,) = faults(tmp_path, toml).items()
    assert found[0] == key
    assert message in found[1]
    assert "vmeet.toml" in found[1]
    assert "Meaning of the key" in found[1]
