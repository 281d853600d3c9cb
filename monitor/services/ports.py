"""What the services need of the world. One contract test suite per port runs over all its implementations."""

from collections.abc import Collection, Sequence
from typing import Any, Protocol

from monitor.domain.audit import Deed
from monitor.domain.frames import Entry, Frame
from monitor.domain.labels import Label, Withdrawn
from monitor.services.cases import Placing
from monitor.services.dispatch import UNPLACED
from monitor.services.records import (
    AlertFilter,
    AlertPage,
    ArchiveQuery,
    Commit,
    Evidence,
    KeptEvent,
    LabelFilter,
    LabelPage,
    Mask,
    Numbered,
    OpenAlerts,
    Position,
    RoomPage,
    Saved,
    Series,
    ShadowRule,
    Snapshot,
    TallyQuery,
    Token,
    Update,
)


class Sink(Protocol):
    """Where entries go to be judged."""

    async def append(self, entries: Sequence[Entry]) -> object:
        """Returns once none of them can be lost. Raises BusyError where too much waits to be written, StorageError
        where it is refused."""
        ...


class Log(Sink, Protocol):
    """The durable log: one sequence, two lanes. Ticks and swaps belong to both lanes."""

    async def append(self, entries: Sequence[Entry]) -> int:
        """Write in one commit, in order; the last sequence number. What returns is on disk.

        Raises BusyError where too much waits to be written, StorageError where the disk refuses (nothing is kept).
        """
        ...

    async def read(self, *, after: int, lane: int | None, events: int) -> list[Numbered]:
        """Entries with seq > `after`, in order: of `lane` and those of both lanes (None: all). At least one entry
        where there is one, else as many as hold up to `events` events."""
        ...

    async def wait(self, after: int, *, timeout: float) -> bool:  # noqa: ASYNC109 - False is an answer, not an error
        """True as soon as an entry with seq > `after` is durable; False after `timeout` seconds."""
        ...

    def end(self) -> int:
        """The last durable sequence number; 0 for an empty log."""
        ...

    def backlog(self, after: int, *, lane: int) -> int:
        """Events of `lane` with seq > `after`."""
        ...

    async def first_since(self, accepted_at: int) -> int:
        """The lowest sequence number accepted at or after this time (UTC ms); end() + 1 where there is none."""
        ...

    async def first(self) -> int:
        """The lowest sequence number still held; end() + 1 for an empty log."""
        ...

    async def session_seq(self, tenant: str, session: str) -> int:
        """The last durable sequence number of a WebSocket session; 0 where it is unknown. Survives trimming."""
        ...

    async def trim(self, *, before: int, accepted_before: int, max_bytes: int) -> int:
        """Drop entries with seq < `before` that are older than `accepted_before` (UTC ms), or the oldest of them
        while the log holds over `max_bytes`. Returns how many entries went."""
        ...

    async def close(self) -> None: ...


class Judgements(Protocol):
    """Where what is judged goes, with how far each lane of the log is. All times UTC ms."""

    async def claim(self, lane: int) -> Position:
        """Take ownership of a lane by raising its epoch; its position (seq 0 at first)."""
        ...

    async def apply(self, commits: Sequence[Commit], placing: Placing = UNPLACED) -> list[Update]:
        """All or nothing; `placing` says where new alerts go. Raises OwnershipLost where a position is not as expected,
        StorageError where the disk refuses. Returns the outbox rows that this wrote, in order."""
        ...

    async def save_snapshots(self, snapshots: Sequence[tuple[Snapshot, int]]) -> None:
        """Each with its lane's epoch; all of them or none. Raises OwnershipLost where an epoch is not the lane's,
        ValueError beyond the committed position."""
        ...

    async def snapshot(self, lane: int) -> Snapshot | None: ...


