"""What goes wrong with databases, and whether waiting helps."""

import sqlite3
from collections.abc import Iterator

from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as NoConnectionFree

from vmeet_core.hookspecs import Permanent

#: Locked by somebody, a full disk, a disk that does not answer, a file that cannot be opened now.
SQLITE_PASSING = {
    sqlite3.SQLITE_BUSY,
    sqlite3.SQLITE_LOCKED,
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_CANTOPEN,
}
#: Classes of SQLSTATE: no connection, too little of something, ended by an operator; and single states: could not
#: serialise, a deadlock, a lock that was not to be had, a standby that has become the server.
POSTGRESQL_PASSING = ("08", "53", "57", "58030", "40001", "40P01", "55P03", "25006")


class DatabaseError(Permanent):
    """The database cannot be used; the text says which, why, and what to do."""


class DatabaseUnavailable(OSError):
    """It did not answer for as long as was waited; what was to be done has not been done."""


def will_pass(error: BaseException) -> bool:
    """Whether the same may succeed a little later."""
    if isinstance(error, NoConnectionFree | OSError) and not isinstance(error, DatabaseUnavailable):
        return True  # TimeoutError and what a socket says are OSErrors
    if not isinstance(error, DBAPIError):
        return False
    return error.connection_invalidated or any(_driver_will_pass(cause) for cause in _causes(error))


def _causes(error: DBAPIError) -> Iterator[BaseException]:
    """The driver's own error is one or two steps down."""
    cause: BaseException | None = error.orig
    while cause is not None:
        yield cause
        cause = cause.__cause__


def _driver_will_pass(cause: BaseException) -> bool:
    code = getattr(cause, "sqlite_errorcode", None)
    if code is not None:
        return (code & 0xFF) in SQLITE_PASSING
    state = getattr(cause, "sqlstate", None)
    return isinstance(cause, OSError) or (isinstance(state, str) and state.startswith(POSTGRESQL_PASSING))


def reason(error: BaseException) -> str:
    """In one line, the driver's own words."""
    told = getattr(error, "orig", None) or error
    text = str(told).strip() or type(told).__name__
    return text.splitlines()[0].removeprefix(f"{type(told)}: ")
