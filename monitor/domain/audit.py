"""The trail of changes: each row holds the hash of the one before, so that none can be changed or left out unseen."""

from collections.abc import Iterable
from hashlib import sha256
from typing import Any, Final

import msgspec
from msgspec import Struct

FIRST: Final = "0" * 64
"""What the first row of a tenant follows."""
SYSTEM: Final = "system"
"""Who acts where nobody asked: a signal to the process, a file that has changed."""

_encoder: Final = msgspec.json.Encoder(order="deterministic")


class Deed(Struct, frozen=True, kw_only=True):
    """What somebody changed. `what`: such as `alert.decide` or `room.put`; `on`: the id of what it changed; `facts`:
    plain values, masked where they could hold contact data. `at`: UTC ms."""

    tenant: str
    by: str
    at: int
    what: str
    on: str
    facts: dict[str, Any] = {}


class AuditRow(Struct, frozen=True, kw_only=True):
    """`seq`: 1, 2, 3, … of a tenant, without holes. `hash`: of the one before and of all that stands here."""

    seq: int
    deed: Deed
    before: str
    hash: str


class Broken(Struct, frozen=True):
    """The first row that does not follow from the one before, and in what."""

    seq: int
    why: str


def row(deed: Deed, *, seq: int, before: str) -> AuditRow:
    """`before`: the hash of the row before, `FIRST` for the first."""
    return AuditRow(seq=seq, deed=deed, before=before, hash=_hash(seq, deed, before))


def verify(rows: Iterable[AuditRow], *, seq: int = 0, before: str = FIRST) -> Broken | None:
    """None where all rows follow from `before`, which has the number `seq`; else the first that does not."""
    for found in rows:
        seq += 1
        if found.seq != seq:
            return Broken(seq, f"the row is missing; the next one there is {found.seq}")
        if found.before != before:
            return Broken(seq, "it does not follow the row before it")
        if found.hash != _hash(seq, found.deed, before):
            return Broken(seq, "what it says was changed")
        before = found.hash
    return None


def _hash(seq: int, deed: Deed, before: str) -> str:
    return sha256(_encoder.encode((seq, before, deed))).hexdigest()
