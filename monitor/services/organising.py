"""The organisation's desk: what each tenant keeps of itself, as one value in memory, and its edits."""

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Final

import msgspec

from monitor.domain.audit import Deed
from monitor.domain.errors import InputError, NotFound, Refused
from monitor.domain.kinds import KINDS
from monitor.domain.moves import Reason
from monitor.domain.organisation import REMEMBERED_MS, TENANT, Organisation, Post
from monitor.domain.people import ROOT, Actor, Permission
from monitor.domain.phrases import phrase, together
from monitor.domain.record import Record
from monitor.domain.soundness import faults, missing, named, told_of
from monitor.domain.suppression import Silence, Waiver
from monitor.services.paging import page
from monitor.services.ports import Clock
from monitor.services.recordings import Edit, Edits, Records, Stored

Base = Mapping[tuple[str, str], Record]
"""What every tenant has until it says otherwise, by kind and id."""

_NEEDS: Mapping[str, Permission] = {
    "slot": Permission.PLAN, "product": Permission.PLAN, "shift": Permission.ROSTER, "silence": Permission.LEAD,
    "exception": Permission.RULES, "link": Permission.LINKS, "cue_rule": Permission.LEAD,
}
"""What it takes to edit a kind, where that is not `ORGANISE`."""
_EVERYBODYS = frozenset(("reason", "profile"))
_PASSING: Final = ("slot", "shift")
"""They end, and there are ever more of them: those that are long over are in the store alone."""
_FORGET_EVERY_MS: Final = 3_600_000
_PAGE: Final = 1_000
_TOLD: Final = 20
"""How many faults of one edit are told."""


