"""The rules' own cases, run through the engine as it judges live, without a model."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from hashlib import blake2b
from itertools import groupby, islice
from operator import itemgetter
from typing import Final
from zoneinfo import ZoneInfo

import msgspec
from msgspec import Struct

from monitor.domain.correlations import CorrelationCase, CorrelationRule
from monitor.domain.events import Event, Kind, Role, Speaker, role_and_id
from monitor.domain.findings import Finding
from monitor.domain.ids import digest
from monitor.domain.rules import AnyRule, Case, RoomContext, Rule, Status
from monitor.domain.rulesets import RuleSet
from monitor.engine.batch import EventBatch
from monitor.engine.correlation_state import LATENESS_MS
from monitor.engine.databases import Databases, Halved, undivided
from monitor.engine.engineset import EngineSet
from monitor.engine.pipeline import judge, looked_at
from monitor.engine.uncollected import uncollected
from monitor.engine.views import ViewTables
from monitor.services.scan import Scanner

_ENCODER: Final = msgspec.msgpack.Encoder(order="deterministic")
_MANY: Final = 1_000
"""Cases that are worth another process."""
_WORDS: Final = 5
"""Words of a rule that are named."""
_DAY_MS: Final = 86_400_000


class CaseFailure(Struct, frozen=True):
    """`found`: selections with surviving hits where the rule held; None where it did not hold. `exempt`: the clause of
    the exemption that the finding hints at."""

    rule: Rule
    case: Case
    found: tuple[str, ...] | None
    exempt: str = ""

    def __str__(self) -> str:
        wanted = "no finding" if not self.case.expect else "hits of " + ", ".join(self.case.expect)
        got = "no finding" if self.found is None else "a finding with hits of " + ", ".join(self.found)
        if self.case.exempt != self.exempt:
            wanted += f" exempt by {self.case.exempt or 'nothing'}"
            got += f" exempt by {self.exempt or 'nothing'}"
        return f"{self.rule.path}:{self.case.line}:1: {self.rule.id}: expected {wanted}, got {got}: {self.case.text}"


class _Outcome(Struct, frozen=True, array_like=True):
    """As in a CaseFailure."""

    found: tuple[str, ...] | None = None
    exempt: str = ""


class SeriesFailure(Struct, frozen=True):
    """A correlation's case with another outcome than expected."""

    rule: CorrelationRule
    case: CorrelationCase

    def __str__(self) -> str:
        wanted, got = ("a finding", "none") if self.case.expect else ("no finding", "one")
        said = " · ".join(event.text or event.signal for event in self.case.events)
        return f"{self.rule.path}:{self.case.line}:1: {self.rule.id}: expected {wanted}, got {got}: {said}"


Failure = CaseFailure | SeriesFailure


@uncollected()
def run_cases(
    ruleset: RuleSet, tables: ViewTables, zone: ZoneInfo, databases: Databases | None = None
) -> tuple[int, list[Failure]]:
    """(how many cases ran, those that failed). Rules of every status; raises RuleError where they do not compile."""
    cases = [(rule, case) for rule in ruleset.rules for case in rule.cases]
    series = [(rule, case) for rule in ruleset.correlations for case in rule.cases]
    rooms = [msgspec.structs.replace(case.room or _anywhere(rule), room=_room_of(n))
             for n, (rule, case) in enumerate(cases)]
    rooms += [msgspec.structs.replace(_anywhere(rule), room=_series_of(n)) for n, (rule, _) in enumerate(series)]
    known = databases or Databases()
    engine = EngineSet(ruleset, tables, zone=zone, rooms=rooms, statuses=frozenset(Status), databases=known)
    failures = [*_failing(engine, cases, known.halved), *_failing_series(engine, series)]
    return len(cases) + len(series), failures


def failing_cases(
    ruleset: RuleSet, tables: ViewTables, zone: ZoneInfo, databases: Databases
) -> list[Failure]:
    """As `run_cases`, which is not done again where all held before: the same rules, zone, tables and code."""
    asked = _ENCODER.encode((ruleset.rules, ruleset.correlations, ruleset.contexts))
    key = digest("cases", blake2b(asked).hexdigest(), str(zone), str(sorted(tables.meta.items())))
    if databases.kept(key, bool):
        return []
    _, failures = run_cases(ruleset, tables, zone, databases)
    if not failures:
        databases.keep(key, True)
    return failures


class Cost(Struct, frozen=True):
    """In so many texts the rest of a rule was looked for in vain; because of which words, and how often."""

    rule: str
    looks: int
    words: tuple[tuple[str, int], ...]


