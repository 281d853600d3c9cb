"""Findings and alerts for people: each sentence once with its words marked, below it what was found in it with clause
and advice, and a summary."""

from collections import Counter
from collections.abc import Container, Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Final
from zoneinfo import ZoneInfo

from rich.console import Console
from rich.table import Table
from rich.text import Text

from monitor.cli.marking import NEAR, marked
from monitor.cli.terminal import SEVERITY_STYLES, clock, counted, out, safe
from monitor.domain.alerts import Alert
from monitor.domain.clauses import Clause
from monitor.domain.events import RELATIVE, Event, Kind
from monitor.domain.findings import RANK, Finding, Opinion, Remark, Severity, gathered
from monitor.engine.engineset import EngineSet
from monitor.services.explaining import Why, why
from monitor.services.scan import Scanner
from monitor.services.scanned import Scanned, distinct

_CLAUSES: Final = 3
"""Clauses that are told in full, the verified ones first."""


def moment(at: int | None, offset_ms: int | None, tz: ZoneInfo, *, short: bool = False) -> str:
    """The place in the broadcast where it is known, else the time of day, else nothing."""
    if offset_ms is not None:
        return clock(offset_ms)
    if at is None:
        return ""
    if at < RELATIVE:
        return clock(at)
    time = datetime.fromtimestamp(at / 1000, tz)
    return f"{time:%m-%d %H:%M:%S}" if short else time.isoformat(" ", "seconds")


def cited(clause: str, *, unverified: Container[str], not_in_force: Container[str]) -> str:
    """The id of a clause, marked where its source is not verified and where it did not hold."""
    return clause + (" (待核)" if clause in unverified else "") + (" (不在有效期)" if clause in not_in_force else "")


class FindingTexts:
    """Every sentence with its findings as it comes, and at the end how many there were of each rule."""

    def __init__(self, engine: EngineSet, zone: ZoneInfo, *, explain: bool = False) -> None:
        """`explain`: what carried the classifier's scores, of each finding, not only of those that rest on them."""
        self.console: Console | None = out()
        self._engine, self._explain = engine, explain
        self._out = self.console
        self._brackets = self._out.no_color or not self._out.is_terminal
        self._clauses: Mapping[str, Clause] = engine.ruleset.clauses
        self._zone = zone
        self._events = self._touched = self._shadows = 0
        self._kinds: set[Kind] = set()
        self._rules: Counter[tuple[Severity, str, str]] = Counter()

    @property
    def found(self) -> bool:
        return bool(self._rules)

    def add(self, scanned: Sequence[Scanned]) -> None:
        self._events += len(scanned)
        for item in scanned:
            self._kinds.add(item.event.kind)
            remarks, shadows = gathered(distinct(item.findings)), list(distinct(item.shadows))
            self._shadows += len(shadows)
            self._touched += bool(remarks)
            self._rules.update((each.severity, each.rule, each.title) for remark in remarks for each in remark.all)
            if remarks or shadows:
                self._tell(remarks, shadows, item)

    def _tell(self, remarks: Sequence[Remark], shadows: Sequence[Finding], item: Scanned) -> None:
        """`remarks`: all of this event, `shadows`: what rules in the shadow found in it; at least one in all.
        Where several findings are told, each names its words."""
        event, (file, line) = item.event, item.place
        first, when = [*remarks, *shadows][0], moment(item.at, event.offset_ms, self._zone)
        where = _facts(when, event.room, f"{first.role} {first.kind}", f"{file}:{line}" if file else "")
        every = [finding for remark in remarks for finding in remark.all]
        spans = [span for finding in every for span in _own(finding, event)]
        lines = [where, Text("  ").append_text(marked(event.text, spans, brackets=self._brackets))]
        for finding in remarks:
            hits = [event.text[start:end] for start, end in _own(finding, event)]
            lines += [_title(finding).append(_words(hits) if len(every) > 1 else "")]
            lines += [Text(safe(f"  after 【{span.text}】 ({span.event})")) for span in finding.spans
                      if span.event not in (None, event.id)]
            lines += self._scores(finding, event)
            lines += self._grounds(finding)
            lines += [self._also(other, event, finding) for other in finding.also]
        lines += [_shadow(finding, [event.text[start:end] for start, end in _own(finding, event)])
                  for finding in shadows]
        self._out.print(*lines, "", sep="\n", soft_wrap=True)

    def _also(self, finding: Finding, event: Event, first: Finding) -> Text:
        """One line for what says the same as the first, with the clauses that this one does not have."""
        hits = [event.text[start:end] for start, end in _own(finding, event)]
        facts = [str(finding.evasive)] if finding.evasive and not first.evasive else []
        facts += [cited(clause, unverified=finding.unverified, not_in_force=finding.not_in_force)
                  for clause in finding.clauses if clause not in first.clauses]
        return Text("  also ").append_text(_title(finding)).append(_words(hits)).append(
            safe(f"  {', '.join(facts)}") if facts else "")

    def _tell_missing(self, finding: Finding, *, aside: bool = False) -> None:
        due = moment(finding.at, finding.offset_ms, self._zone)
        script = self._kinds == {Kind.SCRIPT}
        where = _facts(*(("not in the script",) if script else (due, finding.room, "not said by then")))
        told = [_shadow(finding, [])] if aside else [_title(finding), *self._grounds(finding)]
        self._out.print(where, *told, "", sep="\n", soft_wrap=True)

    def _scores(self, finding: Finding, event: Event) -> list[Text]:
        """What the classifier thinks of the finding's categories, and because of which words."""
        if finding.opinion is Opinion.ALONE or self._explain:
            return [Text(safe(f"  {line}")) for line in map(_scored, why(self._engine, event, finding.category))]
        return []

    def _grounds(self, finding: Finding) -> list[Text]:
        """The clauses and the advice, one a line."""
        lines = []
        named = partial(cited, unverified=finding.unverified, not_in_force=finding.not_in_force)
        if finding.exempt:
            lines.append(f"  may be exempt under {named(finding.exempt)}: check the proof")
        if finding.evasive:
            lines.append(f"  written so as to evade: {finding.evasive}")
        meant = {span.text: span.term for span in finding.spans if span.term}
        lines += [f"  {text} stands for {term}" for text, term in meant.items()]
        doubted = {*finding.unverified, *finding.not_in_force}
        clauses = sorted(finding.clauses, key=lambda clause: clause in doubted)
        for clause in clauses[:_CLAUSES]:
            known = self._clauses.get(clause)
            where = f"  {known.document} {known.article}" if known else ""
            lines.append(f"  {named(clause)}{where}")
        if rest := clauses[_CLAUSES:]:
            lines.append(f"  +{len(rest)} more: {', '.join(map(named, rest))}")
        if finding.advice.say:
            lines.append(f"  → {finding.advice.say}")
        lines += [f"    {old} → {new}" for old, new in finding.advice.rewrite.items()]
        return [Text(safe(line)) for line in lines]

    def end(self, scanner: Scanner) -> None:
        for finding in scanner.missing():
            self._rules[finding.severity, finding.rule, finding.title] += 1
            self._tell_missing(finding)
        for finding in scanner.missing(aside=True):
            self._shadows += 1
            self._tell_missing(finding, aside=True)
        if self._rules:
            table = Table("severity", "rule", "title", box=None, pad_edge=False)
            table.add_column("findings", justify="right")
            for (severity, rule, title), count in sorted(
                self._rules.items(), key=lambda row: (-RANK[row[0][0]], -row[1], row[0][1])
            ):
                table.add_row(Text(severity, style=SEVERITY_STYLES[severity]), rule, safe(title), f"{count:,}")
            self._out.print(table, "", sep="\n")
        self._out.print(f"{counted(self._events, 'event')}, {counted(self._rules.total(), 'finding')}"
                        + (f" in {counted(self._touched, 'event')}" if self._rules else "")
                        + (f"; {self._shadows:,} in the shadow" if self._shadows else ""))


