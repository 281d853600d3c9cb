"""What becomes of one alert because of another one: a graver one hides lesser ones of its room, and gives them free."""

from collections.abc import Iterable
from typing import Final

from msgspec.structs import replace

from monitor.domain.alerts import AlertState
from monitor.domain.audit import Deed
from monitor.domain.clocks import Clocks
from monitor.domain.moves import Outcome
from monitor.domain.organisation import Organisation, Post
from monitor.domain.review import Review, started
from monitor.domain.suppression import Hold, Standing, inhibited
from monitor.services.cases import Case, Effect, Moved, Ripple, shown

TIME: Final = "time"
"""Who moves an alert where nobody does."""


def of_decision(room: str, outcome: Outcome, organisation: Organisation, now: int) -> Ripple | None:
    """Found lawful, an alert hides nothing any more; of a violation, what it hides is a part."""
    if outcome is Outcome.VIOLATION:
        return None
    return _ripple(room, frozenset((Hold.INHIBITED,)), organisation, now, holds=False)


def of_return(room: str, outcome: Outcome, organisation: Organisation, now: int) -> Ripple | None:
    """A decision is taken back: the same words are not found lawful any more, and what it gave free is hidden again."""
    if outcome is Outcome.VIOLATION:
        return None
    return _ripple(room, frozenset((Hold.SAME_WORDING,)), organisation, now, holds=True)


def of_settling(before: Case, after: Case, organisation: Organisation, now: int) -> Ripple | None:
    """The last finding of an alert fell, or one stands again."""
    fell = after.review.state is AlertState.WITHDRAWN
    if fell == (before.review.state is AlertState.WITHDRAWN):
        return None
    frees = frozenset((Hold.INHIBITED,)) if fell else frozenset[Hold]()
    return _ripple(after.alert.room, frees, organisation, now, holds=not fell)


def passed(case: Case, after: Review, clock: str, now: int) -> Effect:
    """What nobody did."""
    moved = Moved(alert=case.alert.id, version=after.version, at=now, by=TIME, move={"move": clock},
                  before=case.review.state, after=after.state, why=after.why)
    deed = Deed(tenant=case.alert.tenant, by=TIME, at=now, what=f"alert.{clock}", on=case.alert.id,
                facts={"before": case.review.state, "after": after.state, "version": after.version})
    return Effect(case=shown(replace(case, kept=replace(case.kept, review=after))), moved=moved, deed=deed)


def _ripple(room: str, frees: frozenset[Hold], organisation: Organisation, now: int, *, holds: bool) -> Ripple:
    def step(case: Case, others: Iterable[Standing]) -> Effect:
        return _rippled(case, others, organisation, now)

    return Ripple(room=room, frees=frees, holds=holds, step=step)


def _rippled(case: Case, others: Iterable[Standing], organisation: Organisation, now: int) -> Effect:
    """A held one is free, unless another one of `others` hides it as well; a free one is hidden again."""
    review = replace(case.review, version=case.review.version + 1)
    if review.state is not AlertState.HELD:
        hidden = replace(review, state=AlertState.HELD, why=Hold.INHIBITED, by_what=review.freed_by, freed_by="",
                         claim_due=None, decide_due=None)
        return passed(case, hidden, "hidden", now)
    inhibits = review.why == Hold.INHIBITED
    other = inhibited(case.alert.severity, case.alert.category, others) if inhibits else None
    if other is not None:
        return passed(case, replace(review, by_what=other.by_what), "hidden", now)
    free = replace(review, state=AlertState.OPEN, why="", by_what="", freed_by=review.by_what if inhibits else "")
    post = organisation.get(Post, review.post)
    clocks = post.clocks if post is not None else Clocks()
    return passed(case, started(free, clocks, case.alert.severity, now), "freed", now)