class Organising:
    """Used from one event loop; `of` may be asked from any thread."""

    def __init__(self, records: Records, clock: Clock, base: Base, *, changed: Callable[[str], None] = lambda _: None
                 ) -> None:
        """`changed`: is told the kind of what was edited, here or by another process."""
        self._records, self._clock, self._changed = records, clock, changed
        self._plain = Organisation(base)
        self._known: dict[str, Organisation] = {}
        self._stored: dict[str, dict[tuple[str, str], Stored]] = {}
        self._read: dict[str, int] = {}
        self._forget_at = 0
        self._editing = asyncio.Lock()

    async def load(self) -> None:
        """What is stored of all tenants, as far as it is not known; what has been over for long is forgotten."""
        for tenant in await self._records.tenants():
            await self.refresh(tenant)
        if self._clock.now() >= self._forget_at:
            self._forget_at = self._clock.now() + _FORGET_EVERY_MS
            for tenant in self.tenants():
                self._forget(tenant)

    async def refresh(self, tenant: str) -> None:
        """What was edited since, by this process or another one."""
        read = self._read.get(tenant, 0)
        self._take(tenant, await self._records.since(tenant, read, over_before=None if read else self._long_ago()))

    def of(self, tenant: str) -> Organisation:
        return self._known.get(tenant, self._plain)

    def tenants(self) -> list[str]:
        """Those that have records of their own."""
        return sorted(self._known)

    def reasons(self, tenant: str) -> dict[str, Reason]:
        return dict(self.of(tenant).every(Reason))

    async def page(self, actor: Actor, kind: str, *, after: str = "", limit: int = _PAGE
                   ) -> tuple[list[Stored], str | None]:
        """By id, at most `limit` of those behind `after`, of the units that the actor may see; the last id where more
        follow. Raises NotFound for a kind that does not exist."""
        check_kind(kind)
        organisation = self.of(actor.tenant)

        async def fetch(after: str | None, most: int) -> list[Stored]:
            if kind in _PASSING:
                return await self._records.page(actor.tenant, kind, after=after or "", limit=most)
            behind = ((name, record) for name, record in organisation.every(KINDS[kind]) if name > (after or ""))
            return [self._shown(actor.tenant, kind, name, record) for name, record in islice(behind, most)]

        def shows(stored: Stored) -> bool:
            return stored.record is not None and _shows(actor, organisation, kind, stored.id, stored.record)

        return await page(fetch, shows, lambda stored: stored.id, after, limit)

    async def listed(self, actor: Actor, kind: str) -> list[Stored]:
        """All of them."""
        found, after = await self.page(actor, kind)
        while after is not None:
            more, after = await self.page(actor, kind, after=after)
            found += more
        return found

    async def one(self, actor: Actor, kind: str, name: str) -> Stored:
        """Raises NotFound for what is not there, or not for this actor to see."""
        check_kind(kind)
        organisation = self.of(actor.tenant)
        record: Record | None = organisation.get(KINDS[kind], name)
        found = None if record is None else self._shown(actor.tenant, kind, name, record)
        if found is None and kind in _PASSING:
            found = next(iter(await self._records.named(actor.tenant, [(kind, name)])), None)
        if found is None or found.record is None or not _shows(actor, organisation, kind, name, found.record):
            raise NotFound(f"there is no {kind} {name[:80]}", hint=f"GET /api/v1/records/{kind} lists them")
        return found

    async def then(self, tenant: str, *, since: int, until: int) -> Organisation:
        """With the slots that ran from `since` to `until` (UTC ms), however long they are over."""
        slots = await self._records.running(tenant, "slot", since=since, until=until)
        return self.of(tenant).with_((one.kind, one.id, one.record) for one in slots)

    async def edit(self, actor: Actor, changes: Sequence[Edit]) -> list[Stored]:
        """All of them or, where one is refused, none. Raises Refused, NotFound, and InputError where the organisation
        would not be sound."""
        async with self._editing:  # one after the other: what two of them leave together is sound, too
            tenant, now = actor.tenant, self._clock.now()
            await self.refresh(tenant)
            signed = [self._signed(actor, self.of(tenant), change) for change in changes]
            await asyncio.to_thread(_examine, actor, await self._before(tenant, changes), signed)
            deeds = [_deed(actor, change, now) for change in signed]
            done = await self._records.edit(tenant, Edits(changes=signed, deeds=deeds, at=now, by=actor.id))
            await self.refresh(tenant)  # not `done` alone: another process may have edited between
        return [_without_secrets(one) for one in done]

    async def _before(self, tenant: str, changes: Sequence[Edit]) -> Organisation:
        """With what is long over, as far as it is to be changed."""
        before = self.of(tenant)
        names = [(change.kind, change.id) for change in changes
                 if change.kind in _PASSING and before.get(KINDS[change.kind], change.id) is None]
        old = await self._records.named(tenant, names) if names else []
        return before.with_((one.kind, one.id, one.record) for one in old)

    @staticmethod
    def _signed(actor: Actor, before: Organisation, change: Edit) -> Edit:
        """Who silences or excepts is named by the service, not by the sender; hidden secrets stay what they were."""
        record = change.record
        if record is None:
            return change
        if isinstance(record, Silence | Waiver):
            return msgspec.structs.replace(change, record=msgspec.structs.replace(record, by=actor.id))
        return msgspec.structs.replace(change, record=record.over(before.get(type(record), change.id)))

    def _take(self, tenant: str, news: Sequence[Stored]) -> None:
        """What is older than what is known stays out: two reads may come back in another order."""
        read = self._read.get(tenant, 0)
        fresh = [one for one in news if one.version > read]
        if not fresh:
            return
        self._read[tenant] = max(one.version for one in fresh)
        self._stored.setdefault(tenant, {}).update({(one.kind, one.id): one for one in fresh})
        self._known[tenant] = self.of(tenant).with_((one.kind, one.id, one.record) for one in fresh)
        if any(one.kind in _PASSING for one in fresh):
            self._forget(tenant)
        for kind in dict.fromkeys(one.kind for one in fresh):
            self._changed(kind)

    def _forget(self, tenant: str) -> None:
        """What has been over for long: it stays in the store."""
        before, organisation = self._long_ago(), self.of(tenant)
        over = [(kind, name) for kind in _PASSING for name, record in organisation.every(KINDS[kind])
                if record.until < before]
        for key in over:
            self._stored[tenant].pop(key, None)
        if over:
            self._known[tenant] = organisation.with_((kind, name, None) for kind, name in over)

    def _long_ago(self) -> int:
        return self._clock.now() - REMEMBERED_MS

    def _shown(self, tenant: str, kind: str, name: str, record: Record) -> Stored:
        known = self._stored.get(tenant, {}).get((kind, name))
        return _without_secrets(known or Stored(kind=kind, id=name, version=0, record=record, at=0, by=""))


def _without_secrets(stored: Stored) -> Stored:
    return stored if stored.record is None else msgspec.structs.replace(stored, record=stored.record.shown())


def _shows(actor: Actor, organisation: Organisation, kind: str, name: str, record: Record) -> bool:
    """What is everybody's (reasons, profiles, the units above one's own) whoever sees anything sees."""
    granted = actor.units(Permission.SEE)
    if kind in _EVERYBODYS:
        return bool(granted)
    if kind == "unit" and any(name in organisation.above(unit) for unit in granted):
        return True
    return actor.may(Permission.SEE, organisation.above(unit_of(organisation, kind, name, record)))


