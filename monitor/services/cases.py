"""What passes between dispatch, review and the store: an alert with all that people do with it. Times in UTC ms."""

from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, Any, Protocol

from msgspec import Meta, Struct
from msgspec.structs import replace

from monitor.domain.alerts import Alert, AlertState
from monitor.domain.audit import Deed
from monitor.domain.cues import Corrected
from monitor.domain.errors import Refused
from monitor.domain.findings import Finding
from monitor.domain.labels import Label
from monitor.domain.messages import Message
from monitor.domain.misses import Reported
from monitor.domain.priority import Factors
from monitor.domain.review import Review, Subject
from monitor.domain.routing import Hop
from monitor.domain.storms import Gauge, Key
from monitor.domain.suppression import Hold, Ruled, Standing
from monitor.services.records import Update


class Words(Struct, frozen=True, kw_only=True):
    """Keys of what an alert rests on: of the same rule on the same words by the same role in this broadcast, and in any
    room. "" where nobody asks."""

    here: str = ""
    anywhere: str = ""


class Opening(Struct, frozen=True, kw_only=True):
    """A finding that opens an alert, with what the store knows of its neighbours. `ruled`: the last decision on the
    same words in this broadcast; `others`: what people still have before them of the same room; `cued`: was the room
    told?"""

    finding: Finding
    alert: Alert
    words: Words = Words()
    ruled: Ruled | None = None
    cued: bool = False
    others: tuple[Standing, ...] = ()


class Placed(Struct, frozen=True, kw_only=True):
    """Where an alert goes: `alert` with its unit, post, priority and state. `also`: posts that see it as well;
    `why`: the routes that matched; `unrouted`: none did; `repeats`: the alert whose violation it repeats."""

    alert: Alert
    review: Review
    factors: Factors
    also: tuple[str, ...] = ()
    why: tuple[Hop, ...] = ()
    unrouted: bool = False
    repeats: str = ""
    words: Words = Words()


class Placing(Protocol):
    """Called inside the transaction that opens the alerts: sync, and quick."""

    def words(self, finding: Finding) -> Words:
        """The keys under which the same words are known again."""
        ...

    def place(self, openings: Sequence[Opening], gauges: Mapping[Key, Gauge], now: int) -> list[Placed]:
        """One for each, in their order. `gauges`: of the rules of all of them, which are moved on; now in UTC ms."""
        ...

    def grown(self, case: "Case", now: int) -> "Case":
        """After findings came or fell: its priority, and its review where it was withdrawn or stands again."""
        ...

    def ripple(self, before: "Case", after: "Case", now: int) -> "Ripple | None":
        """What findings that came or fell do to other alerts."""
        ...


class Kept(Struct, frozen=True, kw_only=True):
    """What the store packs beside an alert. `kind`, `role`, `stage`: of the event that opened it; `wording`, `alike`:
    the keys of its words, here and anywhere; `reported`: by whom, where a person did and not a rule;
    `cued`: the room was told; `corrected`: the host was heard to correct it on air."""

    review: Review
    factors: Factors
    kind: str = ""
    role: str = ""
    also: tuple[str, ...] = ()
    why: tuple[Hop, ...] = ()
    unrouted: bool = False
    repeats: str = ""
    wording: str = ""
    reported: Reported | None = None
    alike: str = ""
    stage: str = ""
    cued: bool = False
    corrected: Corrected | None = None


class Case(Struct, frozen=True, kw_only=True):
    """An alert, and how far people are with it."""

    alert: Alert
    kept: Kept

    @property
    def review(self) -> Review:
        return self.kept.review

    @property
    def subject(self) -> Subject:
        alert = self.alert
        return Subject(severity=alert.severity, tier=alert.tier, category=tuple(alert.category),
                       clauses=tuple(alert.clauses), stands=alert.recurrence > 0)


def shown(case: Case) -> Case:
    """The alert's own fields in line with its review."""
    return replace(case, alert=outward(case.alert, case.review, case.kept.factors))


def outward(alert: Alert, review: Review, weights: Factors) -> Alert:
    """The alert as others see it, in line with its review."""
    ruling = review.ruling
    return replace(alert, state=review.state, reason=review.why, post=review.post, version=review.version,
                   claimed_by=review.claimed_by, due=review.due, priority=weights.priority,
                   held_by=review.by_what if review.state is AlertState.HELD else "",
                   outcome=ruling.outcome.value if ruling is not None else "")


