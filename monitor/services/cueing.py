"""Cues: what host and control room are told while the broadcast runs, by whom, and what they answer."""

from collections.abc import Callable
from typing import Annotated, Final, Protocol

from msgspec import Meta, Struct

from monitor.domain import cues
from monitor.domain.audit import Deed
from monitor.domain.cues import Answer, Corrected, Cue, RoomLink, Track
from monitor.domain.errors import NotFound, Refused
from monitor.domain.ids import digest
from monitor.domain.messages import Message, What, addressed, told_of
from monitor.domain.organisation import Organisation, Room
from monitor.domain.people import Actor, Permission
from monitor.domain.phrases import phrase
from monitor.services.cases import Case
from monitor.services.organising import Organising
from monitor.services.ports import Clock, Telemetry
from monitor.services.records import Update
from monitor.services.sight import sees

LONGEST_LINK_S: Final = 30 * 86_400
_RULE: Final = "rule:"


LinkKey = tuple[int, str]
"""(made_at, id): by what the links of a room are in order."""


class Surroundings(Struct, frozen=True, kw_only=True):
    """What the store knows around a cue: its rule's track, and when a rule cued the room last (UTC ms)."""

    track: Track
    last_at: int | None


class Told(Struct, frozen=True, kw_only=True):
    """A cue with all that is stored in the same transaction."""

    cue: Cue
    deed: Deed
    messages: tuple[Message, ...] = ()


class CueStore(Protocol):
    """Cues, the links that show them, and how often rules were right. Raises StorageError."""

    async def tell(self, tenant: str, alert: str, step: Callable[[Case, Surroundings], Told]) -> Cue | None:
        """The alert's cue by `step`, which may raise Refused; None where the tenant has no such alert."""
        ...

    async def change(self, tenant: str, cue: str, step: Callable[[Cue], tuple[Cue, Deed] | None]) -> Cue | None:
        """The cue after `step`, which may raise Refused and gives None where nothing changes; None: no such cue."""
        ...

    async def shown(self, tenant: str, room: str, *, after: int, since: int, limit: int) -> list[Cue]:
        """The latest `limit` cues of a room with a change behind the number `after`, made at `since` (UTC ms) or later;
        in the order of their changes."""
        ...

    async def of_alert(self, tenant: str, alert: str) -> list[Cue]:
        """Oldest first."""
        ...

    async def correct(self, tenant: str, alert: str, corrected: Corrected, deed: Deed) -> list[Update] | None:
        """Noted with the alert and its cues, once; None where the alert is not there (yet)."""
        ...

    async def earned(self) -> set[tuple[str, str]]:
        """(tenant, rule) of those that were right often enough to cue by themselves."""
        ...

    async def add_link(self, link: RoomLink, sha256: str, deed: Deed) -> None: ...

    async def links(
        self, tenant: str, room: str, *, after: LinkKey | None = None, limit: int | None = None
    ) -> list[RoomLink]:
        """Newest first, those behind `after`."""
        ...

    async def link(self, sha256: str) -> RoomLink | None: ...

    async def revoke_link(self, tenant: str, room: str, link: str, now: int, deed: Deed) -> RoomLink | None:
        """The link as it is now; None where the room has none of this id."""
        ...


class Draft(Struct, frozen=True, forbid_unknown_fields=True):
    """What a person wants said; what is left out is taken from the alert and its rule."""

    say: Annotated[str, Meta(max_length=cues.LONGEST)] = ""
    quote: Annotated[str, Meta(max_length=200)] | None = None
    clause: Annotated[str, Meta(max_length=128)] | None = None


