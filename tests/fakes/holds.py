"""What is held back, in memory: the words in the shortest code."""

from collections import Counter
from collections.abc import Sequence

from monitor.domain.alerts import LIVE, Alert, AlertState
from monitor.domain.storms import Breaker
from monitor.domain.suppression import Hold, Standing
from monitor.services.cases import Case, Storm
from monitor.services.holding import HoldCount, Units
from monitor.services.records import AlertPage
from tests.fakes.posts import MemoryPosts


class MemoryHolds:
    """Implements `Holds` over the cases of `posts`; no storm ever rages."""

    def __init__(self, posts: MemoryPosts) -> None:
        self._posts = posts

    def _seen(self, tenant: str, units: Units) -> list[Case]:
        return [case for (of, _), case in self._posts.cases.items()
                if of == tenant and (units is None or case.alert.unit in units)]

    def _held(self, tenant: str, units: Units) -> list[Alert]:
        return [case.alert for case in self._seen(tenant, units) if case.alert.state is AlertState.HELD]

    async def standing_storms(self) -> list[tuple[str, str, str]]:
        return []

    async def calm(self, breaker: Breaker, now: int) -> int:
        return 0

    async def storms(self, tenant: str, names: Sequence[str]) -> dict[str, Storm]:
        return {}

    async def holders(self, tenant: str, units: Units) -> tuple[dict[str, int], list[HoldCount]]:
        held = self._held(tenant, units)
        by = Counter((alert.reason, alert.held_by) for alert in held)
        return dict(Counter(alert.reason for alert in held)), [
            HoldCount(why=Hold(why), by=what, held=many,
                      sample=next(alert for alert in held if (alert.reason, alert.held_by) == (why, what)))
            for (why, what), many in by.most_common()]

    async def held(
        self, tenant: str, why: Hold, by: str, units: Units, *, cursor: str | None, limit: int
    ) -> AlertPage:
        found = [alert for alert in self._held(tenant, units) if (alert.reason, alert.held_by) == (why, by)]
        return AlertPage(sorted(found, key=lambda alert: -alert.priority)[:limit], None)

    async def left(self, tenant: str, why: Hold, by: str, units: Units) -> int:
        return len((await self.held(tenant, why, by, units, cursor=None, limit=10**6)).alerts)

    async def standing(self, tenant: str, room: str) -> list[Standing]:
        return []

    async def since(self, tenant: str, at: int, units: Units, *, limit: int) -> list[Case]:
        return [case for case in self._seen(tenant, units) if case.alert.state in LIVE or case.alert.at >= at][:limit]

    async def alike(self, tenant: str, case: Case, units: Units, *, limit: int) -> list[Alert]:
        return [other.alert for other in self._seen(tenant, units)
                if other.kept.alike == case.kept.alike and other.alert.room != case.alert.room][:limit]
