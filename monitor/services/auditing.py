"""Looking after the trail: whether its rows follow from one another, and what the last one is.

A row that was changed, removed, put in or moved breaks the chain behind it. Rows that are cut off its end leave it
whole, and whoever can write the database can make all of it anew: only a hash that was noted elsewhere tells that. So
the last one is logged, and `redpost audit verify` prints it.
"""

import asyncio
from collections.abc import Collection
from typing import Final

from msgspec import Struct

from monitor.domain.audit import FIRST, AuditRow, Broken, verify
from monitor.services.ports import Logger, Telemetry
from monitor.services.recordings import Trail

_PAGE: Final = 1_000
_AT_ONCE: Final = 20_000
"""Rows of a tenant that one look takes at most: the rest is for the next one."""


class Checked(Struct, frozen=True, kw_only=True):
    """How far a chain was followed. `found`: which of the wanted hashes are in it."""

    rows: int = 0
    hash: str = FIRST
    broken: Broken | None = None
    found: frozenset[str] = frozenset()


async def follow(
    trail: Trail, tenant: str, start: Checked = Checked(), *,  # noqa: B008 - a frozen value
    wanted: Collection[str] = (), most: int | None = None,
) -> Checked:
    """The chain from `start` on, up to `most` rows; the last row that was followed is looked at again."""
    at, done = start, 0
    while most is None or done < most:
        rows = await trail.rows(tenant, after=max(0, at.rows - 1), limit=_PAGE)
        if at.rows and not _still(rows, at):
            return Checked(rows=at.rows, hash=at.hash, broken=Broken(
                at.rows, "it was there, and is gone or another one now"))
        fresh = rows[1:] if at.rows else rows
        if not fresh:
            break
        broken = await asyncio.to_thread(verify, fresh, seq=at.rows, before=at.hash)
        hits = frozenset(row.hash for row in fresh if row.hash in wanted)
        at = Checked(rows=fresh[-1].seq, hash=fresh[-1].hash, broken=broken, found=at.found | hits)
        if broken is not None:
            break
        done += len(fresh)
    return at


def _still(rows: list[AuditRow], known: Checked) -> bool:
    return bool(rows) and (rows[0].seq, rows[0].hash) == (known.rows, known.hash)


class Auditing:
    """Follows the chains of all tenants as they grow. Used from one event loop."""

    def __init__(self, trail: Trail, telemetry: Telemetry, logger: Logger) -> None:
        self._trail, self._telemetry, self._logger = trail, telemetry, logger
        self._known: dict[str, Checked] = {}

    async def look(self) -> None:
        """At what is new. What is broken stays told until the service starts again."""
        for tenant in sorted({*await self._trail.audited(), *self._known}):
            before = self._known.get(tenant, Checked())
            if before.broken is None:
                self._known[tenant] = await follow(self._trail, tenant, before, most=_AT_ONCE)
                self._tell(tenant, before, self._known[tenant])
        sound = all(checked.broken is None for checked in self._known.values())
        self._telemetry.gauge("audit_chain_ok", 1 if sound else 0)

    def _tell(self, tenant: str, before: Checked, now: Checked) -> None:
        if now.broken is not None:
            self._logger.error("audit_broken", tenant=tenant, seq=now.broken.seq, why=now.broken.why,
                               hint="`redpost audit verify` says it again; compare with a backup")
        elif now.rows > before.rows:
            self._logger.info("audit_anchor", tenant=tenant, seq=now.rows, hash=now.hash)