class Store(Judgements, Protocol):
    """Everything that is kept about findings. Deeds are written with what they tell of, and where that changes nothing,
    not at all."""

    async def positions(self) -> list[Position]: ...

    async def alerts(self, tenant: str, where: AlertFilter, *, cursor: str | None, limit: int) -> AlertPage:
        """Raises InputError for a cursor that this store did not give."""
        ...

    async def evidence(self, tenant: str, alert: str) -> Evidence | None: ...

    async def rooms(self, tenant: str, *, live_since: int, cursor: str | None, limit: int,
                    only: Collection[str] | None = None) -> RoomPage:
        """The latest broadcast of each room, running or with an event since `live_since`; by room, from behind the
        one that `cursor` names. `only`: of these rooms."""
        ...

    async def open_alerts(self) -> list[OpenAlerts]:
        """By post and severity, for the gauges; those without an open alert are left out."""
        ...

    async def updates(self, tenant: str, *, after: int, limit: int) -> list[Update]:
        """The tenant's outbox rows with seq > `after`, oldest first."""
        ...

    async def outbox_bounds(self, tenant: str) -> tuple[int, int]:
        """(lowest kept, highest) outbox seq of the tenant; (0, 0) where none was written."""
        ...

    async def outbox_ends(self) -> dict[str, int]:
        """Tenant → its highest outbox seq, of all that have one."""
        ...

    async def trim_outbox(self, *, keep: int) -> int:
        """Drop all but so many of the newest rows of each tenant; how many went."""
        ...

    async def rule_set(self, version: str) -> bytes | None: ...

    async def save_rule_set(self, version: str, sources: bytes, tried: Sequence[ShadowRule] = ()) -> None:
        """`tried`: its rules in the shadow; of one that is known the earlier time stays."""
        ...

    async def save_labels(self, tenant: str, labels: Sequence[Label], deeds: Sequence[Deed] = ()) -> Saved:
        """Each has an id and a time. One that is stored under this id is replaced, where `replaces` says so. What
        returns is on disk."""
        ...

    async def withdraw_label(
        self, tenant: str, label: str, withdrawn: Withdrawn, deeds: Sequence[Deed] = ()
    ) -> Label | None:
        """The label of this id as it is kept from now on; None where there is none. One that was withdrawn stays as it
        was. What returns is on disk."""
        ...

    async def labels(self, tenant: str, where: LabelFilter, *, cursor: str | None, limit: int) -> LabelPage:
        """Raises InputError for a cursor that this store did not give."""
        ...

    async def tokens(self) -> list[Token]: ...

    async def save_token(self, token: Token, deeds: Sequence[Deed] = ()) -> None: ...

    async def close(self) -> None: ...


class Keeping(Protocol):
    """Where judged events go, as masked segments that are named by their range of log positions."""

    async def keep(self, lane: int, seq: int, frame: Frame, broadcasts: Sequence[str], masks: Sequence[Mask]) -> None:
        """Buffer one judged frame; `broadcasts[i]` is event i's. Writing a range again replaces it."""
        ...

    async def flush(self, lane: int) -> int:
        """Write what is buffered; the lane's archived position (every seq up to it is on disk)."""
        ...

    def position(self, lane: int) -> int: ...


class Archive(Keeping, Protocol):
    """Judged events that are kept, and what is asked of them."""

    async def search(self, tenant: str, query: ArchiveQuery) -> list[KeptEvent]:
        """Newest first, also what is buffered."""
        ...

    async def tally(self, tenant: str, query: TallyQuery) -> list[Series]:
        """By kind and lane, those that have an event, also of what is buffered; each revision counts."""
        ...

    async def expire(self, *, before: int) -> int:
        """Drop segments whose newest event lies before `before` (UTC ms)."""
        ...

    async def tidy(self, *, before: int) -> bool:
        """One short step of merging small segments of a day whose events lie before `before` (UTC ms).

        False where nothing is left to do. No search, position or flush shows a difference. Raises StorageError.
        """
        ...

    async def close(self) -> None: ...


class Publisher(Protocol):
    """Where committed updates go to be seen (SSE)."""

    def publish(self, updates: Sequence[Update]) -> None:
        """Called on the event loop, each tenant's in outbox order; never blocks and never raises."""
        ...


class Telemetry(Protocol):
    """Facts to count; names and labels of docs/metrics.md."""

    def count(self, metric: str, amount: float = 1, /, **labels: str) -> None: ...

    def observe(self, metric: str, value: float, /, **labels: str) -> None: ...

    def gauge(self, metric: str, value: float, /, **labels: str) -> None: ...


class Logger(Protocol):
    """Structured log lines (structlog's shape)."""

    def info(self, event: str, **facts: Any) -> None: ...

    def warning(self, event: str, **facts: Any) -> None: ...

    def error(self, event: str, **facts: Any) -> None: ...


class Clock(Protocol):
    def now(self) -> int:
        """UTC ms."""
        ...


class FailPoint(Protocol):
    """Named places where tests make the process die or slow down; does nothing in production."""

    def __call__(self, name: str, events: int = 0) -> None: ...
