"""When a room's broadcasts begin and end for those who wait for a statement."""

from collections.abc import Sequence
from typing import Final

from msgspec import Struct

from monitor.domain.correlations import ENDED, STARTED
from monitor.domain.events import KINDS, Kind
from monitor.domain.frames import Frame, utterances
from monitor.engine.correlation_events import Signal

_ROOMS: Final = 50_000
_LOOK_EVERY_MS: Final = 10_000
_SIGNAL: Final = KINDS.index(Kind.SIGNAL)

RoomKey = tuple[str, str]


class Present(Struct):
    """A room's broadcast, as far as its host side shows it."""

    broadcast: str
    last_at: int
    seen_at: int
    ended: bool = False


class PresenceState(Struct):
    rooms: dict[RoomKey, Present] = {}
    looked_at: int = 0


class Presence:
    """When broadcasts begin and end for those who wait for a statement: at a signal, at the host's first words, and
    when nothing was said for long."""

    def __init__(self, state: PresenceState, *, silence_ms: int) -> None:
        self.state = state
        self._silence_ms = silence_ms

    def of(self, frame: Frame, broadcasts: Sequence[str]) -> list[Signal]:
        """`broadcasts[i]`: that of event i."""
        at = memoryview(frame.at).cast("q")
        rooms = memoryview(frame.room_ix).cast("H") if frame.room_ix else bytes(len(frame))
        found: list[Signal] = []
        for i, (n, broadcast) in enumerate(zip(rooms, broadcasts, strict=True)):
            key = frame.tenant, frame.rooms[n]
            known = self.state.rooms.get(key)
            if known is not None and known.broadcast == broadcast and not known.ended:
                known.last_at, known.seen_at = max(known.last_at, at[i]), frame.accepted_at
                continue
            if known is not None and known.broadcast != broadcast and at[i] < known.last_at:
                continue  # a late event of an earlier broadcast
            if known is not None and not known.ended and at[i] - known.last_at > self._silence_ms:
                found.append(self._ended(key, known, frame.accepted_at))
            self._put(key, Present(broadcast, at[i], frame.accepted_at))
            found.append(Signal(STARTED, *key, broadcast, at[i], frame.accepted_at))
        return found

    def silent(self, now: int) -> list[Signal]:
        """Broadcasts that are over by `now` (`accepted_at`, UTC ms)."""
        if now - self.state.looked_at < _LOOK_EVERY_MS:
            return []
        self.state.looked_at = now
        return [self._ended(key, present, now) for key, present in self.state.rooms.items()
                if not present.ended and now - present.seen_at > self._silence_ms]

    def _ended(self, key: RoomKey, present: Present, now: int) -> Signal:
        present.ended = True
        return Signal(ENDED, *key, present.broadcast, present.last_at + self._silence_ms, now)

    def _put(self, key: RoomKey, present: Present) -> None:
        rooms = self.state.rooms
        rooms.pop(key, None)
        rooms[key] = present
        if len(rooms) > _ROOMS:
            del rooms[next(iter(rooms))]


def signals(frame: Frame, broadcasts: Sequence[str]) -> list[Signal]:
    """Those that a frame holds."""
    chosen = [i for i, kind in enumerate(frame.kinds) if kind == _SIGNAL]
    return [Signal(said.text, said.tenant, said.room, said.broadcast, said.at, frame.accepted_at)
            for said in utterances(frame, chosen, broadcasts)] if chosen else []
