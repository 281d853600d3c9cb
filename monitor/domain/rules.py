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
PROCESS_DUTY: Final = "process_duty"
"""The category of duties: what an operator must do and keep, not what is said."""
DIVERSION: Final = "diversion"
"""The `sub` of rules about leading people to contacts elsewhere: ids beside their hits are masked."""
DETECTORS: Final = (
    "phone", "hotline", "id_card", "bank_card", "email", "wechat_id", "qq_id", "qq_group", "url", "price", "discount",
    "percent", "chinese_number", "quantity_days", "date", "time", "repeats",
)


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
    NUMERALS = "numerals"  # 一折 = 壹折 = 1折
    STRETCHED = "stretched"  # 免免免费
    LETTER_GAPS = "letter_gaps"  # 免a费b领
    CONFUSABLES = "confusables"  # Cyrillic and Greek look-alikes of Latin letters
    SPLIT = "split"  # 力口 for 加
    SIGNS = "signs"  # emoji and letters that stand for a word
    DIALECT = "dialect"  # sound, with n/l, f/h, zh/z, -n/-ng taken for the same
    SPELLED = "spelled"  # sound, where syllables are written in letters
    INITIALS = "initials"  # f现: one or two characters by the first letters of their sounds


FOLDS: Final = (View.PLAIN, View.SKELETON, View.SOUND)
"""What `views` chooses among; the others are looked for where `also` names them."""
EXTRA: Final = tuple(view for view in View if view not in FOLDS)


class Side(StrEnum):
    """Where the vetoing phrase stands, seen from the hit that it removes."""

    BEFORE = "before"
    AFTER = "after"
    EITHER = "either"


class Reach(Struct, frozen=True):
    """How far a veto or a `near` reaches. `of`: names of selections; ("all",) for every one but vetoes (vetoes only).

    `within`: skeleton code points between the end of one span and the start of the other.
    """

    of: tuple[str, ...]
    within: int
    side: Side = Side.EITHER


class Fact(StrEnum):
    """What a rule may ask of the room at that moment."""

    PLATFORM = "platform"
    VERTICAL = "vertical"
    TAG = "tag"
    QUALIFICATION = "qualification"
    PRODUCT_CATEGORY = "product_category"
    HOUR = "hour"  # of the day in the tenant's zone, [from, to)
    AGE = "age"  # of the broadcast in seconds, [from, to)


class RoomTest(Struct, frozen=True):
    """`values`: one of them must be true of the room; for HOUR and AGE the two bounds as texts."""

    fact: Fact
    values: tuple[str, ...]


class Listed(StrEnum):
    """How a price that is named compares with the room's listed prices."""

    BELOW = "below"  # all of them
    ABOVE = "above"  # all of them
    NONE = "none"  # is none of them


class Selection(Struct, frozen=True, kw_only=True):
    """One named part of a rule's detection. One of terms, patterns, allow, score, detector, context and room is set.

    `also`: further views, beside those of `views`. `times`: fewer hits than this are none. `context`: names of shared
    contexts. `gte`: least score; 0: what the model finds enough by itself. `listed`: prices that compare so with the
    room's listed ones. `unproven`: a hit that lies in a claim for which the room holds a proof is none.

    `views` is None for the defaults: plain and skeleton, and sound for terms of three syllables or more; plain for
    patterns. `near`: hits count only where a hit of one of those selections is in reach that counts itself (side AFTER:
    it comes after this one). `unless`, `unless_patterns`: phrases that only look like a veto.
    """

    name: str
    terms: tuple[str, ...] = ()
    patterns: tuple[str, ...] = ()
    allow: tuple[str, ...] = ()
    detector: str = ""
    score: str = ""
    gte: float = 0.0
    context: tuple[str, ...] = ()
    room: RoomTest | None = None
    views: tuple[View, ...] | None = None
    also: tuple[View, ...] = ()
    times: int = 1
    listed: Listed | None = None
    unproven: bool = False
    unless: tuple[str, ...] = ()
    unless_patterns: tuple[str, ...] = ()
    veto: Reach | None = None
    near: Reach | None = None


