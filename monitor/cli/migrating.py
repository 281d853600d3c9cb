"""redpost migrate"""

from typing import Annotated

from cyclopts import Parameter

from monitor.cli.options import Config


def migrate(
    *,
    url: Annotated[str | None, Parameter(help="The database. Default: the setting store.url.")] = None,
    config: Config = None,
) -> int:
    """Bring the PostgreSQL database of web nodes and workers to what this version needs.

    They do not do it themselves: several would, one after another. Stop those of another version first. A store on
    SQLite is brought along by `redpost serve`, after a copy.

    ```
    redpost migrate --config /etc/redpost.toml
    ```
    """
    import asyncio

    from monitor.adapters.storage.postgres import migrate_to_head
    from monitor.domain.errors import ConfigError
    from monitor.settings import load

    place = url or load(config=config).settings.store.url
    if not place:
        raise ConfigError("no database is named", hint="set store.url, or say --url postgresql://USER@HOST/NAME")
    changed = asyncio.run(migrate_to_head(place))
    print("the database is at the newest revision" + ("" if changed else ", as it was before"))
    return 0
