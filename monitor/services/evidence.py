"""An alert with everything a reviewer needs, also while its lines are too young to be stored."""

from collections.abc import Callable, Mapping
from typing import Final, Protocol

import msgspec

from monitor.domain.rules import Clause
from monitor.services.context import REACH_MS, nearest
from monitor.services.ports import Store
from monitor.services.records import ContextLine, Evidence

MOST_LINES: Final = 400


class FreshLines(Protocol):
    async def fresh_lines(self, tenant: str, room: str, *, since: int, until: int) -> list[ContextLine]: ...


class EvidenceDesk:
    def __init__(self, store: Store, detect: FreshLines, register: Callable[[], Mapping[str, Clause]]) -> None:
        """`register`: the clauses by id of the rules in use."""
        self._store = store
        self._detect = detect
        self._register = register

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
        register = self._register()
        clauses = [register[clause] for clause in alert.clauses if clause in register]
        return msgspec.structs.replace(found, context=lines, clauses=clauses)
