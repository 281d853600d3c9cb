"""The supervision post's ports in memory: the words in the shortest code."""

from collections.abc import Sequence

from msgspec.structs import replace

from monitor.adapters.storage.cases import untouched
from monitor.domain.alerts import LIVE, Alert, opened
from monitor.domain.audit import FIRST, AuditRow, Deed, row
from monitor.domain.broadcasts import Broadcast
from monitor.domain.errors import Refused
from monitor.domain.links import Handed
from monitor.services.cases import Answered, Card, Case, Effect, Moved, Placing, QueueFilter, QueuePage, Ref, Step
from monitor.services.linking import HandedPage
from monitor.services.misses import Opened, Report
from monitor.services.recordings import Edits, Stored
from monitor.services.records import Update


class MemoryPosts:
    """Implements `Cases`, `Reports`, `Links`, `Records`, `Trail` and `Broadcasts`."""

    def __init__(self) -> None:
        self.cases: dict[tuple[str, str], Case] = {}
        self.moves: dict[str, list[Moved]] = {}
        self.records: dict[str, dict[tuple[str, str], Stored]] = {}
        self.trail: dict[str, list[AuditRow]] = {}
        self.updates = 0
        self.aired: list[Broadcast] = []
        self.crossed: dict[tuple[str, str], Handed] = {}

    def put(self, alert: Alert) -> None:
        self.cases[alert.tenant, alert.id] = Case(alert=alert, kept=untouched(alert))

    async def case(self, tenant: str, alert: str) -> Case | None:
        return self.cases.get((tenant, alert))

    async def history(self, tenant: str, alert: str) -> list[Moved]:
        return list(self.moves.get(alert, [])) if (tenant, alert) in self.cases else []

    async def move(self, tenant: str, refs: Sequence[Ref], step: Step, *, together: bool) -> Answered:
        effects: list[Effect] = []
        refused: dict[str, Refused] = {}
        for ref in refs:
            case = self.cases.get((tenant, ref.alert))
            try:
                if case is None:
                    raise Refused("missing", f"there is no alert {ref.alert}", hint="GET /api/v1/alerts lists them")
                if ref.version not in (None, case.alert.version):
                    raise Refused("stale", f"somebody else has moved alert {ref.alert} meanwhile", hint="read it again")
                effects.append(step(case))
            except Refused as why:
                refused[ref.alert] = why
        if refused and together:
            return Answered((), refused)
        for effect in effects:
            self.cases[tenant, effect.case.alert.id] = effect.case
            self.moves.setdefault(effect.moved.alert, []).append(effect.moved)
        await self.write([effect.deed for effect in effects])
        cases = tuple(effect.case for effect in effects)
        self.updates += len(cases)
        return Answered(cases, refused, tuple(
            Update(self.updates + n, "moved", case.alert) for n, case in enumerate(cases, 1 - len(cases))))

    async def of_moment(self, tenant: str, moment: str) -> list[Alert]:
        return [case.alert for case in self._live(tenant) if case.alert.moment == moment]

    async def queue(self, tenant: str, where: QueueFilter, *, cursor: str | None, limit: int) -> QueuePage:
        cards = [Card(moment=case.alert.moment, post=case.review.post, room=case.alert.room, at=case.alert.at,
                      priority=case.alert.priority, alerts=(case.alert,))
                 for case in self._live(tenant) if case.review.post in where.posts]
        return QueuePage(sorted(cards, key=lambda card: (-card.priority, card.at))[:limit], None)

    def _live(self, tenant: str) -> list[Case]:
        return [case for (of, _), case in self.cases.items() if of == tenant and case.alert.state in LIVE]

    async def due(self, now: int, *, limit: int) -> list[tuple[str, str]]:
        due = [(case.alert.due, *key) for key, case in self.cases.items() if (case.alert.due or now + 1) <= now]
        return [(tenant, alert) for _, tenant, alert in sorted(due)[:limit]]

    async def report(self, report: Report, placing: Placing) -> Opened:
        key = (report.finding.tenant, report.moved.alert)
        new = key not in self.cases
        if new:
            self.put(opened(report.finding))
            kept = replace(self.cases[key].kept, reported=report.reported, kind=report.finding.kind,
                           role=report.finding.role)
            self.cases[key] = replace(self.cases[key], kept=kept)
            self.moves.setdefault(report.moved.alert, []).append(report.moved)
            await self.write([report.deed])
        return Opened(self.cases[key], new)

    async def reported(self, tenant: str, *, cursor: str | None, limit: int) -> tuple[list[Case], str | None]:
        found = [case for (of, _), case in self.cases.items() if of == tenant and case.kept.reported is not None]
        return found[:limit], None

    async def hand(self, handed_over: Handed, ref: Ref, step: Step) -> Answered:
        answered = await self.move(handed_over.tenant, [ref], step, together=True)
        for why in answered.refused.values():
            raise why
        self.crossed[handed_over.to, handed_over.id] = handed_over
        return answered

    async def handed(
        self, tenant: str, *, received: bool, answered: bool | None, cursor: str | None, limit: int
    ) -> HandedPage:
        found = [one for one in self.crossed.values() if tenant == (one.to if received else one.tenant)
                 and answered in (None, one.advice is not None)]
        return HandedPage(found[:limit], None)

    async def one_handed(self, tenant: str, name: str) -> Handed | None:
        return self.crossed.get((tenant, name))

    async def advise(self, answer: Handed, step: Step, deed: Deed) -> Answered:
        self.crossed[answer.to, answer.id] = answer
        await self.write([deed])
        return await self.move(answer.tenant, [Ref(answer.alert)], step, together=True)

    async def broadcasts(self, tenant: str, *, since: int) -> list[Broadcast]:
        return [one for one in self.aired if one.tenant == tenant and (one.ended_at is None or one.last_at >= since)]

    async def since(self, tenant: str, version: int, *, over_before: int | None = None) -> list[Stored]:
        found = sorted((one for one in self.records.get(tenant, {}).values() if one.version > version),
                       key=lambda one: one.version)
        return [one for one in found if over_before is None or one is found[-1] or one.record is None
                or one.record.until is None or one.record.until >= over_before]

    async def page(self, tenant: str, kind: str, *, after: str, limit: int) -> list[Stored]:
        found = [one for one in self.records.get(tenant, {}).values()
                 if one.kind == kind and one.id > after and one.record is not None]
        return sorted(found, key=lambda one: one.id)[:limit]

    async def named(self, tenant: str, names: Sequence[tuple[str, str]]) -> list[Stored]:
        kept = self.records.get(tenant, {})
        return [kept[name] for name in names if name in kept and kept[name].record is not None]

    async def running(self, tenant: str, kind: str, *, since: int, until: int) -> list[Stored]:
        return [one for one in self.records.get(tenant, {}).values() if one.kind == kind and one.record is not None
                and one.record.until > since and one.record.starts <= until]

    async def edit(self, tenant: str, edits: Edits) -> list[Stored]:
        kept = dict(self.records.get(tenant, {}))
        done = []
        for change in edits.changes:
            known = kept.get((change.kind, change.id))
            standing = known.version if known is not None and known.record is not None else 0
            if change.expected not in (None, standing):
                raise Refused("stale", f"somebody else has changed the {change.kind} {change.id}", hint="read it again")
            if change.record is None and not standing:
                raise Refused("missing", f"there is no {change.kind} {change.id}", hint="it may be gone already")
            latest = max((one.version for one in kept.values()), default=0)
            stored = Stored(kind=change.kind, id=change.id, version=latest + 1, record=change.record, at=edits.at,
                            by=edits.by)
            kept[change.kind, change.id] = stored
            done.append(stored)
        self.records[tenant] = kept
        await self.write(edits.deeds)
        return done

    async def tenants(self) -> list[str]:
        return sorted(self.records)

    async def rows(self, tenant: str, *, after: int, limit: int, on: str | None = None,
                   before: int | None = None) -> list[AuditRow]:
        found = [one for one in self.trail.get(tenant, []) if one.seq > after and on in (None, one.deed.on)]
        return [one for one in found[:: 1 if before is None else -1] if before is None or one.seq < before][:limit]

    async def write(self, deeds: Sequence[Deed]) -> None:
        for deed in deeds:
            rows = self.trail.setdefault(deed.tenant, [])
            rows.append(row(deed, seq=len(rows) + 1, before=rows[-1].hash if rows else FIRST))

    async def audited(self) -> list[str]:
        return list(self.trail)


