"""What all tables have in common."""

from sqlalchemy.orm import DeclarativeBase


class Base(DeclarativeBase):
    """All tables, wherever they are declared. A new table or column also needs a migration (docs/database.md)."""
