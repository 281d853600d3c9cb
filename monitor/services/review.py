"""Review: what people do with alerts. Each move is checked, stored, told and counted in one stroke."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Protocol

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from monitor.domain import review
from monitor.domain.accounts import User
from monitor.domain.alerts import AlertState
from monitor.domain.audit import Deed
from monitor.domain.clocks import Clocks
from monitor.domain.errors import InputError, NotFound, Refused
from monitor.domain.events import Kind, Role
from monitor.domain.labels import Label
from monitor.domain.lapsing import overdue
from monitor.domain.moves import AnyMove, Claim, Decide, Escalate, HandOver, Outcome, Reason, Reopen, Undo
from monitor.domain.organisation import Organisation, Post, Room, Unit
from monitor.domain.people import Actor, Permission
from monitor.domain.phrases import phrase
from monitor.domain.review import Above, Asked, Review, Ruling
from monitor.domain.suppression import Ruled
from monitor.services import notices, ripples
from monitor.services.cases import Answered, Case, Cases, Effect, Moved, QueueFilter, QueuePage, Ref, shown
from monitor.services.misses import miss_label
from monitor.services.organising import Organising
from monitor.services.ports import Clock, Publisher, Telemetry
from monitor.services.ripples import TIME, passed
from monitor.services.sight import sees

_TAUGHT = frozenset((Outcome.VIOLATION, Outcome.NO_VIOLATION, Outcome.EXEMPT))
_AT_ONCE = 50
NO_REASONS: Mapping[str, Reason] = MappingProxyType({})


class Wanted(Struct, frozen=True, forbid_unknown_fields=True):
    """One move of one alert; `version`: the one that the mover has seen."""

    alert: str
    move: AnyMove
    version: int | None = None


class History(Struct, frozen=True, kw_only=True):
    """An alert with how far people are with it, and how it came there (oldest first)."""

    case: Case
    moves: list[Moved]


class Colleagues(Protocol):
    async def users(self, tenant: str) -> list[User]: ...


class ReviewDesk:
    """Used from one event loop."""

    def __init__(
        self, cases: Cases, organising: Organising, publisher: Publisher, clock: Clock, telemetry: Telemetry, *,
        colleagues: Colleagues | None = None,
    ) -> None:
        """`colleagues`: who there is to hand something over to; where nobody is known, anybody may be named."""
        self._colleagues = colleagues
        self._cases, self._organising, self._publisher = cases, organising, publisher
        self._clock, self._telemetry = clock, telemetry

    async def queue(self, actor: Actor, where: QueueFilter, *, cursor: str | None, limit: int) -> QueuePage:
        """Of the posts that the actor may see, all where none is named; of the rooms that they may see."""
        posts = self.posts(actor)
        wanted = tuple(post for post in posts if not where.posts or post in where.posts)
        return await self._cases.queue(
            actor.tenant, replace(where, posts=wanted, units=self.units(actor), rooms=self._on(actor, where.platform)),
            cursor=cursor, limit=limit)

    def _on(self, actor: Actor, platform: str | None) -> tuple[str, ...] | None:
        """The rooms of a platform; None: all rooms."""
        rooms = self._organising.of(actor.tenant).every(Room)
        return None if platform is None else tuple(name for name, room in rooms if room.platform == platform)

    def units(self, actor: Actor) -> tuple[str, ...] | None:
        """Those whose rooms the actor may see; None: all."""
        granted, organisation = actor.units(Permission.SEE), self._organising.of(actor.tenant)
        return None if "" in granted else tuple(
            name for name, _ in organisation.every(Unit) if not granted.isdisjoint(organisation.above(name)))

    def posts(self, actor: Actor) -> tuple[str, ...]:
        """Those whose queues the actor may see; "" is the one of what no route answers."""
        organisation = self._organising.of(actor.tenant)
        seen = (name for name, post in organisation.every(Post)
                if actor.may(Permission.SEE, organisation.above(post.unit)) or actor.id in post.members)
        return (*seen, *(("",) if actor.may(Permission.LEAD) or actor.may(Permission.ORGANISE) else ()))

    async def case(self, actor: Actor, alert: str) -> Case:
        """Raises NotFound for what is not there, or not for this actor to see."""
        case = await self._cases.case(actor.tenant, alert)
        if case is None or not self._sees(actor, case):
            raise NotFound("there is no alert with this id", hint="GET /api/v1/alerts lists them")
        return case

    async def history(self, actor: Actor, alert: str) -> History:
        """Raises NotFound as `case` does."""
        case = await self.case(actor, alert)
        return History(case=case, moves=await self._cases.history(actor.tenant, alert))

    async def move(self, actor: Actor, wanted: Sequence[Wanted], *, together: bool) -> Answered:
        """Each alert by its move; `together`: all of them or none. Raises InputError where one is to move twice."""
        now = self._clock.now()
        moves = {one.alert: one.move for one in wanted}
        if len(moves) < len(wanted):
            raise InputError("an alert stands here twice", hint="one move an alert; a decision claims by itself")
        organisation, reasons = self._organising.of(actor.tenant), self._organising.reasons(actor.tenant)
        people = await self._people(actor.tenant) if any(isinstance(one.move, HandOver) for one in wanted) else {}

        def step(case: Case) -> Effect:
            move = moves[case.alert.id]
            self._allow(actor, organisation, case, move)
            if isinstance(move, HandOver):
                _may_take(move.to, organisation, case, people)
            asked = self.asked(actor, case, now, reasons)
            return _effect(case, review.step(case.review, move, case.subject, asked), move, asked, organisation)

        answered = await self._cases.move(
            actor.tenant, [Ref(one.alert, one.version) for one in wanted], step, together=together)
        self._publisher.publish(answered.updates)
        self._count(answered, moves, now)
        return answered

    async def _people(self, tenant: str) -> dict[str, User]:
        """Those who have an account that works, by login."""
        users = await self._colleagues.users(tenant) if self._colleagues is not None else []
        return {user.login: user for user in users if user.active}

    async def pass_time(self) -> int:
        """Whatever is due by now: leases end, clocks escalate. How many alerts it moved."""
        moved = 0
        while True:
            now = self._clock.now()
            due = await self._cases.due(now, limit=_AT_ONCE)
            by_tenant: dict[str, list[str]] = {}
            for tenant, alert in due:
                by_tenant.setdefault(tenant, []).append(alert)
            for tenant, alerts in by_tenant.items():
                moved += await self._pass(tenant, alerts, now)
            if len(due) < _AT_ONCE:
                return moved

    async def _pass(self, tenant: str, alerts: Sequence[str], now: int) -> int:
        nobody, organisation = Actor(id=TIME, tenant=tenant), self._organising.of(tenant)

        def step(case: Case) -> Effect:
            asked = self.asked(nobody, case, now)
            done = overdue(case.review, case.subject, asked)
            if done is None:
                raise Refused("early", "nothing is due any more")
            after, clock = done
            effect = passed(case, after, clock, now)
            return replace(effect, messages=notices.of_clock(organisation, case, effect.case, clock, now))

        answered = await self._cases.move(tenant, [Ref(alert) for alert in alerts], step, together=False)
        self._publisher.publish(answered.updates)
        for case in answered.cases:
            if case.review.why.endswith("_overdue"):
                self._telemetry.count("escalations_total", clock=case.review.why.removesuffix("_overdue"))
        return len(answered.cases)

    def _sees(self, actor: Actor, case: Case) -> bool:
        return sees(actor, self._organising.of(actor.tenant), case.alert)

    def _allow(self, actor: Actor, organisation: Organisation, case: Case, move: AnyMove) -> None:
        """Raises Refused: what the actor must not see is missing, what they must not do is named."""
        if not self._sees(actor, case):
            raise Refused("missing", phrase("there is no alert {id}", id=case.alert.id),
                          hint="GET /api/v1/alerts lists them")
        held = case.alert.state is AlertState.HELD
        needed = Permission.LEAD if held or isinstance(move, Reopen) else Permission.REVIEW
        above = organisation.above(case.alert.unit)
        post = organisation.get(Post, case.review.post)
        member = post is None or not post.members or actor.id in post.members
        if not actor.may(needed, above) or not (member or actor.may(Permission.LEAD, above)):
            where = case.review.post or phrase("the whole tenant")
            raise Refused("permission",
                          phrase("this takes the permission {needed} at {where}", needed=phrase(needed), where=where),
                          hint="ask its lead" if member else phrase("ask a member of {where}", where=where))

    def asked(self, actor: Actor, case: Case, now: int, reasons: Mapping[str, Reason] = NO_REASONS) -> Asked:
        """What surrounds a move of this case."""
        organisation = self._organising.of(actor.tenant)
        post = organisation.get(Post, case.review.post)
        higher = organisation.post_above(case.review.post, case.review.level)
        return Asked(by=actor.id, now=now, clocks=post.clocks if post is not None else Clocks(), reasons=reasons,
                     leads=actor.may(Permission.LEAD, organisation.above(case.alert.unit)),
                     above=None if higher is None else Above(*higher, organisation.get(Post, higher[0]).clocks))

    def _count(self, answered: Answered, moves: dict[str, AnyMove], now: int) -> None:
        for case in answered.cases:
            alert, move = case.alert, moves.get(case.alert.id)
            waited = max(0, now - alert.accepted_at) / 1_000
            if isinstance(move, Claim):
                self._telemetry.observe("claim_seconds", waited)
            elif isinstance(move, Decide):
                self._telemetry.observe("decide_seconds", waited)
                self._telemetry.count("decisions_total", outcome=move.outcome,
                                      category=alert.category[0] if alert.category else "care")


def _may_take(to: str, organisation: Organisation, case: Case, people: Mapping[str, User]) -> None:
    """Raises Refused for somebody who could not go on with it."""
    post, above = organisation.get(Post, case.review.post), organisation.above(case.alert.unit)
    members = post.members if post is not None else ()
    able = sorted(login for login, user in people.items() if user.actor.may(Permission.REVIEW, above))
    leads = to in people and people[to].actor.may(Permission.LEAD, above)
    fitting = [name for name in (members or able) if not people or name in able]
    hint = phrase("one of {names}", names=", ".join(fitting[:20])) if fitting else "escalate it, or release it"
    if people and to not in able:
        raise Refused("member", phrase("{to} has no account that may review here", to=to), hint=hint)
    if members and to not in members and not leads:
        raise Refused("member", phrase("{to} is no member of {post}", to=to, post=case.review.post), hint=hint)


def _effect(case: Case, after: Review, move: AnyMove, asked: Asked, organisation: Organisation) -> Effect:
    done = shown(replace(case, kept=replace(case.kept, review=after)))
    told = msgspec.to_builtins(move)
    inherited = case.alert.recurrence - 1 if isinstance(move, Decide) and after.ruling is not None else 0
    moved = Moved(alert=case.alert.id, version=after.version, at=asked.now, by=asked.by, move=told,
                  before=case.review.state, after=after.state, why=after.why, inherited=inherited)
    deed = Deed(tenant=case.alert.tenant, by=asked.by, at=asked.now, what=f"alert.{told['move']}", on=case.alert.id,
                facts={**told, "before": case.review.state, "after": after.state, "version": after.version})
    effect = Effect(case=done, moved=moved, deed=deed)
    if isinstance(move, Decide):
        return _decided(effect, case, after, asked, organisation)
    if isinstance(move, Escalate):
        return replace(effect, messages=notices.of_escalation(organisation, done, asked.now))
    if isinstance(move, Undo | Reopen):
        ruling = case.review.ruling
        if ruling is None:
            return replace(effect, forget=True)
        return replace(effect, forget=True, unlearn=_label_id(case, ruling),
                       ripple=ripples.of_return(case, ruling.outcome, organisation, asked.now))
    return effect


def _decided(effect: Effect, case: Case, after: Review, asked: Asked, organisation: Organisation) -> Effect:
    """What a decision teaches, what is remembered of it, and what it no longer holds back."""
    ruling = after.ruling
    if ruling is None:  # unclear
        return effect
    reason = asked.reasons[ruling.reason]
    label = _label(case, after) if reason.teaches and ruling.outcome in _TAUGHT else None
    lawful = ruling.outcome is not Outcome.VIOLATION

    unlearn = miss_label(case.alert.id) if case.kept.reported is not None and (lawful or label is not None) else ""
    return replace(effect, label=label, unlearn=unlearn, ruled=Ruled(alert=case.alert.id, outcome=ruling.outcome),
                   ripple=ripples.of_decision(case.alert.room, ruling.outcome, organisation, asked.now))


def _label(case: Case, after: Review) -> Label | None:
    """Of the words that were shown; what was grouped with them is not labelled. None where no single text is meant."""
    alert, ruling = case.alert, after.ruling
    if ruling is None or len(alert.event_ids) != 1 or not alert.text.strip() or not case.kept.kind:
        return None
    violates = ruling.outcome is Outcome.VIOLATION
    return Label(
        id=_label_id(case, ruling), text=alert.text, labels=list(ruling.categories) if violates else [],
        near="" if violates or not alert.category else alert.category[0], kind=Kind(case.kept.kind),
        speaker=Role(case.kept.role), by=ruling.by, at=ruling.at, source="review", reason=ruling.reason,
        event=alert.event_ids[0])


def _label_id(case: Case, ruling: Ruling) -> str:
    """Of this very decision: one that was taken back does not come again with the next one."""
    return f"review.{case.alert.id}.{ruling.at}"
