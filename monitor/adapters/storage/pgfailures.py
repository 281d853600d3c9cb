"""What PostgreSQL refuses, in the project's errors."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from monitor.domain.errors import ConfigError, StorageError

_REFUSED: Final = {
    "53100": ("has no room to grow", "free disk space; nothing of this write was kept"),
    "53200": ("is out of memory", "give it more memory; nothing of this write was kept"),
    "53300": ("takes no more connections", "raise its max_connections, or lower store.pool"),
    "25006": ("may not be written", "it is a copy that only reads: point store.url to the primary"),
    "55P03": ("is locked by somebody else for too long", "look for long transactions; nothing of this write was kept"),
    "57014": ("took too long", "look at its load; nothing of this write was kept"),
    "40001": ("was written by somebody else meanwhile", "try again; nothing of this write was kept"),
    "40P01": ("was written by somebody else meanwhile", "try again; nothing of this write was kept"),
    "57P01": ("was shut down", "it is tried again once it is back; nothing of this write was kept"),
    "57P02": ("crashed", "it is tried again once it is back; nothing of this write was kept"),
    "57P03": ("is starting", "it is tried again in a moment"),
}
_AWAY: Final = ("does not answer", "check that it runs and can be reached; nothing of this write was kept")
_WRONG: Final = {
    "28000": ("lets this user not in", "check the user of store.url and the server's pg_hba.conf"),
    "28P01": ("does not take this password", "check the password of store.url"),
    "3D000": ("is not there", "make it with: createdb --template template0 --locale C.UTF-8 NAME"),
    "42501": ("does not let this user do that", "let the user own the database"),
}


@contextmanager
def refusals(place: str) -> Iterator[None]:
    """Turn what the database refuses into StorageError or ConfigError; a mistake in a statement stays what it is."""
    try:
        yield
    except DBAPIError as error:
        code = str(getattr(error.orig, "sqlstate", "") or "")
        if code in _WRONG:
            what, hint = _WRONG[code]
            raise ConfigError(f"the database {place} {what}", hint=hint) from error
        if code in _REFUSED or code.startswith("08") or error.connection_invalidated or not code:
            what, hint = _REFUSED.get(code, _AWAY)
            raise StorageError(f"the database {place} {what}", hint=hint) from error
        raise
    except PoolTimeout as error:
        raise StorageError(f"the database {place} is busy: all connections are in use",
                           hint="raise store.pool, or look for long transactions") from error
    except OSError as error:  # it could not be reached at all
        what, hint = _AWAY
        raise StorageError(f"the database {place} {what}", hint=hint) from error
