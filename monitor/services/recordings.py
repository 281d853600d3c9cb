"""What passes between the organisation's desk and the store. Times in UTC ms."""

from collections.abc import Sequence
from typing import Protocol

from msgspec import Struct

from monitor.domain.audit import AuditRow, Deed
from monitor.domain.record import Record


class Stored(Struct, frozen=True, kw_only=True):
    """A record as it stands. `version`: one count for all records of the tenant, so that whoever knows up to which one
    they have read knows what is new; `record` None: it was taken away."""

    kind: str
    id: str
    version: int
    record: Record | None
    at: int
    by: str


class Edit(Struct, frozen=True, kw_only=True):
    """`record` None takes it away. `expected`: the version that the editor has seen, 0 where it is not to be there yet,
    None where it does not matter."""

    kind: str
    id: str
    record: Record | None
    expected: int | None = None


class Edits(Struct, frozen=True, kw_only=True):
    """What is changed together, and what the trail says of it."""

    changes: Sequence[Edit]
    deeds: Sequence[Deed]
    at: int
    by: str


class Records(Protocol):
    """What tenants keep of themselves. Raises StorageError."""

    async def since(self, tenant: str, version: int, *, over_before: int | None = None) -> list[Stored]:
        """Edits behind `version`, oldest first; `over_before`: without what was over by then (UTC ms), but always with
        the latest edit."""
        ...

    async def page(self, tenant: str, kind: str, *, after: str, limit: int) -> list[Stored]:
        """Records of a kind by id, those behind `after`."""
        ...

    async def named(self, tenant: str, names: Sequence[tuple[str, str]]) -> list[Stored]:
        """Those of these (kind, id) that are there."""
        ...

    async def running(self, tenant: str, kind: str, *, since: int, until: int) -> list[Stored]:
        """Slots, or shifts, that ran at some time from `since` to `until` (UTC ms)."""
        ...

    async def edit(self, tenant: str, edits: Edits) -> list[Stored]:
        """All or nothing. Raises Refused ("stale", "missing")."""
        ...

    async def tenants(self) -> list[str]:
        """Those that have records."""
        ...


class Trail(Protocol):
    """The rows that say who changed what. Raises StorageError."""

    async def rows(self, tenant: str, *, after: int, limit: int, on: str | None = None,
                   before: int | None = None) -> list[AuditRow]:
        """Behind the number `after`, oldest first; `before`: only those before that, newest first; `on`: of this
        subject only."""
        ...

    async def write(self, deeds: Sequence[Deed]) -> None:
        """For what is not itself stored, such as an export."""
        ...

    async def audited(self) -> list[str]:
        """The tenants that have rows."""
        ...