def unit_of(organisation: Organisation, kind: str, name: str, record: Record) -> str:
    """The unit whose people a record concerns; ROOT for the whole tenant."""
    if kind == "unit":
        return name
    if kind == "routes":
        return ROOT if name == TENANT else name
    if kind == "slot":
        return organisation.unit_of(str(getattr(record, "room", "")))
    if kind == "shift":
        post = organisation.get(Post, str(getattr(record, "post", "")))
        return post.unit if post is not None else ROOT
    return str(getattr(record, "unit", ROOT))


def _deed(actor: Actor, change: Edit, now: int) -> Deed:
    return Deed(tenant=actor.tenant, by=actor.id, at=now, on=f"{change.kind}/{change.id}",
                what=f"{change.kind}.{'put' if change.record is not None else 'remove'}",
                facts={} if change.record is None else {"is": msgspec.to_builtins(change.record.shown())})


def _examine(actor: Actor, before: Organisation, changes: Sequence[Edit]) -> None:
    """Raises Refused, NotFound, and InputError for faults that these changes would bring. Costs as much as there are
    records."""
    for change in changes:
        check_kind(change.kind)
    after = before.with_((change.kind, change.id, change.record) for change in changes)
    for change in changes:
        _may(actor, before, after, change)
    strange = {fault for change in changes for fault in _strange(actor, before, after, change)}
    new = sorted(set(faults(after)) - set(faults(before)) | strange)
    if new:
        more = [phrase("and {count} more", count=len(new) - _TOLD)] if len(new) > _TOLD else []
        raise InputError(together([*new[:_TOLD], *more]),
                         hint="mend it, or send what it names first, or both together")


def _strange(actor: Actor, before: Organisation, after: Organisation, change: Edit) -> Iterator[str]:
    """What it names anew and the actor does not see, told as what is not there. What hangs on the record's own unit or
    above is for all below to name."""
    if change.record is None:
        return
    own = after.above(unit_of(after, change.kind, change.id, change.record))
    known = {(kind, name) for kind, names in named(before.get(KINDS[change.kind], change.id)) for name in names}
    for kind, names in named(change.record):
        for name in names:
            found = after.get(kind, name)
            if found is None or (kind, name) in known or found.unit in own:
                continue
            if not actor.may(Permission.SEE, after.above(found.unit)):
                yield told_of(change.kind, change.id, missing(kind.kind, name))


def check_kind(kind: str) -> None:
    """Raises NotFound."""
    if kind not in KINDS:
        raise NotFound(f"there is no kind of record {kind[:40]!r}", hint="one of " + ", ".join(KINDS))


_HANGS_ON: Final = {"slot": ("room", "room"), "shift": ("post", "post"), "unit": ("above", "unit")}
"""By kind, where it is not its `unit`: the key, and the kind of what that names."""


def _unseen(change: Edit, new: Record | None) -> NotFound:
    """It is not the actor's to see; of a `new` record, what it is to hang on is not."""
    key, kind = _HANGS_ON.get(change.kind, ("unit", "unit"))
    home = str(getattr(new, key, ""))
    if new is not None and not home:
        return NotFound(f"the {change.kind} {change.id[:80]} is to be the whole tenant's, which is not yours",
                        hint=f"name in it a {kind} that you see, as `{key}`")
    kind, name = (kind, home) if new is not None else (change.kind, change.id)
    return NotFound(f"there is no {kind} {name[:80]}", hint=f"GET /api/v1/records/{kind} lists them")


def _may(actor: Actor, before: Organisation, after: Organisation, change: Edit) -> None:
    """The actor may edit it where it is and where it goes. Raises Refused, and NotFound for what is not theirs to see.
    """
    permission = _NEEDS.get(change.kind, Permission.ORGANISE)
    known = before.get(KINDS[change.kind], change.id)
    for organisation, record in ((before, known), (after, change.record)):
        if record is None:
            continue
        home = unit_of(organisation, change.kind, change.id, record)
        above = organisation.above(home)
        if change.kind == "unit" and organisation is after:
            above = organisation.above(str(getattr(record, "above", ROOT)))  # a new one hangs on what there is
        if not actor.may(Permission.SEE, above):
            raise _unseen(change, record if known is None else None)
        if not actor.may(permission, above):
            raise Refused("permission",
                          phrase("to edit a {kind} takes the permission {permission}", kind=phrase(change.kind),
                                 permission=phrase(permission)),
                          hint=phrase("ask somebody who has it on {where}",
                                      where=phrase("the unit {unit}",
                                                   unit=home) if home else phrase("the whole tenant")))
