"""Findings: a rule that holds for an event, with its evidence. Everything in a finding is masked already."""

import re
from collections.abc import Iterable
from enum import StrEnum
from functools import lru_cache
from typing import Final

from msgspec import Struct
from msgspec.structs import asdict

from monitor.domain.events import Kind, Role, Stage


class Tier(StrEnum):
    REDLINE = "redline"
    STANDARD = "standard"
    ORIENTATION = "orientation"
    CARE = "care"


class Severity(StrEnum):
    INFO = "info"
    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    CRITICAL = "critical"


RANK: Final = {severity: rank for rank, severity in enumerate(Severity)}
"""0 info … 4 critical."""


class Evasion(StrEnum):
    """How a hit differs from its term, beyond case, width and traditional form."""

    STYLED = "styled"  # Ⓥ 𝐕 ①
    SYMBOLS = "symbols"  # 免.费, zero-width, emoji in between
    HOMOPHONE = "homophone"  # 拳网最低
    SPELLED = "spelled"  # wei信
    STRETCHED = "stretched"  # 免免免费
    LETTERS = "letters"  # 免a费b领
    LOOKALIKE = "lookalike"  # vір with Cyrillic letters
    SPLIT = "split"  # 力口微
    SIGNS = "signs"  # 🧧, ❤ for a word


class Opinion(StrEnum):
    """What a classifier says of a finding."""

    NONE = ""  # there is none, or it knows nothing of the category
    AGREES = "agrees"
    DIFFERS = "differs"  # it finds the category unlikely
    ALONE = "alone"  # the finding rests on its score


class Span(Struct, frozen=True):
    """Where in the original text. `start`, `end`: code points, half-open. `text` is the masked slice; `term` what the
    rule calls it, where it is written otherwise."""

    start: int
    end: int
    text: str
    selection: str
    view: str
    event: str | None = None
    term: str = ""


class Advice(Struct, frozen=True):
    """`rewrite`: what to say instead of what. A rule's keys are wordings, which may leave something out (`血压…稳`), or
    names of selections, for all that these find; a finding's are the words that were said."""

    say: str = ""
    rewrite: dict[str, str] = {}

    def given(self, text: str, spans: Iterable[Span]) -> "Advice":
        """For a finding in `text`: of each span the rewrite of the longest wording that was said in it or around it, or
        of its selection. None is better than one of something else."""
        wordings = sorted(self.rewrite, key=len, reverse=True)
        found: dict[str, str] = {}
        for span in spans:
            said = ((_said(wording, text, span), wording) for wording in wordings)
            words, key = next((pair for pair in said if pair[0]), (span.text, span.selection))
            if key in self.rewrite and self.rewrite[key] not in found.values():
                found.setdefault(words, self.rewrite[key])
        return Advice(self.say, found)


def _said(wording: str, text: str, span: Span) -> str:
    """The words in or around a span that are this wording; "" for none."""
    worded = _worded(wording)
    if span.event is None:
        for place in worded.finditer(text):
            if place.start() < span.end and span.start < place.end():
                return place[0]
    elif found := worded.search(span.text):
        return found[0]
    return span.text if worded.search(span.term) else ""


@lru_cache(8_192)
def _worded(wording: str) -> re.Pattern[str]:
    """A gap is of a few characters of one clause."""
    return re.compile("[^，。！？；,!?;]{0,8}?".join(map(re.escape, wording.split("…"))), re.IGNORECASE)


class Finding(Struct, frozen=True, kw_only=True):
    """One rule on one event, on several (a window), or on a broadcast (a statement that was not heard).

    `opened_by` is the finding that opened the alert this one belongs to. `event_id` is "" for a window, whose events
    are `event_ids` and whose text is the last one's, and for a broadcast, which has none.

    Of its clauses and `exempt`, `unverified` are those whose source is not, `not_in_force` those that did not hold on
    the event's day; people are told wherever they are shown.

    Times are UTC ms, `offset_ms` ms since the broadcast's start.
    """

    id: str
    opened_by: str
    tenant: str
    source: str
    event_id: str
    event_ids: list[str]
    revision: int
    room: str
    broadcast: str
    lane: int
    kind: Kind
    stage: Stage
    role: Role
    speaker: str
    at: int
    offset_ms: int | None
    accepted_at: int
    text: str  # the event's text, masked
    rule: str
    rule_version: str
    title: str
    category: list[str]
    sub: str
    tier: Tier
    severity: Severity
    clauses: list[str]
    spans: list[Span]
    evasive: Evasion | None
    asr_variant: bool
    advice: Advice
    scores: dict[str, float] = {}
    opinion: Opinion = Opinion.NONE
    engine_set: str = ""
    unverified: list[str] = []
    not_in_force: list[str] = []
    joined: list[str] = []  # events that fell in its window after those of `event_ids`
    exempt: str = ""  # the clause of an exemption that may apply: then the severity is info

    @property
    def under(self) -> str:
        """The event that it is shown with: its own, or the last of several; "" of a broadcast."""
        return self.event_id or (self.event_ids[-1] if self.event_ids else "")

    @property
    def scope(self) -> str:
        return "event" if self.event_ids else "broadcast"

    def says_as(self, other: "Finding") -> bool:
        """Whether it tells a person what the other does: of the same events and first category, and of words of it.
        A hint at an exemption is always told by itself."""
        return (self.event_ids == other.event_ids and self.category[:1] == other.category[:1]
                and bool(self.exempt) == bool(other.exempt)
                and any(own.event == its.event and own.start < its.end and its.start < own.end
                        for own in self.spans for its in other.spans))


class Remark(Finding, frozen=True, kw_only=True):
    """A finding as it is told, once. `also`: what says the same of the same words."""

    also: list[Finding] = []

    @property
    def all(self) -> list[Finding]:
        return [self, *self.also]


def gathered(findings: Iterable[Finding]) -> list[Remark]:
    """The severest first, then what has the most words, each with those behind it that say what it says."""
    remarks: list[Remark] = []
    for finding in sorted(findings, key=lambda each: (-RANK[each.severity], -sum(s.end - s.start for s in each.spans))):
        like = next((other for other in remarks if finding.says_as(other)), None)
        if like is None:
            remarks.append(Remark(**asdict(finding)))
        else:
            like.also.append(finding)
    return remarks
