"""Storms: a rule whose alerts come faster than people could look at them.

The first alerts of a storm go to their posts, so that people see what it is about; the others are held.
"""

from typing import Annotated

from msgspec import Meta, Struct, field

from monitor.domain.ids import digest

Key = tuple[str, str]
"""Tenant and rule."""


class Gauge(Struct):
    """How fast the alerts of one rule come. `counts`: by second, as far back as the breaker looks; `together`: their
    sum; `storm`: the id of the one that rages, "" for none; `calm_since`: UTC ms."""

    counts: dict[int, int] = field(default_factory=dict)
    together: int = 0
    storm: str = ""
    calm_since: int = 0


class Breaker(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A rule of which more than `most` alerts came within `within_s` is in a storm; it is over when for `calm_s` fewer
    than half as many came per such time."""

    most: Annotated[int, Meta(ge=1)] = 60
    within_s: Annotated[int, Meta(ge=1, le=3_600)] = 60
    calm_s: Annotated[int, Meta(ge=1, le=86_400)] = 120

    def arrived(self, gauge: Gauge, key: Key, now: int) -> str:
        """One more alert came (UTC ms): the id of the storm that holds it, "" for none."""
        self.pass_time(gauge, now)
        second = now // 1_000
        gauge.counts[second] = gauge.counts.get(second, 0) + 1
        gauge.together += 1
        if not gauge.storm and gauge.together > self.most:
            gauge.storm, gauge.calm_since = "s" + digest("storm", *key, now), now
        return gauge.storm

    def pass_time(self, gauge: Gauge, now: int) -> None:
        """Forget what the breaker does not look at any more; end a storm that has been calm for long enough."""
        gone = [second for second in gauge.counts if second <= now // 1_000 - self.within_s]
        for second in gone:
            gauge.together -= gauge.counts.pop(second)
        if not gauge.storm:
            return
        if gauge.together * 2 >= self.most:
            gauge.calm_since = now
        elif now - gauge.calm_since >= self.calm_s * 1_000:
            gauge.storm = ""
