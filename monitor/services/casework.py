"""A rule's own cases, run through the engine as it judges live, without a model."""

from collections.abc import Sequence
from zoneinfo import ZoneInfo

import msgspec
from msgspec import Struct

from monitor.domain.events import Event, Kind, Speaker
from monitor.domain.rules import Case, RoomContext, Rule, Status
from monitor.domain.rulesets import RuleSet
from monitor.engine.batch import EventBatch
from monitor.engine.databases import Databases
from monitor.engine.engineset import EngineSet
from monitor.engine.pipeline import judge
from monitor.engine.views import ViewTables


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


def run_cases(
    ruleset: RuleSet, tables: ViewTables, zone: ZoneInfo, databases: Databases | None = None
) -> tuple[int, list[CaseFailure]]:
    """(how many cases ran, those that failed). Rules of every status; raises RuleError where they do not compile."""
    cases = [(rule, case) for rule in ruleset.rules for case in rule.cases]
    rooms = [msgspec.structs.replace(case.room or _anywhere(rule), room=_room_of(n))
             for n, (rule, case) in enumerate(cases)]
    engine = EngineSet(ruleset, tables, zone=zone, rooms=rooms, statuses=frozenset(Status), databases=databases)
    batch = EventBatch([_event(n, rule, case) for n, (rule, case) in enumerate(cases)])
    held = {(m.event, m.rule.rule.id): m for m in judge(engine, batch).matches}
    failures = []
    for n, (rule, case) in enumerate(cases):
        match = held.get((n, rule.id))
        found, exempt = (None, "") if match is None else (tuple(sorted(match.surviving)), match.exempt)
        if (found is None) != (not case.expect) or not set(case.expect) <= set(found or ()) or exempt != case.exempt:
            failures.append(CaseFailure(rule, case, found, exempt))
    return len(cases), failures


def _room_of(n: int) -> str:
    return f"case-{n}"


def _anywhere(rule: Rule) -> RoomContext:
    """A room of which nothing is known but that the rule may be asked there."""
    return RoomContext(room="", tags=rule.applies.rooms.having)


def _event(n: int, rule: Rule, case: Case) -> Event:
    since = rule.effective.since
    at = case.at if case.at is not None else 0 if since is None else (since.toordinal() - 719_163 + 1) * 86_400_000
    speaker = None if case.speaker is None else Speaker(case.speaker)
    kind: Kind = case.kind
    return Event(id=f"case-{n}", kind=kind, stage=case.stage, text=case.text, speaker=speaker, at=max(at, 0),
                 room=_room_of(n), offset_ms=case.offset_ms)


def summary(failures: Sequence[CaseFailure]) -> str:
    return "\n".join(map(str, failures))
