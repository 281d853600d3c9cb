"""What a correlator is fed and what it answers: plain values. Times in UTC ms."""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import NamedTuple, TypeVar

from msgspec import Struct

from monitor.domain import ids
from monitor.domain.ids import digest, event_key


class EventRef(NamedTuple):
    """An event that counted. `rule`: the rule that found it; `seq`: its frame's place in the log."""

    at: int
    source: str
    id: str
    revision: int
    rule: str
    seq: int


class Observation(NamedTuple):
    """A finding, as correlations see it. Sorted by time, then by event and rule.

    `speaker` is "" where nobody is named; `text`: the fingerprint of the folded text, 0 for none. `events` is set for a
    window that stands in for its events.
    """

    at: int
    source: str
    id: str
    revision: int
    rule: str
    tenant: str
    room: str
    broadcast: str
    speaker: str
    lane: int
    text: int
    accepted_at: int
    seq: int
    events: tuple[EventRef, ...] = ()

    def refs(self) -> tuple[EventRef, ...]:
        return self.events or (EventRef(self.at, self.source, self.id, self.revision, self.rule, self.seq),)


Struck = Mapping[tuple[str, str], int]
"""(source, id) of an event → its findings below this revision no longer stand."""


class Signal(NamedTuple):
    """A signal's `name`; of a broadcast that no signal announces, `broadcast_started` and `broadcast_ended`."""

    name: str
    tenant: str
    room: str
    broadcast: str
    at: int
    accepted_at: int


class Why(StrEnum):
    """Why a window or an absence falls, or an observation does not count."""

    REVISED = "revised"  # an event that it rests on was withdrawn
    HEARD = "heard"  # the statement arrived late, and was in time
    ENDED = "ended"  # word arrived late that the broadcast was over before the statement was due
    MOVED = "moved"  # what the statement must follow turned out to have happened earlier
    LATE = "late"  # older than what is remembered
    NOBODY = "nobody"  # a comment without an account, where accounts are told apart
    TEXTLESS = "textless"  # no fingerprint, where texts are told apart
    LANE = "lane"  # of a lane that the correlation does not look at
    FULL = "full"  # a bound of the state was reached


class _Reported(Struct, frozen=True, kw_only=True):
    """`id`: the finding's."""

    rule: str
    id: str
    subject: str
    tenant: str
    room: str
    broadcast: str


class Held(_Reported, frozen=True, kw_only=True):
    """A window that holds, as of the moment when it first did.

    `speaker`, `lane`, `seq` and so on are those of the latest event, but `speaker` is "" where it is not everybody's.
    `events`: the first ones, in order of time; `count`: events, values or rules at that moment.
    """

    speaker: str
    lane: int
    at: int
    accepted_at: int
    seq: int
    events: tuple[EventRef, ...]
    count: int


class Joined(NamedTuple):
    """An event that fell in the window of the finding `id`; told until the finding names enough of them."""

    id: str
    event: EventRef
    rule: str
    tenant: str
    room: str


class Due(_Reported, frozen=True, kw_only=True):
    """A statement that was due by `due_at` and not heard since `since`."""

    since: int
    due_at: int


class Fallen(Struct, frozen=True):
    """The finding `id` of a window or an absence no longer holds."""

    id: str
    rule: str
    tenant: str
    room: str
    why: Why


Change = Held | Joined | Due | Fallen
_T = TypeVar("_T", Held, Joined, Due, Fallen)


class Outcome(Struct):
    """What is to be done, in this order: rooms in order of their names, each in order of its time. The same window may
    hold and fall, and the same absence come back. `dropped`: reason → what does not count."""

    changes: list[Change] = []
    dropped: dict[Why, int] = {}

    @property
    def held(self) -> list[Held]:
        return self._of(Held)

    @property
    def joined(self) -> list[Joined]:
        return self._of(Joined)

    @property
    def due(self) -> list[Due]:
        return self._of(Due)

    @property
    def fallen(self) -> list[Fallen]:
        return self._of(Fallen)

    def _of(self, kind: type[_T]) -> list[_T]:
        return [change for change in self.changes if isinstance(change, kind)]

    def drop(self, why: Why, amount: int = 1) -> None:
        self.dropped[why] = self.dropped.get(why, 0) + amount


_Seen = TypeVar("_Seen", EventRef, Observation)


def standing(some: list[_Seen], struck: Struck) -> list[_Seen]:
    """Those that are left."""
    return [o for o in some if o[3] >= struck.get(o[1:3], o[3])]


def window_subject(tenant: str, events: Sequence[EventRef]) -> str:
    """What the finding of a window is about: its events' keys in order."""
    return ids.window_subject([event_key(tenant, e.source, e.id, e.revision) for e in events])


def absence_subject(room: str, broadcast: str, due_at: int) -> str:
    """What the finding of an absence is about."""
    return digest("absence", room, broadcast, due_at)
