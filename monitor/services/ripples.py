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
    return _ripple(room, frozenset((Hold.INHIBITED,)), organisation, now)


def of_return(case: Case, outcome: Outcome, organisation: Organisation, now: int) -> Ripple:
    """A decision on `case` is taken back. Where it was lawful, the same words are so no more, and what was given free
    is hidden again; whatever it was, what held the alert then may not do so any more."""
    lawful = outcome is not Outcome.VIOLATION
    frees = frozenset((Hold.SAME_WORDING,)) if lawful else frozenset[Hold]()
    return _ripple(case.alert.room, frees, organisation, now, hides=_graver(case) if lawful else None)


def of_settling(before: Case, after: Case, organisation: Organisation, now: int) -> Ripple | None:
    """The last finding of an alert fell, or one stands again."""
    fell = after.review.state is AlertState.WITHDRAWN
    if fell == (before.review.state is AlertState.WITHDRAWN):
        return None
    frees = frozenset((Hold.INHIBITED,)) if fell else frozenset[Hold]()
    return _ripple(after.alert.room, frees, organisation, now, hides=None if fell else _graver(after))


def passed(case: Case, after: Review, clock: str, now: int) -> Effect:
    """What nobody did."""
    moved = Moved(alert=case.alert.id, version=after.version, at=now, by=TIME, move={"move": clock},
                  before=case.review.state, after=after.state, why=after.why)
    deed = Deed(tenant=case.alert.tenant, by=TIME, at=now, what=f"alert.{clock}", on=case.alert.id,
                facts={"before": case.review.state, "after": after.state, "version": after.version})
    return Effect(case=shown(replace(case, kept=replace(case.kept, review=after))), moved=moved, deed=deed)


def untouched(case: Case) -> bool:
    """It was given free, and nobody has it before them: what time alone did to it does not count."""
    review = case.review
    late = review.state is AlertState.ESCALATED and review.why.endswith("_overdue")
    return bool(review.freed_by) and (review.state is AlertState.OPEN or late)


def still_holds(why: str, holder: Case | None) -> bool:
    """Whether an alert that is held since one is graver, or for its words, still would be."""
    ruling = holder.review.ruling if holder is not None else None
    lawful = ruling is not None and ruling.outcome is not Outcome.VIOLATION
    if why == Hold.SAME_WORDING:
        return lawful
    return holder is not None and not lawful and holder.review.state is not AlertState.WITHDRAWN


def _graver(case: Case) -> Standing:
    return Standing(alert=case.alert.id, severity=case.alert.severity, category=tuple(case.alert.category))


def _ripple(
    room: str, frees: frozenset[Hold], organisation: Organisation, now: int, *, hides: Standing | None = None
) -> Ripple:
    def step(case: Case, others: Iterable[Standing]) -> Effect:
        return _rippled(case, others, organisation, now)

    return Ripple(room=room, frees=frees, hides=hides, step=step)


def _rippled(case: Case, others: Iterable[Standing], organisation: Organisation, now: int) -> Effect:
    """A held one is free, unless another one of `others` hides it as well; a free one is hidden again."""
    review = replace(case.review, version=case.review.version + 1)
    graver = inhibited(case.alert.severity, case.alert.category, others)
    if review.state is not AlertState.HELD:
        by_what = graver.by_what if graver is not None else review.freed_by
        hidden = replace(review, state=AlertState.HELD, why=Hold.INHIBITED, by_what=by_what, freed_by="",
                         claim_due=None, decide_due=None)
        return passed(case, hidden, "hidden", now)
    inhibits = review.why == Hold.INHIBITED
    other = graver if inhibits else None
    if other is not None:
        return passed(case, replace(review, by_what=other.by_what), "hidden", now)
    free = replace(review, state=AlertState.OPEN, why="", by_what="", freed_by=review.by_what if inhibits else "")
    post = organisation.get(Post, review.post)
    clocks = post.clocks if post is not None else Clocks()
    return passed(case, started(free, clocks, case.alert.severity, now), "freed", now)
