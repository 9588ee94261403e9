"""Looks at a database without changing it, for those who ask what there is."""

import sqlite3
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote

from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from vmeet_core.database.address import Address
from vmeet_core.database.faults import DatabaseError, reason
from vmeet_core.database.migrate import HEAD, newer, schema
from vmeet_core.database.postgresql import PostgresqlConnections

ALEMBIC_VERSION = "SELECT version_num FROM alembic_version"


class Condition(NamedTuple):
    """``program`` with its version; ``tables`` says in words how its tables stand to this program."""

    program: str
    tables: str


async def look(address: Address) -> Condition:
    """What is there. Raises DatabaseError for what the server could not start on."""
    try:
        return _sqlite(address.file) if address.file else await _postgresql(address)
    except (SQLAlchemyError, OSError, sqlite3.Error) as error:
        raise DatabaseError(f"the database {address} cannot be used: {reason(error)}") from error


def _sqlite(file: Path) -> Condition:
    program = f"SQLite {sqlite3.sqlite_version}"
    if not file.exists():
        return Condition(program, "not there yet, made at the first start")
    connection = sqlite3.connect(f"file:{quote(str(file))}?mode=ro", uri=True)
    try:
        there = connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'alembic_version'").fetchone()
        found = connection.execute(ALEMBIC_VERSION).fetchone()[0] if there else None
    finally:
        connection.close()
    return Condition(program, _tables(str(file), found))


async def _postgresql(address: Address) -> Condition:
    connections = PostgresqlConnections(address)
    try:
        async with connections.engine.connect() as connection:
            version = (await connection.execute(text("SHOW server_version"))).scalar()
            found = await connection.run_sync(schema)
    finally:
        await connections.close()
    return Condition(f"PostgreSQL {version}", _tables(str(address), found))


def _tables(name: str, found: str | None) -> str:
    if found is not None and found > HEAD:
        raise DatabaseError(newer(name, found))
    if found == HEAD:
        return f"tables of version {HEAD}"
    return f"tables {f'of version {found}' if found else 'without a version'}, brought to {HEAD} at the next start"
