"""What people do with an alert, as a pure state machine: who asks and what time it is are arguments.

A move that is not allowed raises `Refused` and leaves no trace; every other one gives the next `Review`, whose version
is one higher, so that of two people who act on the same version only one succeeds.
"""

from collections.abc import Mapping
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from monitor.domain.alerts import LIVE, UNDECIDED, AlertState
from monitor.domain.clocks import Clocks
from monitor.domain.errors import Refused
from monitor.domain.findings import Severity, Tier
from monitor.domain.moves import (
    OF_CARE,
    AnyMove,
    Claim,
    Close,
    Decide,
    Escalate,
    HandOver,
    Move,
    Note,
    Outcome,
    Reason,
    Rectify,
    Release,
    Remedy,
    Reopen,
    Undo,
)
from monitor.domain.phrases import phrase


class Ruling(Struct, frozen=True, kw_only=True):
    """A decision. `categories`: those that were shown and ticked; `at`: UTC ms."""

    outcome: Outcome
    reason: str
    by: str
    at: int
    categories: tuple[str, ...] = ()
    clause: str = ""
    proof: str = ""
    note: str = ""


class Rectified(Struct, frozen=True, kw_only=True):
    """What was done about a violation. `at`: UTC ms."""

    remedy: Remedy
    by: str
    at: int
    note: str = ""


class Review(Struct, frozen=True, kw_only=True):
    """How far people are with an alert. Times in UTC ms.

    `post`: whose queue it is in; `level`: the unit that it was escalated to, "" before. `resumes`: the state that a
    claim goes back to. `barred`: who must not decide any more, having found it unclear. `why`, `by_what`: for what
    named reason it is held, withdrawn or escalated, and what says so (the id of a silence, an exception, a storm or an
    alert). `freed_by`: the graver alert that had hidden it. `before`: what an undo goes back to, until `undo_until`.
    `taken_at`: when somebody first claimed or decided it.
    """

    state: AlertState = AlertState.OPEN
    version: int = 0
    post: str = ""
    level: str = ""
    claimed_by: str = ""
    lease_until: int | None = None
    resumes: AlertState = AlertState.OPEN
    claim_due: int | None = None
    decide_due: int | None = None
    barred: tuple[str, ...] = ()
    ruling: Ruling | None = None
    rectified: tuple[Rectified, ...] = ()
    why: str = ""
    by_what: str = ""
    freed_by: str = ""
    undo_until: int | None = None
    before: "Review | None" = None
    taken_at: int | None = None

    @property
    def due(self) -> int | None:
        """When time moves it by itself."""
        clocks = (self.lease_until, self.claim_due, self.decide_due) if self.state in LIVE else ()
        return min((clock for clock in clocks if clock is not None), default=None)

    @property
    def decided(self) -> bool:
        return self.ruling is not None


UNDO_MS: Final = 10_000


def started(review: Review, clocks: Clocks, severity: Severity, now: int) -> Review:
    """With both clocks set anew."""
    return replace(review, claim_due=clocks.claim_by(severity, now), decide_due=clocks.decide_by(severity, now))


class Subject(Struct, frozen=True, kw_only=True):
    """What of the alert decides about moves. `stands`: at least one of its findings does."""

    severity: Severity
    tier: Tier
    category: tuple[str, ...]
    clauses: tuple[str, ...]
    stands: bool = True


class Above(Struct, frozen=True):
    """What an escalation goes to: a post on `unit`, with clocks of its own."""

    post: str
    unit: str
    clocks: Clocks = Clocks()


class Asked(Struct, frozen=True, kw_only=True):
    """Who asks, when, and what surrounds it. `leads`: may act on what others have claimed. `above`: where an escalation
    goes, None where there is nothing above."""

    by: str
    now: int
    clocks: Clocks = Clocks()
    reasons: Mapping[str, Reason] = {}
    leads: bool = False
    above: Above | None = None


def step(review: Review, move: AnyMove, subject: Subject, asked: Asked) -> Review:
    """What `move` makes of it. Raises Refused."""
    allowed = _FROM[type(move)]
    if review.state not in allowed:
        raise Refused("state",
                      phrase("an alert that is {state} cannot take the move {move}", state=phrase(review.state),
                             move=phrase(_name(move))),
                      hint=phrase("read it again: this needs one that is {states}",
                                  states=' or '.join(sorted(allowed))))
    if isinstance(move, Reopen | Undo) and not subject.stands:
        raise Refused("state", "its last finding was withdrawn meanwhile", hint="nothing of it is left to decide")
    done = _moved(review, move, subject, asked)
    if done.taken_at is None and isinstance(move, Claim | HandOver | Decide):
        done = replace(done, taken_at=asked.now)
    return replace(done, version=review.version + 1)


