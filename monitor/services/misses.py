"""Misses in: words of a kept event become an alert, a label, and a case for the rule that should have found them."""

from typing import Final, Protocol

from msgspec import Struct

from monitor.domain.audit import Deed
from monitor.domain.errors import NotFound, Refused
from monitor.domain.events import Kind, Role, Stage
from monitor.domain.findings import Finding
from monitor.domain.ids import alert_id
from monitor.domain.labels import Label
from monitor.domain.misses import Miss, Reported, Said, finding_for
from monitor.domain.people import Actor, Permission
from monitor.services.cases import Case, Moved, Placing
from monitor.services.context import REACH_MS, nearest
from monitor.services.evidence import MOST_LINES
from monitor.services.following import line_of
from monitor.services.organising import Organising
from monitor.services.ports import Archive, Clock, Publisher
from monitor.services.records import ArchiveQuery, ContextChunk, KeptEvent, Update

_AT_ONE_TIME: Final = 500
"""Events of one room with one time that are looked through."""
_AROUND: Final = 5_000


class Opened(Struct, frozen=True):
    """`new`: False where it was reported before."""

    case: Case
    new: bool
    updates: tuple[Update, ...] = ()


class Report(Struct, frozen=True, kw_only=True):
    """What is stored together."""

    finding: Finding
    reported: Reported
    context: tuple[ContextChunk, ...]
    label: Label
    moved: Moved
    deed: Deed


class DraftPage(Struct, frozen=True):
    """`next` is the cursor of the following page, None at the end."""

    cases: list["DraftCase"]
    next: str | None


class DraftCase(Struct, frozen=True, kw_only=True):
    """A case for the rule that should have found it. `words`: those that were picked; `by`, `at`: who reported it, and
    when (UTC ms)."""

    alert: str
    category: str
    text: str
    words: str
    kind: Kind
    speaker: Role
    by: str
    at: int
    note: str = ""
    state: str = ""


class Reports(Protocol):
    """Raises StorageError."""

    async def report(self, report: Report, placing: Placing) -> Opened:
        """The alert that the finding opens, in one transaction with all that belongs to it; what is there already stays
        as it is."""
        ...

    async def reported(self, tenant: str, *, cursor: str | None, limit: int) -> tuple[list[Case], str | None]:
        """Alerts that somebody reported and nobody found lawful, newest first. Raises InputError for a bad cursor."""
        ...


class MissDesk:
    def __init__(
        self, reports: Reports, archive: Archive, placing: Placing, organising: Organising, publisher: Publisher,
        clock: Clock,
    ) -> None:
        self._reports, self._archive, self._placing = reports, archive, placing
        self._organising, self._publisher, self._clock = organising, publisher, clock

    async def report(self, actor: Actor, miss: Miss) -> Opened:
        """Raises NotFound for an event that is not kept or not this actor's to see, Refused, InputError."""
        self._allow(actor, miss.room)
        now = self._clock.now()
        around = await self._archive.search(actor.tenant, ArchiveQuery(
            room=miss.room, since=miss.at - REACH_MS, until=miss.at + REACH_MS + 1, limit=_AROUND))
        kept = await self._kept(actor.tenant, miss, around)
        finding = finding_for(miss, _said(actor.tenant, kept), now=now)
        alert = alert_id(finding.id)
        told = {"move": "miss", "category": miss.category, "words": finding.spans[0].text, "note": miss.note}
        opened = await self._reports.report(Report(
            finding=finding, reported=Reported(by=actor.id, at=now, note=miss.note),
            context=_chunks(actor.tenant, miss, around), label=_label(finding, actor.id, now),
            moved=Moved(alert=alert, version=0, at=now, by=actor.id, move=told, before="", after="open"),
            deed=Deed(tenant=actor.tenant, by=actor.id, at=now, what="alert.miss", on=alert,
                      facts={**told, "event": miss.event, "room": miss.room})), self._placing)
        self._publisher.publish(opened.updates)
        return opened

    async def drafts(self, actor: Actor, *, cursor: str | None, limit: int) -> DraftPage:
        """Of rooms that the actor may see."""
        organisation = self._organising.of(actor.tenant)
        found, following = await self._reports.reported(actor.tenant, cursor=cursor, limit=limit)
        return DraftPage([_draft(case) for case in found
                          if actor.may(Permission.SEE, organisation.above(case.alert.unit))], following)

    def _allow(self, actor: Actor, room: str) -> None:
        organisation = self._organising.of(actor.tenant)
        above = organisation.above(organisation.unit_of(room))
        if not actor.may(Permission.SEE, above):
            raise _not_kept()
        if not actor.may(Permission.REVIEW, above):
            raise Refused("permission", "to report a miss takes the permission review", hint="ask a reviewer or a lead")

    async def _kept(self, tenant: str, miss: Miss, around: list[KeptEvent]) -> KeptEvent:
        """The event in its latest revision."""
        at_once = await self._archive.search(tenant, ArchiveQuery(
            room=miss.room, since=miss.at, until=miss.at + 1, limit=_AT_ONE_TIME))
        found = [event for event in (*at_once, *around) if (event.source, event.id) == (miss.source, miss.event)]
        if not found:
            raise _not_kept()
        return max(found, key=lambda event: event.revision)


def miss_label(alert: str) -> str:
    return f"miss.{alert}"


def _not_kept() -> NotFound:
    return NotFound("no such event is kept", hint="GET /api/v1/events has `room`, `id`, `source` and `at` of what is "
                    "kept; send them as they stand there")


def _said(tenant: str, kept: KeptEvent) -> Said:
    return Said(tenant=tenant, revision=kept.revision, broadcast=kept.broadcast, kind=Kind(kept.kind),
                stage=Stage(kept.stage), role=Role(kept.role), speaker=kept.speaker, at=kept.at,
                offset_ms=kept.offset_ms, text=kept.text)


def _label(finding: Finding, by: str, now: int) -> Label:
    return Label(id=miss_label(alert_id(finding.id)), text=finding.text, labels=list(finding.category),
                 kind=finding.kind, speaker=finding.role, by=by, at=now, source="miss", reason="missed",
                 event=finding.event_id)


def _chunks(tenant: str, miss: Miss, around: list[KeptEvent]) -> tuple[ContextChunk, ...]:
    """The room's lines around it, as any alert has them: those of found alerts come from memory, these from the
    archive."""
    lines = nearest([line_of(tenant, event) for event in around], at=miss.at, most=MOST_LINES)
    chunks = []
    for lane in sorted({line.lane for line in lines}):
        own = [line for line in lines if line.lane == lane]
        chunks.append(ContextChunk(tenant=tenant, room=miss.room, lane=lane, first_seq=0, lines=own,
                                   from_at=min(line.at for line in own), to_at=max(line.at for line in own)))
    return tuple(chunks)


def _draft(case: Case) -> DraftCase:
    alert, told = case.alert, case.kept.reported
    return DraftCase(
        alert=alert.id, category=alert.category[0], text=alert.text, words=alert.spans[0].text,
        kind=Kind(case.kept.kind), speaker=Role(case.kept.role), by=told.by if told else "",
        at=told.at if told else alert.at, note=told.note if told else "", state=alert.state)
