"""What the services need of the world. One contract test suite per port runs over all its implementations."""

from collections.abc import Sequence
from typing import Any, Protocol

from msgspec import Struct

from monitor.domain.alerts import Alert, Withdrawal
from monitor.domain.broadcasts import Broadcast
from monitor.domain.findings import Finding
from monitor.domain.frames import Entry, Frame


class Numbered(Struct, frozen=True):
    """An entry of the log with its sequence number (1, 2, 3, … without holes)."""

    seq: int
    entry: Entry


class Log(Protocol):
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


class ContextLine(Struct, frozen=True, kw_only=True):
    """One line of a room around an alert, masked."""

    tenant: str
    room: str
    source: str
    event_id: str
    revision: int
    lane: int
    broadcast: str
    at: int
    offset_ms: int | None
    kind: str
    role: str
    speaker: str
    text: str


class ContextChunk(Struct, frozen=True, kw_only=True):
    """A room's lines around its alerts, of one lane, as they leave the ring; `first_seq` is where the chunk begins.

    Chunks of one room may overlap after a restart: readers take each (source, event_id, revision) once.
    """

    tenant: str
    room: str
    lane: int
    first_seq: int
    from_at: int
    to_at: int
    lines: list[ContextLine]


class Position(Struct, frozen=True):
    """How far one lane of the log is applied, and by which ownership."""

    lane: int
    seq: int
    epoch: int


class Commit(Struct, frozen=True, kw_only=True):
    """What one batch produced. Applied in one transaction, or not at all.

    `position.seq` becomes the lane's new position if it stands at `expected` with `position.epoch`.
    `findings` in log order; those with id == opened_by open an alert, unless they are stored already.
    A finding's alert is that of the stored finding `opened_by`.
    """

    position: Position
    expected: int
    findings: Sequence[Finding] = ()
    withdrawals: Sequence[Withdrawal] = ()
    broadcasts: Sequence[Broadcast] = ()
    context: Sequence[ContextChunk] = ()
    now: int = 0


class Update(Struct, frozen=True):
    """One row of the outbox: alert `alert` was opened, grew or was withdrawn. `seq` is the SSE id."""

    seq: int
    what: str  # "opened" | "grown" | "withdrawn"
    alert: Alert


class Snapshot(Struct, frozen=True):
    """A lane's room state at `seq`; never beyond the lane's committed position."""

    lane: int
    seq: int
    state: bytes


class AlertFilter(Struct, frozen=True, kw_only=True):
    """Any field that is set must match. Times in UTC ms, half-open [since, until)."""

    room: str | None = None
    broadcast: str | None = None
    rule: str | None = None
    category: str | None = None
    tier: str | None = None
    severity: str | None = None
    state: str | None = None
    since: int | None = None
    until: int | None = None


class AlertPage(Struct, frozen=True):
    """Newest first. `next` is the cursor of the following page, None at the end."""

    alerts: list[Alert]
    next: str | None


class Evidence(Struct, frozen=True):
    """An alert with all its findings and the room's lines around it (oldest first)."""

    alert: Alert
    findings: list[Finding]
    context: list[ContextLine]


class RoomSummary(Struct, frozen=True, kw_only=True):
    room: str
    broadcast: str
    started_at: int
    last_at: int
    ended_at: int | None
    why_ended: str
    alerts_open: int


class Token(Struct, frozen=True, kw_only=True):
    """A credential's record; the secret itself is known to its holder only (SHA-256 of 256 random bits)."""

    id: str
    tenant: str
    name: str
    scopes: list[str]
    sha256: str
    created_at: int
    revoked_at: int | None = None


class Store(Protocol):
    """Everything that is kept about findings. All times UTC ms."""

    async def claim(self, lane: int) -> Position:
        """Take ownership of a lane by raising its epoch; its position (seq 0 at first)."""
        ...

    async def apply(self, commits: Sequence[Commit]) -> list[Update]:
        """All or nothing. Raises OwnershipLost where a position is not as expected, StorageError where the disk
        refuses. Returns the outbox rows that this wrote, in order."""
        ...

    async def save_snapshot(self, snapshot: Snapshot, *, epoch: int) -> None:
        """Raises OwnershipLost where the epoch is not the lane's, ValueError beyond the committed position."""
        ...

    async def snapshot(self, lane: int) -> Snapshot | None: ...

    async def positions(self) -> list[Position]: ...

    async def alerts(self, tenant: str, where: AlertFilter, *, cursor: str | None, limit: int) -> AlertPage:
        """Raises InputError for a cursor that this store did not give."""
        ...

    async def evidence(self, tenant: str, alert: str) -> Evidence | None: ...

    async def rooms(self, tenant: str, *, live_since: int) -> list[RoomSummary]:
        """The latest broadcast of each room, running or with an event since `live_since`."""
        ...

    async def updates(self, *, after: int, limit: int) -> list[Update]:
        """Outbox rows with seq > `after`, oldest first, of all tenants."""
        ...

    async def outbox_bounds(self) -> tuple[int, int]:
        """(lowest kept, highest) outbox seq; (0, 0) where none was written."""
        ...

    async def trim_outbox(self, *, keep: int) -> int: ...

    async def rule_set(self, version: str) -> bytes | None: ...

    async def save_rule_set(self, version: str, sources: bytes) -> None: ...

    async def tokens(self) -> list[Token]: ...

    async def save_token(self, token: Token) -> None: ...

    async def close(self) -> None: ...


class Mask(Struct, frozen=True):
    """Contact data found in event `event` of a frame: code points [start, end)."""

    event: int
    start: int
    end: int
    kind: str


class ArchiveQuery(Struct, frozen=True, kw_only=True):
    room: str | None = None
    text: str | None = None
    since: int | None = None
    until: int | None = None
    limit: int = 100


class KeptEvent(Struct, frozen=True, kw_only=True):
    """A judged event as kept: masked."""

    source: str
    id: str
    revision: int
    room: str
    broadcast: str
    lane: int
    kind: str
    stage: str
    role: str
    speaker: str
    at: int
    offset_ms: int | None
    text: str
    masked: list[str]
    sampled_out: bool


class Archive(Protocol):
    """Judged events, kept as masked segments that are named by their range of log positions."""

    async def keep(self, lane: int, seq: int, frame: Frame, broadcasts: Sequence[str], masks: Sequence[Mask]) -> None:
        """Buffer one judged frame; `broadcasts[i]` is event i's. Writing a range again replaces it."""
        ...

    async def flush(self, lane: int) -> int:
        """Write what is buffered; the lane's archived position (every seq up to it is on disk)."""
        ...

    def position(self, lane: int) -> int: ...

    async def search(self, tenant: str, query: ArchiveQuery) -> list[KeptEvent]:
        """Newest first, also what is buffered."""
        ...

    async def expire(self, *, before: int) -> int:
        """Drop segments whose newest event lies before `before` (UTC ms)."""
        ...

    async def close(self) -> None: ...


class Publisher(Protocol):
    """Where committed updates go to be seen (SSE)."""

    def publish(self, updates: Sequence[Update]) -> None:
        """Called on the event loop, in outbox order; never blocks and never raises."""
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
