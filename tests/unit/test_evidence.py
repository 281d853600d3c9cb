"""What a reviewer gets with an alert."""

from types import SimpleNamespace
from typing import Any, cast

from monitor.domain.rules import Clause, Confidence
from monitor.services.evidence import EvidenceDesk
from monitor.services.ports import Store
from monitor.services.records import ContextLine, Evidence
from tests.functional.fakes import alert, finding_of, line_of


def clause(name: str) -> Clause:
    return Clause(id=name, document="广告法", issuer="人大", article="第九条", requirement="不许夸最好",
                  confidence=Confidence.HIGH, categories=("absolute_claim",))


class NoFresh:
    async def fresh_lines(self, tenant: str, room: str, **_: Any) -> list[ContextLine]:
        return []


async def test_the_clauses_come_in_words_but_those_that_no_register_has_any_more() -> None:
    found = alert(clauses=["B", "GONE", "A"])

    async def evidence(tenant: str, wanted: str) -> Evidence:
        return Evidence(found, [finding_of(found)], [line_of(found)])

    store = cast(Store, SimpleNamespace(evidence=evidence))
    desk = EvidenceDesk(store, NoFresh(), lambda: {name: clause(name) for name in ("A", "B", "C")})
    told = await desk.evidence("agency", found.id)
    assert told is not None and told.clauses == [clause("B"), clause("A")]
