"""What is held back: what holds how much, its release and decision in steps, a silence's preview, the end of storms."""

from collections.abc import Iterable, Sequence
from typing import Final, Protocol

from msgspec import Struct

from monitor.domain.alerts import LIVE, Alert
from monitor.domain.errors import InputError, NotFound
from monitor.domain.moves import Decide, Release
from monitor.domain.organisation import Organisation
from monitor.domain.people import Actor
from monitor.domain.routing import Route, Values, faults
from monitor.domain.storms import Breaker
from monitor.domain.suppression import Hold, Silence, Standing, Waiver
from monitor.services.cases import Case, Storm
from monitor.services.dispatch import labels_for
from monitor.services.organising import Organising
from monitor.services.ports import Clock, Telemetry
from monitor.services.records import AlertPage
from monitor.services.review import ReviewDesk, Wanted

STEP: Final = 500
"""Alerts that one call moves at most."""
_LOOKED_AT: Final = 20_000
_SAMPLES: Final = 20
_DAY_MS: Final = 86_400_000
_ALIKE: Final = 200

_BY_ALERT: Final = {Hold.INHIBITED: "a graver alert of the same category is to be decided first",
                    Hold.SAME_WORDING: "the same words were found lawful"}
Units = tuple[str, ...] | None
"""Rooms of these units; None: all."""


class HoldCount(Struct, frozen=True, kw_only=True):
    """`by`: the id of what holds them; `sample`: one of them."""

    why: Hold
    by: str
    held: int
    sample: Alert


class Holder(Struct, frozen=True, kw_only=True):
    """`about`: what says so, in words. `ends`: of a silence, an exception or a storm that is over, UTC ms."""

    why: Hold
    by: str
    held: int
    about: str
    sample: Alert
    ends: int | None = None


class Holders(Struct, frozen=True, kw_only=True):
    """`totals`: by reason; `holders`: those that hold most, at most 200 of them."""

    totals: dict[str, int]
    holders: list[Holder]


class MovedAll(Struct, frozen=True, kw_only=True):
    """One step. `refused`: alert → why it was not moved. `next`: the cursor of the following step, None at the end;
    `left`: how many are held still."""

    moved: int
    refused: dict[str, str]
    left: int
    next: str | None


class Preview(Struct, frozen=True, kw_only=True):
    """What a silence with such labels would hold: of the alerts that somebody has to decide (`standing`), and of the
    last 24 h. `looked_at`: how many were; `complete`: there were no more of the last 24 h. `sample`: the newest."""

    standing: int
    last_day: int
    looked_at: int
    complete: bool
    sample: list[Alert]


class Alike(Struct, frozen=True):
    """The most urgent first, at most 200."""

    alerts: list[Alert]


class Holds(Protocol):
    """Alerts that are held, and what holds them. Raises StorageError."""

    async def standing_storms(self) -> list[tuple[str, str, str]]:
        """(tenant, rule, id) of those that have not ended."""
        ...

    async def calm(self, breaker: Breaker, now: int) -> int:
        """End the storms that do not rage any more (UTC ms); how many rage."""
        ...

    async def storms(self, tenant: str, names: Sequence[str]) -> dict[str, Storm]:
        """By id."""
        ...

    async def holders(self, tenant: str, units: Units) -> tuple[dict[str, int], list[HoldCount]]:
        """How many are held, by reason; and what holds most of them."""
        ...

    async def held(
        self, tenant: str, why: Hold, by: str, units: Units, *, cursor: str | None, limit: int
    ) -> AlertPage:
        """The most urgent first. Raises InputError for a bad cursor."""
        ...

    async def left(self, tenant: str, why: Hold, by: str, units: Units) -> int:
        """How many it holds."""
        ...

    async def standing(self, tenant: str, room: str) -> list[Standing]:
        """What people have before them of the room."""
        ...

    async def since(self, tenant: str, at: int, units: Units, *, limit: int) -> list[Case]:
        """Those that somebody has to decide, then the others from `at` on (UTC ms), newest first."""
        ...

    async def alike(self, tenant: str, case: Case, units: Units, *, limit: int) -> list[Alert]:
        """Those of other rooms that somebody has to decide, with the same rule and words; the most urgent first."""
        ...


