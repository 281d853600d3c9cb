"""What crosses from one tenant to another: only what both have agreed to, frozen, masked, and without a name in it."""

from collections.abc import Sequence
from enum import StrEnum
from typing import Annotated, ClassVar

from msgspec import Meta, Struct
from msgspec.structs import replace

from monitor.domain.alerts import Alert
from monitor.domain.errors import Refused
from monitor.domain.findings import Severity, Span, Tier
from monitor.domain.moves import Id, Outcome, Text
from monitor.domain.phrases import phrase
from monitor.domain.record import Record


class Crossing(StrEnum):
    ESCALATIONS = "escalations"  # copies of alerts, and what comes back of them


class Link(Record, frozen=True, kw_only=True):
    """Its id is the other tenant's. `crosses`: what this side agrees to; only what both sides name crosses."""

    kind: ClassVar[str] = "link"
    title: Text = ""
    crosses: tuple[Crossing, ...] = (Crossing.ESCALATIONS,)


class Line(Struct, frozen=True, kw_only=True):
    """What was said around it. `speaker`: a number within this copy, 0 where nobody is known; it means nothing
    elsewhere. `at`: UTC ms."""

    at: int
    kind: str
    role: str
    speaker: int
    text: str


class Copy(Struct, frozen=True, kw_only=True):
    """An alert as it was when it was handed over. Every field is named here, so that nothing else can cross. Times in
    UTC ms."""

    room: str
    rule: str
    title: str
    category: list[str]
    tier: Tier
    severity: Severity
    clauses: list[str]
    at: int
    last_at: int
    offset_ms: int | None
    recurrence: int
    text: str
    spans: list[Span]
    lines: list[Line]


class AdviceGiven(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the other tenant thinks of it; the owning one decides."""

    outcome: Outcome
    note: Annotated[str, Meta(min_length=1, max_length=2_000)]
    clause: Annotated[str, Meta(max_length=128)] = ""


class Handed(Struct, frozen=True, kw_only=True):
    """`tenant`: whose alert it is; `to`: who was asked. `by`, `answered_by`: of one's own side, else "". Times
    in UTC ms."""

    id: str
    tenant: str
    to: str
    alert: str
    by: str
    at: int
    note: str
    copy: Copy
    advice: AdviceGiven | None = None
    answered_by: str = ""
    answered_at: int | None = None


class HandTo(Struct, frozen=True, forbid_unknown_fields=True):
    to: Id
    note: Annotated[str, Meta(min_length=1, max_length=2_000)]


def agreed(ours: Link | None, theirs: Link | None, crossing: Crossing, *, other: str) -> None:
    """Raises Refused, in the same words whether the other tenant has not agreed or is not there at all."""
    if ours is None or theirs is None or crossing not in ours.crosses or crossing not in theirs.crosses:
        raise Refused("link",
                      phrase("there is no link to {other} on which both sides have agreed that {crossing} cross",
                             other=other[:80], crossing=crossing),
                      hint="each side keeps a record of the kind `link` under the other's name")


def frozen(alert: Alert, lines: Sequence[tuple[int, str, str, str, str]]) -> Copy:
    """`lines`: (at, kind, role, speaker's pseudonym, text), masked as everything that is kept."""
    numbers: dict[str, int] = {"": 0}
    said = [Line(at=at, kind=kind, role=role, speaker=numbers.setdefault(speaker, len(numbers)), text=text)
            for at, kind, role, speaker, text in lines]
    spans = [Span(span.start, span.end, span.text, span.selection, span.view, None, span.term) for span in alert.spans]
    return Copy(
        room=alert.room, rule=alert.rule, title=alert.title, category=alert.category, tier=alert.tier,
        severity=alert.severity, clauses=alert.clauses, at=alert.at, last_at=alert.last_at, offset_ms=alert.offset_ms,
        recurrence=alert.recurrence, text=alert.text, spans=spans, lines=said)


def seen_by(handed: Handed, tenant: str) -> Handed:
    """Without the people of the other side, and without what is the owner's alone."""
    return replace(handed, answered_by="") if tenant == handed.tenant else replace(handed, by="", alert="")
