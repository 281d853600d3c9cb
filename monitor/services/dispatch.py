"""Dispatch: which post a new alert goes to, how urgent it is, and whether it is held back, for a named reason."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final

from msgspec.structs import replace

from monitor.domain.alerts import Alert, AlertState
from monitor.domain.clocks import Clocks
from monitor.domain.events import HOST_SIDE
from monitor.domain.findings import Finding, Tier
from monitor.domain.ids import ruling_key, wording_key
from monitor.domain.lapsing import stands_again, withdrawn
from monitor.domain.misses import is_manual
from monitor.domain.moves import Outcome
from monitor.domain.organisation import Organisation, Post, Product, Room
from monitor.domain.priority import Factors, factors, recurring
from monitor.domain.review import Review, started
from monitor.domain.routing import Labels, labels_of, route
from monitor.domain.storms import Breaker, Gauge, Key
from monitor.domain.suppression import Held, Silence, Standing, Waiver, holding
from monitor.services import ripples
from monitor.services.cases import Case, Opening, Placed, Ripple, Words, outward, shown

Fold = Callable[[str], str]


class Dispatcher:
    """Implements `Placing`. Used from one thread at a time."""

    def __init__(
        self, organisation: Callable[[str], Organisation], fold: Fold, *, breaker: Breaker | None = None,
    ) -> None:
        """`organisation`: of a tenant, as it is now; `fold`: a text as its skeleton."""
        self._organisation = organisation
        self._fold = fold
        self.breaker = breaker or Breaker()

    def words(self, finding: Finding) -> Words:
        folded = self._fold(finding.text)
        return Words(
            here=ruling_key(finding.tenant, finding.room, finding.broadcast, finding.rule, finding.role, folded),
            anywhere=wording_key(finding.tenant, finding.rule, folded))

    def place(self, openings: Sequence[Opening], gauges: Mapping[Key, Gauge], now: int) -> list[Placed]:
        standing: dict[tuple[str, str], list[Standing]] = defaultdict(list)
        placed = []
        for opening in openings:
            alert = opening.alert
            here = standing[alert.tenant, alert.room]
            found = self._placed(opening, (*opening.others, *here), gauges, now)
            if found.alert.state is AlertState.OPEN:
                here.append(Standing(alert=alert.id, severity=alert.severity, category=tuple(alert.category)))
            placed.append(found)
        return placed

    def grown(self, case: Case, now: int) -> Case:
        post = self._organisation(case.alert.tenant).get(Post, case.review.post)
        return grown(case, post.clocks if post is not None else Clocks(), now)

    def ripple(self, before: Case, after: Case, now: int) -> Ripple | None:
        return ripples.of_settling(before, after, self._organisation(after.alert.tenant), now)

    def _placed(
        self, opening: Opening, others: Iterable[Standing], gauges: Mapping[Key, Gauge], now: int
    ) -> Placed:
        alert, finding = opening.alert, opening.finding
        organisation = self._organisation(alert.tenant)
        labels = labels_for(organisation, finding, finding.kind, finding.stage)
        unit = organisation.unit_of(alert.room)
        routed = route(labels, organisation.trees(unit), default=organisation.default_post(unit))
        post = organisation.get(Post, routed.post)
        repeats = opening.ruled is not None and opening.ruled.outcome is Outcome.VIOLATION
        weights = weighed(finding, alert, repeats=repeats, cued=opening.cued)
        manual = is_manual(finding.rule)
        key = (alert.tenant, alert.rule)
        storm = "" if manual or alert.tier is Tier.CARE else self.breaker.arrived(gauges[key], key, now)
        why = None if manual else next(holding(
            tier=alert.tier, severity=alert.severity, category=alert.category, labels=labels, now=now,
            silences=organisation.every(Silence), excepted=self.excepted(organisation, finding, now),
            ruled=opening.ruled, others=others, storm=storm), None)
        review = self._review(routed.post, post, why, alert, now)
        kept = Placed(alert=alert, review=review, factors=weights, also=routed.also, why=routed.why,
                      unrouted=routed.unrouted, words=opening.words,
                      repeats=opening.ruled.alert if opening.ruled is not None and repeats else "")
        return replace(kept, alert=outward(replace(alert, unit=unit), review, weights))

    @staticmethod
    def _review(name: str, post: Post | None, why: Held | None, alert: Alert, now: int) -> Review:
        if why is not None:
            return Review(state=AlertState.HELD, post=name, why=why.why, by_what=why.by_what)
        clocks = post.clocks if post is not None else Clocks()
        return started(Review(post=name), clocks, alert.severity, now)

    def excepted(self, organisation: Organisation, of: Finding | Alert, now: int) -> str:
        """The exception that covers every hit of it; what has no words has none."""
        fitting = [(name, waiver) for name, waiver in organisation.every(Waiver)
                   if waiver.rule == of.rule and now < waiver.ends and waiver.room in ("", of.room)]
        if not fitting:
            return ""
        said, text = [self._fold(span.text) for span in of.spans], self._fold(of.text)
        return next((name for name, waiver in fitting if self._covers(waiver, said, text)
                     and self._sold(organisation, waiver.product, of.room, text, now)), "")

    def _covers(self, waiver: Waiver, said: Sequence[str], text: str) -> bool:
        wording = self._fold(waiver.wording)
        return bool(said) and wording != "" and all(words in wording for words in said) and wording in text

    def _sold(self, organisation: Organisation, product: str, room: str, text: str, now: int) -> bool:
        """No signal says which product is explained; the room's plan does, and so may the text itself."""
        if not product or any(slot.room == room and product in slot.products for _, slot in organisation.expected(now)):
            return True
        known = organisation.get(Product, product)
        title = self._fold(known.title) if known is not None else ""
        return title != "" and title in text


