"""``vmeet doctor`` on a machine that is well, and on ones that are not."""

import asyncio
import sqlite3
import sys

import pytest

from vmeet_core.cli import doctor
from vmeet_core.database import sqlite_address
from vmeet_core.database.migrate import HEAD, migrate
from vmeet_core.settings import Recording, Server, Settings
from vmeet_core.sfu import network


def found(done):
    return [line for line in done.stdout.splitlines() if line[:2] in ("ok", "FA")]


def test_a_sound_machine(run_vmeet, tmp_path):
    done = run_vmeet("doctor")
    subjects = {line[6:].partition(":")[0]: line[:5].strip() for line in found(done)}
    for subject in (
        "Python",
        "packages",
        "aiortc",
        "codecs",
        "disk",
        "database",
        "UDP ports",
        "settings",
        "plugin",
        "model files",
    ):
        assert subjects[subject] == "ok", done.stdout
    assert subjects.pop("fonts") in ("ok", "FAULT")  # a matter of the machine
    assert "FAULT" not in subjects.values()
    assert "Error" not in done.stdout  # no check broke
    assert done.returncode == (1 if "FAULT" in done.stdout else 0)
    assert list(tmp_path.iterdir()) == []


def test_every_fault_is_found_in_one_run(run_vmeet, install_plugin, packages, tmp_path):
    install_plugin("vmeet-broken", "import no_such_runtime")
    (tmp_path / "vmeet.toml").write_text(
        f'[server]\nbnd = 1\n[recording]\nmin_free_bytes = {10**18}\n[meetings.a]\ndenoiser = "nothing"'
    )
    done = run_vmeet("doctor", packages=packages)
    assert done.returncode == 1
    faults = "\n".join(line for line in found(done) if line.startswith("FAULT"))
    assert "settings: vmeet.toml: server.bnd: there is no such setting." in faults
    assert 'meetings.a.denoiser: no installed plugin offers "nothing"' in faults
    assert "plugin: vmeet-broken (vmeet-broken) was left out: cannot be imported" in faults
    assert "disk: " in faults
    assert 'Did you mean "bind"?' in done.stdout
    assert "Traceback" not in done.stdout + done.stderr


def test_a_folder_that_cannot_be_written_is_a_fault(tmp_path, monkeypatch):
    monkeypatch.setattr(doctor.os, "access", lambda path, mode: False)  # root may write everywhere
    settings = Settings(server=Server(data_dir=tmp_path / "a/b"), recording=Recording(min_free_bytes=0))
    room, permission = doctor.disk(settings)
    assert room.remedy == ""
    assert permission.found == f"{tmp_path} cannot be written"
    assert "server.data_dir" in permission.remedy


def test_the_database_and_its_version_are_named(tmp_path, postgresql_server):
    """Without making or changing it."""
    settings = Settings(server=Server(data_dir=tmp_path))
    file = tmp_path / "vmeet.sqlite3"
    (finding,) = doctor.database(settings)
    assert finding == (
        "database",
        f"SQLite {sqlite3.sqlite_version}, {file}: not there yet, made at the first start",
        "",
    )
    assert not file.exists()
    asyncio.run(migrate(sqlite_address(file)))
    (finding,) = doctor.database(settings)
    assert finding.found == f"SQLite {sqlite3.sqlite_version}, {file}: tables of version {HEAD}"

    url = postgresql_server.make_database()
    settings = Settings(server=Server(data_dir=tmp_path, database=url))
    (finding,) = doctor.database(settings)
    assert finding.found.startswith("PostgreSQL 1")
    assert finding.found.endswith(f": tables without a version, brought to {HEAD} at the next start")
    assert finding.remedy == ""


