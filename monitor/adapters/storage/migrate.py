"""Which revision a database has, and bringing it to the one that this version needs."""

from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Connection, inspect, text

from monitor.domain.errors import ConfigError, NewerFormat

HEAD: Final = "0023"
"""The newest revision under `migrations/versions` (a test compares)."""

SCRIPTS: Final = Path(__file__).with_name("migrations")


def migrate(
    connection: Connection,
    *,
    before_upgrade: Callable[[str], None],
    scripts: Path = SCRIPTS,
    head: str = HEAD,
) -> None:
    """Bring the database to `head` within the caller's transaction.

    `before_upgrade(revision)` is called before anything changes in a database of an older revision, to keep a copy.
    Raises NewerFormat and ConfigError as `revision_in` does.
    """
    found = revision_of(connection, where="the database", scripts=scripts, head=head)
    if found == head:
        return
    if found is not None:
        before_upgrade(found)
    from alembic import command  # 0.2 s to import, and hardly ever needed

    config = _config(scripts)
    config.attributes["connection"] = connection
    command.upgrade(config, head)


def revision_of(connection: Connection, *, where: str, scripts: Path = SCRIPTS, head: str = HEAD) -> str | None:
    """As `revision_in`, of a database that is open."""
    names = inspect(connection).get_table_names()
    stamps = (
        connection.execute(text("SELECT version_num FROM alembic_version")).all() if "alembic_version" in names else []
    )
    return revision_in(stamps, names, where=where, scripts=scripts, head=head)


def revision_in(
    stamps: Sequence[Sequence[Any]],
    tables: Collection[str],
    *,
    where: str,
    scripts: Path = SCRIPTS,
    head: str = HEAD,
) -> str | None:
    """The revision that a database of these `tables` is stamped with; None for an empty one.

    Raises NewerFormat for a revision that is not among the scripts, ConfigError for a database of something else.
    """
    if not stamps:
        if tables:
            raise ConfigError(f"{where} is not a redpost store", hint="check the path; nothing was changed")
        return None
    found = str(stamps[0][0])
    if found != head and found not in _revisions(scripts):
        raise NewerFormat(
            f"{where} has revision {found}, which this version does not know",
            hint="run the newer redpost that wrote it, or restore a backup from before the upgrade",
        )
    return found


def _revisions(scripts: Path) -> set[str]:
    from alembic.script import ScriptDirectory  # as above

    return {script.revision for script in ScriptDirectory.from_config(_config(scripts)).walk_revisions()}


def _config(scripts: Path) -> Any:
    from alembic.config import Config  # as above

    config = Config()
    config.set_main_option("script_location", str(scripts).replace("%", "%%"))
    return config
