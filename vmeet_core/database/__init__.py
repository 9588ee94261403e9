"""The database: SQLite or PostgreSQL through SQLAlchemy's asyncio. Only the server's process opens it."""

from vmeet_core.database.address import Address, sqlite_address
from vmeet_core.database.base import Base
from vmeet_core.database.database import Database
from vmeet_core.database.faults import DatabaseError, DatabaseUnavailable
from vmeet_core.database.patience import PATIENCE_S

__all__ = [
    "PATIENCE_S",
    "Address",
    "Base",
    "Database",
    "DatabaseError",
    "DatabaseUnavailable",
    "sqlite_address",
]