def _scored(why: Why) -> str:
    words = "  ".join(f"{each.text} {each.weight:+.1f}" for each in why.carrying)
    return (f"{why.category} {why.score:.2f} (≥ {why.alone:.2f} alone, ≥ {why.amid:.2f} amid a rule's words, "
            f"≥ {why.beside:.2f} beside a rule)  {words}")


def _title(finding: Finding) -> Text:
    title = Text().append(f" {finding.severity} ", style=SEVERITY_STYLES[finding.severity])
    return title.append(f" {safe(finding.title)}", style="bold").append(f"  {finding.rule}")


def _shadow(finding: Finding, hits: Sequence[str]) -> Text:
    """Of a rule in the shadow: no finding, which is said."""
    return Text("  in the shadow", style="dim").append_text(_title(finding)).append(_words(hits))


def _own(finding: Finding, event: Event) -> list[tuple[int, int]]:
    """Where in this event's text its words are."""
    return [(span.start, span.end) for span in finding.spans if span.event in (None, event.id)]


def _words(hits: Sequence[str]) -> str:
    said = "".join(f"【{hit}】" for hit in dict.fromkeys(hits))
    return f"  {safe(said)}" if said else ""


def _facts(*facts: str) -> Text:
    return Text("  " + "  ".join(safe(fact) for fact in facts if fact), style="dim")


class AlertTable:
    """The alerts by time."""

    def __init__(self, zone: ZoneInfo) -> None:
        self.console: Console | None = out()
        self.found = False
        self._zone = zone
        self._events = 0

    def add(self, scanned: Sequence[Scanned]) -> None:
        self._events += len(scanned)

    def end(self, scanner: Scanner) -> None:
        console = self.console or out()
        alerts = sorted(scanner.alerts(), key=lambda each: each[0].at)
        self.found = bool(alerts)
        if alerts:
            table = _alert_table(alerts, self._zone, brackets=console.no_color or not console.is_terminal)
            console.print(table, "", sep="\n")
        console.print(f"{counted(self._events, 'event')}, {counted(len(alerts), 'alert')}")


def _alert_table(alerts: Sequence[tuple[Alert, list[str]]], tz: ZoneInfo, *, brackets: bool) -> Table:
    table = Table(box=None, pad_edge=False, expand=True)
    for name in ("severity", "time", "room", "rule"):
        table.add_column(name, no_wrap=True)
    table.add_column("events", justify="right", no_wrap=True)
    table.add_column("first words", ratio=1, no_wrap=True)
    for alert, event_ids in alerts:
        spans = [(s.start, s.end) for s in alert.spans if s.event is None]
        table.add_row(
            Text(alert.severity, style=SEVERITY_STYLES[alert.severity]),
            moment(alert.at, alert.offset_ms, tz, short=True), safe(alert.room), alert.rule, f"{len(event_ids):,}",
            marked(alert.text or alert.title, spans, brackets=brackets, around=NEAR),
        )
    return table

