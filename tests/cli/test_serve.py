"""``vmeet serve`` refuses to start on any fault, before it listens; the server's own tests do the rest."""

import asyncio
import contextlib
import socket
import sqlite3

import pytest

from vmeet_core.database import sqlite_address
from vmeet_core.database.migrate import migrate


@pytest.mark.parametrize(
    ("toml", "words"),
    [
        ('[meetings.a]\ndenoiser = "none"', 'no installed plugin offers "none"'),
        ('[meetings.a]\nvideo_enhancer = "words"', "will not leave it out in silence"),
        ("[server]\nbind = 8080", "server.bind"),
    ],
)
def test_it_does_not_listen_on_a_fault(toml, words, run_vmeet, tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        (tmp_path / "vmeet.toml").write_text(toml)
        # Were it to listen first, the taken port would be what it complains about.
        done = run_vmeet("serve", "--bind", f"127.0.0.1:{taken.getsockname()[1]}")
    assert done.returncode == 1
    assert words in done.stderr
    assert "in use" not in done.stderr


def test_a_wrong_bind_is_told(run_vmeet):
    done = run_vmeet("serve", "--bind", "nowhere")
    assert done.returncode == 1
    assert "--bind: bind: should be" in done.stderr


def test_a_database_of_a_newer_program_is_told(run_vmeet, tmp_path):
    file = tmp_path / "data" / "vmeet.sqlite3"
    file.parent.mkdir()
    asyncio.run(migrate(sqlite_address(file)))
    with contextlib.closing(sqlite3.connect(file, isolation_level=None)) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    done = run_vmeet("serve", "--bind", "127.0.0.1:0")
    assert done.returncode == 1
    assert f"vmeet: the database {file} was made by a newer VMeet" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_driver_that_is_not_installed_is_told(run_vmeet, tmp_path, packages):
    (packages / "asyncpg").mkdir()
    (packages / "asyncpg" / "__init__.py").write_text("raise ModuleNotFoundError(name='asyncpg')")
    url = "postgresql://me:secret@127.0.0.1/vmeet"
    done = run_vmeet("serve", "--bind", "127.0.0.1:0", packages=packages, VMEET_SERVER__DATABASE=url)
    assert done.returncode == 1
    assert "needs the package asyncpg, which is not installed. Run: pip install 'vmeet-core[postgresql]'" in done.stderr
    assert "secret" not in done.stderr
