"""Rules as values: what a rule file says, checked for structure. How terms are matched is the engine's business."""

from datetime import date
from enum import StrEnum
from typing import Final

from msgspec import Struct

from monitor.domain.conditions import Condition
from monitor.domain.events import Kind, Role, Stage
from monitor.domain.findings import Advice, Severity, Tier

CATEGORIES: Final = (
    "absolute_claim", "false_promotion", "price_consumer", "medical_claim", "efficacy_claim", "promise_return",
    "prohibited_trade", "minors", "personal_info", "offsite_fraud", "vulgar_sexual", "dangerous_conduct",
    "abuse_harassment", "counterfeit_quality", "spam_fakedata", "identity_ai", "reward_inducement",
)
DETECTORS: Final = ("phone", "id_card", "bank_card", "email", "wechat_id")


class Status(StrEnum):
    DRAFT = "draft"
    SHADOW = "shadow"
    ACTIVE = "active"
    DEPRECATED = "deprecated"


class View(StrEnum):
    """A folded form of the text in which a term is looked for."""

    PLAIN = "plain"
    SKELETON = "skeleton"
    SOUND = "sound"


class Side(StrEnum):
    """Where the vetoing phrase stands, seen from the hit that it removes."""

    BEFORE = "before"
    AFTER = "after"
    EITHER = "either"


class Reach(Struct, frozen=True):
    """How far a veto or a `near` reaches. `of`: a selection's name, or "all" (vetoes only).

    `within`: skeleton code points between the end of one span and the start of the other.
    """

    of: str
    within: int
    side: Side = Side.EITHER


class Selection(Struct, frozen=True, kw_only=True):
    """One named part of a rule's detection. Exactly one of terms, patterns, allow, score, detector is set.

    `views` is None for the defaults: plain and skeleton, and sound for terms of three syllables or more; plain for
    patterns. `near`: hits count only where a hit of that selection is in reach (side AFTER: it comes after this one).
    """

    name: str
    terms: tuple[str, ...] = ()
    patterns: tuple[str, ...] = ()
    allow: tuple[str, ...] = ()
    detector: str = ""
    score: str = ""
    gte: float = 0.0
    views: tuple[View, ...] | None = None
    veto: Reach | None = None
    near: Reach | None = None


class RoomFilter(Struct, frozen=True):
    """Tags: the room has all of `having` and none of `without`."""

    having: tuple[str, ...] = ()
    without: tuple[str, ...] = ()


class Applies(Struct, frozen=True):
    """None = any."""

    kinds: frozenset[Kind] | None = None
    speakers: frozenset[Role] | None = None
    stages: frozenset[Stage] | None = None
    platforms: frozenset[str] | None = None
    verticals: frozenset[str] | None = None
    rooms: RoomFilter = RoomFilter()


class Effective(Struct, frozen=True):
    """Half-open [since, until) by the event's date in the tenant's zone; None = unbounded."""

    since: date | None = None
    until: date | None = None


class Case(Struct, frozen=True):
    """`expect`: selections with surviving hits; empty = no finding."""

    text: str
    expect: tuple[str, ...]
    kind: Kind = Kind.TRANSCRIPT
    speaker: Role | None = None
    stage: Stage = Stage.LIVE
    line: int = 0


class Rule(Struct, frozen=True, kw_only=True):
    """One check. `version` is the content hash of the rule with its lists; `path` and `line` say where it stands."""

    id: str
    title: str
    tier: Tier
    category: tuple[str, ...]
    sub: str = ""
    severity: Severity
    status: Status
    effective: Effective = Effective()
    clauses: tuple[str, ...]
    applies: Applies = Applies()
    selections: tuple[Selection, ...]
    condition: Condition
    advice: Advice = Advice()
    cases: tuple[Case, ...] = ()
    pack: str
    version: str
    path: str
    line: int = 1


class Clause(Struct, frozen=True):
    """A published article that rules rest on; `effective_from` as an ISO date, or "" where it is not certain."""

    id: str
    document: str
    article: str
    requirement: str
    effective_from: str = ""


class RuleSet(Struct, frozen=True):
    """All packs of one folder. `version`: content hash; `sources`: relative path → bytes, enough to load it again."""

    rules: tuple[Rule, ...]
    clauses: dict[str, Clause]
    version: str
    sources: dict[str, bytes]


class RoomContext(Struct, frozen=True, kw_only=True):
    """What rules may know of a room; from config/rooms.yml. An unknown room has none of it."""

    room: str
    tenant: str = "local"
    title: str = ""
    platform: str = ""
    vertical: str = ""
    tags: tuple[str, ...] = ()
    unit: str = ""
