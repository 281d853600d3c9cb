"""A text of a rule file, tried before it judges: its faults and cases, and what it makes of words as they were said."""

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Sequence, Set
from hashlib import blake2b
from typing import Annotated, Final

from msgspec import Meta, Struct

from monitor.domain.conditions import written
from monitor.domain.errors import Fault, RuleError
from monitor.domain.events import Event, Kind, Role, Speaker, Stage
from monitor.domain.findings import Finding, Severity, Span
from monitor.engine.batch import EventBatch
from monitor.engine.engineset import EngineSet
from monitor.engine.judged import Explained
from monitor.engine.pipeline import explain
from monitor.services.casework import CaseFailure, Failure
from monitor.services.ports import Archive, Clock
from monitor.services.records import ArchiveQuery, KeptEvent
from monitor.services.ruleparts import MOST_TEXT, Parse, Part, cases_of, checked_path, engine_of, faults_of, part
from monitor.services.scan import Scanner
from monitor.services.scanned import Scanned

MOST_LINES: Final = 2_000
_MOST_SHOWN: Final = 200
_KEPT: Final = 6
_APART_MS: Final = 1_000

Text = Annotated[str, Meta(max_length=MOST_TEXT)]


class RuleDraft(Struct, frozen=True, kw_only=True):
    """`text`: what would stand in the file."""

    path: Annotated[str, Meta(min_length=1, max_length=200)]
    text: Text


class CaseFailed(Struct, frozen=True, kw_only=True):
    """`line`: in the file at `path`; `wanted`, `found`: selections with hits that count; none: no finding."""

    path: str
    line: int
    rule: str
    said: str
    wanted: list[str]
    found: list[str]


class Linted(Struct, frozen=True, kw_only=True):
    """`cases` ran, where there are no faults."""

    faults: list[Fault]
    rules: list[str] = []
    cases: int = 0
    failed: list[CaseFailed] = []


class TryThis(RuleDraft, frozen=True, kw_only=True):
    """`said`: one line each; or the last `minutes` of a `room`."""

    said: Annotated[str, Meta(max_length=20_000)] = ""
    room: Annotated[str, Meta(max_length=128)] = ""
    minutes: Annotated[int, Meta(ge=1, le=10)] = 5
    kind: Kind = Kind.TRANSCRIPT
    role: Role = Role.HOST


class FoundBy(Struct, frozen=True, kw_only=True):
    """A finding. `own`: of a rule that the file changes."""

    rule: str
    title: str
    severity: Severity
    spans: list[Span]
    own: bool


class HitFate(Struct, frozen=True, kw_only=True):
    """A hit of a selection, in code points of the line. `taken_by`: what took it away, "" where it stands."""

    selection: str
    start: int
    end: int
    taken_by: str


class RuleFate(Struct, frozen=True, kw_only=True):
    """What a rule of the file made of a line. `why`: "" where it holds; condition, applies (not to such a line),
    unlikely (to the classifier). `condition`: as the file has it."""

    rule: str
    why: str
    condition: str
    hits: list[HitFate]


class TriedLine(Struct, frozen=True, kw_only=True):
    at: int | None
    kind: str
    role: str
    text: str
    found: list[FoundBy]
    fates: list[RuleFate]


class TriedRules(Struct, frozen=True, kw_only=True):
    """`lines`: of what was pasted all, of a room those with something to show; `looked`: how many there were.
    `missing`: statements that were not heard."""

    faults: list[Fault]
    looked: int = 0
    lines: list[TriedLine] = []
    missing: list[FoundBy] = []


class Tried(Struct, frozen=True):
    part: Part
    engine: EngineSet