def test_a_database_that_the_server_could_not_start_on_is_a_fault(tmp_path):
    settings = Settings(server=Server(data_dir=tmp_path, database="postgresql://me:secret@127.0.0.1:1/x"))
    (finding,) = doctor.database(settings)
    assert "127.0.0.1:1/x cannot be used" in finding.found
    assert "secret" not in finding.found
    assert "server.database" in finding.remedy
    asyncio.run(migrate(sqlite_address(tmp_path / "vmeet.sqlite3")))
    with sqlite3.connect(tmp_path / "vmeet.sqlite3") as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    connection.close()
    (finding,) = doctor.database(Settings(server=Server(data_dir=tmp_path)))
    assert "a newer VMeet" in finding.found
    assert finding.remedy


def test_the_first_free_udp_port_is_named():
    (finding,) = doctor.udp_ports(Settings(server=Server(udp_ports="1024-65535")))
    assert finding.remedy == ""
    assert "of 1024-65535, on " in finding.found
    (finding,) = doctor.udp_ports(Settings())
    assert (finding.found.partition(",")[0], finding.remedy) == ("any", "")


def test_a_udp_port_that_is_taken_is_a_fault():
    taken = list(network.bind_all(network.usable_addresses(), None).values())
    port = taken[0].getsockname()[1]
    (finding,) = doctor.udp_ports(Settings(server=Server(udp_ports=str(port))))
    assert finding.found.startswith(f"every UDP port of {port} (server.udp_ports) is taken")
    assert "server.udp_ports" in finding.remedy
    for sock in taken:
        sock.close()


def test_a_public_address_of_another_kind_is_a_fault(monkeypatch):
    monkeypatch.setattr(network, "usable_addresses", lambda: ["127.0.0.1"])
    (finding,) = doctor.udp_ports(Settings(server=Server(public_address="2001:db8::7")))
    assert finding.found.startswith("server.public_address is 2001:db8::7")
    assert finding.remedy


def test_packages_in_other_versions_are_faults(monkeypatch):
    monkeypatch.setattr(doctor, "requires", lambda name: ["numpy>=99", "no-such-package", "av>=1", "x; extra == 'y'"])
    wrong, absent = doctor.packages()
    assert wrong.found.startswith("numpy ")
    assert wrong.found.endswith(" does not fit numpy>=99")
    assert wrong.remedy == f"Run: {sys.executable} -m pip install 'numpy>=99'"
    assert absent.found == "no-such-package is not installed"


@pytest.mark.parametrize(
    ("requirement", "fits"),
    [("numpy<99,>=1.26", True), ("numpy<1", False), ("numpy==1.2.3", False), ("sqlalchemy[asyncio]>=2.0", True)],
)
def test_versions_are_compared_as_numbers(requirement, fits):
    assert (doctor._unmet(requirement) is None) is fits


def test_a_font_with_chinese_is_looked_for(monkeypatch, tmp_path):
    (tmp_path / "font.ttc").touch()
    monkeypatch.setattr("vmeet_core.media.titles.CJK_FONTS", ("/no/such.ttc", str(tmp_path / "font.ttc")))
    assert list(doctor.fonts()) == [doctor.Finding("fonts", str(tmp_path / "font.ttc"))]
    monkeypatch.setattr("vmeet_core.media.titles.CJK_FONTS", ("/no/such.ttc",))
    (finding,) = doctor.fonts()
    assert "fonts-noto-cjk" in finding.remedy


def test_missing_codecs_are_named(monkeypatch):
    monkeypatch.setattr(doctor, "ENCODERS", ("flac", "no-such-codec"))
    monkeypatch.setattr(doctor, "CONTAINERS", ("no-such-format",))
    (finding,) = doctor.codecs()
    assert finding.found == "missing: encoder no-such-codec, format no-such-format"
    assert "pip install" in finding.remedy


def test_a_check_that_breaks_is_a_fault_and_no_crash():
    def broken_check():
        raise RuntimeError("no idea")
        yield

    (finding,) = doctor._guarded(broken_check)
    assert finding.subject == "broken check"
    assert finding.found == "RuntimeError: no idea"
    assert finding.remedy
