"""Rules and what judges by them, for the commands that need no service."""

from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from monitor.engine.databases import Databases
    from monitor.engine.engineset import EngineSet
    from monitor.engine.views import ViewTables


def rules_folder(given: Path | None) -> Path:
    """The folder that was named, or the packs as shipped: in the installed package, or beside it in a checkout."""
    if given is not None:
        return given
    package = Path(str(resources.files("monitor")))
    packed = package / "_bundled" / "rules"
    return packed if packed.is_dir() else package.parent / "rules"


def view_tables() -> "ViewTables":
    from monitor.engine.views import ViewTables

    return ViewTables(resources.files("monitor.engine").joinpath("data/views.npz").read_bytes())


def databases() -> "Databases":
    """Compiled patterns, kept in the user's cache folder where there is one."""
    from monitor.adapters.blobs import BlobFolder, user_cache
    from monitor.engine.databases import Databases

    try:
        return Databases(BlobFolder(user_cache()))
    except RuntimeError:  # nobody's home
        return Databases()


def zone() -> "ZoneInfo":
    """The time zone that the service has by default."""
    from zoneinfo import ZoneInfo

    from monitor.settings import Settings

    return ZoneInfo(Settings().tenant.zone)


def engine_set(rules: Path | None, rooms: Path | None) -> "EngineSet":
    """The active rules of a folder, compiled. Raises RuleError with all faults."""
    from monitor.adapters.rulefiles import load, load_rooms
    from monitor.engine.engineset import EngineSet

    known = load_rooms(rooms) if rooms is not None else []
    return EngineSet(load(rules_folder(rules)), view_tables(), rooms=known, zone=zone(), databases=databases())
