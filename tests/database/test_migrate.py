"""Tests of the migrations on real databases of both kinds, and on one of the time before there were any."""

import asyncio
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text

import vmeet_core.pipeline.store
import vmeet_core.search
import vmeet_core.server.store
import vmeet_core.server.upload_store  # noqa: F401 - with these all tables are known
from vmeet_core.database import Address, Base, Database, DatabaseError, sqlite_address
from vmeet_core.database.migrate import HEAD, MIGRATIONS, migrate, schema
from vmeet_core.pipeline.store import JobStore
from vmeet_core.search import parse_query
from vmeet_core.server.store import Store

BEFORE = Path(__file__).with_name("before_migrations.sql")  #: what the last version without migrations left


async def ask(database: Database, question: Any) -> Any:
    async with database.session() as session:
        return await (await session.connection()).run_sync(question)


def differences(connection: Connection) -> list[Any]:
    """Between the tables as they are and as the program declares them."""

    def ours(name: str | None, kind: str, parents: Any) -> bool:
        return not (
            kind == "table" and name and name.startswith("text_grams")
        )  # declared nowhere: not the same in both

    options = {"compare_type": True, "include_name": ours}
    return list(compare_metadata(MigrationContext.configure(connection, opts=options), Base.metadata))


def test_the_newest_migration_is_the_one_that_the_program_asks_for() -> None:
    scripts = ScriptDirectory(str(MIGRATIONS))
    assert scripts.get_heads() == [HEAD]
    revisions = [script.revision for script in scripts.walk_revisions()]
    assert revisions == sorted(revisions, reverse=True)
    assert all(len(revision) == 4 and revision.isdecimal() for revision in revisions)


async def test_migrations_make_what_the_program_declares(database: Database) -> None:
    assert await ask(database, schema) == HEAD
    assert await ask(database, differences) == []


@pytest.fixture
def old(tmp_path: Path) -> Path:
    file = tmp_path / "vmeet.sqlite3"
    connection = sqlite3.connect(file)
    connection.executescript(BEFORE.read_text(encoding="utf-8"))
    connection.close()
    return file


async def test_a_database_from_before_is_taken_over_without_loss(old: Path) -> None:
    database = await Database.open(old)
    assert await ask(database, differences) == []
    store = Store(database)
    meeting = await store.meeting("m-one")
    assert meeting is not None
    assert (meeting.title, meeting.host_key) == ("週一例會", "host-key")
    newer, older = await store.recordings()
    assert (newer.title, newer.note, newer.people) == ("Plan B", "the disk is nearly full", [])
    assert (older.title, older.people, older.duration_s) == ("週一例會", ["王小明", "Zoë"], 61.25)
    (job,) = await JobStore(database).unfinished()
    assert [step.state for step in job.steps] == ["done", "queued"]
    assert job.steps[0].log.tail() == ["one", "two"]
    await store.index_names()
    found = await store.search(parse_query("小明 zoe"), 10, 0)
    assert [row.id for row in found.rows] == [older.id]
    await database.close()


async def test_a_folder_of_vmeet_process_from_before_is_taken_over(old: Path) -> None:
    """It had the tables of the pipeline alone."""
    with sqlite3.connect(old) as connection:
        connection.executescript("DROP TABLE recordings; DROP TABLE meetings")
    database = await Database.open(old)
    assert await ask(database, differences) == []
    assert len(await JobStore(database).unfinished()) == 1
    await database.close()


async def test_what_a_newer_program_made_is_refused_untouched(address: Address) -> None:
    database = await Database.open(address)
    async with database.session() as session:
        await session.execute(text("UPDATE alembic_version SET version_num = '9999'"))
        await session.commit()
    await database.close()
    with pytest.raises(DatabaseError, match=f"a newer VMeet: its version is 9999, this program knows {HEAD}") as caught:
        await Database.open(address)
    assert str(address) in str(caught.value)


async def test_a_migration_that_fails_leaves_everything_as_it_was(old: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def dump() -> list[str]:
        with sqlite3.connect(old) as connection:
            return list(connection.iterdump())

    before = dump()
    with sqlite3.connect(old) as connection:
        connection.execute("CREATE TABLE texts (x)")  # so that the second migration fails in its middle
    with pytest.raises(DatabaseError, match="table texts already exists"):
        await Database.open(old)
    with sqlite3.connect(old) as connection:
        connection.execute("DROP TABLE texts")
    assert dump() == before


def test_processes_that_start_together_do_not_collide(address: Address) -> None:
    code = (
        "import asyncio, sys; from vmeet_core.database import Address, Database\n"
        "async def main():\n"
        "    sys.stdin.read(1)\n"
        "    await (await Database.open(Address.parse(sys.argv[1]))).close()\n"
        "asyncio.run(main())"
    )
    url = address.url.render_as_string(hide_password=False)
    starting = [sys.executable, "-c", code, url]
    pipes = {"stdin": subprocess.PIPE, "stderr": subprocess.PIPE}
    processes = [subprocess.Popen(starting, **pipes) for _ in range(4)]  # type: ignore[call-overload]
    for process in processes:
        process.stdin.write(b"x")
        process.stdin.close()
    for process in processes:
        errors = process.stderr.read()
        process.stderr.close()
        assert process.wait() == 0, errors.decode()

    async def look() -> None:
        database = await Database.open(address)
        assert await ask(database, schema) == HEAD
        assert await ask(database, differences) == []
        await database.close()

    asyncio.run(look())


async def test_migrating_again_changes_nothing(tmp_path: Path) -> None:
    address = sqlite_address(tmp_path / "state.sqlite3")
    await migrate(address)
    with sqlite3.connect(tmp_path / "state.sqlite3") as connection:
        before = list(connection.iterdump())
    await migrate(address)
    with sqlite3.connect(tmp_path / "state.sqlite3") as connection:
        assert list(connection.iterdump()) == before
