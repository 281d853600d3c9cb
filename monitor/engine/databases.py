"""What compiling a set of rules makes, made once for the same content: in a process, and across starts where a cache is
given."""

from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from importlib.metadata import version
from typing import Any, Final, Protocol, TypeVar
from weakref import WeakValueDictionary

import hyperscan
import msgspec

from monitor.domain.ids import digest
from monitor.engine.views import MIX

_AT_ONCE: Final = 2
"""Databases that are compiled at the same time; each takes memory."""

T = TypeVar("T")
U = TypeVar("U")


class BlobCache(Protocol):
    """Bytes by key, as they were put; None for what is not there, or no longer whole."""

    def get(self, key: str) -> bytes | None: ...

    def put(self, key: str, data: bytes) -> None: ...


class Halved(Protocol):
    """Work on many things, perhaps shared with another process."""

    def __call__(self, work: Callable[[Sequence[T]], list[U]], items: Sequence[T], of: type[U]) -> list[U]: ...


def undivided(work: Callable[[Sequence[T]], list[U]], items: Sequence[T], of: type[U]) -> list[U]:
    return work(items)


class Database:
    """What Hyperscan compiled, for several threads at once: a scan needs scratch of its own."""

    def __init__(self, compiled: hyperscan.Database) -> None:
        self.compiled = compiled
        self._spare: list[hyperscan.Scratch] = []

    def scan(self, data: bytes, on_match: Callable[[int, int, int, int, object], None]) -> None:
        """`on_match`: number of the expression, start (always 0) and end in bytes, flags, context."""
        try:
            scratch = self._spare.pop()
        except IndexError:
            scratch = hyperscan.Scratch(self.compiled)
        self.compiled.scan(data, match_event_handler=on_match, scratch=scratch)
        self._spare.append(scratch)


class Databases:
    """Compiles what it has not compiled before, at about 20 µs a literal. `edition` changes with the code: what other
    code has made is made anew; databases are Hyperscan's, and go by their content. `halved`: how what is not kept is
    made where it is much."""

    def __init__(self, blobs: BlobCache | None = None, edition: str = "", halved: Halved = undivided) -> None:
        self.halved = halved
        self._blobs = blobs
        self._edition = edition
        self._known: WeakValueDictionary[str, Database] = WeakValueDictionary()
        self._met: list[Database] = []  # so that they last until an engine holds them
        self._threads: ThreadPoolExecutor | None = None
        self._compiling: dict[str, Future[Database]] = {}

    def literals(self, forms: Sequence[str]) -> str:
        """The key of a database over permuted two-byte units, which is known from `finish` on; each form is a string of
        units. It is compiled meanwhile, on a thread: Hyperscan lets the interpreter go."""
        spelled = _Spelled()
        expressions = [b"".join(map(spelled.__getitem__, units)) for units in forms]
        key = digest(version("hyperscan"), len(expressions), b"\n".join(expressions).decode("latin-1"))
        try:
            self.known(key)
        except LookupError:
            if key not in self._compiling:
                self._threads = self._threads or ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="hyperscan")
                self._compiling[key] = self._threads.submit(compiled, expressions)
        return key

    def finish(self) -> None:
        """All that was asked for is compiled and kept."""
        compiling, self._compiling = self._compiling, {}
        if self._threads is not None:
            self._threads.shutdown()
            self._threads = None
        for key, one in compiling.items():
            db = one.result()
            self._put(key, hyperscan.dumpb(db.compiled))
            self._know(key, db)

    def known(self, key: str) -> Database:
        """Raises LookupError where nobody compiled it."""
        db = self._known.get(key)
        if db is None:
            blob = self._get(key)
            if blob is None:
                raise LookupError(key)
            try:
                db = Database(hyperscan.loadb(blob, hyperscan.HS_MODE_BLOCK))
            except hyperscan.HyperscanError as error:  # made elsewhere
                raise LookupError(key) from error
            self._know(key, db)
        return db

    def _know(self, key: str, db: Database) -> None:
        self._known[key] = db
        self._met.append(db)

    def release(self) -> None:
        """Databases that no engine holds go; a cache has them still, and without one they stay."""
        if self._blobs is not None:
            self._met.clear()

    def kept(self, key: str, kind: type[T]) -> T | None:
        """What this edition kept under this key, or None."""
        blob = self._get(digest(key, self._edition))
        try:
            return None if blob is None else msgspec.msgpack.decode(blob, type=kind)
        except msgspec.MsgspecError:
            return None

    def keep(self, key: str, value: Any) -> None:
        self._put(digest(key, self._edition), msgspec.msgpack.encode(value))

    def _get(self, key: str) -> bytes | None:
        return self._blobs.get(key) if self._blobs is not None else None

    def _put(self, key: str, data: bytes) -> None:
        if self._blobs is not None:
            self._blobs.put(key, data)


def compiled(expressions: Sequence[bytes]) -> Database:
    db = hyperscan.Database(mode=hyperscan.HS_MODE_BLOCK)
    db.compile(expressions=list(expressions), ids=list(range(len(expressions))), elements=len(expressions),
               flags=[0] * len(expressions))
    return Database(db)


class _Spelled(dict[str, bytes]):
    """unit → its two bytes, permuted, as a literal is written."""

    def __missing__(self, unit: str) -> bytes:
        low, high = (ord(unit) * int(MIX) & 0xFFFF).to_bytes(2, "little")
        found = self[unit] = b"\\x%02x\\x%02x" % (low, high)
        return found
