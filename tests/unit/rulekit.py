"""Small rules and judged texts for tests."""

from functools import cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from monitor.domain.conditions import parse
from monitor.domain.events import Event, Kind, Role, Speaker
from monitor.domain.findings import Severity, Tier
from monitor.domain.rules import Applies, Rule, Selection, Status
from monitor.domain.rulesets import RuleSet
from monitor.engine.batch import EventBatch
from monitor.engine.engineset import EngineSet
from monitor.engine.judged import Match
from monitor.engine.pipeline import judge
from monitor.engine.views import ViewTables

ZONE = ZoneInfo("Asia/Shanghai")


@cache
def tables() -> ViewTables:
    return ViewTables((Path(__file__).parents[2] / "monitor/engine/data/views.npz").read_bytes())


def terms(name: str, *words: str, **more: Any) -> Selection:
    return Selection(name=name, terms=words, **more)


def rule(*selections: Selection, condition: str = "", name: str = "t.rule", **more: Any) -> Rule:
    facts: dict[str, Any] = {
        "title": name, "tier": Tier.REDLINE, "category": ("absolute_claim",), "severity": Severity.HIGH,
        "status": Status.ACTIVE, "clauses": (), "applies": Applies(), "pack": "t", "version": "1", "path": "t/rule.yml",
    } | more
    return Rule(id=name, selections=selections,
                condition=parse(condition or selections[0].name, [s.name for s in selections]), **facts)


def engine(*rules: Rule, **more: Any) -> EngineSet:
    return EngineSet(RuleSet(rules, {}, "test", {}), tables(), zone=ZONE, **more)


def event(text: str, *, kind: Kind = Kind.COMMENT, role: Role | None = None, **more: Any) -> Event:
    return Event(id=more.pop("id", "e"), kind=kind, text=text, speaker=Speaker(role) if role else None, **more)


def matches(rules: "list[Rule] | Rule", text: str, **more: Any) -> list[Match]:
    some = rules if isinstance(rules, list) else [rules]
    return judge(engine(*some), EventBatch([event(text, **more)])).matches


def spans(rules: "list[Rule] | Rule", text: str, **more: Any) -> set[tuple[int, int]]:
    return {(s.start, s.end) for m in matches(rules, text, **more) for s in m.spans}