def _moved(review: Review, move: AnyMove, subject: Subject, asked: Asked) -> Review:
    match move:
        case Claim():
            _hold_on(review, asked, leads=False)
            return _claimed(review, asked, asked.by)
        case Release():
            return _released(review, subject, asked)
        case HandOver(to=to):
            _hold_on(review, asked)
            return _claimed(review, asked, to)
        case Escalate():
            _hold_on(review, asked)
            return escalated(review, subject, asked, why="by_hand")
        case Decide():
            return _decided(review, move, subject, asked)
        case Rectify(remedy=remedy, note=note):
            done = Rectified(remedy=remedy, by=asked.by, at=asked.now, note=note)
            return settled(replace(review, state=AlertState.RECTIFIED, rectified=(*review.rectified, done)))
        case Close():
            return settled(replace(review, state=AlertState.CLOSED))
        case Reopen():
            fresh = replace(settled(review), state=AlertState.OPEN, ruling=None, resumes=AlertState.OPEN)
            return started(fresh, asked.clocks, subject.severity, asked.now)
        case Undo():
            return _undone(review, asked)
        case Note():
            return review


def _claimed(review: Review, asked: Asked, who: str) -> Review:
    if who in review.barred:
        raise Refused("barred", "whoever found an alert unclear leaves it to a second person", hint="take another one")
    resumes = review.resumes if review.state is AlertState.CLAIMED else review.state
    return replace(review, state=AlertState.CLAIMED, claimed_by=who, resumes=resumes, claim_due=None,
                   lease_until=asked.clocks.lease(asked.now), undo_until=None, before=None)


def _hold_on(review: Review, asked: Asked, *, leads: bool = True) -> None:
    """Only who has claimed it, or (`leads`) a lead, acts on a claimed alert whose lease runs."""
    runs = review.lease_until is None or asked.now < review.lease_until
    if review.state is AlertState.CLAIMED and runs and review.claimed_by != asked.by and not (leads and asked.leads):
        raise Refused("claimed", phrase("{who} has claimed it", who=review.claimed_by),
                      hint="wait until it is released or the lease ends, or ask a lead")


def _released(review: Review, subject: Subject, asked: Asked) -> Review:
    if review.state is AlertState.HELD:
        free = replace(review, state=AlertState.OPEN, why="", by_what="")
        return started(free, asked.clocks, subject.severity, asked.now)
    _hold_on(review, asked)
    return let_go(review, subject, asked.now, asked.clocks)


def let_go(review: Review, subject: Subject, now: int, clocks: Clocks) -> Review:
    """The clock of claiming begins anew; that of deciding goes on."""
    return replace(review, state=review.resumes, claimed_by="", lease_until=None,
                   claim_due=clocks.claim_by(subject.severity, now))


def escalated(review: Review, subject: Subject, asked: Asked, *, why: str) -> Review:
    """In the queue of the unit above, whose clocks begin. Raises Refused at the top of the tree."""
    if asked.above is None:
        raise Refused("top", "there is no unit above that has a post",
                      hint="past the tenant a lead hands it over by a link")
    up = replace(settled(review), state=AlertState.ESCALATED, post=asked.above.post, level=asked.above.unit, why=why,
                 resumes=AlertState.ESCALATED)
    return started(up, asked.above.clocks, subject.severity, asked.now)


def over_link(review: Review, to: str, subject: Subject, asked: Asked) -> Review:
    """Another tenant `to` was asked; who decides stays the same, and clocks begin anew. Raises Refused."""
    if review.state not in LIVE:
        raise Refused("state",
                      phrase("an alert that is {state} cannot be handed over a link", state=phrase(review.state)),
                      hint="reopen it first" if review.state in _DECIDED else "release it first")
    _hold_on(review, asked)
    handed = replace(settled(review), state=AlertState.ESCALATED, why="over_link", by_what=to,
                     resumes=AlertState.ESCALATED, version=review.version + 1)
    return started(handed, asked.clocks, subject.severity, asked.now)


