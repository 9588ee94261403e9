"""Brings the tables of a database to this program's version, one process at a time."""

from pathlib import Path
from typing import Any

from sqlalchemy import Connection, inspect, text
from sqlalchemy.ext.asyncio import AsyncConnection

from vmeet_core.database.address import Address
from vmeet_core.database.faults import DatabaseError
from vmeet_core.database.postgresql import PostgresqlConnections
from vmeet_core.database.sqlite import WRITES, SqliteConnections

HEAD = "0005"  #: the version of the tables that this program works with
MIGRATIONS = Path(__file__).parent / "migrations"
LOCK = 0x564D6565  #: of PostgreSQL, per database: "VMee"
LOCK_WAIT_S = 60


async def migrate(address: Address) -> None:
    """All or nothing, in one transaction under a lock. Raises DatabaseError for what a newer program made, and what
    SQLAlchemy and the driver raise.
    """
    file = address.file
    connections = SqliteConnections(file, foreign_keys=False) if file else PostgresqlConnections(address)
    try:
        async with connections.engine.execution_options(**{WRITES: True}).begin() as connection:
            await _lock(connection)
            await connection.run_sync(_upgrade, str(address))
    finally:
        await connections.close()


async def _lock(connection: AsyncConnection) -> None:
    """A transaction of SQLite that will write has its lock already."""
    if connection.dialect.name == "postgresql":
        await connection.execute(text(f"SET LOCAL lock_timeout = '{LOCK_WAIT_S}s'"))
        await connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": LOCK})


def schema(connection: Connection) -> str | None:
    """The version of the tables; None where no program with migrations has been."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    version: str | None = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    return version


def _upgrade(connection: Connection, name: str) -> None:
    _refuse_other_encodings(connection, name)
    found = schema(connection)
    if found == HEAD:
        return
    if found is not None and found > HEAD:
        raise DatabaseError(newer(name, found))
    upgrade(connection)
    if connection.dialect.name == "sqlite":
        broken = connection.execute(text("PRAGMA foreign_key_check")).all()
        if broken:
            raise DatabaseError(f"the database {name} has rows that refer to nothing: {broken[:5]}. Restore a backup.")


def newer(name: str, found: str) -> str:
    """What is said of a database that a newer program made."""
    return (
        f"the database {name} was made by a newer VMeet: its version is {found}, this program knows {HEAD}. "
        "Install that VMeet or a newer one, or restore a backup of the database."
    )


def upgrade(connection: Connection, to: str = "head") -> None:
    """To a version, in the transaction that is open."""
    # Alembic takes 0.4 s to import, and there is nothing to do at most starts.
    from alembic import command
    from alembic.config import Config

    command.upgrade(_config(Config(), connection), to)


def _config(config: Any, connection: Connection) -> Any:
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    return config


def _refuse_other_encodings(connection: Connection, name: str) -> None:
    if connection.dialect.name != "postgresql":
        return
    encoding = connection.execute(text("SHOW server_encoding")).scalar()
    if encoding != "UTF8":
        raise DatabaseError(
            f"the database {name} keeps text as {encoding}, which has no Chinese. "
            "Make one with: createdb --template template0 --encoding UTF8 NAME"
        )
