"""Hyperscan databases, compiled once for the same content: in a process, and across starts where a cache is given."""

from collections.abc import Sequence
from importlib.metadata import version
from typing import Final, Protocol

import hyperscan

from monitor.domain.ids import digest
from monitor.engine.views import MIX

_KEPT: Final = 1_000


class BlobCache(Protocol):
    """Serialised databases by key. A blob that was made elsewhere is refused by Hyperscan and made anew."""

    def get(self, key: str) -> bytes | None: ...

    def put(self, key: str, data: bytes) -> None: ...


class Databases:
    """Compiles what it has not compiled before, at about 15 µs a literal."""

    def __init__(self, blobs: BlobCache | None = None) -> None:
        self._blobs = blobs
        self._known: dict[str, hyperscan.Database] = {}

    def literals(self, forms: Sequence[tuple[int, ...]]) -> hyperscan.Database:
        """Over permuted two-byte units; each form is a tuple of units."""
        spelled = _Spelled()
        expressions = [b"".join(map(spelled.__getitem__, units)) for units in forms]
        key = digest(version("hyperscan"), len(expressions), b"\n".join(expressions).decode("latin-1"))
        if key not in self._known:
            if len(self._known) >= _KEPT:
                self._known.clear()
            self._known[key] = self._loaded(key) or self._compiled(key, expressions)
        return self._known[key]

    def get(self, key: str) -> bytes | None:
        """What an earlier start kept under this key."""
        return self._blobs.get(key) if self._blobs is not None else None

    def put(self, key: str, data: bytes) -> None:
        if self._blobs is not None:
            self._blobs.put(key, data)

    def _loaded(self, key: str) -> hyperscan.Database | None:
        blob = self._blobs.get(key) if self._blobs is not None else None
        if blob is None:
            return None
        try:
            db = hyperscan.loadb(blob, hyperscan.HS_MODE_BLOCK)
            db.scratch = hyperscan.Scratch(db)
        except hyperscan.HyperscanError:
            return None
        return db

    def _compiled(self, key: str, expressions: Sequence[bytes]) -> hyperscan.Database:
        db = compiled(expressions)
        if self._blobs is not None:
            self._blobs.put(key, hyperscan.dumpb(db))
        return db


def compiled(expressions: Sequence[bytes]) -> hyperscan.Database:
    db = hyperscan.Database(mode=hyperscan.HS_MODE_BLOCK)
    db.compile(expressions=list(expressions), ids=list(range(len(expressions))), elements=len(expressions),
               flags=[0] * len(expressions))
    return db


class _Spelled(dict[int, bytes]):
    """unit → its two bytes, permuted, as a literal is written."""

    def __missing__(self, unit: int) -> bytes:
        low, high = (unit * int(MIX) & 0xFFFF).to_bytes(2, "little")
        found = self[unit] = b"\\x%02x\\x%02x" % (low, high)
        return found
