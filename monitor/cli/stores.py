"""The store of a data folder, for commands that work on it, also beside a running service."""

from typing import TYPE_CHECKING

from monitor.cli.options import Config, Data

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from pathlib import Path
    from typing import TypeVar

    from monitor.adapters.storage.database import Database
    from monitor.adapters.storage.store import SqlStore

    T = TypeVar("T")


def with_store(
    data: Data, config: Config, work: "Callable[[SqlStore], Coroutine[None, None, T]]", *, create: bool = False
) -> "T":
    """`work` on the store of the data folder, also beside a running service."""
    from monitor.adapters.storage.store import SqlStore

    return with_database(data, config, lambda database: work(SqlStore(database)), create=create)


def with_database(
    data: Data, config: Config, work: "Callable[[Database], Coroutine[None, None, T]]", *, create: bool = False
) -> "T":
    """The same on the database itself."""
    import asyncio

    from monitor.adapters.storage.database import Database

    place = place_of(data, config, create=create)

    async def opened() -> "T":
        database = await Database.open(place)
        try:
            return await work(database)
        finally:
            await database.close()

    return asyncio.run(opened())


def place_of(data: Data, config: Config, *, create: bool = False) -> "Path | str":
    """The store of the folder that was named; else that of the settings, which may be the URL of a database."""
    from monitor.cli.options import data_folder
    from monitor.domain.errors import ConfigError
    from monitor.settings import load

    if data is None and (url := load(config=config).settings.store.url):
        return url
    folder = data_folder(data, config)
    path = folder / "store.db"
    if not create and not path.exists():
        raise ConfigError(f"there is no store in {folder}", hint="name the data folder with --data")
    if not folder.is_dir():
        raise ConfigError(f"there is no folder {folder}", hint="name the data folder with --data; for a service "
                          f"that has never run, make it first: mkdir -m 700 {folder}")
    return path
