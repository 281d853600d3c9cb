"""What a finding says of its rule, whatever it was found in."""

from datetime import datetime
from typing import Any

from monitor.domain.clauses import not_in_force, unverified
from monitor.domain.events import VIEWERS
from monitor.domain.findings import Severity, Span
from monitor.domain.rules import AnyRule
from monitor.engine.engineset import EngineSet


def grounds(
    rule: AnyRule, engine: EngineSet, at: int, *, lane: int, text: str, spans: list[Span], exempt: str = "",
) -> dict[str, Any]:
    """Fields of a Finding at `at` (UTC ms). `text`: masked; `exempt`: the clause of an exemption that may apply.
    A rewrite is for those who go on speaking: viewers' words have none."""
    register, day = engine.ruleset.clauses, datetime.fromtimestamp(at / 1000, engine.zone).date()
    cited = [*rule.clauses, *([exempt] if exempt else [])]
    return {
        "rule": rule.id, "rule_version": rule.version, "title": rule.title, "category": list(rule.category),
        "sub": rule.sub, "tier": rule.tier, "severity": Severity.INFO if exempt else rule.severity,
        "clauses": list(rule.clauses), "unverified": unverified(cited, register),
        "not_in_force": not_in_force(cited, register, day), "lane": lane, "text": text,
        "spans": spans, "advice": rule.advice.given(text, spans if lane != VIEWERS else []),
        "exempt": exempt, "engine_set": engine.version,
    }
