"""A rules folder and a rooms file as the rulebook reads them."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from monitor.adapters.rulefiles.folder import files, load, load_sources, read
from monitor.adapters.rulefiles.rooms import load_rooms_source
from monitor.domain.errors import ConfigError, StorageError
from monitor.domain.ids import digest
from monitor.domain.rules import RoomContext
from monitor.domain.rulesets import RuleSet
from monitor.engine.databases import Databases
from monitor.services.bundles import Bundle


class RuleFolder:
    """`folder` of packs; `rooms`, where given, a rooms file; `zone` the tenant's (IANA name); `over` gives what stands
    in place of the folder's files, or beside them, by path; `databases` keep what was read."""

    def __init__(
        self, folder: Path, *, rooms: Path | None, zone: str, over: Callable[[], Mapping[str, bytes]] = dict,
        databases: Databases | None = None,
    ) -> None:
        self._databases = databases
        self._over = over
        self._folder = folder
        self._rooms = rooms
        self._zone = zone
        self._just_read: RuleSet | None = None

    def read(self) -> Bundle:
        """Raises RuleError with all faults of the rule files, ConfigError where the rooms file can't be read,
        StorageError where the folder can't."""
        rooms = b""
        if self._rooms is not None:
            try:
                rooms = self._rooms.read_bytes()
            except OSError as error:
                raise ConfigError(f"the rooms file {self._rooms} can't be read: {error.strerror}",
                                  hint="check rules.rooms") from None
        with self._refusals():
            self._just_read = load(self._folder, self._over(), self._databases)
        return Bundle(self._just_read.sources, rooms, self._zone)

    def parse(self, bundle: Bundle) -> tuple[RuleSet, list[RoomContext]]:
        rooms = load_rooms_source(bundle.rooms, path=str(self._rooms or "rooms.yml")) if bundle.rooms else []
        just_read, self._just_read = self._just_read, None
        if just_read is not None and just_read.sources is bundle.files:
            return just_read, rooms
        return load_sources(bundle.files, self._databases), rooms

    def own_files(self) -> Mapping[str, bytes]:
        """Those of the folder as they are. Raises RuleError, StorageError."""
        with self._refusals():
            return read(self._folder)[0]

    def fingerprint(self) -> str:
        """Sizes and times of the files: asked every second, so nothing is read. Raises StorageError."""
        facts: list[str] = []
        paths = [self._rooms] if self._rooms else []
        with self._refusals(), suppress(FileNotFoundError):  # who reads it next tells of a folder that has gone
            paths += files(self._folder)
        for path in paths:
            try:
                stat = path.stat()
            except OSError:
                continue  # went away between listing and looking: the next round sees it
            facts.append(f"{path}:{stat.st_size}:{stat.st_mtime_ns}")
        return digest(*facts)

    @contextmanager
    def _refusals(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise StorageError(f"the rules folder {self._folder} can't be listed: {error.strerror or error}",
                               hint="check the disk, and the limit of open files") from error
