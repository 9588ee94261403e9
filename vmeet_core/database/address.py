"""Which database: a file, or a server of PostgreSQL."""

from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import URL, make_url

SQLITE, POSTGRESQL = "sqlite", "postgresql"
DRIVERS = {SQLITE: "aiosqlite", POSTGRESQL: "asyncpg"}


@dataclass(frozen=True)
class Address:
    """An address with its driver; shown without its password."""

    url: URL

    @classmethod
    def parse(cls, text: str) -> "Address":
        """Of ``postgresql://…`` or ``sqlite:///FILE``, with or without a driver's name. Raises sqlalchemy's
        ArgumentError or ValueError for what is none.
        """
        url = make_url(text)
        kind = url.get_backend_name()
        if kind not in DRIVERS:
            raise ValueError(f"{kind} is no database that VMeet knows")
        return cls(url.set(drivername=f"{kind}+{DRIVERS[kind]}"))

    @property
    def kind(self) -> str:
        """``sqlite`` or ``postgresql``."""
        return self.url.get_backend_name()

    @property
    def file(self) -> Path | None:
        """The file of SQLite."""
        return Path(self.url.database or "") if self.kind == SQLITE else None

    def __str__(self) -> str:
        return str(self.file) if self.file else self.url.render_as_string(hide_password=True)


def sqlite_address(file: Path) -> Address:
    """The database in a file, which need not be there yet."""
    return Address(URL.create(f"{SQLITE}+{DRIVERS[SQLITE]}", database=str(file)))
