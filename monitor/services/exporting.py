"""Exports: a filtered list as rows of cells, page by page, with a row of the trail that says who took what."""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import tzinfo
from typing import Any, Final

import msgspec

from monitor.domain.alerts import Alert
from monitor.domain.audit import AuditRow, Deed
from monitor.domain.errors import Refused
from monitor.domain.kinds import KINDS
from monitor.domain.labels import Label
from monitor.domain.ledgers import HEADERS, Cell, Ledger, around, moment, row
from monitor.domain.people import Actor, Permission
from monitor.domain.phrases import phrase
from monitor.services.cases import QueueFilter
from monitor.services.ledgers import LedgerFilter, Ledgers
from monitor.services.organising import Organising, check_kind
from monitor.services.ports import Clock, Store
from monitor.services.recordings import Stored, Trail
from monitor.services.records import AlertFilter, LabelFilter
from monitor.services.review import ReviewDesk
from monitor.services.sight import below, sight

_PAGE: Final = 200
_ALERTS: Final = (
    "id", "at", "last_at", "offset_ms", "room", "broadcast", "unit", "post", "state", "outcome", "severity", "tier",
    "category", "sub", "rule", "rule_version", "title", "clauses", "unverified", "not_in_force", "text", "hits",
    "evasive", "recurrence", "joined", "priority", "claimed_by", "held_by", "reason", "due", "moment", "version",
)
_QUEUE: Final = ("card", "of_post", "card_priority", *_ALERTS)
_LABELS: Final = tuple(Label.__struct_fields__)
_AUDIT: Final = ("seq", "at", "by", "what", "on", "facts", "before", "hash")
_RECORDS: Final = ("kind", "id", "version", "changed_at", "by")
_TIMES: Final = frozenset(("at", "last_at", "due", "changed_at", "starts", "ends", "begins"))

