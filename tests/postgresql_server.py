"""A PostgreSQL of our own for the tests: Debian's programs, as an unprivileged user, in a temporary folder."""

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import uuid
from pathlib import Path
from typing import Any

USER = "vmeet"
#: Without fsync what was committed outlives a crash of PostgreSQL, not one of the machine.
SETTINGS = {"fsync": "off", "listen_addresses": "127.0.0.1", "max_connections": "60"}


def programs() -> Path | None:
    """The folder of initdb and pg_ctl, the newest one; None where PostgreSQL is not installed."""
    found = shutil.which("pg_ctl")
    if found:
        return Path(found).resolve().parent
    folders = sorted(Path("/usr/lib/postgresql").glob("*/bin/pg_ctl"), key=lambda path: int(path.parts[-3]))
    return folders[-1].parent if folders else None


class PostgresqlServer:
    """Started and stopped at will; ``url()`` is of a new, empty database."""

    def __init__(self, folder_of_programs: Path) -> None:
        self._programs = folder_of_programs
        self._folder = Path(tempfile.mkdtemp(prefix="vmeet-postgresql-"))
        self._user = None if os.getuid() else self._unprivileged()
        if self._user:
            shutil.chown(self._folder, self._user)
        self.port = _free_port()
        self._call("initdb", "-D", str(self._data), "-U", USER, "-A", "trust", "-E", "UTF8", "--locale=C", "-N")

    @property
    def _data(self) -> Path:
        return self._folder / "data"

    @staticmethod
    def _unprivileged() -> str:
        """PostgreSQL refuses to run as root."""
        names = {entry.pw_name for entry in pwd.getpwall()}
        return "postgres" if "postgres" in names else "nobody"

    def _call(self, program: str, *arguments: str) -> None:
        options: dict[str, Any] = {}
        if self._user:
            options = {"user": self._user, "group": pwd.getpwnam(self._user).pw_gid, "extra_groups": []}
        command = [str(self._programs / program), *arguments]
        done = subprocess.run(command, cwd="/", stdin=subprocess.DEVNULL, capture_output=True, text=True, **options)
        if done.returncode:
            raise RuntimeError(f"{program}: {done.stdout}{done.stderr}")

    def start(self) -> None:
        options = " ".join(f"-c {name}={value}" for name, value in SETTINGS.items())
        log = str(self._folder / "log")
        options += f" -p {self.port} -k {self._folder}"
        self._call("pg_ctl", "-D", str(self._data), "-l", log, "-o", options, "-w", "start")

    def stop(self) -> None:
        """At once, as a crash would."""
        self._call("pg_ctl", "-D", str(self._data), "-m", "immediate", "-w", "stop")

    def remove(self) -> None:
        shutil.rmtree(self._folder)

    def address(self, name: str) -> str:
        """The URL of a database, there or not."""
        return f"postgresql://{USER}@127.0.0.1:{self.port}/{name}"

    def make_database(self, *options: str) -> str:
        """The URL of a new database."""
        name = f"test_{uuid.uuid4().hex[:12]}"
        self._call("createdb", "-h", "127.0.0.1", "-p", str(self.port), "-U", USER, "-T", "template0", *options, name)
        return self.address(name)


def _free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])
