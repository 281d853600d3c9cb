"""A message of the topic `events`: entries of one partition that were written together, and how they are numbered.

Entry k of the message at an offset has the sequence number 256 · offset + k + 1: the numbers rise, with holes, and each
names its offset.
"""

from collections.abc import Iterable, Sequence
from typing import Final

import msgspec
from aiokafka.partitioner import murmur2

from monitor.domain.errors import NewerFormat
from monitor.domain.frames import FORMAT, Entry

MOST_ENTRIES: Final = 256
"""Entries that one message can hold."""
FORMAT_HEADER: Final = "redpost-format"

_encode: Final = msgspec.msgpack.Encoder().encode
_decode: Final = msgspec.msgpack.Decoder(list[Entry]).decode


class Poison(ValueError):
    """A message that nobody can read; `str` says why."""


def partition_of(tenant: str, room: str, partitions: int) -> int:
    """Where a room's events go: murmur2 of `tenant/room`, as Kafka's own clients spread keys."""
    return (int(murmur2(f"{tenant}/{room}".encode())) & 0x7FFFFFFF) % partitions


def headers() -> list[tuple[str, bytes]]:
    return [(FORMAT_HEADER, str(FORMAT).encode())]


def pack(entries: Sequence[Entry]) -> bytes:
    return _encode(entries)


def unpack(value: bytes | None, headers: Iterable[tuple[str, bytes]]) -> list[Entry]:
    """Raises Poison for what is no message of ours, NewerFormat for one that a newer version wrote."""
    told = dict(headers).get(FORMAT_HEADER)
    if told is None or not told.isdigit():
        raise Poison(f"the header {FORMAT_HEADER} is missing or no number")
    if int(told) > FORMAT:
        raise NewerFormat(f"the topic holds a message of format {int(told)}, this version reads up to {FORMAT}",
                          hint="run the newer redpost that wrote it")
    try:
        entries = _decode(value or b"")
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise Poison(f"not a list of entries: {error}") from error
    if not 0 < len(entries) <= MOST_ENTRIES:
        raise Poison(f"{len(entries)} entries; a message holds 1 to {MOST_ENTRIES}")
    return entries


def seq_of(offset: int, k: int) -> int:
    """The sequence number of entry `k` of the message at `offset`."""
    return MOST_ENTRIES * offset + k + 1


def before(offset: int) -> int:
    """The highest number that an entry before this offset can have."""
    return MOST_ENTRIES * offset


def offset_of(seq: int) -> int:
    """The offset of the message that holds the entry of this number."""
    return (seq - 1) // MOST_ENTRIES
