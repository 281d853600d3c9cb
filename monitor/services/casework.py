"""A rule's own cases, run through the engine as it judges live: without a model, without a room."""

from collections.abc import Sequence
from zoneinfo import ZoneInfo

from msgspec import Struct

from monitor.domain.events import Event, Kind, Speaker
from monitor.domain.rules import Case, Rule, RuleSet, Status
from monitor.engine.batch import EventBatch
from monitor.engine.databases import Databases
from monitor.engine.engineset import EngineSet
from monitor.engine.pipeline import judge
from monitor.engine.views import ViewTables


class CaseFailure(Struct, frozen=True):
    """`found`: selections with surviving hits where the rule held; None where it did not hold."""

    rule: Rule
    case: Case
    found: tuple[str, ...] | None

    def __str__(self) -> str:
        wanted = "no finding" if not self.case.expect else "hits of " + ", ".join(self.case.expect)
        got = "no finding" if self.found is None else "a finding with hits of " + ", ".join(self.found)
        return f"{self.rule.path}:{self.case.line}:1: {self.rule.id}: expected {wanted}, got {got}: {self.case.text}"


def run_cases(
    ruleset: RuleSet, tables: ViewTables, zone: ZoneInfo, databases: Databases | None = None
) -> tuple[int, list[CaseFailure]]:
    """(how many cases ran, those that failed). Rules of every status; raises RuleError where they do not compile."""
    engine = EngineSet(ruleset, tables, zone=zone, statuses=frozenset(Status), databases=databases)
    cases = [(rule, case) for rule in ruleset.rules for case in rule.cases]
    events = [_event(n, rule, case) for n, (rule, case) in enumerate(cases)]
    batch = EventBatch(events)
    held = {(m.event, m.rule.rule.id): tuple(sorted(m.surviving)) for m in judge(engine, batch).matches}
    failures = []
    for n, (rule, case) in enumerate(cases):
        found = held.get((n, rule.id))
        if (found is None) != (not case.expect) or not set(case.expect) <= set(found or ()):
            failures.append(CaseFailure(rule, case, found))
    return len(cases), failures


def _event(n: int, rule: Rule, case: Case) -> Event:
    since = rule.effective.since
    at = 0 if since is None else (since.toordinal() - 719_163 + 1) * 86_400_000
    speaker = None if case.speaker is None else Speaker(case.speaker)
    kind: Kind = case.kind
    return Event(id=f"case-{n}", kind=kind, stage=case.stage, text=case.text, speaker=speaker, at=max(at, 0))


def summary(failures: Sequence[CaseFailure]) -> str:
    return "\n".join(map(str, failures))
