"""What tests of several rooms share."""

import os
import subprocess
import sys
import textwrap
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest
from postgresql_server import PostgresqlServer, programs

from vmeet_core.database import Address, Database, sqlite_address

Completed = subprocess.CompletedProcess[str]
RunVmeet = Callable[..., Completed]
InstallPlugin = Callable[..., Path]
UsePlugin = Callable[[str, str], None]


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The test material beside the checkout; tests that want it skip where it is absent."""
    folder = Path(__file__).parents[1] / "../shared/data"
    if not folder.is_dir():
        pytest.skip("the folder shared/data beside the checkout is absent")
    return folder.resolve()


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[PostgresqlServer]:
    """Running; a test that stops it starts it again."""
    folder = programs()
    if folder is None:
        if os.environ.get("CI"):
            pytest.fail("PostgreSQL is not installed, and CI does without no test")
        pytest.skip("PostgreSQL is not installed; on Debian: apt-get install postgresql")
    server = PostgresqlServer(folder)
    server.start()
    yield server
    server.stop()
    server.remove()


@pytest.fixture(params=["sqlite", "postgresql"])
def address(request: pytest.FixtureRequest, tmp_path: Path) -> Address:
    """Of a new, empty database of each kind."""
    if request.param == "sqlite":
        return sqlite_address(tmp_path / "state.sqlite3")
    return Address.parse(request.getfixturevalue("postgresql_server").make_database())


@pytest.fixture
async def database(address: Address) -> AsyncIterator[Database]:
    """An open one of each kind."""
    database = await Database.open(address)
    yield database
    await database.close()


@pytest.fixture
def run_vmeet(tmp_path: Path) -> RunVmeet:
    """Runs the command ``vmeet`` as a user does, in a process and a folder of its own."""

    def run(*args: object, packages: Path | None = None, **environ: str) -> Completed:
        own = {key: value for key, value in os.environ.items() if not key.startswith("VMEET_")}
        if packages is not None:
            own["PYTHONPATH"] = str(packages)
        command = [sys.executable, "-c", "import sys; from vmeet_core.cli import main; sys.exit(main())"]
        return subprocess.run(
            [*command, *map(str, args)], cwd=tmp_path, env=own | environ, capture_output=True, text=True, timeout=120
        )

    return run


@pytest.fixture
def packages(tmp_path: Path) -> Path:
    """A folder on which packages can be installed; the core's own environment stays as it is."""
    folder = tmp_path / "packages"
    folder.mkdir()
    return folder


@pytest.fixture
def use_plugin(install_plugin: InstallPlugin, monkeypatch: pytest.MonkeyPatch) -> UsePlugin:
    """Installs a plugin for this process and those that it starts."""

    def use(distribution: str, source: str) -> None:
        folder = install_plugin(distribution, source)
        monkeypatch.syspath_prepend(str(folder))
        monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(folder), os.environ.get("PYTHONPATH", "")]))

    return use


@pytest.fixture
def install_plugin(packages: Path) -> InstallPlugin:
    """Installs a package with one module and an entry point, as pip lays it out."""

    def install(distribution: str, source: str, entry_point: str | None = None) -> Path:
        module = distribution.replace("-", "_")
        (packages / f"{module}.py").write_text(textwrap.dedent(source), encoding="utf-8")
        info = packages / f"{module}-1.2.3.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {distribution}\nVersion: 1.2.3\n")
        (info / "entry_points.txt").write_text(entry_point or f"[vmeet]\n{distribution} = {module}\n")
        return packages

    return install
