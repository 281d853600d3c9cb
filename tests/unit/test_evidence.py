"""What a reviewer gets with an alert."""

from types import SimpleNamespace
from typing import Any, cast

import msgspec

from monitor.adapters.bundled import view_tables
from monitor.cli.loading import scorer
from monitor.domain.clauses import Clause, Confidence
from monitor.engine.engineset import EngineSet
from monitor.engine.scorer import Scorer
from monitor.engine.trades import Trades
from monitor.services.evidence import EvidenceDesk
from monitor.services.ports import Store
from monitor.services.records import ContextLine, Evidence
from tests.functional.fakes import alert, finding_of, line_of


def clause(name: str) -> Clause:
    return Clause(id=name, document="广告法", issuer="人大", article="第九条", requirement="不许夸最好",
                  confidence=Confidence.HIGH, categories=("absolute_claim",))


def engine(scorer: Scorer | None = None) -> EngineSet:
    register = {name: clause(name) for name in ("A", "B", "C")}
    rules = SimpleNamespace(clauses=register)
    made = SimpleNamespace(ruleset=rules, scorer=scorer, tables=view_tables(), trades=Trades(scorer, {}))
    made.of = lambda tenant: made
    return cast(EngineSet, made)


class NoFresh:
    async def fresh_lines(self, tenant: str, room: str, **_: Any) -> list[ContextLine]:
        return []


async def test_the_clauses_come_in_words_but_those_that_no_register_has_any_more() -> None:
    found = alert(clauses=["B", "GONE", "A"])

    async def evidence(tenant: str, wanted: str) -> Evidence:
        return Evidence(found, [msgspec.structs.replace(finding_of(found), exempt="C")], [line_of(found)])

    store = cast(Store, SimpleNamespace(evidence=evidence))
    desk = EvidenceDesk(store, NoFresh(), engine)
    told = await desk.evidence("agency", found.id)
    assert told is not None and told.clauses == [clause("B"), clause("A"), clause("C")]  # C: of an exemption


async def test_what_carried_the_scores_is_told_of_the_masked_text() -> None:
    found = alert()
    finding = msgspec.structs.replace(finding_of(found), text="这款保证治好高血压，电话***********",
                                      scores={"medical_claim": 0.9, "unknown": 0.1})

    async def evidence(tenant: str, wanted: str) -> Evidence:
        return Evidence(found, [finding], [])

    store = cast(Store, SimpleNamespace(evidence=evidence))
    without = await EvidenceDesk(store, NoFresh(), engine).evidence("agency", found.id)
    assert without is not None and without.why == {finding.id: []}
    told = await EvidenceDesk(store, NoFresh(), lambda: engine(scorer(""))).evidence("agency", found.id)
    assert told is not None
    (why,) = told.why[finding.id]
    assert why.category == "medical_claim" and why.beside < why.amid <= why.alone and why.score > 0.2
    assert all(finding.text[c.start : c.end] == c.text and c.weight > 0 for c in why.carrying)
    assert any("高血压" in each.text for each in why.carrying)
    assert [c.weight for c in why.carrying] == sorted([c.weight for c in why.carrying], reverse=True)
