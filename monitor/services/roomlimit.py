"""How many rooms a tenant may have at once. Each is remembered, so that their number must have an end."""

from collections import OrderedDict
from collections.abc import Iterable
from typing import Final

from monitor.domain.decoding import Decoded
from monitor.domain.rejections import Rejected

_LISTED: Final = 100
_HINT: Final = "a room is a livestream room, not a message or a viewer; where there are more, raise ingest.rooms"


class RoomLimit:
    """Rooms of each tenant; one without events for `kept_ms` makes room for another."""

    def __init__(self, most: int, *, kept_ms: int) -> None:
        self._most = most
        self._kept_ms = kept_ms
        self._seen: dict[str, OrderedDict[str, int]] = {}
        """Tenant → room → when its last event came (UTC ms), in this order."""

    def remember(self, rooms: Iterable[tuple[str, str, int]]) -> None:
        """(tenant, room, when its last event came) of rooms that are there at a start."""
        for tenant, room, seen_at in sorted(rooms, key=lambda each: each[2]):
            self._seen.setdefault(tenant, OrderedDict())[room] = seen_at

    def within(self, tenant: str, decoded: Decoded, *, now: int) -> Decoded:
        """Without the events of rooms that are too many, which are rejected. `now`: UTC ms."""
        seen = self._seen.setdefault(tenant, OrderedDict())
        rooms = dict.fromkeys(event.room for event in decoded.events)
        refused = {room for room in rooms if not self._enter(seen, room, now)}
        if not refused:
            return decoded
        kept = [i for i, event in enumerate(decoded.events) if event.room not in refused]
        rejected = [
            Rejected(line, "room", f"{self._most} other rooms have events", _HINT, event.id)
            for line, event in zip(decoded.lines, decoded.events, strict=False) if event.room in refused]
        return Decoded([decoded.events[i] for i in kept], [decoded.lines[i] for i in kept],
                       decoded.rejected + rejected[:_LISTED], decoded.rejected_total + len(rejected), decoded.array)

    def _enter(self, seen: OrderedDict[str, int], room: str, now: int) -> bool:
        if room not in seen and len(seen) >= self._most:
            oldest, last = next(iter(seen.items()))
            if now - last <= self._kept_ms:
                return False
            del seen[oldest]
        seen[room] = now
        seen.move_to_end(room)
        return True