class HoldDesk:
    """Used from one event loop."""

    def __init__(
        self, holds: Holds, breaker: Breaker, review: ReviewDesk, organising: Organising, clock: Clock,
        telemetry: Telemetry,
    ) -> None:
        self._holds, self._breaker, self._review, self._organising = holds, breaker, review, organising
        self._clock, self._telemetry = clock, telemetry

    async def pass_time(self) -> None:
        """Storms end by calm."""
        self._telemetry.gauge("storm_breakers_open", await self._holds.calm(self._breaker, self._clock.now()))

    async def holders(self, actor: Actor) -> Holders:
        """Of the rooms that the actor may see."""
        totals, counts = await self._holds.holders(actor.tenant, self._review.units(actor))
        storms = await self._holds.storms(actor.tenant, [each.by for each in counts if each.why is Hold.STORM])
        organisation = self._organising.of(actor.tenant)
        return Holders(totals=totals, holders=[_holder(each, organisation, storms.get(each.by)) for each in counts])

    async def held(self, actor: Actor, why: Hold, by: str, *, cursor: str | None, limit: int) -> AlertPage:
        return await self._holds.held(actor.tenant, why, by, self._review.units(actor), cursor=cursor, limit=limit)

    async def move(
        self, actor: Actor, why: Hold, by: str, move: Release | Decide, *, cursor: str | None, limit: int
    ) -> MovedAll:
        """The next of what it holds, by the same move. Whatever the actor may not move is passed over."""
        page = await self.held(actor, why, by, cursor=cursor, limit=min(limit, STEP))
        wanted = [Wanted(alert.id, move, alert.version) for alert in page.alerts]
        answered = await self._review.move(actor, wanted, together=False) if wanted else None
        return MovedAll(
            moved=len(wanted) - len(answered.refused) if answered else 0,
            refused={name: refused.message for name, refused in answered.refused.items()} if answered else {},
            left=await self._holds.left(actor.tenant, why, by, self._review.units(actor)), next=page.next)

    async def preview(self, actor: Actor, match: dict[str, Values], unless: dict[str, Values]) -> Preview:
        """Raises InputError for labels that there are not."""
        route, now = Route(match=match, unless=unless), self._clock.now()
        if wrong := faults(route, ()):
            raise InputError("; ".join(fault.removeprefix("the root route: ") for fault in wrong),
                             hint="docs/post.md lists the labels")
        organisation = self._organising.of(actor.tenant)
        seen = await self._holds.since(actor.tenant, now - _DAY_MS, self._review.units(actor), limit=_LOOKED_AT)
        found = [case.alert for case in seen if route.holds(
            labels_for(organisation, case.alert, case.kept.kind, case.kept.stage))]
        return Preview(
            standing=sum(alert.state in LIVE for alert in found),
            last_day=sum(alert.at >= now - _DAY_MS for alert in found), looked_at=len(seen),
            complete=sum(case.alert.state not in LIVE for case in seen) < _LOOKED_AT,
            sample=_newest(found))

    async def alike(self, actor: Actor, alert: str) -> Alike:
        """Raises NotFound for what is not there, or not for this actor to see."""
        case = await self._review.case(actor, alert)
        if not case.kept.alike:
            return Alike([])
        return Alike(await self._holds.alike(actor.tenant, case, self._review.units(actor), limit=_ALIKE))


def reason(word: str) -> Hold:
    """Raises NotFound for a word that is none."""
    try:
        return Hold(word)
    except ValueError:
        raise NotFound(f"nothing is held for the reason {word[:40]!r}", hint="one of " + ", ".join(Hold)) from None


def _newest(alerts: Iterable[Alert]) -> list[Alert]:
    return sorted(alerts, key=lambda alert: (-alert.at, alert.id))[:_SAMPLES]


def _holder(count: HoldCount, organisation: Organisation, storm: Storm | None) -> Holder:
    about, ends, sample = "", None, count.sample
    if count.why is Hold.STORM:
        about, ends = f"{sample.rule}: {sample.title}", storm.ended_at if storm else None
    elif count.why is Hold.SILENCED and (silence := organisation.get(Silence, count.by)) is not None:
        about, ends = f"{silence.reason} ({silence.by})", silence.ends
    elif count.why is Hold.EXCEPTED and (waiver := organisation.get(Waiver, count.by)) is not None:
        about, ends = f"{waiver.wording}: {waiver.proof} ({waiver.by})", waiver.ends
    elif count.why in (Hold.INHIBITED, Hold.SAME_WORDING):
        about = f"{sample.room}: {_BY_ALERT[count.why]}"
    return Holder(why=count.why, by=count.by, held=count.held, about=about, sample=sample, ends=ends)
