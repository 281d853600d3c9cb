"""What passes between the ledgers and the store."""

from typing import Protocol

from msgspec import Struct

from monitor.domain.ledgers import Entry, Ledger


class LedgerFilter(Struct, frozen=True, kw_only=True):
    """When it happened: UTC ms, half-open [since, until). `units`: of rooms of these, None: of all."""

    ledger: Ledger
    since: int | None = None
    until: int | None = None
    units: tuple[str, ...] | None = None


class LedgerPage(Struct, frozen=True):
    """Oldest first. `next` is the cursor of the following page, None at the end."""

    entries: list[Entry]
    next: str | None


class Ledgers(Protocol):
    """Alerts with all that was done about them. Raises StorageError."""

    async def entries(self, tenant: str, where: LedgerFilter, *, cursor: str | None, limit: int) -> LedgerPage:
        """Raises InputError for a bad cursor."""
        ...