class ContextPart(Struct, frozen=True, kw_only=True):
    """Words of a context and how far they reach: `side` as seen from what they reach; `commas`: over those as well."""

    terms: tuple[str, ...] = ()
    patterns: tuple[str, ...] = ()
    side: Side = Side.BEFORE
    within: int = 4
    commas: bool = True


SELLING: Final = "selling"
BUYING: Final = "buying"
"""Contexts by which an unknown speaker is judged as a seller: some words of the one, none of the other."""


class Context(Struct, frozen=True, kw_only=True):
    """A way of speaking that many rules spare: negation, quotation, correction, question.

    `turns`: words that end its reach (不能说最好，但我们就是全网最好); so does the end of a sentence. `unless`,
    `unless_patterns`: phrases that only look like it (敢不敢, 不是我吹): its words inside of them count for nothing.
    """

    name: str
    title: str
    parts: tuple[ContextPart, ...]
    unless: tuple[str, ...] = ()
    unless_patterns: tuple[str, ...] = ()
    turns: tuple[str, ...] = ()
    path: str = ""
    line: int = 1


class Exempt(Struct, frozen=True):
    """Words of `selection` within reach of a hit make it a candidate for this exemption."""

    selection: str
    within: int
    clause: str


class RoomFilter(Struct, frozen=True):
    """Tags: the room has all of `having` and none of `without`."""

    having: tuple[str, ...] = ()
    without: tuple[str, ...] = ()


class Applies(Struct, frozen=True):
    """None = any. `likely`: only where a classifier, if there is one, does not find all of its categories unlikely."""

    kinds: frozenset[Kind] | None = None
    speakers: frozenset[Role] | None = None
    stages: frozenset[Stage] | None = None
    platforms: frozenset[str] | None = None
    verticals: frozenset[str] | None = None
    rooms: RoomFilter = RoomFilter()
    likely: bool = False


class Effective(Struct, frozen=True):
    """Half-open [since, until) by the event's date in the tenant's zone; None = unbounded."""

    since: date | None = None
    until: date | None = None


class RoomContext(Struct, frozen=True, kw_only=True):
    """What rules may know of a room; from config/rooms.yml. None: it is not known.

    `listed_prices` in yuan; `claim_proofs`: a claim as it is said → the number of its proof.
    """

    room: str
    tenant: str = "local"
    title: str = ""
    platform: str = ""
    vertical: str = ""
    tags: tuple[str, ...] = ()
    unit: str = ""
    qualifications: tuple[str, ...] | None = None
    product_categories: tuple[str, ...] | None = None
    listed_prices: tuple[float, ...] | None = None
    claim_proofs: dict[str, str] = {}


class Case(Struct, frozen=True):
    """`expect`: selections with surviving hits; empty = no finding. `at`: UTC ms. `exempt`: the clause that the finding
    must hint at, or "" for none."""

    text: str
    expect: tuple[str, ...]
    kind: Kind = Kind.TRANSCRIPT
    speaker: Role | None = None
    stage: Stage = Stage.LIVE
    line: int = 0
    at: int | None = None
    offset_ms: int | None = None
    room: RoomContext | None = None
    exempt: str = ""


class AnyRule(Struct, frozen=True, kw_only=True):
    """What every rule says, of one utterance or of findings in time. `version` is the content hash of the rule with its
    lists; `path` and `line` say where it stands."""

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
    advice: Advice = Advice()
    pack: str
    version: str
    path: str
    line: int = 1


class Rule(AnyRule, frozen=True, kw_only=True):
    """One check of one utterance."""

    selections: tuple[Selection, ...]
    condition: Condition
    exempt: Exempt | None = None
    cases: tuple[Case, ...] = ()
