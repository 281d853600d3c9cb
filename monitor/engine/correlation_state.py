"""What a correlator is fed, what it answers, and what it remembers: plain values, serialisable. Times in UTC ms."""

from collections.abc import Sequence
from enum import StrEnum
from typing import Final, NamedTuple, TypeVar

import msgspec
from msgspec import Struct

from monitor.domain.errors import NewerFormat
from monitor.domain.ids import digest, event_key

STATE_FORMAT: Final = 1
NEVER: Final = 2**62


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


class Held(Struct, frozen=True, kw_only=True):
    """A window that holds, as of the moment when it first did. `id`: the finding's.

    `speaker`, `lane`, `seq` and so on are those of the latest event, but `speaker` is "" where it is not everybody's.
    `events`: the first ones, in order of time; `count`: events, values or rules at that moment.
    """

    rule: str
    id: str
    subject: str
    tenant: str
    room: str
    broadcast: str
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


class Due(Struct, frozen=True, kw_only=True):
    """A statement that was due by `due_at` and not heard since `since`. `id`: the finding's."""

    rule: str
    id: str
    subject: str
    tenant: str
    room: str
    broadcast: str
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
T = TypeVar("T", Held, Joined, Due, Fallen)


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

    def _of(self, kind: type[T]) -> list[T]:
        return [change for change in self.changes if isinstance(change, kind)]

    def drop(self, why: Why, amount: int = 1) -> None:
        self.dropped[why] = self.dropped.get(why, 0) + amount


class Limits(Struct, frozen=True):
    """`lateness_ms`: how much disorder is put in order · `keep_ms`: how far back a withdrawal reaches ·
    `named`: events that a finding names · `repeats`: observations of one value (of a rule, of a speaker) in a group."""

    lateness_ms: int = 5_000
    keep_ms: int = 600_000
    sweep_ms: int = 30_000
    named: int = 50
    repeats: int = 8
    windows: int = 64
    groups: int = 1_000
    pending: int = 20_000
    events: int = 50_000
    rooms: int = 10_000
    heard: int = 64


class Window(Struct):
    """[start, until]: everything of the group in it belongs to this window. `id` is "" until it is reported.

    `closing`: it is judged when it is over. `members`: as many as are needed to see whether it still holds; `counts`:
    value → members.
    """

    start: int
    until: int
    members: list[Observation]
    counts: dict[str, int]
    closing: bool = False
    id: str = ""
    named: int = 0


class Group(Struct):
    """Observations that no window has taken, in order, and the windows that are remembered, in order of their start."""

    items: list[Observation] = []
    counts: dict[str, int] = {}  # value → items
    windows: list[Window] = []


class Waves(Struct):
    """Texts that stand for those like them. `bands`: a part of a fingerprint → the one that has it; `seen`: → when."""

    bands: dict[int, int] = {}
    seen: dict[int, int] = {}


class Chain(Struct):
    """The statement must be heard from `since` to `due`; `due` is NEVER once that is settled."""

    since: int
    due: int


class Duty(Struct):
    """One absence rule in one broadcast. `firsts`: what may have begun it, where it begins once (the earliest counts,
    until `began` settles that); `missed`: deadlines that were reported; before `folded` nothing changes any more."""

    chains: list[Chain] = []
    firsts: list[EventRef] = []
    heard: list[EventRef] = []
    missed: list[int] = []
    began: bool = False
    folded: int = 0
    next_due: int = NEVER


class Bounds(Struct):
    """When a broadcast began, when it last did, and when it last ended; None where that is not known."""

    start: int | None = None
    again: int | None = None
    end: int | None = None


GroupKey = tuple[str, ...]  # rule, then the values that the group has in common
DutyKey = tuple[str, str]  # rule, broadcast
RoomKey = tuple[str, str]  # tenant, room


class Room(Struct):
    """`latest`: the latest event time seen, `accepted` that event's acceptance; before `mark` all is in order and done.

    `events`: id of an event that was fed → its time. `closing`: heap of (until, group) of windows to be judged. `wake`:
    when the room is looked at by itself.
    """

    tenant: str
    room: str
    latest: int
    accepted: int
    mark: int
    swept: int
    pending: list[Observation] = []
    events: dict[str, int] = {}
    groups: dict[GroupKey, Group] = {}
    waves: dict[GroupKey, Waves] = {}
    duties: dict[DutyKey, Duty] = {}
    broadcasts: dict[str, Bounds] = {}
    closing: list[tuple[int, GroupKey]] = []
    next_due: int = NEVER
    wake: int = NEVER


class State(Struct):
    """`now`: the latest `accepted_at`. `definitions`: rule → digest of its correlation; others' state is of no use."""

    format: int = STATE_FORMAT
    now: int = 0
    rooms: dict[RoomKey, Room] = {}
    definitions: dict[str, str] = {}


class _Format(Struct):
    format: int


def encode(state: State) -> bytes:
    return msgspec.msgpack.encode(state)


def decode(data: bytes) -> State:
    """Raises NewerFormat for what a newer version wrote, msgspec.MsgspecError for what is no state."""
    found = msgspec.msgpack.decode(data, type=_Format).format
    if found > STATE_FORMAT:
        raise NewerFormat(f"correlation state of format {found}, this version reads up to {STATE_FORMAT}",
                          hint="start the newer version again, or restore a backup of this one")
    return msgspec.msgpack.decode(data, type=State)


def window_subject(tenant: str, events: Sequence[EventRef]) -> str:
    """What the finding of a window is about: its events' keys in order."""
    return digest("window", *(event_key(tenant, e.source, e.id, e.revision) for e in events))


def absence_subject(room: str, broadcast: str, due_at: int) -> str:
    """What the finding of an absence is about."""
    return digest("absence", room, broadcast, due_at)