Rows = AsyncIterator[list[list[Cell]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Export:
    """`pages`: rows of cells, each as long as `headers`."""

    name: str
    headers: Sequence[str]
    pages: Rows


class Exporting:
    """`zone`: in which times are written."""

    def __init__(
        self, *, store: Store, ledgers: Ledgers, trail: Trail, review: ReviewDesk, organising: Organising, clock: Clock,
        zone: tzinfo,
    ) -> None:
        self._store, self._ledgers, self._trail, self._review = store, ledgers, trail, review
        self._organising, self._clock, self._zone = organising, clock, zone
        self._lists: Mapping[str, Callable[..., Export]] = {
            "alerts": self._alerts, "queue": self._queue, "labels": self._labels, "audit": self._audit,
            "records": self._records, "corrections": self._corrections, "comments": self._comments,
        }

    async def start(self, actor: Actor, name: str, where: Mapping[str, Any], *, form: str) -> Export:
        """`name`: one of the lists. `where`: its filters; None: not set. On record before the first row leaves.

        Raises Refused where the actor may not, NotFound for a kind of record that does not exist, InputError.
        """
        export = self._lists[name](actor, **where)
        facts = {key: value for key, value in where.items() if value is not None}
        await self._trail.write([Deed(tenant=actor.tenant, by=actor.id, at=self._clock.now(), what="list.export",
                                      on=export.name, facts={"format": form, **facts})])
        return export

    def _alerts(self, actor: Actor, *, unit: str | None = None, claimed_by: str | None = None, **where: Any) -> Export:
        organisation = self._organising.of(actor.tenant)
        bounds = sight(actor, organisation)
        wanted = AlertFilter(
            **where, within=None if unit is None else below(organisation, unit), units=bounds.units, posts=bounds.posts,
            claimed_by=actor.id if claimed_by == "me" else claimed_by)

        async def pages() -> Rows:
            cursor: str | None = None
            while True:
                page = await self._store.alerts(actor.tenant, wanted, cursor=cursor, limit=_PAGE)
                yield [self._cells(_ALERTS, _of_alert(alert)) for alert in page.alerts]
                if (cursor := page.next) is None:
                    return

        return Export(name="alerts", headers=_ALERTS, pages=pages())

    def _queue(self, actor: Actor, *, post: str | None = None, claimed_by: str | None = None, **where: Any) -> Export:
        wanted = QueueFilter(posts=() if post is None else (post,),
                             claimed_by=actor.id if claimed_by == "me" else claimed_by, **where)

        async def pages() -> Rows:
            cursor: str | None = None
            while True:
                page = await self._review.queue(actor, wanted, cursor=cursor, limit=_PAGE)
                yield [self._cells(_QUEUE, {**_of_alert(alert), "card": card.moment, "of_post": card.post,
                                            "card_priority": card.priority})
                       for card in page.cards for alert in card.alerts]
                if (cursor := page.next) is None:
                    return

        return Export(name="queue", headers=_QUEUE, pages=pages())

    def _labels(self, actor: Actor, **where: Any) -> Export:
        _need(actor, Permission.SEE)

        async def pages() -> Rows:
            cursor: str | None = None
            while True:
                page = await self._store.labels(actor.tenant, LabelFilter(**where), cursor=cursor, limit=_PAGE)
                yield [self._cells(_LABELS, msgspec.structs.asdict(label)) for label in page.labels]
                if (cursor := page.next) is None:
                    return

        return Export(name="labels", headers=_LABELS, pages=pages())

    def _audit(self, actor: Actor, *, on: str | None = None, since: int | None = None, until: int | None = None
               ) -> Export:
        _need(actor, Permission.AUDIT)

        async def pages() -> Rows:
            after = 0
            while rows := await self._trail.rows(actor.tenant, after=after, limit=_PAGE, on=on):
                after = rows[-1].seq
                yield [self._cells(_AUDIT, _of_trail(one)) for one in rows
                       if (since is None or one.deed.at >= since) and (until is None or one.deed.at < until)]

        return Export(name="audit", headers=_AUDIT, pages=pages())

    def _records(self, actor: Actor, *, kind: str) -> Export:
        check_kind(kind)
        headers = (*_RECORDS, *KINDS[kind].__struct_fields__)

        async def pages() -> Rows:
            after: str | None = ""
            while after is not None:
                found, after = await self._organising.page(actor, kind, after=after, limit=_PAGE)
                yield [self._cells(headers, _of_record(one)) for one in found]

        return Export(name=f"records/{kind}", headers=headers, pages=pages())

    def _corrections(self, actor: Actor, **where: Any) -> Export:
        return self._ledger(actor, Ledger.CORRECTIONS, **where)

    def _comments(self, actor: Actor, **where: Any) -> Export:
        return self._ledger(actor, Ledger.COMMENTS, **where)

    def _ledger(self, actor: Actor, ledger: Ledger, *, unit: str | None = None, since: int | None = None,
                until: int | None = None) -> Export:
        """Of rooms of the unit and of those below it; without one, of all where the actor may."""
        organisation = self._organising.of(actor.tenant)
        granted = actor.units(Permission.AUDIT)
        roots = [unit] if unit is not None else [""] if "" in granted or not granted else sorted(granted)
        for root in roots:
            _need(actor, Permission.AUDIT, organisation.above(root))
        units = None if roots == [""] else tuple({name for root in roots for name in below(organisation, root)})
        wanted = LedgerFilter(ledger=ledger, since=since, until=until, units=units)

        async def pages() -> Rows:
            cursor: str | None = None
            while True:
                page = await self._ledgers.entries(actor.tenant, wanted, cursor=cursor, limit=_PAGE)
                at = [entry.alert.at for entry in page.entries]
                then = await self._organising.then(actor.tenant, since=min(at, default=0), until=max(at, default=0))
                yield [row(ledger, entry, around(then, entry, self._zone)) for entry in page.entries]
                if (cursor := page.next) is None:
                    return

        return Export(name=ledger.value, headers=HEADERS[ledger], pages=pages())

    def _cells(self, headers: Sequence[str], values: Mapping[str, Any]) -> list[Cell]:
        return [self._cell(header, values.get(header)) for header in headers]

    def _cell(self, header: str, value: Any) -> Cell:
        if isinstance(value, int) and header in _TIMES:
            return moment(value, self._zone)
        if value is None or isinstance(value, bool):
            return "" if value is None else "true" if value else "false"
        if isinstance(value, str | int | float):
            return value
        if isinstance(value, list | tuple) and all(isinstance(item, str) for item in value):
            return " ".join(value)
        return msgspec.json.encode(value).decode()


def _need(actor: Actor, permission: Permission, path: Sequence[str] = ("",)) -> None:
    if not actor.may(permission, path):
        raise Refused("permission", phrase("this needs the permission {permission}", permission=phrase(permission)),
                      hint="ask somebody who has it")


def _of_alert(alert: Alert) -> dict[str, Any]:
    return {**msgspec.structs.asdict(alert), "hits": [span.text for span in alert.spans]}


def _of_trail(one: AuditRow) -> dict[str, Any]:
    deed = one.deed
    return {"seq": one.seq, "at": deed.at, "by": deed.by, "what": deed.what, "on": deed.on, "facts": deed.facts,
            "before": one.before, "hash": one.hash}


def _of_record(one: Stored) -> dict[str, Any]:
    record = {} if one.record is None else msgspec.structs.asdict(one.record)
    return {**record, "kind": one.kind, "id": one.id, "version": one.version, "changed_at": one.at or None,
            "by": one.by or record.get("by", "")}