class CueDesk:
    """Used from one event loop. `wake`: is told the (tenant, room) whose cues changed; `watch`: of each new cue."""

    def __init__(
        self, store: CueStore, organising: Organising, clock: Clock, telemetry: Telemetry, *,
        mask: Callable[[str], str], wake: Callable[[str, str], None], watch: Callable[[Cue], None] = lambda cue: None,
    ) -> None:
        """`mask`: a text without contact data."""
        self._store, self._organising, self._clock, self._telemetry = store, organising, clock, telemetry
        self._mask, self._wake, self._watch = mask, wake, watch

    async def cue(self, actor: Actor, alert: str, draft: Draft) -> Cue:
        """Raises NotFound for an alert that is not there or not this actor's to see, and Refused."""
        now, organisation = self._clock.now(), self._organising.of(actor.tenant)

        def step(case: Case, _: Surroundings) -> Told:
            above = organisation.above(case.alert.unit)
            if not sees(actor, organisation, case.alert):
                raise _no_alert()
            if not actor.may(Permission.CUE, above):
                raise Refused("permission",
                              phrase("this takes the permission {permission}", permission=phrase(Permission.CUE)),
                              hint="ask its lead")
            how = organisation.get(cues.CueRule, case.alert.rule)
            say = self._mask(draft.say.strip()) or cues.suggested(case.alert, how)
            quote = cues.quoted(case.alert) if draft.quote is None else self._mask(draft.quote)
            return told(organisation, case, by=actor.id, say=say, quote=quote, clause=draft.clause, now=now)

        cue = await self._store.tell(actor.tenant, alert, step)
        if cue is None:
            raise _no_alert()
        self._sent(cue, "sent")
        return cue

    async def by_rule(self, tenant: str, alert: str) -> str:
        """What came of a rule's own cue for a new alert: `sent_by_rule`, or why not."""
        now, organisation = self._clock.now(), self._organising.of(tenant)

        def step(case: Case, around: Surroundings) -> Told:
            how = organisation.get(cues.CueRule, case.alert.rule)
            why = "not_told" if case.kept.cued else cues.by_itself(case.alert, how, around.track, around.last_at, now)
            if why:
                raise Refused(why, "the rule does not cue by itself now")
            return told(organisation, case, by=_RULE + case.alert.rule, say=cues.suggested(case.alert, how),
                        quote=cues.quoted(case.alert), clause=None, now=now)

        try:
            cue = await self._store.tell(tenant, alert, step)
        except Refused as refused:
            self._telemetry.count("cues_total", result=refused.why)
            return refused.why
        if cue is None:
            return "missing"
        self._sent(cue, "sent_by_rule")
        return "sent_by_rule"

    async def of_alert(self, actor: Actor, alert: str, case: Case | None) -> list[Cue]:
        """Raises NotFound."""
        if case is None or not sees(actor, self._organising.of(actor.tenant), case.alert):
            raise _no_alert()
        return await self._store.of_alert(actor.tenant, alert)

    async def shown(self, link: RoomLink, *, after: int = 0) -> list[Cue]:
        """What the room's people see: cues of the last half hour with a change behind the number `after`."""
        return await self._store.shown(link.tenant, link.room, after=after,
                                       since=self._clock.now() - cues.CURRENT_MS + 1, limit=cues.MOST_CURRENT)

    async def answer(self, link: RoomLink, cue: str, answer: Answer, word: str) -> Cue:
        """Raises NotFound for a cue that is not this room's, and Refused."""
        now, by, said = self._clock.now(), f"link:{link.id}", self._mask(word.strip())
        new = []

        def step(known: Cue) -> tuple[Cue, Deed] | None:
            if known.room != link.room:
                raise _no_cue()
            after = cues.answer(known, answer, said, now)
            new.append(after)
            return None if after is None else (after, Deed(
                tenant=link.tenant, by=by, at=now, what="cue.answer", on=known.alert,
                facts={"cue": known.id, "answer": answer.value, "word": said}))

        found = await self._store.change(link.tenant, cue, step)
        if found is None:
            raise _no_cue()
        if new[-1] is not None:
            self._telemetry.count("cues_total", result=answer.value)
            self._wake(found.tenant, found.room)
        return found

    def _sent(self, cue: Cue, result: str) -> None:
        self._telemetry.count("cues_total", result=result)
        self._watch(cue)
        self._wake(cue.tenant, cue.room)


def told(
    organisation: Organisation, case: Case, *, by: str, say: str, quote: str, clause: str | None, now: int
) -> Told:
    """The cue, its row in the trail, and the messages to the control room's channels."""
    alert = case.alert
    if clause is None:
        clause = alert.clauses[0] if alert.clauses else ""
    cue = Cue(id="c" + digest("cue", alert.tenant, alert.id, by, now), tenant=alert.tenant, room=alert.room,
              broadcast=alert.broadcast, alert=alert.id, by=by, at=now, say=say, quote=quote, clause=clause,
              severity=alert.severity.value)
    room = organisation.get(Room, alert.room)
    channels = room.notify if room is not None else ()
    item = told_of(alert, What.CUE, now, post="", text=say)
    return Told(
        cue=cue, messages=addressed(alert.tenant, alert.room, item, channels, now=now),
        deed=Deed(tenant=alert.tenant, by=by, at=now, what="alert.cue", on=alert.id,
                  facts={"cue": cue.id, "say": say, "quote": quote, "clause": clause}))


def _no_alert() -> NotFound:
    return NotFound("there is no alert with this id", hint="GET /api/v1/alerts lists them")


def _no_cue() -> NotFound:
    return NotFound("there is no cue with this id for this room", hint="read the cues of the link again")