def weighed(finding: Finding, alert: Alert, *, repeats: bool, cued: bool) -> Factors:
    return factors(
        severity=alert.severity, tier=alert.tier, opinion=finding.opinion, recurrence=alert.recurrence,
        evasive=finding.evasive is not None, host_side=alert.lane == HOST_SIDE, repeats=repeats, cued=cued)


def labels_for(organisation: Organisation, of: Finding | Alert, kind: str, stage: str) -> Labels:
    """What routes and silences may ask of it. `kind`, `stage`: of its event, "" where it has none."""
    room = organisation.get(Room, of.room)
    unit = organisation.unit_of(of.room)
    event = of.scope == "event"
    return labels_of(
        category=of.category, sub=of.sub, severity=of.severity, tier=of.tier, rule=of.rule,
        kind=kind if event else "", stage=stage if event else "", room=of.room,
        units=[name for name in organisation.above(unit) if name],
        platform=room.platform if room else "", vertical=room.vertical if room else "",
        profile=room.profile if room else "", tags=organisation.tags_of(of.room))


def grown(case: Case, clocks: Clocks, now: int) -> Case:
    """After findings came or fell: `recurrence` of them stand, 0 for `reason`."""
    alert, review = case.alert, case.review
    review = stands_again(review, case.subject, now, clocks) if alert.recurrence else withdrawn(review, alert.reason)
    weights = replace(case.kept.factors, recurrence=recurring(alert.recurrence))
    return shown(replace(case, kept=replace(case.kept, review=review, factors=weights)))


class Unplaced:
    """Implements `Placing` where nobody works: every alert is open, in no queue."""

    def words(self, finding: Finding) -> Words:
        return Words()

    def place(self, openings: Sequence[Opening], gauges: Mapping[Key, Gauge], now: int) -> list[Placed]:
        found = []
        for opening in openings:
            weights = weighed(opening.finding, opening.alert, repeats=False, cued=False)
            found.append(Placed(alert=outward(opening.alert, Review(), weights), review=Review(), factors=weights))
        return found

    def grown(self, case: Case, now: int) -> Case:
        return grown(case, Clocks(limits={}), now)

    def ripple(self, before: Case, after: Case, now: int) -> Ripple | None:
        return None


UNPLACED: Final = Unplaced()
