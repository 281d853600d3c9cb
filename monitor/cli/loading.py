"""Rules and what judges by them, for the commands that need no service."""

from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from zoneinfo import ZoneInfo

    from monitor.adapters.storage.database import Database
    from monitor.engine.databases import Databases
    from monitor.engine.engineset import EngineSet
    from monitor.engine.scorer import Scorer
    from monitor.engine.views import ViewTables
    from monitor.settings import Settings


def rules_folder(given: Path | str | None) -> Path:
    """The folder that was named, or the packs as shipped."""
    from monitor.adapters.bundled import bundled

    return Path(given) if given else bundled("rules")


def scorer(given: str, *, data: Path | None = None, tenant: str = "local") -> "Scorer | None":
    """The classifier that a setting names, or the one that serves this tenant in a data folder. Raises ConfigError."""
    from monitor.adapters.bundled import model_folder
    from monitor.adapters.ml.shelf import ModelShelf
    from monitor.domain.errors import ConfigError

    if data is not None and not data.is_dir():
        raise ConfigError(f"there is no folder {data}", hint="name the data folder of a service with --data")
    return ModelShelf(model_folder(given), data / "models" if data else None).serving().of(tenant)


def view_tables() -> "ViewTables":
    from monitor.adapters import bundled

    return bundled.view_tables()


def databases() -> "Databases":
    """What compiling makes, kept in the user's cache folder where there is one."""
    from monitor.adapters import blobs
    from monitor.adapters.forking import halved
    from monitor.engine.databases import Databases

    try:
        return blobs.databases(blobs.user_cache(), halved)
    except RuntimeError:  # nobody's home
        return Databases(halved=halved)


def zone() -> "ZoneInfo":
    """The time zone that the service has by default."""
    from zoneinfo import ZoneInfo

    from monitor.settings import Settings

    return ZoneInfo(Settings().tenant.zone)


def published(data: Path) -> "Mapping[str, bytes]":
    """What people published over the files of the rules folder, by the store of a data folder. Raises StorageError."""
    from monitor.adapters.storage.rule_edits import SqlRuleEdits
    from monitor.cli.stores import with_database
    from monitor.services import ruleeditions

    async def read(database: "Database") -> "Mapping[str, bytes]":
        edits = SqlRuleEdits(database)
        return await ruleeditions.published(edits, await edits.releases())

    return with_database(str(data), None, read) if (data / "store.db").exists() else {}


def told_over(data: Path | None, settings: "Settings") -> "Mapping[str, bytes]":
    """What lies over the rules folder by the data folder of a service, if one is named; told on standard error."""
    from monitor.cli.terminal import safe, tell

    over = published(data) if data is not None and settings.rules.edits else {}
    if over:
        tell(safe(f"published over the rules folder: {', '.join(sorted(over))}"))
    return over


def told_scorer(data: Path | None, settings: "Settings", tenant: str) -> "Scorer | None":
    """The classifier that the settings name; with a data folder the one that serves there, told on standard error.
    Raises ConfigError, InputError."""
    from monitor.cli.terminal import safe, tell
    from monitor.domain import tenants

    judging = scorer(settings.model.dir, data=data, tenant=tenants.checked(tenant))
    if data is not None:
        tell(safe(f"classifier: {judging.version.partition('@')[0] if judging else 'none'}"))
    return judging


def engine_set(
    rules: Path | str | None, rooms: str, zone: "ZoneInfo", *, every: bool = False, shadows: bool = False,
    scorer: "Scorer | None" = None, over: "Mapping[str, bytes]" = MappingProxyType({}),
) -> "EngineSet":
    """The active rules of a folder, or `every` one, compiled; with `shadows` those in the shadow beside them. `rooms`:
    a file, or ""; `over`: what stands in place of the folder's files, or beside them.

    Raises RuleError with all faults.
    """
    from monitor.adapters.rulefiles import load, load_rooms
    from monitor.domain.rules import Status
    from monitor.engine.engineset import EngineSet

    known = load_rooms(Path(rooms)) if rooms else []
    statuses = frozenset(Status) if every else frozenset((Status.ACTIVE,))
    made = databases()
    return EngineSet(load(rules_folder(rules), over, made), view_tables(), rooms=known, zone=zone, statuses=statuses,
                     beside=frozenset((Status.SHADOW,) if shadows else ()), scorer=scorer, databases=made)
