"""redpost move"""

from typing import Annotated

from cyclopts import Parameter

from monitor.cli.options import Config, Data


def move(
    *,
    to: Annotated[str, Parameter(help="The empty database, after `redpost migrate --url`.")],
    for_workers: Annotated[bool, Parameter(
        help="The log will be Kafka's: leave behind how far the old one was read.")] = False,
    data: Data = None,
    config: Config = None,
) -> int:
    """Move the store of a stopped service from SQLite to PostgreSQL: all of it, or nothing.

    Afterwards set store.url and start it again. The file in the data folder stays as it is, for the way back.

    ```
    redpost migrate --url postgresql://redpost@db/redpost
    redpost move --data /var/lib/redpost --to postgresql://redpost@db/redpost
    ```
    """
    import asyncio

    from monitor.adapters.bus.logfile import LogFile
    from monitor.adapters.storage.database import Database
    from monitor.adapters.storage.postgres import PostgresDatabase
    from monitor.adapters.storage.transfer import transfer
    from monitor.cli.options import data_folder
    from monitor.cli.terminal import tell
    from monitor.domain.errors import ConfigError

    folder = data_folder(data, config)
    if not (folder / "store.db").exists():
        raise ConfigError(f"there is no store in {folder}", hint="name the data folder with --data")
    log = LogFile.open(folder / "log.db", max_pages=0, spare_bytes=0, sessions=1)  # refused while a service runs

    async def moved() -> dict[str, int]:
        source = await Database.open(folder / "store.db")
        try:
            target = await PostgresDatabase.opened(to, standstill_s=600)
            try:
                return await transfer(source, target, with_log=not for_workers,
                                      tell=lambda table, rows: tell(f"{table}: {rows:,}") if rows else None)
            finally:
                await target.close()
        finally:
            await source.close()

    try:
        rows = asyncio.run(moved())
    finally:
        log.close()
    print(f"{sum(rows.values()):,} rows of {sum(1 for count in rows.values() if count)} tables are in the new store")
    return 0
