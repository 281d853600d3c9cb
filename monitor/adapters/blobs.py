"""What compiling rules made, kept on disk, so that a start does not make it again."""

import os
import tempfile
from contextlib import suppress
from functools import cache
from hashlib import blake2b
from pathlib import Path
from typing import Final

import monitor
from monitor.engine.databases import Databases, Halved, undivided

KEPT: Final = 200
_SUM: Final = 16


class BlobFolder:
    """One file per key, mode 0700 for the folder: what is loaded from here is trusted, once its checksum holds. Failing
    to write is no fault."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def get(self, key: str) -> bytes | None:
        path = self._folder / key
        try:
            blob = path.read_bytes()
            os.utime(path)
        except OSError:
            return None
        data = blob[_SUM:]
        return data if blob[:_SUM] == _checksum(data) else None

    def put(self, key: str, data: bytes) -> None:
        """Whole or not at all; the files that were not used for longest go beyond KEPT."""
        with suppress(OSError):
            self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            with tempfile.NamedTemporaryFile(dir=self._folder, prefix=".", delete=False) as file:
                file.write(_checksum(data) + data)
            Path(file.name).replace(self._folder / key)
            by_age = sorted(self._folder.iterdir(), key=lambda p: p.stat().st_mtime, reverse=True)
            for old in by_age[KEPT:]:
                old.unlink()


def _checksum(data: bytes) -> bytes:
    return blake2b(data, digest_size=_SUM).digest()


def databases(folder: Path, halved: Halved = undivided) -> Databases:
    """All that compiling makes, kept in this folder."""
    return Databases(BlobFolder(folder), _code(), halved)


@cache
def _code() -> str:
    """Changes with the code that reads, compiles and judges."""
    top, found = Path(monitor.__file__).parent, blake2b(digest_size=_SUM)
    folders = ("domain", "engine", "services", "adapters/rulefiles")
    for path in sorted(path for folder in folders for path in (top / folder).glob("*.py")):
        found.update(path.read_bytes())
    return found.hexdigest()


def user_cache() -> Path:
    """Where the command line keeps them: $XDG_CACHE_HOME/redpost, or ~/.cache/redpost."""
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "redpost"