def _decided(review: Review, move: Decide, subject: Subject, asked: Asked) -> Review:
    _hold_on(review, asked, leads=False)
    if asked.by in review.barred:
        raise Refused("barred", "whoever found an alert unclear leaves it to a second person", hint="take another one")
    clause = _checked(review, move, subject, asked)
    ruling = Ruling(outcome=move.outcome, reason=move.reason, by=asked.by, at=asked.now, clause=clause,
                    categories=move.categories or subject.category, proof=move.proof, note=move.note)
    before = replace(review, before=None, undo_until=None)
    kept = replace(settled(review), before=before, undo_until=asked.now + UNDO_MS)
    if move.outcome is Outcome.UNCLEAR:
        return replace(kept, state=review.resumes if review.state is AlertState.CLAIMED else review.state,
                       barred=(*review.barred, asked.by), claim_due=asked.clocks.claim_by(subject.severity, asked.now),
                       decide_due=review.decide_due)
    state = AlertState.VIOLATION if move.outcome is Outcome.VIOLATION else AlertState.CLOSED
    return replace(kept, state=state, ruling=ruling)


def settled(review: Review) -> Review:
    """Nobody's, and no clock runs."""
    return replace(review, claimed_by="", lease_until=None, claim_due=None, decide_due=None, undo_until=None,
                   before=None)


def _checked(review: Review, move: Decide, subject: Subject, asked: Asked) -> str:
    """The clause of the decision. Raises Refused for a decision that does not fit the alert."""
    if (subject.tier is Tier.CARE) != (move.outcome in OF_CARE):
        fitting = [name.value for name in Outcome if (name in OF_CARE) == (subject.tier is Tier.CARE)]
        raise Refused("outcome", phrase("{outcome} is no outcome of this alert", outcome=phrase(move.outcome)),
                      hint=phrase("one of {names}", names=", ".join(fitting)))
    if review.state is AlertState.HELD and move.outcome is Outcome.UNCLEAR:
        raise Refused("outcome", "a held alert cannot be left unclear", hint="release it, then decide")
    reason = asked.reasons.get(move.reason)
    if reason is None or move.outcome not in reason.outcomes:
        fitting = sorted(name for name, known in asked.reasons.items() if move.outcome in known.outcomes)
        raise Refused("reason",
                      phrase("{reason} is no reason for {outcome}", reason=repr(move.reason),
                             outcome=phrase(move.outcome)), hint=phrase("one of {names}", names=", ".join(fitting)))
    if strangers := [name for name in move.categories if name not in subject.category]:
        raise Refused("category", phrase("the alert is not about {stranger}", stranger=strangers[0]),
                      hint=phrase("one of {categories}; report what it missed as a miss",
                                  categories=", ".join(subject.category)))
    if move.outcome is Outcome.EXEMPT and not (move.clause and move.proof.strip()):
        raise Refused("proof", "an exemption rests on a clause and a proof", hint="send `clause` and `proof`")
    if move.outcome is Outcome.ATTENDED and not move.note.strip():
        raise Refused("note", "say what was done for the person", hint="send `note`")
    if move.outcome is not Outcome.VIOLATION or move.clause:
        return move.clause
    if not subject.clauses:
        raise Refused("clause", "a violation rests on a clause, and the rule names none", hint="send `clause`")
    return subject.clauses[0]


def _undone(review: Review, asked: Asked) -> Review:
    ruled_by = review.ruling.by if review.ruling else review.barred[-1] if review.barred else ""
    if review.before is None or review.undo_until is None or asked.now >= review.undo_until:
        raise Refused("late", "there is no decision that can still be undone",
                      hint=phrase("an undo takes {seconds} s; after that, reopen it", seconds=UNDO_MS // 1_000))
    if ruled_by != asked.by:
        raise Refused("author", "only who decided can undo it", hint="reopen it instead")
    before = review.before
    if before.lease_until is not None:  # whoever takes a decision back wants to look at it again
        before = replace(before, lease_until=asked.clocks.lease(asked.now))
    return before


def _name(move: AnyMove) -> str:
    return str(move.__struct_config__.tag)


_DECIDED: Final = frozenset((AlertState.VIOLATION, AlertState.RECTIFIED, AlertState.CLOSED))
_FROM: Final[dict[type[Move], frozenset[AlertState]]] = {
    Claim: LIVE,
    Release: frozenset((AlertState.CLAIMED, AlertState.HELD)),
    HandOver: frozenset((AlertState.CLAIMED,)),
    Escalate: frozenset((AlertState.CLAIMED, AlertState.OPEN)),
    Decide: UNDECIDED,
    Rectify: frozenset((AlertState.VIOLATION, AlertState.RECTIFIED)),
    Close: frozenset((AlertState.VIOLATION, AlertState.RECTIFIED)),
    Reopen: _DECIDED,
    Undo: _DECIDED | LIVE,
    Note: frozenset(AlertState),
}
