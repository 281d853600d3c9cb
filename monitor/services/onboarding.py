"""Findings about broadcasts: what was lacking of hosts and products when they began.

They come of records and the store's broadcasts, beside the log; their ids are derived, so that whoever looks again,
after a restart too, finds what is there already.
"""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import datetime
from typing import Final, Protocol

from monitor.domain.broadcasts import Broadcast
from monitor.domain.clauses import not_in_force, unverified
from monitor.domain.errors import StorageError
from monitor.domain.events import HOST_SIDE, Kind, Role, Stage
from monitor.domain.findings import Advice, Finding, Tier
from monitor.domain.ids import finding_id
from monitor.domain.onboarding import Lack, lacks
from monitor.domain.organisation import Organisation
from monitor.engine.engineset import EngineSet
from monitor.services.cases import Placing
from monitor.services.evening import Broadcasts
from monitor.services.organising import Organising
from monitor.services.ports import Clock, Publisher, Telemetry
from monitor.services.records import Update

_BEGUN_MS: Final = 3_600_000
"""How long after its begin a broadcast that is over is still looked at: nobody may have looked while it ran."""


Place = tuple[str, str]
"""Room, and the broadcast's id."""


class Raising(Broadcasts, Protocol):
    """Raises StorageError."""

    async def raise_found(self, findings: Sequence[Finding], placing: Placing, now: int) -> list[Update]:
        """Store those that are not there yet, each with its alert, in one transaction."""
        ...


class Onboarding:
    """Used from one event loop. `engine`: what judges now; its register says how far clauses are verified."""

    def __init__(
        self, store: Raising, organising: Organising, placing: Placing, publisher: Publisher, clock: Clock,
        telemetry: Telemetry, engine: Callable[[], EngineSet],
    ) -> None:
        self._store, self._organising, self._placing, self._publisher = store, organising, placing, publisher
        self._clock, self._telemetry, self._engine = clock, telemetry, engine
        self._looked: dict[str, tuple[Organisation | None, frozenset[Place]]] = {}
        self._raised: dict[str, tuple[str, str, str]] = {}

    async def run(
        self, stop: asyncio.Event, *, every_s: float = 5, mine: Callable[[], bool] = lambda: True,
    ) -> None:
        """`mine`: whether it is this process that looks."""
        while not stop.is_set():
            with suppress(StorageError):  # the disk refuses: it is as lacking at the next turn
                if mine():
                    await self.look()
            with suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), every_s)

    async def look(self) -> None:
        """Raise what is lacking in broadcasts that run or began lately, once each."""
        for tenant in self._organising.tenants():
            await self._look(tenant, self._organising.of(tenant), self._clock.now())

    async def _look(self, tenant: str, organisation: Organisation, now: int) -> None:
        """Only broadcasts that are new, unless records have changed."""
        broadcasts = {(each.room, each.id): each
                      for each in await self._store.broadcasts(tenant, since=now - _BEGUN_MS)
                      if each.ended_at is None or each.started_at >= now - _BEGUN_MS}
        by, looked = self._looked.get(tenant, (None, frozenset[Place]()))
        fresh = [each for place, each in broadcasts.items() if by is not organisation or place not in looked]
        if fresh:
            found = await asyncio.to_thread(self._found, organisation, fresh, now)
            await self._raise([finding for finding in found if finding.id not in self._raised], now)
        self._looked[tenant] = organisation, frozenset(broadcasts)
        self._raised = {name: place for name, place in self._raised.items()
                        if place[0] != tenant or place[1:] in broadcasts}

    async def _raise(self, found: Sequence[Finding], now: int) -> None:
        updates = await self._store.raise_found(found, self._placing, now) if found else []
        self._publisher.publish(updates)
        for alert in (update.alert for update in updates):
            self._telemetry.count("findings_total", category=alert.category[0], tier=alert.tier)
        self._raised |= {finding.id: (finding.tenant, finding.room, finding.broadcast) for finding in found}

    def _found(self, organisation: Organisation, broadcasts: Sequence[Broadcast], now: int) -> list[Finding]:
        engine = self._engine()
        return [_finding(broadcast, lack, engine, now) for broadcast, lack in
                lacks(organisation, broadcasts, engine.zone)]


def _finding(broadcast: Broadcast, lack: Lack, engine: EngineSet, now: int) -> Finding:
    duty, register, at = lack.duty, engine.ruleset.clauses, broadcast.started_at
    name = finding_id(broadcast.tenant, duty.rule, lack.subject)
    day = datetime.fromtimestamp(at / 1000, engine.zone).date()
    return Finding(
        id=name, opened_by=name, tenant=broadcast.tenant, source="", event_id="", event_ids=[], revision=0,
        room=broadcast.room, broadcast=broadcast.id, lane=HOST_SIDE, kind=Kind.SIGNAL, stage=Stage.ONBOARDING,
        role=Role.HOST, speaker="", at=at, offset_ms=0, accepted_at=now, text=lack.text, rule=duty.rule,
        rule_version=duty.version, title=duty.title, category=[duty.category], sub="onboarding", tier=Tier.STANDARD,
        severity=duty.severity, clauses=[duty.clause], spans=[], evasive=None, asr_variant=False,
        advice=Advice(duty.say), engine_set=engine.version, unverified=unverified([duty.clause], register),
        not_in_force=not_in_force([duty.clause], register, day))
