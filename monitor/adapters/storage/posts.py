"""The ports of the supervision post on a database."""

from collections.abc import Sequence

from monitor.adapters.storage import airing, cases, handed, misses, moving, raising, registry, trail
from monitor.adapters.storage.database import Database
from monitor.adapters.storage.gathering import Gathered
from monitor.adapters.storage.moving import Ask
from monitor.adapters.storage.queueing import queue_page
from monitor.domain.alerts import Alert
from monitor.domain.audit import AuditRow, Deed
from monitor.domain.broadcasts import Broadcast
from monitor.domain.findings import Finding
from monitor.domain.links import Handed
from monitor.services.cases import Answered, Case, Moved, Placing, QueueFilter, QueuePage, Ref, Step
from monitor.services.linking import HandedPage
from monitor.services.misses import Opened, Report
from monitor.services.recordings import Edits, Stored
from monitor.services.records import Update


class SqlPosts:
    """Implements `Cases`, `Reports`, `Links`, `Records`, `Trail`, `Raising`. What people do is on disk before it is
    answered."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._moving: Gathered[Ask, Answered] = Gathered(lambda asks: database.run(
            lambda connection: moving.move(connection, asks), durable=True))

    async def case(self, tenant: str, alert: str) -> Case | None:
        return await self._database.read(lambda connection: cases.single(connection, tenant, alert))

    async def history(self, tenant: str, alert: str) -> list[Moved]:
        return await self._database.read(lambda connection: cases.history(connection, tenant, alert))

    async def move(self, tenant: str, refs: Sequence[Ref], step: Step, *, together: bool) -> Answered:
        return await self._moving.ask(Ask(tenant, refs, step, together))

    async def of_moment(self, tenant: str, moment: str) -> list[Alert]:
        return await self._database.read(lambda connection: cases.of_moment(connection, tenant, moment))

    async def queue(self, tenant: str, where: QueueFilter, *, cursor: str | None, limit: int) -> QueuePage:
        return await self._database.read(
            lambda connection: queue_page(connection, tenant, where, cursor=cursor, limit=limit))

    async def due(self, now: int, *, limit: int) -> list[tuple[str, str]]:
        return await self._database.read(lambda connection: cases.due(connection, now, limit))

    async def report(self, report: Report, placing: Placing) -> Opened:
        return await self._database.run(lambda connection: misses.report(connection, report, placing), durable=True)

    async def reported(self, tenant: str, *, cursor: str | None, limit: int) -> tuple[list[Case], str | None]:
        return await self._database.read(lambda connection: misses.reported(connection, tenant, cursor, limit))

    async def hand(self, handed_over: Handed, ref: Ref, step: Step) -> Answered:
        return await self._database.run(
            lambda connection: handed.hand(connection, handed_over, ref, step), durable=True)

    async def handed(
        self, tenant: str, *, received: bool, answered: bool | None, cursor: str | None, limit: int
    ) -> HandedPage:
        return await self._database.read(lambda connection: handed.page(
            connection, tenant, received=received, answered=answered, cursor=cursor, limit=limit))

    async def one_handed(self, tenant: str, name: str) -> Handed | None:
        return await self._database.read(lambda connection: handed.single(connection, tenant, name))

    async def advise(self, answer: Handed, step: Step, deed: Deed) -> Answered:
        return await self._database.run(lambda connection: handed.advise(connection, answer, step, deed), durable=True)

    async def broadcasts(self, tenant: str, *, since: int) -> list[Broadcast]:
        return await self._database.read(lambda connection: airing.airing(connection, tenant, since))

    async def raise_found(self, findings: Sequence[Finding], placing: Placing, now: int) -> list[Update]:
        return await self._database.run(lambda connection: raising.raise_found(connection, findings, placing, now))

    async def since(self, tenant: str, version: int, *, over_before: int | None = None) -> list[Stored]:
        return await self._database.read(lambda connection: registry.since(connection, tenant, version, over_before))

    async def page(self, tenant: str, kind: str, *, after: str, limit: int) -> list[Stored]:
        return await self._database.read(lambda connection: registry.page(connection, tenant, kind, after, limit))

    async def named(self, tenant: str, names: Sequence[tuple[str, str]]) -> list[Stored]:
        return await self._database.read(lambda connection: registry.named(connection, tenant, names))

    async def running(self, tenant: str, kind: str, *, since: int, until: int) -> list[Stored]:
        return await self._database.read(lambda connection: registry.running(connection, tenant, kind, since, until))

    async def edit(self, tenant: str, edits: Edits) -> list[Stored]:
        return await self._database.run(lambda connection: registry.edit(connection, tenant, edits), durable=True)

    async def tenants(self) -> list[str]:
        return await self._database.read(registry.tenants)

    async def rows(self, tenant: str, *, after: int, limit: int, on: str | None = None,
                   before: int | None = None) -> list[AuditRow]:
        return await self._database.read(
            lambda connection: trail.after(connection, tenant, after, limit, on=on, before=before))

    async def write(self, deeds: Sequence[Deed]) -> None:
        await self._database.run(lambda connection: trail.append(connection, deeds), durable=True)

    async def audited(self) -> list[str]:
        return await self._database.read(trail.tenants)
