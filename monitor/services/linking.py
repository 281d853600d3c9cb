"""Links: an alert is handed to another tenant as a frozen copy, and advice on it comes back."""

from collections.abc import Awaitable, Callable
from typing import Protocol

from msgspec import Struct
from msgspec.structs import replace

from monitor.domain import review
from monitor.domain.audit import Deed
from monitor.domain.errors import NotFound, Refused
from monitor.domain.ids import digest
from monitor.domain.links import AdviceGiven, Crossing, Handed, HandTo, Link, agreed, frozen, seen_by
from monitor.domain.people import Actor, Permission
from monitor.domain.phrases import phrase
from monitor.services.cases import Answered, Case, Effect, Moved, Ref, Step, shown
from monitor.services.organising import Organising
from monitor.services.ports import Clock, Publisher
from monitor.services.records import Evidence
from monitor.services.review import ReviewDesk

EvidenceOf = Callable[[str, str], Awaitable[Evidence | None]]


class HandedPage(Struct, frozen=True):
    """Newest first. `next` is the cursor of the following page, None at the end."""

    handed: list[Handed]
    next: str | None


class Links(Protocol):
    """Raises StorageError."""

    async def hand(self, handed_over: Handed, ref: Ref, step: Step) -> Answered:
        """The copy is kept and the alert moved, together. Refused where one to the same tenant waits for an answer."""
        ...

    async def handed(
        self, tenant: str, *, received: bool, answered: bool | None, cursor: str | None, limit: int
    ) -> HandedPage:
        """What was handed to the tenant, or by it. Raises InputError for a bad cursor."""
        ...

    async def one_handed(self, tenant: str, name: str) -> Handed | None:
        """What was handed to the tenant."""
        ...

    async def advise(self, answer: Handed, step: Step, deed: Deed) -> Answered:
        """Keeps an answer, once, and notes it on the original, if that is still there. Raises Refused."""
        ...


class LinkDesk:
    def __init__(
        self, links: Links, desk: ReviewDesk, evidence: EvidenceOf, organising: Organising, publisher: Publisher,
        clock: Clock,
    ) -> None:
        self._links, self._desk, self._evidence = links, desk, evidence
        self._organising, self._publisher, self._clock = organising, publisher, clock

    async def hand(self, actor: Actor, alert: str, to: HandTo) -> Handed:
        """Raises NotFound, Refused."""
        case = await self._desk.case(actor, alert)
        found = await self._evidence(actor.tenant, alert)
        if found is None:
            raise NotFound("there is no alert with this id", hint="GET /api/v1/alerts lists them")
        above = self._organising.of(actor.tenant).above(case.alert.unit)
        if not (actor.may(Permission.LEAD, above) and actor.may(Permission.LINKS, above)):
            raise Refused("permission", "only its lead hands an alert to another tenant", hint="ask the lead")
        await self._check(actor.tenant, to.to)
        now = self._clock.now()
        lines = [(line.at, line.kind, line.role, line.speaker, line.text) for line in found.context]
        handed = Handed(id="h" + digest("handed", actor.tenant, alert, to.to, case.alert.version), tenant=actor.tenant,
                        to=to.to, alert=alert, by=actor.id, at=now, note=to.note, copy=frozen(found.alert, lines))

        def step(case: Case) -> Effect:
            after = review.over_link(case.review, to.to, case.subject, self._desk.asked(actor, case, now))
            return _noted(case, after, by=actor.id, now=now, move={"move": "hand", "to": to.to, "note": to.note})

        answered = await self._links.hand(handed, Ref(alert, case.alert.version), step)
        self._publisher.publish(answered.updates)
        return seen_by(handed, actor.tenant)

    async def handed(
        self, actor: Actor, *, received: bool, answered: bool | None, cursor: str | None, limit: int
    ) -> HandedPage:
        """Raises Refused: what crosses is for those who keep the links of the whole tenant."""
        self._coordinates(actor)
        page = await self._links.handed(actor.tenant, received=received, answered=answered, cursor=cursor, limit=limit)
        return HandedPage([seen_by(one, actor.tenant) for one in page.handed], page.next)

    async def answer(self, actor: Actor, name: str, advice: AdviceGiven) -> Handed:
        """Raises NotFound, Refused."""
        handed = await self._links.one_handed(actor.tenant, name)
        if handed is None:
            raise NotFound("nothing with this id was handed to you", hint="GET /api/v1/handed lists what was")
        self._coordinates(actor)
        if handed.tenant in actor.homes:
            raise Refused("own", phrase("this case is of {tenant}, where you work yourself", tenant=handed.tenant),
                          hint="leave it to somebody who does not")
        await self._check(actor.tenant, handed.tenant)
        now = self._clock.now()
        done = replace(handed, advice=advice, answered_by=actor.id, answered_at=now)
        told = {"outcome": advice.outcome.value, "clause": advice.clause, "note": advice.note}

        def step(case: Case) -> Effect:
            after = replace(case.review, version=case.review.version + 1, before=None, undo_until=None)
            return _noted(case, after, by=f"link:{handed.to}", now=now, move={"move": "advice", **told})

        deed = Deed(tenant=actor.tenant, by=actor.id, at=now, what="handed.answer", on=name,
                    facts={**told, "of": handed.tenant})
        answered = await self._links.advise(done, step, deed)
        self._publisher.publish(answered.updates)
        return seen_by(done, actor.tenant)

    async def _check(self, ours: str, theirs: str) -> None:
        """Both sides agree, as of now. Raises Refused."""
        for tenant in (ours, theirs):
            await self._organising.refresh(tenant)
        one, other = (self._organising.of(of).get(Link, to) for of, to in ((ours, theirs), (theirs, ours)))
        agreed(one, other, Crossing.ESCALATIONS, other=theirs)

    @staticmethod
    def _coordinates(actor: Actor) -> None:
        if not actor.may(Permission.LINKS):
            raise Refused("permission", "this takes the permission links on the whole tenant",
                          hint="ask a coordinator or a lead")


def _noted(case: Case, after: review.Review, *, by: str, now: int, move: dict[str, str]) -> Effect:
    """A line of history and of the trail about what crossed."""
    done = shown(replace(case, kept=replace(case.kept, review=after)))
    return Effect(
        case=done,
        moved=Moved(alert=case.alert.id, version=after.version, at=now, by=by, move=move, before=case.review.state,
                    after=after.state, why=after.why),
        deed=Deed(tenant=case.alert.tenant, by=by, at=now, what=f"alert.{move['move']}", on=case.alert.id,
                  facts={**move, "version": after.version}))