def costs(engine: EngineSet) -> tuple[list[Cost], int]:
    """Of the rules' cases that expect nothing, which rules take a second look at texts that are not their own; the
    dearest first; and how many such texts there are."""
    rules = engine.ruleset.rules
    cases = [(rule, case) for rule in rules for case in rule.cases if not case.expect]
    batch = EventBatch([_event(n, rule, case) for n, (rule, case) in enumerate(cases)])
    words: dict[str, Counter[str]] = {}
    looks: Counter[str] = Counter()
    held = {(match.event, match.rule.index) for match in judge(engine, batch).matches}
    for event, rule, said in looked_at(engine, batch):
        if rule.rule.id != cases[event][0].id and (event, rule.index) not in held:
            looks[rule.rule.id] += 1
            words.setdefault(rule.rule.id, Counter()).update(said)
    found = [Cost(rule, n, tuple(words[rule].most_common(_WORDS))) for rule, n in looks.most_common()]
    return found, len(cases)


def said(rules: Iterable[Rule], most: int) -> list[Event]:
    """Words in which so many active rules hold, one case of each, each in a room of which nothing is known."""
    cases = ((rule, case) for rule in rules if rule.status is Status.ACTIVE
             for case in [case for case in rule.cases if case.expect and case.room is None][:1])
    return [_event(n, rule, case) for n, (rule, case) in enumerate(islice(cases, most))]


def _failing(engine: EngineSet, cases: Sequence[tuple[Rule, Case]], halved: Halved) -> Iterator[Failure]:
    """Many are shared with another process."""
    share, numbered = halved if len(cases) >= _MANY else undivided, list(enumerate(cases))
    outcomes = share(lambda some: _outcomes(engine, some), numbered, of=_Outcome)
    for (rule, case), outcome in zip(cases, outcomes, strict=True):
        found, exempt = outcome.found, outcome.exempt
        if (found is None) != (not case.expect) or not set(case.expect) <= set(found or ()) or exempt != case.exempt:
            yield CaseFailure(rule, case, found, exempt)


def _outcomes(engine: EngineSet, cases: Sequence[tuple[int, tuple[Rule, Case]]]) -> list[_Outcome]:
    batch = EventBatch([_event(n, rule, case) for n, (rule, case) in cases])
    held = {(m.event, m.rule.rule.id): _Outcome(tuple(sorted(m.surviving)), m.exempt)
            for m in judge(engine, batch).matches}
    return [held.get((i, rule.id), _Outcome()) for i, (_, (rule, _)) in enumerate(cases)]


def _failing_series(engine: EngineSet, series: Sequence[tuple[CorrelationRule, CorrelationCase]]) -> Iterator[Failure]:
    """All together in one stream, each in a room of its own."""
    known = {rule.id: rule for rule in engine.ruleset.all()}
    begin = max((_begin(known[name]) for rule, _ in series for name in (rule.id, *rule.correlation.refers)
                 if name in known), default=0)
    events = sorted((event for n, (_, case) in enumerate(series) for event in _series(n, case, begin)),
                    key=lambda event: event[0])
    scanner = Scanner(engine)
    found: list[Finding] = []
    for at, together in groupby(events, key=itemgetter(0)):
        found += [f for item in scanner.scan([event for _, event in together]) for f in item.findings]
        scanner.pass_time(at)
    end = begin + max((case.length_ms for _, case in series), default=0) + LATENESS_MS + 1
    found += [f for item in (*scanner.pass_time(end), *scanner.finish()) for f in item.findings]
    held = {(f.room, f.rule, f.at) for f in (*found, *scanner.missing())}
    for n, (rule, case) in enumerate(series):
        times = [at - begin for room, name, at in held if (room, name) == (_series_of(n), rule.id)]
        if any(time <= case.length_ms for time in times) != case.expect:
            yield SeriesFailure(rule, case)


def _series(n: int, case: CorrelationCase, begin: int) -> Iterator[tuple[int, Event]]:
    for i, said in enumerate(case.events):
        kind = Kind.SIGNAL if said.signal else said.kind
        role = said.speaker or role_and_id(Event(id="", kind=kind, text=""))[0]
        if said.account and role is Role.UNKNOWN:
            role = Role.VIEWER
        speaker = Speaker(role, said.account) if said.speaker or said.account else None
        at = begin + said.after_ms
        yield at, Event(id=f"{n}-{i}", kind=kind, text=said.signal or said.text, speaker=speaker, at=at,
                        room=_series_of(n))


def _series_of(n: int) -> str:
    return f"series-{n}"


def _room_of(n: int) -> str:
    return f"case-{n}"


def _anywhere(rule: AnyRule) -> RoomContext:
    """A room of which nothing is known but that the rule may be asked there."""
    return RoomContext(room="", tags=rule.applies.rooms.having)


def _begin(rule: AnyRule) -> int:
    """A time at which the rule holds (UTC ms)."""
    since = rule.effective.since
    return 0 if since is None else (since.toordinal() - 719_163 + 1) * _DAY_MS


def _event(n: int, rule: Rule, case: Case) -> Event:
    at = case.at if case.at is not None else _begin(rule)
    speaker = None if case.speaker is None else Speaker(case.speaker)
    kind: Kind = case.kind
    return Event(id=f"case-{n}", kind=kind, stage=case.stage, text=case.text, speaker=speaker, at=max(at, 0),
                 room=_room_of(n), offset_ms=case.offset_ms)


def summary(failures: Sequence[Failure]) -> str:
    return "\n".join(map(str, failures))
