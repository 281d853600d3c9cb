"""Misses: what somebody heard and no rule found."""

from typing import Annotated, Final

from msgspec import Meta, Struct

from monitor.domain.errors import InputError
from monitor.domain.events import Kind, Role, Stage, lane_of
from monitor.domain.findings import Advice, Finding, Severity, Span, Tier
from monitor.domain.ids import digest, event_key, finding_id
from monitor.domain.phrases import phrase
from monitor.domain.rules import CATEGORIES

MANUAL: Final = "manual"
"""The source of an alert that somebody reported; `manual.<category>` stands for its rule."""

MANUAL_RULES: Final = tuple(f"{MANUAL}.{category}" for category in CATEGORIES)

Name = Annotated[str, Meta(min_length=1, max_length=128)]
Place = Annotated[int, Meta(ge=0, lt=2**31)]


class Miss(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Words of a kept event that break a category. `at`: the event's time (UTC ms), or one less than a minute from it;
    `start`, `end`: code points of its text, half open, or `words` as they stand there; neither: the whole text.
    `clause`: what it breaks, if that is known already."""

    room: Name
    event: Name
    at: Annotated[int, Meta(ge=0, lt=2**53)]
    category: str
    source: Name = "default"
    start: Place | None = None
    end: Place | None = None
    words: Annotated[str, Meta(max_length=4_000)] = ""
    severity: Severity = Severity.MEDIUM
    clause: Annotated[str, Meta(max_length=128)] = ""
    note: Annotated[str, Meta(max_length=2_000)] = ""


class Reported(Struct, frozen=True, kw_only=True):
    """Who reported a miss. `at`: UTC ms."""

    by: str
    at: int
    note: str = ""


class Said(Struct, frozen=True, kw_only=True):
    """The event that a miss is about, as it is kept: masked."""

    tenant: str
    revision: int
    broadcast: str
    kind: Kind
    stage: Stage
    role: Role
    speaker: str
    at: int
    offset_ms: int | None
    text: str


def finding_for(miss: Miss, said: Said, *, now: int) -> Finding:
    """The same words of the same event and category give the same finding, whoever reports them. `now`: UTC ms. Raises
    InputError."""
    if miss.category not in CATEGORIES:
        raise InputError(phrase("there is no category {category}", category=repr(miss.category[:40])),
                         hint=phrase("one of {categories}", categories=", ".join(CATEGORIES)))
    start, end = _place(miss, said.text)
    key = event_key(said.tenant, miss.source, miss.event, said.revision)
    rule = f"{MANUAL}.{miss.category}"
    name = finding_id(said.tenant, rule, digest("span", key, start, end))
    return Finding(
        id=name, opened_by=name, tenant=said.tenant, source=miss.source, event_id=miss.event, event_ids=[miss.event],
        revision=said.revision, room=miss.room, broadcast=said.broadcast,
        lane=lane_of(said.kind, said.role), kind=said.kind, stage=said.stage, role=said.role, speaker=said.speaker,
        at=said.at, offset_ms=said.offset_ms, accepted_at=now, text=said.text,
        rule=rule, rule_version=MANUAL, title="人工补录", category=[miss.category], sub="", tier=Tier.STANDARD,
        severity=miss.severity, clauses=[miss.clause] if miss.clause else [],
        spans=[Span(start, end, said.text[start:end], "missed", "plain")], evasive=None, asr_variant=False,
        advice=Advice())


def _place(miss: Miss, text: str) -> tuple[int, int]:
    """The span that is meant."""
    if miss.start is not None or miss.end is not None:
        start, end = miss.start or 0, len(text) if miss.end is None else miss.end
        if not start < end <= len(text):
            raise InputError(phrase("the text has {count} characters, and no span from {start} to {end}",
                                    count=len(text), start=start, end=end),
                             hint="`start` and `end` are code points of the kept text, half open")
        return start, end
    if miss.words:
        start = text.find(miss.words)
        if start < 0:
            raise InputError("these words do not stand in the kept text",
                             hint="copy them from GET /api/v1/events, where contact data is masked")
        return start, start + len(miss.words)
    return 0, len(text)


def is_manual(rule: str) -> bool:
    return rule.startswith(MANUAL + ".")
