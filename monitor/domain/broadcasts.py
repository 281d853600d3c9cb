"""Which broadcast an event belongs to, decided in log order before anything is judged.

A broadcast that the source names is taken as named. Without a name it opens at a room's first event (or at a
`broadcast_started` signal) and ends at `broadcast_ended` or after a silence.
"""

from msgspec import Struct

from monitor.domain.ids import broadcast_id


class Broadcast(Struct, kw_only=True):
    """One session of one room. Times in UTC ms; `ended_at` is None while it runs.

    `last_at` is event time, `seen_at` when the last event was accepted: their sum of what passed is the room's clock.
    `heard_at` is the time of the latest transcript, 0 where none came.
    """

    id: str
    tenant: str
    room: str
    started_at: int
    last_at: int
    named: bool
    seen_at: int = 0
    ended_at: int | None = None
    why_ended: str = ""  # "signal" | "silence" | "next" | ""
    heard_at: int = 0


RoomKey = tuple[str, str]  # tenant, room


class Rooms(Struct):
    """The current broadcast of each room; plain, serialisable state."""

    current: dict[RoomKey, Broadcast] = {}

    def assign(
        self, tenant: str, room: str, *, named: str, at: int, seen_at: int, silence_ms: int, signal: str = ""
    ) -> tuple[str, list[Broadcast]]:
        """The broadcast of one event, and the broadcasts that this event opened, moved on or ended.

        `named`: the id that the source sent, or "". `signal`: the text of a signal event.
        """
        key = (tenant, room)
        now = self.current.get(key)
        changed: list[Broadcast] = []
        if now is not None and named and named != now.id and at < now.started_at:
            return named, changed  # a late event of an earlier broadcast
        if now is None or self._is_new(now, named, at, silence_ms, signal):
            if now is not None and now.ended_at is None:
                self._end(now, at if at - now.last_at <= silence_ms else now.last_at + silence_ms,
                          "next" if at - now.last_at <= silence_ms else "silence")
                changed.append(now)
            now = Broadcast(id=named or broadcast_id(tenant, room, at), tenant=tenant, room=room,
                            started_at=at, last_at=at, named=bool(named))
            self.current[key] = now
            changed.append(now)
        now.last_at = max(now.last_at, at)
        now.seen_at = max(now.seen_at, seen_at)
        if signal == "broadcast_ended" and now.ended_at is None:
            self._end(now, at, "signal")
            changed.append(now)
        return now.id, changed

    @staticmethod
    def _is_new(now: Broadcast, named: str, at: int, silence_ms: int, signal: str) -> bool:
        if named:
            return named != now.id
        if now.why_ended == "silence":
            return True
        if signal == "broadcast_started":
            return now.ended_at is not None or at - now.last_at > silence_ms
        return at - now.last_at > silence_ms

    @staticmethod
    def _end(broadcast: Broadcast, at: int, why: str) -> None:
        broadcast.ended_at = at
        broadcast.why_ended = why

    def silent(self, *, now: int, silence_ms: int) -> list[Broadcast]:
        """End the broadcasts that were silent too long by `now` (`accepted_at` of a tick, UTC ms); those that ended."""
        ended = []
        for broadcast in self.current.values():
            if broadcast.ended_at is None and now - broadcast.seen_at > silence_ms:
                self._end(broadcast, broadcast.last_at + silence_ms, "silence")
                ended.append(broadcast)
        return ended

    def forget(self, *, now: int, after_ms: int) -> None:
        """Let go of broadcasts that ended and had no event for so long by `now` (`accepted_at` of a tick, UTC ms).

        A late event without a name then opens another broadcast; one with a name opens it again.
        """
        old = [key for key, b in self.current.items() if b.ended_at is not None and now - b.seen_at > after_ms]
        for key in old:
            del self.current[key]
