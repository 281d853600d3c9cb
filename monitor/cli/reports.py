"""What `redpost scan` says: one report for each way of saying it."""

import sys
from collections.abc import Collection, Sequence
from typing import Any, Final, Protocol
from zoneinfo import ZoneInfo

import msgspec
from msgspec import UNSET, Struct, UnsetType
from rich.console import Console

from monitor.domain.alerts import Alert
from monitor.domain.events import Kind, Role, role_and_id
from monitor.domain.findings import Evasion, Finding, Opinion, Remark, Severity, Span, Tier, gathered
from monitor.engine.engineset import EngineSet
from monitor.services.explaining import Why, why
from monitor.services.scan import Scanner
from monitor.services.scanned import Scanned, distinct

_encoder: Final = msgspec.json.Encoder()


class Report(Protocol):
    """`console`: where it prints; None where it writes bytes. `found` is known after `end`."""

    @property
    def console(self) -> Console | None: ...

    @property
    def found(self) -> bool: ...

    def add(self, scanned: Sequence[Scanned]) -> None: ...

    def end(self, scanner: Scanner) -> None: ...


def report_for(
    engine: EngineSet, zone: ZoneInfo, *, json: bool, everything: bool, alerts: bool, explain: bool = False,
) -> Report:
    from monitor.cli.scan_text import AlertTable, FindingTexts

    if json:
        return AlertLines() if alerts else FindingLines(engine if explain else None, everything=everything)
    return AlertTable(zone) if alerts else FindingTexts(engine, zone, explain=explain)


class SpanLine(Struct, omit_defaults=True):
    """`text` is the caller's own, unmasked. `event`: where the span is in another event than the finding."""

    start: int
    end: int
    text: str
    event: str | None = None


class FindingLine(Struct, omit_defaults=True):
    """`unverified`, `not_in_force`: those of the clauses of which people are told. `event_ids`: where the finding
    rests on several events. `also`: what says the same of the same words.

    What is not required and has no value is left out.
    """

    rule: str
    category: list[str]
    tier: Tier
    severity: Severity
    spans: list[SpanLine]
    evasive: Evasion | None
    clauses: list[str]
    unverified: list[str] | None = None
    not_in_force: list[str] | None = None
    exempt: str | None = None
    opinion: Opinion | None = None
    event_ids: list[str] | None = None
    also: list["FindingLine"] | None = None


class EventLine(Struct):
    """One line of `--json`. `scores`: the classifier's, by category; empty without a model. `line`: of `file`, or the
    item of its array. `at`: UTC ms, None without a date. `speaker`: the role. `text`: the caller's own, unmasked.
    `why`: with `--explain`, what carried the scores of all categories that are not unlikely, and of those found.
    `shadows`: what rules in the shadow found, if anything."""

    id: str
    findings: list[FindingLine]
    scores: dict[str, float]
    file: str
    line: int
    room: str
    kind: Kind
    speaker: Role
    at: int | None
    offset_ms: int | None
    text: str
    why: list[Why] | UnsetType = UNSET
    shadows: list[FindingLine] | UnsetType = UNSET


class MissingLine(Struct):
    """A statement that was due at `due_at` (UTC ms) in this broadcast and not heard; without dates, at `offset_ms`."""

    id: None
    findings: list[FindingLine]
    scores: dict[str, float]
    room: str
    broadcast: str
    due_at: int | None
    offset_ms: int | None
    shadows: list[FindingLine] | UnsetType = UNSET


class AlertLine(Struct):
    """One line of `--alerts --json`; times in ms, `at` in UTC."""

    id: str
    tenant: str
    room: str
    broadcast: str
    rule: str
    category: list[str]
    tier: Tier
    severity: Severity
    event_ids: list[str]
    scope: str
    at: int
    offset_ms: int | None


class FindingLines:
    """One JSON object per event."""

    console = None

    def __init__(self, explaining: EngineSet | None = None, *, everything: bool) -> None:
        self.found = False
        self._explaining = explaining
        self._everything = everything

    def add(self, scanned: Sequence[Scanned]) -> None:
        _write([event_line(item, self._explaining) for item in scanned
                if item.findings or item.shadows or self._everything])
        self.found = self.found or any(item.findings for item in scanned)

    def end(self, scanner: Scanner) -> None:
        missing = scanner.missing()
        _write([_missing_line(finding, [rule_line(finding)]) for finding in missing])
        _write([_missing_line(finding, [], [rule_line(finding)]) for finding in scanner.missing(aside=True)])
        self.found = self.found or bool(missing)


class AlertLines:
    """One JSON object per alert, at the end."""

    console = None
    found = False

    def add(self, scanned: Sequence[Scanned]) -> None: ...

    def end(self, scanner: Scanner) -> None:
        alerts = scanner.alerts()
        self.found = bool(alerts)
        for at in range(0, len(alerts), 1024):
            _write([alert_line(*each) for each in alerts[at : at + 1024]])


def _write(lines: list[Any]) -> None:
    if lines:
        sys.stdout.buffer.write(_encoder.encode_lines(lines))
        sys.stdout.buffer.flush()


def event_line(item: Scanned, explaining: EngineSet | None = None) -> EventLine:
    scores: dict[str, float] = {}
    for finding in item.findings:
        scores.update(finding.scores)
    event = item.event
    return EventLine(event.id, [_remark_line(each, item) for each in gathered(distinct(item.findings))], scores,
                     *item.place, event.room, event.kind, role_and_id(event)[0], item.at, event.offset_ms, event.text,
                     _why(explaining, item, scores) if explaining else UNSET,
                     [finding_line(each, item) for each in distinct(item.shadows)] or UNSET)


def _missing_line(
    due: Finding, findings: list[FindingLine], shadows: list[FindingLine] | UnsetType = UNSET
) -> MissingLine:
    return MissingLine(None, findings, {}, due.room, due.broadcast, due.at if due.offset_ms is None else None,
                       due.offset_ms, shadows)


def _why(engine: EngineSet, item: Scanned, found: Collection[str]) -> list[Why]:
    every = engine.scorer.categories if engine.scorer else ()
    return [each for each in why(engine, item.event, every) if each.score >= each.beside or each.category in found]


def _remark_line(remark: Remark, item: Scanned) -> FindingLine:
    return msgspec.structs.replace(finding_line(remark, item),
                                   also=[finding_line(each, item) for each in remark.also] or None)


def finding_line(finding: Finding, item: Scanned) -> FindingLine:
    several = finding.event_ids if finding.event_ids != [item.event.id] else None
    return msgspec.structs.replace(rule_line(finding), spans=[_span_line(span, item) for span in finding.spans],
                                   event_ids=several)


def rule_line(finding: Finding) -> FindingLine:
    """Without what it was found in."""
    return FindingLine(finding.rule, finding.category, finding.tier, finding.severity, [], finding.evasive,
                       finding.clauses, finding.unverified or None, finding.not_in_force or None,
                       exempt=finding.exempt or None, opinion=finding.opinion or None)


def _span_line(span: Span, item: Scanned) -> SpanLine:
    if span.event is not None and span.event != item.event.id:
        return SpanLine(span.start, span.end, span.text, span.event)
    return SpanLine(span.start, span.end, item.event.text[span.start : span.end])


def alert_line(alert: Alert, event_ids: list[str]) -> AlertLine:
    return AlertLine(alert.id, alert.tenant, alert.room, alert.broadcast, alert.rule, alert.category, alert.tier,
                     alert.severity, event_ids, alert.scope, alert.at, alert.offset_ms)
