"""redpost check-config"""

import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from monitor.cli.options import Config

if TYPE_CHECKING:
    from monitor.settings import Settings


def check_config(*, config: Config = None) -> int:
    """Check settings, rules, rooms, classifier, keys, data folder and address, and tell all faults at once.

    Reads what `redpost serve` would read, and changes nothing; also beside a running service.

    ```
    redpost check-config --config /etc/redpost.toml
    ```

    Exit codes: 0 the service would start, 2 there are faults.
    """
    from monitor.cli.terminal import safe, tell
    from monitor.settings import load

    checks = Checks()
    with checks.of("settings"):
        loaded = load(config=config)
        checks.warnings += loaded.warnings
        _rules(checks, loaded.settings)
        _classifier(checks, loaded.settings)
        _data(checks, loaded.settings)
        _keys(checks, loaded.settings)
    _sqlite(checks)
    for line in checks.passed:
        print("ok       " + safe(line))
    for line in checks.warnings:
        tell("warning  " + safe(line), style="yellow")
    for line in checks.faults:
        tell("fault    " + safe(line), style="red")
    return 2 if checks.faults else 0


class Checks:
    """What was found; `passed` in the order of the checks."""

    def __init__(self) -> None:
        self.passed: list[str] = []
        self.warnings: list[str] = []
        self.faults: list[str] = []

    @contextmanager
    def of(self, what: str) -> Iterator[None]:
        """Around one check: what it raises is a fault, each line of it one."""
        from monitor.domain.errors import RedpostError

        place = len(self.passed)
        try:
            yield
        except RedpostError as error:
            *others, last = error.message.splitlines() or [""]
            hint = f" ({error.hint})" if error.hint else ""
            self.faults += [f"{what}: {line}" for line in (*others, last + hint)]
        else:
            self.passed.insert(place, what)


def _rules(checks: Checks, settings: "Settings") -> None:
    from zoneinfo import ZoneInfo

    from monitor.adapters.rulefiles import load, load_rooms
    from monitor.cli.loading import databases, rules_folder, view_tables
    from monitor.domain.errors import ConfigError
    from monitor.services.casework import run_cases, summary

    folder = rules_folder(settings.rules.dir)
    with checks.of(f"rules {folder}"):
        known, tables = databases(), view_tables()
        _, failures = run_cases(load(folder, databases=known), tables, ZoneInfo(settings.tenant.zone), known)
        if failures:
            raise ConfigError(summary(failures), hint="`redpost rules test` shows more")
    if settings.rules.rooms:
        with checks.of(f"rooms {settings.rules.rooms}"):
            load_rooms(Path(settings.rules.rooms))


def _classifier(checks: Checks, settings: "Settings") -> None:
    """The one that would serve: that of the settings, or one that was promoted."""
    from monitor.adapters.bundled import model_folder
    from monitor.adapters.ml.shelf import ModelShelf

    with checks.of("classifier"):
        ModelShelf(model_folder(settings.model.dir), settings.shared / "models").serving()


def _data(checks: Checks, settings: "Settings") -> None:
    from monitor.adapters.bus.logfile import owner
    from monitor.bootstrap.checks import check_address, check_folder

    folder = Path(settings.data.dir)
    with checks.of(f"data folder {folder}"):
        check_folder(folder)
    if process := owner(folder / "log.db"):
        checks.passed.append(f"the service runs, as process {process}")
    else:
        with checks.of(f"address {settings.http.host}:{settings.http.port}"):
            check_address(settings)


def _keys(checks: Checks, settings: "Settings") -> None:
    """Keys that are there; one that is not is made at first use."""
    from monitor.adapters.keys import KeyFiles

    folder = Path(settings.data.dir) / "keys"
    if settings.pseudonym.key_file:
        with checks.of(f"key {settings.pseudonym.key_file}"):
            KeyFiles(folder, key_file=settings.pseudonym.key_file).key_of("local")
    for path in sorted(folder.glob("*.key")) if folder.is_dir() else []:
        with checks.of(f"key {path}"):
            KeyFiles(folder).key_of(path.stem)
            mode = stat.S_IMODE(path.stat().st_mode)
            if mode & 0o077:
                checks.warnings.append(f"{path} is open to other users (mode {mode:04o}); run: chmod 600 {path}")


def _sqlite(checks: Checks) -> None:
    from monitor.adapters.sqlite import repaired, sqlite3

    if repaired(sqlite3.sqlite_version_info):
        checks.passed.append(f"SQLite {sqlite3.sqlite_version}")
    else:
        checks.warnings.append(
            f"SQLite {sqlite3.sqlite_version} may damage a database that two programs write at the same instant; "
            "3.51.3, 3.50.7 and 3.44.6 repair it. Let no other program write to the data folder.")
