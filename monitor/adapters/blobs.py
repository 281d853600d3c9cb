"""Compiled pattern databases on disk, so that a start does not compile what an earlier one did."""

import os
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Final

KEPT: Final = 200


class BlobFolder:
    """One file per key, mode 0700 for the folder: what is loaded from here is trusted. Failing to write is no fault."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def get(self, key: str) -> bytes | None:
        path = self._folder / key
        try:
            data = path.read_bytes()
            os.utime(path)
        except OSError:
            return None
        return data

    def put(self, key: str, data: bytes) -> None:
        """Whole or not at all; the files that were not used for longest go beyond KEPT."""
        with suppress(OSError):
            self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            with tempfile.NamedTemporaryFile(dir=self._folder, prefix=".", delete=False) as file:
                file.write(data)
            Path(file.name).replace(self._folder / key)
            by_age = sorted(self._folder.iterdir(), key=lambda p: p.stat().st_mtime, reverse=True)
            for old in by_age[KEPT:]:
                old.unlink()


def user_cache() -> Path:
    """Where the command line keeps them: $XDG_CACHE_HOME/redpost, or ~/.cache/redpost."""
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "redpost"
