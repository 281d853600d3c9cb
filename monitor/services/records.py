"""What passes between the services and the world: plain values, frozen. All times in UTC ms."""

from collections.abc import Sequence

from msgspec import Struct

from monitor.domain.alerts import Alert, Join, Retraction, Withdrawal
from monitor.domain.broadcasts import Broadcast
from monitor.domain.clauses import Clause
from monitor.domain.findings import Finding
from monitor.domain.frames import Entry, Frame
from monitor.domain.labels import Label
from monitor.services.explaining import Why


class Numbered(Struct, frozen=True):
    """An entry of the log with its sequence number (1, 2, 3, … without holes)."""

    seq: int
    entry: Entry


class ContextLine(Struct, frozen=True, kw_only=True):
    """One line of a room around an alert, masked. `confidence`: of its recognition, where the event had one."""

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
    confidence: float | None = None


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
    A finding's alert is that of the stored finding `opened_by`. Findings are in first, then joins, then withdrawals and
    retractions; a finding without an event of its own that was retracted earlier stands again. `shadows`: what rules
    found that are only tried; they open nothing.
    """

    position: Position
    expected: int
    findings: Sequence[Finding] = ()
    shadows: Sequence[Finding] = ()
    joins: Sequence[Join] = ()
    withdrawals: Sequence[Withdrawal] = ()
    retractions: Sequence[Retraction] = ()
    broadcasts: Sequence[Broadcast] = ()
    context: Sequence[ContextChunk] = ()
    now: int = 0


class ShadowRule(Struct, frozen=True):
    """A version of a rule that judges in the shadow from `since` (UTC ms) on."""

    rule: str
    version: str
    since: int


class Update(Struct, frozen=True):
    """One row of the outbox: alert `alert` was opened, grew or was withdrawn. `seq`, the SSE id,
    counts the updates of its tenant."""

    seq: int
    what: str  # "opened" | "grown" | "withdrawn"
    alert: Alert


class Snapshot(Struct, frozen=True):
    """A lane's room state at `seq`; never beyond the lane's committed position."""

    lane: int
    seq: int
    state: bytes


class AlertFilter(Struct, frozen=True, kw_only=True):
    """Any field that is set must match. Times in UTC ms, half-open [since, until). `within`: of one of these units.
    `units`, where it is set: alerts of these, and those before `posts`, alone. `source`: "rules" or "manual"."""

    room: str | None = None
    broadcast: str | None = None
    rule: str | None = None
    category: str | None = None
    tier: str | None = None
    severity: str | None = None
    state: str | None = None
    post: str | None = None
    units: tuple[str, ...] | None = None
    outcome: str | None = None
    claimed_by: str | None = None
    source: str | None = None
    within: tuple[str, ...] | None = None
    since: int | None = None
    until: int | None = None
    posts: tuple[str, ...] = ()


class AlertPage(Struct, frozen=True):
    """Newest first. `next` is the cursor of the following page, None at the end."""

    alerts: list[Alert]
    next: str | None


class Evidence(Struct, frozen=True):
    """An alert with all its findings and the room's lines around it (oldest first).

    `clauses`: what it rests on, in the alert's order, then those by which its findings may be exempt, as the register
    in use has them, but for those that are gone.
    `why`: by finding, what carries the scores of its categories, as the classifier in use sees the masked text.
    """

    alert: Alert
    findings: list[Finding]
    context: list[ContextLine]
    clauses: list[Clause] = []
    why: dict[str, list[Why]] = {}


class OpenAlerts(Struct, frozen=True):
    """Alerts of one severity that somebody has to decide, in one post's queue ("": none).
    `oldest_at`: when the oldest one's event happened; `unrouted`: of how many no route answered; `unclaimed`,
    `undecided`: for how many the clock of claiming, or of deciding, has run out."""

    tenant: str
    post: str
    severity: str
    count: int
    oldest_at: int
    unrouted: int = 0
    unclaimed: int = 0
    undecided: int = 0


class RoomSummary(Struct, frozen=True, kw_only=True):
    room: str
    broadcast: str
    started_at: int
    last_at: int
    ended_at: int | None
    why_ended: str
    alerts_open: int
    heard_at: int = 0


class RoomPage(Struct, frozen=True):
    """By name. `next` is the cursor of the following page, None at the end."""

    rooms: list[RoomSummary]
    next: str | None


class LabelFilter(Struct, frozen=True, kw_only=True):
    """When they were given: UTC ms, half-open [since, until)."""

    since: int | None = None
    until: int | None = None


class LabelPage(Struct, frozen=True):
    """Newest first. `next` is the cursor of the following page, None at the end."""

    labels: list[Label]
    next: str | None


class Saved(Struct, frozen=True):
    """What became of labels: `changed` ones had other words under the same id."""

    added: int
    changed: int
    unchanged: int


class Token(Struct, frozen=True, kw_only=True):
    """A credential's record; the secret itself is known to its holder only (SHA-256 of 256 random bits)."""

    id: str
    tenant: str
    name: str
    scopes: list[str]
    sha256: str
    created_at: int
    revoked_at: int | None = None


class Mask(Struct, frozen=True):
    """Contact data found in event `event` of a frame: code points [start, end)."""

    event: int
    start: int
    end: int
    kind: str


class FrameJudged(Struct, frozen=True):
    """A judged frame, and what the archive keeps beside it. `broadcasts[i]` is event i's."""

    seq: int
    frame: Frame
    broadcasts: Sequence[str]
    masks: list[Mask]


class ArchiveQuery(Struct, frozen=True, kw_only=True):
    """`rooms`: of these alone, where it is set."""

    rooms: tuple[str, ...] | None = None
    room: str | None = None
    kind: str | None = None
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


class TallyQuery(Struct, frozen=True, kw_only=True):
    """Events of a room by time: `buckets` of `bucket_ms` each, from `since` (UTC ms) on."""

    room: str
    since: int
    bucket_ms: int
    buckets: int

    @property
    def until(self) -> int:
        return self.since + self.bucket_ms * self.buckets


class Series(Struct, frozen=True, kw_only=True):
    """How many events of one kind and lane each bucket holds."""

    kind: str
    lane: int
    counts: list[int]
