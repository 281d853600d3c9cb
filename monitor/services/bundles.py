"""What an engine set is made of, as it is kept by its version: sources, or another set and what is known of rooms."""

from collections.abc import Iterable
from hashlib import blake2b

import msgspec
import zstandard
from msgspec import Struct

from monitor.domain.ids import digest
from monitor.domain.roomrecords import joined
from monitor.domain.rules import RoomContext
from monitor.engine.engineset import EngineSet


class Bundle(Struct, frozen=True):
    """The sources of one engine set: rule files by relative path, the rooms file, the tenant's zone; `model`: the
    version of the classifier, or ""; `own`: versions of tenants' own ones, by tenant. `base`: all of that is as in the
    set of this version, and `records` (as `packed`) say what else is known of rooms."""

    files: dict[str, bytes]
    rooms: bytes
    zone: str
    model: str = ""
    own: dict[str, str] = {}
    base: str = ""
    records: bytes = b""


def packed(rooms: Iterable[RoomContext]) -> bytes:
    """Empty where there are none."""
    found = msgspec.msgpack.encode(list(rooms))
    return zstandard.ZstdCompressor().compress(found) if len(found) > 1 else b""


def in_rooms(base: EngineSet, records: bytes, serving: EngineSet | None = None) -> EngineSet:
    """`base` with these `packed` rooms over its own; its version is made of both. `serving` where it is that."""
    if not records:
        return base
    plain = zstandard.ZstdDecompressor().decompress(records)
    version = digest("rooms", base.version, blake2b(plain, digest_size=12).hexdigest())
    if serving is not None and serving.version == version:
        return serving
    return base.in_rooms(joined(base.rooms.values(), msgspec.msgpack.decode(plain, type=list[RoomContext])), version)