class RuleTrial:
    """Keeps what it compiled last. One work at a time: a person's next keystroke waits for the last one."""

    def __init__(self, archive: Archive, parse: Parse, engine: Callable[[], EngineSet], clock: Clock) -> None:
        self._archive, self._parse, self._engine, self._clock = archive, parse, engine, clock
        self._made: OrderedDict[tuple[str, str, bytes], Tried] = OrderedDict()
        self._one_at_a_time = asyncio.Lock()

    async def lint(self, draft: RuleDraft) -> Linted:
        """Faults are no error here: they are what was asked for."""
        serving = self._engine()
        async with self._one_at_a_time:
            try:
                tried = await asyncio.to_thread(self.made, draft, serving)
                cases, failed = await asyncio.to_thread(cases_of, tried.part, serving) if tried.part.own else (0, [])
            except RuleError as error:
                return Linted(faults=faults_of(error, draft.path))
        return Linted(faults=[], rules=sorted(tried.part.own), cases=cases, failed=[_failed(each) for each in failed])

    async def attempt(self, tenant: str, asked: TryThis) -> TriedRules:
        """Against the rules that judge, with this text in place of its file."""
        serving, now = self._engine(), self._clock.now()
        if asked.room:
            kept = await self._archive.search(tenant, ArchiveQuery(
                room=asked.room, since=now - asked.minutes * 60_000, limit=MOST_LINES))
            events = [event_of(one) for one in reversed(kept)]
        else:
            events = _said(asked, now)
        async with self._one_at_a_time:
            try:
                return await asyncio.to_thread(self._tried, tenant, asked, events, serving)
            except RuleError as error:
                return TriedRules(faults=faults_of(error, asked.path))

    def made(self, draft: RuleDraft, serving: EngineSet) -> Tried:
        """The text with what it needs, compiled. Raises RuleError."""
        key = (serving.version, checked_path(draft.path), blake2b(draft.text.encode()).digest())
        if key not in self._made:
            found = part(serving.ruleset, draft.path, draft.text, self._parse)
            self._made[key] = Tried(found, engine_of(found, serving) if found.own else serving)
        self._made.move_to_end(key)
        while len(self._made) > _KEPT:
            self._made.popitem(last=False)
        return self._made[key]

    def part_now(self, path: str, serving: EngineSet) -> Part | None:
        """The file as it judges, with what it needs; None where it does not."""
        data = serving.ruleset.sources.get(path)
        return None if data is None else part(serving.ruleset, path, data.decode(errors="replace"), self._parse)

    def _tried(self, tenant: str, asked: TryThis, events: Sequence[Event], serving: EngineSet) -> TriedRules:
        tried = self.made(asked, serving)
        own = tried.part.own
        changed = own | {rule.id for rule in serving.ruleset.all() if rule.path == asked.path}
        mine, missing = _scanned(tried.engine, tenant, events)
        others, missing_too = _scanned(serving, tenant, events)
        lines = [_line(one, [*_by(one.findings, own, own=True), *_by(other.findings, changed, own=False)],
                       list(_fates(tried.engine, one.event, own, tenant)))
                 for one, other in zip(mine, others, strict=True)]
        if asked.room:
            lines = [line for line in lines if line.found or line.fates]
        return TriedRules(
            faults=[], looked=len(events), lines=lines[:_MOST_SHOWN],
            missing=[*_by(missing, own, own=True), *_by(missing_too, changed, own=False)])


def _scanned(engine: EngineSet, tenant: str, events: Sequence[Event]) -> tuple[list[Scanned], list[Finding]]:
    """One for each event, in their order; and what was not heard."""
    scanner = Scanner(engine, tenant=tenant)
    found: dict[tuple[str, str, int | None], Scanned] = {}
    for one in (*scanner.scan(events), *scanner.finish()):
        event = one.event
        known = found.setdefault((event.source, event.id, event.revision), one)
        if known is not one:
            known.findings.extend(one.findings)
    return list(found.values()), scanner.missing()


def _line(one: Scanned, found: list[FoundBy], fates: list[RuleFate]) -> TriedLine:
    role = one.event.speaker.role if isinstance(one.event.speaker, Speaker) else Role.UNKNOWN
    return TriedLine(at=one.at, kind=one.event.kind, role=role, text=one.masked, found=found, fates=fates)


def _by(findings: Iterable[Finding], rules: Set[str], *, own: bool) -> Iterator[FoundBy]:
    """Those of these rules (`own`), or of all others."""
    for finding in findings:
        if (finding.rule in rules) is own:
            yield FoundBy(rule=finding.rule, title=finding.title, severity=finding.severity, spans=finding.spans,
                          own=own)


def _fates(engine: EngineSet, event: Event, own: Set[str], tenant: str) -> Iterator[RuleFate]:
    """Of the rules with a hit in the line."""
    if not own:
        return
    for each in explain(engine, EventBatch([event], tenant=tenant)):
        rule = each.rule.rule
        if rule.id in own and each.hits:
            yield RuleFate(rule=rule.id, why=_why(each), condition=written(rule.condition), hits=[
                HitFate(selection=hit.selection, start=hit.start, end=hit.end, taken_by=hit.taken_by)
                for hit in each.hits])


def _why(each: Explained) -> str:
    if each.judges:
        return ""
    return "condition" if not each.holds else "applies" if not each.applies else "unlikely"


def _said(asked: TryThis, now: int) -> list[Event]:
    lines = [line.strip() for line in asked.said.splitlines() if line.strip()][:_MOST_SHOWN]
    return [Event(id=f"line-{n}", kind=asked.kind, text=line, at=now + n * _APART_MS, speaker=Speaker(asked.role),
                  room="", broadcast="try") for n, line in enumerate(lines)]


def event_of(kept: KeptEvent) -> Event:
    """As it was judged, but masked."""
    return Event(
        id=kept.id, source=kept.source, kind=Kind(kept.kind), text=kept.text, room=kept.room, broadcast=kept.broadcast,
        stage=Stage(kept.stage), at=kept.at, offset_ms=kept.offset_ms, revision=kept.revision or None,
        speaker=Speaker(Role(kept.role), kept.speaker))


def _failed(failure: Failure) -> CaseFailed:
    if isinstance(failure, CaseFailure):
        case = failure.case
        return CaseFailed(path=failure.rule.path, line=case.line, rule=failure.rule.id, said=case.text,
                          wanted=list(case.expect), found=list(failure.found or ()))
    said = " · ".join(event.text or event.signal for event in failure.case.events)
    return CaseFailed(path=failure.rule.path, line=failure.case.line, rule=failure.rule.id, said=said,
                      wanted=["finding"] if failure.case.expect else [],
                      found=[] if failure.case.expect else ["finding"])