class Moved(Struct, frozen=True, kw_only=True):
    """One line of an alert's history. `version`: of the alert after it; `move`: what was asked for, or `{"move":
    "lease"}` and such where time did it. `inherited`: of a decision, how many findings were grouped with the one that
    was shown: they have its outcome, and are no labels."""

    alert: str
    version: int
    at: int
    by: str
    move: dict[str, Any]
    before: str
    after: str
    why: str = ""
    inherited: int = 0


class Effect(Struct, frozen=True, kw_only=True):
    """What a move makes of a case, and all that is stored in the same transaction. `unlearn`: the id of a label that no
    longer holds; `forget`: a decision on these words is not remembered any more."""

    case: Case
    moved: Moved
    deed: Deed
    label: Label | None = None
    unlearn: str = ""
    ruled: Ruled | None = None
    forget: bool = False
    ripple: "Ripple | None" = None
    messages: tuple[Message, ...] = ()


class Ripple(Struct, frozen=True, kw_only=True):
    """What a move of an alert of a room does to others. `frees`: for which reasons it holds none back any more;
    `hides`: as what it is back, so that what had been given free is hidden again; `step`: what becomes of one of these,
    with what people have before them of its room."""

    room: str
    frees: frozenset[Hold]
    hides: Standing | None
    step: Callable[[Case, Sequence[Standing]], Effect]


Step = Callable[[Case], Effect]
"""Pure; raises Refused. Called inside the transaction."""


class Ref(Struct, frozen=True, forbid_unknown_fields=True):
    """An alert in a version that somebody has seen; None: whichever it is in."""

    alert: Annotated[str, Meta(min_length=1, max_length=128)]
    version: Annotated[int, Meta(ge=0, lt=2**31)] | None = None


class Answered(Struct, frozen=True):
    """Of each alert, what it is now, or why it could not be moved."""

    cases: tuple[Case, ...]
    refused: dict[str, Refused]
    updates: tuple[Update, ...] = ()


class QueueFilter(Struct, frozen=True, kw_only=True):
    """Any field that is set must match. `posts`: of these; `units`: of rooms of these, None: of all. `before`: what was
    said earlier (UTC ms); `platform`: of rooms whose records name it, which the desk looks up as `rooms`."""

    posts: tuple[str, ...]
    units: tuple[str, ...] | None = None
    rooms: tuple[str, ...] | None = None
    platform: str | None = None
    before: int | None = None
    category: str | None = None
    severity: str | None = None
    tier: str | None = None
    rule: str | None = None
    room: str | None = None
    state: str | None = None
    claimed_by: str | None = None
    unrouted: bool | None = None


class Storm(Struct, frozen=True, kw_only=True):
    """`held`: how many alerts of the rule it has held so far, `waiting`: how many it still holds. Times in UTC ms."""

    id: str
    rule: str
    began_at: int
    ended_at: int | None
    held: int
    waiting: int


class Card(Struct, frozen=True, kw_only=True):
    """One moment in one queue: its alerts, decided in one stroke. Or the notice of a storm, which stands for all that
    it holds: `moment` is its id, `alerts` are some of the held ones, `room` is "". `unrouted`: no route answered."""

    moment: str
    post: str
    room: str
    priority: int
    at: int
    alerts: tuple[Alert, ...]
    unrouted: bool = False
    storm: Storm | None = None


class QueuePage(Struct, frozen=True):
    """The most urgent first. `next` is the cursor of the following page, None at the end."""

    cards: list[Card]
    next: str | None


class Cases(Protocol):
    """Alerts as people work on them. Raises StorageError."""

    async def case(self, tenant: str, alert: str) -> Case | None: ...

    async def history(self, tenant: str, alert: str) -> list[Moved]:
        """Oldest first; empty for what the tenant does not have."""
        ...

    async def move(self, tenant: str, refs: Sequence[Ref], step: Step, *, together: bool) -> Answered:
        """Each alert by `step`, in one transaction; `together`: all of them or, where one is refused, none. One that
        the tenant does not have, or that stands at another version, is refused ("missing", "stale")."""
        ...

    async def of_moment(self, tenant: str, moment: str) -> list[Alert]:
        """Those that are not decided yet."""
        ...

    async def queue(self, tenant: str, where: QueueFilter, *, cursor: str | None, limit: int) -> QueuePage:
        """Moments that somebody has to decide. Raises InputError for a bad cursor."""
        ...

    async def due(self, now: int, *, limit: int) -> list[tuple[str, str]]:
        """(tenant, alert) that time moves by now (UTC ms), the longest overdue first."""
        ...
