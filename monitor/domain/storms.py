"""Storms: a rule whose alerts come faster than people could look at them. Pure state, kept by the one that dispatches.

The first alerts of a storm go to their posts, so that people see what it is about; the others are held.
"""

from collections.abc import Mapping
from typing import Annotated

from msgspec import Meta, Struct, field

from monitor.domain.ids import digest

Key = tuple[str, str]
"""Tenant and rule."""


class Breaker(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A rule of which more than `most` alerts came within `within_s` is in a storm; it is over when for `calm_s` fewer
    than half as many came per such time."""

    most: Annotated[int, Meta(ge=1)] = 60
    within_s: Annotated[int, Meta(ge=1, le=3_600)] = 60
    calm_s: Annotated[int, Meta(ge=1, le=86_400)] = 120


class Gauge(Struct):
    """How fast the alerts of one rule come. `counts`: by second, as far back as the breaker looks; `storm`: the id of
    the one that rages, "" for none; `calm_since`: UTC ms."""

    counts: dict[int, int] = field(default_factory=dict)
    together: int = 0
    storm: str = ""
    calm_since: int = 0


class Weather:
    """Which rules are in a storm."""

    def __init__(self, breaker: Breaker | None = None) -> None:
        self.breaker = breaker or Breaker()
        self._gauges: dict[Key, Gauge] = {}

    def resume(self, raging: Mapping[Key, str], now: int) -> None:
        """Those that raged when the last process ended, by their ids: they have to grow calm anew."""
        for key, storm in raging.items():
            self._gauges[key] = Gauge(storm=storm, calm_since=now)

    def raging(self) -> dict[Key, str]:
        """The ids of storms."""
        return {key: gauge.storm for key, gauge in self._gauges.items() if gauge.storm}

    def arrived(self, tenant: str, rule: str, now: int) -> str:
        """One more alert came (UTC ms): the id of the storm that holds it, "" for none."""
        key = (tenant, rule)
        gauge = self._gauges.setdefault(key, Gauge())
        self._look(gauge, now)
        second = now // 1_000
        gauge.counts[second] = gauge.counts.get(second, 0) + 1
        gauge.together += 1
        if not gauge.storm and gauge.together > self.breaker.most:
            gauge.storm, gauge.calm_since = "s" + digest("storm", *key, now), now
        return gauge.storm

    def pass_time(self, now: int) -> None:
        """Storms end by calm, also where no alert comes (UTC ms)."""
        for key, gauge in list(self._gauges.items()):
            self._look(gauge, now)
            if not gauge.counts and not gauge.storm:
                del self._gauges[key]

    def _look(self, gauge: Gauge, now: int) -> None:
        """Forget what the breaker does not look at any more; end a storm that has been calm for long enough."""
        gone = [second for second in gauge.counts if second <= now // 1_000 - self.breaker.within_s]
        for second in gone:
            gauge.together -= gauge.counts.pop(second)
        if not gauge.storm:
            return
        if gauge.together * 2 >= self.breaker.most:
            gauge.calm_since = now
        elif now - gauge.calm_since >= self.breaker.calm_s * 1_000:
            gauge.storm = ""
