"""The database that the settings name."""

from pathlib import Path

from monitor.adapters.storage.database import Database
from monitor.settings import Settings


async def open_store(settings: Settings) -> Database:
    """PostgreSQL at store.url, else SQLite in data.dir. Raises what `Database.open` does."""
    if settings.store.url:
        from monitor.adapters.storage.postgres import PostgresDatabase  # it needs the parts of the extra `postgres`

        return await PostgresDatabase.opened(settings.store.url, pool=settings.store.pool)
    return await Database.open(Path(settings.data.dir) / "store.db")
