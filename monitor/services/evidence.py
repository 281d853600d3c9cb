"""An alert with everything a reviewer needs, also while its lines are too young to be stored."""

import asyncio
from collections.abc import Callable
from typing import Final, Protocol

import msgspec

from monitor.domain.events import Event, Speaker
from monitor.domain.findings import Finding
from monitor.engine.engineset import EngineSet
from monitor.services.context import REACH_MS, nearest
from monitor.services.explaining import Why, why
from monitor.services.ports import Store
from monitor.services.records import ContextLine, Evidence

MOST_LINES: Final = 400
_EXPLAINED: Final = 20
"""Findings of one alert whose scores are explained: the first ones."""


class FreshLines(Protocol):
    async def fresh_lines(self, tenant: str, room: str, *, since: int, until: int) -> list[ContextLine]: ...


class EvidenceDesk:
    def __init__(self, store: Store, detect: FreshLines, engine: Callable[[], EngineSet]) -> None:
        """`engine`: what judges now."""
        self._store = store
        self._detect = detect
        self._engine = engine

    async def evidence(self, tenant: str, alert_id: str) -> Evidence | None:
        """±60 s of the room, at most MOST_LINES per lane; None where this tenant has no such alert."""
        found = await self._store.evidence(tenant, alert_id)
        if found is None:
            return None
        alert = found.alert
        first = min([alert.at, *(f.at for f in found.findings)])
        fresh = await self._detect.fresh_lines(tenant, alert.room, since=first - REACH_MS,
                                               until=alert.last_at + REACH_MS)
        lines = nearest([*found.context, *fresh], at=alert.at, most=MOST_LINES)
        engine = self._engine().of(tenant)
        register = engine.ruleset.clauses
        named = dict.fromkeys([*alert.clauses, *(finding.exempt for finding in found.findings)])
        clauses = [register[clause] for clause in named if clause in register]
        scored = [finding for finding in found.findings if finding.scores and finding.text][:_EXPLAINED]
        reasons = await asyncio.to_thread(lambda: {finding.id: _why(engine, finding) for finding in scored})
        return msgspec.structs.replace(found, context=lines, clauses=clauses, why=reasons)


def _why(engine: EngineSet, finding: Finding) -> list[Why]:
    said = Event(id=finding.event_id or "-", kind=finding.kind, text=finding.text, room=finding.room,
                 speaker=Speaker(finding.role))
    return why(engine, said, finding.scores, tenant=finding.tenant)
