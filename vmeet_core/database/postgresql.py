"""How connections to PostgreSQL are made."""

from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from vmeet_core.database.address import Address
from vmeet_core.database.faults import DatabaseError

CONNECT_S, COMMAND_S = 5.0, 30.0  #: nothing hangs for ever where a network swallows packets
POOLED, MORE = 5, 10


class PostgresqlConnections:
    """An engine for one database. Raises DatabaseError where the driver is not installed."""

    def __init__(self, address: Address) -> None:
        arguments = {"timeout": CONNECT_S, "command_timeout": COMMAND_S}
        try:
            self.engine: AsyncEngine = create_async_engine(
                address.url, connect_args=arguments, pool_size=POOLED, max_overflow=MORE, pool_timeout=COMMAND_S
            )
        except ModuleNotFoundError as error:
            raise DatabaseError(
                f"the database {address} needs the package {error.name}, which is not installed. "
                "Run: pip install 'vmeet-core[postgresql]'"
            ) from None

    async def close(self) -> None:
        """Twice does no harm."""
        await self.engine.dispose()
