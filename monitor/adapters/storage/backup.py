"""A data folder copied as one consistent whole, and made again from such a copy.

The order lets the parts fit together while the service goes on: the store first, then the archive, then the log. So
the log reaches as far as anything that the store and the archive have seen, and a start reads on from there.
"""

import fcntl
import hashlib
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import msgspec
from msgspec import Struct

from monitor.adapters.disk import sync
from monitor.adapters.sqlite import sqlite3
from monitor.adapters.storage import copies
from monitor.adapters.storage.failures import refusals_of_copy
from monitor.adapters.storage.listing import listed
from monitor.domain import frames
from monitor.domain.errors import ConfigError, NewerFormat, StorageError

FORMAT: Final = 1
MANIFEST: Final = "manifest.json"
STORE: Final = "store.db"
LOG: Final = "log.db"
ARCHIVE: Final = "archive"
KEYS: Final = "keys"
MODELS: Final = "models"
_LAST: Final = "last-backup"
"""An empty file of the data folder: its time is that of the last backup."""
_PART: Final = re.compile(r"store\.db|log\.db|archive/[\w-]+/[\w.-]+|keys/[\w.-]+\.key"
                          r"|models/(?:state\.json|[\w.-]+/[\w.-]+/[\w.-]+)", re.ASCII)
_CHUNK: Final = 2**20
_TRIES: Final = 5


class Part(Struct, frozen=True):
    """A file; `path` is relative to the backup, with slashes."""

    path: str
    bytes: int
    sha256: str


class Manifest(Struct, frozen=True, kw_only=True):
    """What is in a backup. It is written last: without it there is no backup."""

    format: int
    redpost: str
    sqlite: str
    made_at: str
    store_revision: str
    log_format: int
    entry_format: int
    files: list[Part]


def back_up(data: Path, target: Path, *, now: int) -> Manifest:
    """Copy `data` into the new folder `target`. `now`: UTC ms.

    Raises ConfigError where `data` is none, or `target` exists or lies in it, StorageError where the disk refuses or a
    file is damaged.
    """
    from importlib.metadata import version

    if not (data / STORE).is_file():
        raise ConfigError(f"{data} is no data folder: it has no {STORE}", hint="name the one of `redpost serve`")
    if target.absolute().resolve().is_relative_to(data.resolve()):
        raise ConfigError(f"{target} lies in the data folder {data}", hint="name a folder elsewhere")
    with _appearing(target) as folder, _refusals(target):
        parts = _copy_all(data, folder)
        log = folder / LOG
        manifest = Manifest(
            format=FORMAT, redpost=version("redpost"), sqlite=sqlite3.sqlite_version,
            made_at=datetime.fromtimestamp(now / 1000, UTC).isoformat(timespec="seconds"),
            store_revision=str(_ask(folder / STORE, "SELECT version_num FROM alembic_version")),
            log_format=int(_ask(log, "PRAGMA user_version")) if log.exists() else 0,
            entry_format=int(_ask(log, "SELECT entry_format FROM trimmed")) if log.exists() else 0,
            files=parts,
        )
        _write_new(folder / MANIFEST, msgspec.json.format(msgspec.json.encode(manifest)) + b"\n")
    return manifest


def note(data: Path, *, now: int) -> None:
    """For who watches it: `data` was backed up `now` (UTC ms). Raises StorageError where it cannot be written."""
    with _refusals(data):
        (data / _LAST).touch(mode=0o600)
        os.utime(data / _LAST, (now / 1000, now / 1000))


def noted(data: Path) -> float:
    """When `data` was last backed up (UTC s), 0 for never."""
    try:
        return (data / _LAST).stat().st_mtime
    except OSError:
        return 0


def restore(source: Path, data: Path, *, log_format: int) -> Manifest:
    """Make the data folder `data` from the backup `source`, checking each file. `log_format`: the newest that is read.

    Raises ConfigError where `data` exists or is in use or `source` is no backup, NewerFormat where a newer version
    made it, StorageError where it is damaged.
    """
    manifest = _manifest(source, log_format)
    _refuse_in_use(data)
    with _appearing(data) as folder, _refusals(data):
        for part in manifest.files:
            try:
                copied = _copy(source, folder, part.path)
            except FileNotFoundError:
                raise _damaged(source, f"{part.path} is missing") from None
            if copied != part:
                raise _damaged(source, f"{part.path} is not what was written")
        copies.check(folder / STORE)
    return manifest


def _copy_all(data: Path, folder: Path) -> list[Part]:
    copies.copy_database(data / STORE, folder / STORE)
    copies.check(folder / STORE)
    names = [STORE, *_copy_archive(data, folder)]
    if (data / LOG).exists():
        _copy_log(data / LOG, folder / LOG)
        names.append(LOG)
    elif _ask(folder / STORE, "SELECT max(seq) FROM positions"):
        raise ConfigError(f"{data} has no {LOG}, and its store was written from one",
                          hint="look for it: a service without it would take new events for old ones")
    for key in listed(data / KEYS, "*.key"):
        names.append(_copy(data, folder, f"{KEYS}/{key.name}").path)
    for path in [*listed(data / MODELS, "[!.]*", "[!.]*", "[!.]*"), *listed(data / MODELS, "state.json")]:
        names.append(_copy(data, folder, path.relative_to(data).as_posix()).path)
    return [_part(folder, name) for name in names]


