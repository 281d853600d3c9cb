"""Copies of a database file, made while it is in use."""

import os
import tempfile
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

from monitor.adapters.disk import sync
from monitor.adapters.sqlite import sqlite3
from monitor.adapters.storage.failures import refusals_of_copy
from monitor.adapters.storage.migrate import revision_in
from monitor.domain.errors import ConfigError, StorageError


def copy_database(source: Path, target: Path, *, replace: bool = False) -> None:
    """A compact, consistent copy of `source` (mode 0600); `target` is there in full or not at all.

    Raises ConfigError where `target` exists and is not to be replaced, StorageError.
    """
    partial = _new_file(target, replace=replace)
    try:
        with refusals_of_copy(source, target), closing(read_only(source)) as database:
            database.execute("VACUUM INTO ?", (str(partial),))
        _publish(partial, target, replace=replace)
    finally:
        partial.unlink(missing_ok=True)


def check(path: Path) -> None:
    """That `path` is an undamaged store which this version reads.

    Raises ConfigError where it is none, NewerFormat where a newer version wrote it, StorageError where it is damaged.
    """
    if not path.is_file():
        raise ConfigError(f"{path} does not exist", hint="name a file that redpost backup wrote")
    try:
        with closing(read_only(path)) as database:
            faults = [row[0] for row in database.execute("PRAGMA integrity_check(1)") if row[0] != "ok"]
            faults += [f"a row of {row[0]} refers to nothing" for row in database.execute("PRAGMA foreign_key_check")]
            names = {row[0] for row in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
            stamps = (
                list(database.execute("SELECT version_num FROM alembic_version")) if "alembic_version" in names else []
            )
    except sqlite3.Error as error:
        raise StorageError(f"{path} is damaged: {error}", hint="take an older backup") from error
    if faults:
        raise StorageError(f"{path} is damaged: {faults[0]}", hint="take an older backup")
    if revision_in(stamps, names, where=str(path)) is None:
        raise ConfigError(f"{path} holds nothing", hint="name a file that redpost backup wrote")


def _new_file(target: Path, *, replace: bool) -> Path:
    """An empty file of mode 0600 beside `target`."""
    if target.exists() and not replace:
        raise ConfigError(f"{target} exists", hint="name a new file; an existing one is never overwritten")
    try:
        handle, name = tempfile.mkstemp(prefix=f".{target.name}.", suffix=".partial", dir=target.parent)
        os.close(handle)
    except OSError as error:
        raise StorageError(
            f"{target} cannot be written: {error.strerror}", hint="check the folder and its mode"
        ) from error
    return Path(name)


def _publish(partial: Path, target: Path, *, replace: bool) -> None:
    """Give the finished file its name, on disk for good."""
    try:
        sync(partial)
        if replace:
            partial.replace(target)
        else:
            _name(partial, target)
        sync(target.parent)
    except FileExistsError as error:
        raise ConfigError(f"{target} exists", hint="name a new file; an existing one is never overwritten") from error
    except OSError as error:
        raise StorageError(f"{target} cannot be written: {error.strerror}", hint="check the disk") from error


def _name(partial: Path, target: Path) -> None:
    try:
        os.link(partial, target)  # unlike a rename, refuses where the target has appeared meanwhile
    except FileExistsError:
        raise
    except OSError:  # a file system without links
        partial.rename(target)


def read_only(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"file:{quote(str(path))}?mode=ro", uri=True)
