"""Where and when a rule holds: the rooms that it chooses, and the days of its effect."""

from datetime import date, datetime, time
from zoneinfo import ZoneInfo

from monitor.domain.rules import AnyRule, RoomContext


class Scope:
    """`room_bound`: whether it depends on the room at all; `bound`: on the room or the day."""

    def __init__(self, rule: AnyRule, zone: ZoneInfo) -> None:
        self._applies = applies = rule.applies
        self._since, self._until = (_midnight(d, zone) for d in (rule.effective.since, rule.effective.until))
        self.room_bound = bool(applies.platforms is not None or applies.verticals is not None
                               or applies.rooms.having or applies.rooms.without)
        self.bound = self.room_bound or self._since is not None or self._until is not None

    def in_room(self, context: RoomContext | None) -> bool:
        """An unknown room has no tag; where its platform or vertical is not known, a rule bound to some applies."""
        applies = self._applies
        tags = set(context.tags) if context else set()
        for wanted, known in ((applies.platforms, context and context.platform),
                              (applies.verticals, context and context.vertical)):
            if wanted is not None and known and known not in wanted:
                return False
        return tags.issuperset(applies.rooms.having) and tags.isdisjoint(applies.rooms.without)

    def in_force(self, at: int) -> bool:
        """`at`: UTC ms."""
        return (self._since is None or at >= self._since) and (self._until is None or at < self._until)


def _midnight(day: date | None, zone: ZoneInfo) -> int | None:
    """UTC ms of the day's first moment in the tenant's zone."""
    return None if day is None else round(datetime.combine(day, time(), zone).timestamp() * 1000)