def _copy_log(source: Path, target: Path) -> None:
    """In one reading transaction, whatever the service writes meanwhile."""
    _write_new(target, b"")
    with (refusals_of_copy(source, target), closing(copies.read_only(source)) as log,
          closing(sqlite3.connect(target)) as copy):
        log.execute("PRAGMA schema_version")  # backup() does not say whose fault it was
        log.backup(copy)
        faults = [row[0] for row in copy.execute("PRAGMA quick_check(1)") if row[0] != "ok"]
        copy.execute("PRAGMA journal_mode = DELETE")  # one file, without a -wal beside it
    if faults:
        raise StorageError(f"{source} is damaged: {faults[0]}", hint="check the disk, and keep the older backups")
    sync(target)


def _copy_archive(data: Path, folder: Path) -> list[str]:
    """Segments never change, but others may take their place, or they expire, meanwhile: then look again.

    At least twice: while a folder is listed, one file may appear and the files that it replaces go unseen.
    """
    whole = 0
    for _ in range(_TRIES):
        names = sorted(_segments(data))
        gone = False
        for name in names:
            if not (folder / name).exists():
                try:
                    _copy(data, folder, name)
                except FileNotFoundError:
                    gone = True
        whole += not gone
        if whole > 1 and not gone:
            for name in _segments(folder) - set(names):
                (folder / name).unlink()
            return names
    raise StorageError(f"the segments in {data / ARCHIVE} change faster than they are copied", hint="try again")


def _segments(data: Path) -> set[str]:
    """Those set aside as unreadable too: their names say that a range was kept."""
    found = listed(data / ARCHIVE, "*", "*.parquet*")
    return {path.relative_to(data).as_posix() for path in found if not path.name.startswith(".")}


def _copy(source: Path, target: Path, name: str) -> Part:
    """A file of mode 0600, on disk for good. Raises FileNotFoundError where it has gone."""
    digest, size = hashlib.sha256(), 0
    with (source / name).open("rb") as old:
        path = target / name
        for folder in reversed(Path(name).parents):
            (target / folder).mkdir(exist_ok=True, mode=0o700)
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as new:
            while data := old.read(_CHUNK):
                digest.update(data)
                size += new.write(data)
            new.flush()
            os.fsync(new.fileno())
    return Part(name, size, digest.hexdigest())


def _write_new(path: Path, data: bytes) -> None:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def _part(folder: Path, name: str) -> Part:
    path = folder / name
    with path.open("rb") as file:
        return Part(name, path.stat().st_size, hashlib.file_digest(file, "sha256").hexdigest())


def _manifest(source: Path, log_format: int) -> Manifest:
    path = source / MANIFEST
    try:
        manifest = msgspec.json.decode(path.read_bytes(), type=Manifest)
    except OSError as error:
        raise ConfigError(f"{source} is no backup: {path} cannot be read ({error.strerror})",
                          hint="name a folder that `redpost backup` made") from error
    except (msgspec.MsgspecError, UnicodeError) as error:
        raise _damaged(source, f"{MANIFEST} cannot be read ({error})") from error
    newer = (manifest.format > FORMAT or manifest.log_format > log_format
             or manifest.entry_format > frames.FORMAT)
    if newer:
        raise NewerFormat(f"{source} was made by redpost {manifest.redpost}, which writes newer formats",
                          hint="restore it with that version, or a newer one")
    names = [part.path for part in manifest.files]
    if STORE not in names or not all(_PART.fullmatch(name) and ".." not in name for name in names):
        raise _damaged(source, f"{MANIFEST} names other files than a backup has")
    return manifest


def _damaged(source: Path, why: str) -> StorageError:
    return StorageError(f"the backup {source} is damaged: {why}", hint="take another backup; nothing was changed")


def _refuse_in_use(data: Path) -> None:
    """Where a service runs on this folder, say so rather than that it exists."""
    try:
        lock = os.open(data / f"{LOG}.lock", os.O_RDWR)
    except OSError:
        return
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        owner = os.read(lock, 32).decode(errors="replace").strip() or "unknown"
        raise ConfigError(f"{data} is in use by process {owner}",
                          hint="stop that service, move the folder away, then restore") from error
    finally:
        os.close(lock)


@contextmanager
def _appearing(target: Path) -> Iterator[Path]:
    """A folder under another name that becomes `target` at the end, or goes where something fails."""
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise ConfigError(f"{target} exists", hint="name a new folder; what exists is never overwritten")
    partial = target.with_name(f".{target.name}.{os.getpid()}.partial")
    try:
        with _refusals(target):
            partial.mkdir(parents=True, mode=0o700)
        yield partial
        with _refusals(target):
            for folder in sorted(path for path in partial.rglob("*") if path.is_dir()):
                sync(folder)
            sync(partial)
            partial.replace(target)
            sync(target.parent)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


@contextmanager
def _refusals(target: Path) -> Iterator[None]:
    """What the disk or the database refuses, as StorageError."""
    try:
        yield
    except OSError as error:
        raise StorageError(f"{error.filename or target} cannot be read or made: {error.strerror or error}",
                           hint="check free space, the folder and its owner; nothing was changed") from error
    except sqlite3.Error as error:
        raise StorageError(f"{target} could not be made: {error}",
                           hint="check free space, the folder and its owner; nothing was changed") from error


def _ask(path: Path, query: str) -> str | int:
    """The one value that `query` gives, 0 for none."""
    with closing(copies.read_only(path)) as database:
        row = database.execute(query).fetchone()
    return row[0] or 0 if row else 0
