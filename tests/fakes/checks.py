"""Script checks in memory."""

from monitor.domain.audit import Deed
from monitor.services.checking import Check, CheckFilter, CheckPage, numbered
from monitor.services.recordings import Trail


class MemoryChecks:
    """Implements `Checks`."""

    def __init__(self, trail: Trail) -> None:
        self.kept: dict[str, list[Check]] = {}
        self._trail = trail

    async def keep(self, tenant: str, check: Check, deed: Deed) -> Check:
        mine = self.kept.setdefault(tenant, [])
        mine.append(numbered(check, 1 + sum(one.summary.id == check.summary.id for one in mine)))
        await self._trail.write([deed])
        return mine[-1]

    async def one(self, tenant: str, name: str, version: int | None) -> Check | None:
        found = [one for one in self.kept.get(tenant, [])
                 if one.summary.id == name and version in (None, one.summary.version)]
        return found[-1] if found else None

    async def page(self, tenant: str, where: CheckFilter, *, cursor: str | None, limit: int) -> CheckPage:
        found = [one.summary for one in reversed(self.kept.get(tenant, [])) if where.id in (None, one.summary.id)]
        return CheckPage(found[:limit], None)
