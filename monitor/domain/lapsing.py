"""What happens to a review though nobody moves it: time passes, findings fall and stand again."""

from msgspec.structs import replace

from monitor.domain.alerts import LIVE, UNDECIDED, AlertState
from monitor.domain.clocks import Clocks
from monitor.domain.review import Asked, Review, Subject, escalated, let_go, settled, started


def overdue(review: Review, subject: Subject, asked: Asked) -> tuple[Review, str] | None:
    """What time alone makes of it, and the name of the clock; None where nothing is due. At the top of the tree a
    clock that ran out stops."""
    now = asked.now
    if review.state not in LIVE or review.due is None or now < review.due:
        return None
    if review.lease_until is not None and review.lease_until <= now:
        free = let_go(review, subject, now, asked.clocks)
        return replace(free, version=review.version + 1), "lease"
    clock = "decide" if review.decide_due is not None and review.decide_due <= now else "claim"
    if asked.above is None:
        stopped = replace(review, decide_due=None) if clock == "decide" else replace(review, claim_due=None)
        return replace(stopped, version=review.version + 1, why=f"{clock}_overdue"), clock
    up = escalated(review, subject, asked, why=f"{clock}_overdue")
    return replace(up, version=review.version + 1), clock


def withdrawn(review: Review, why: str) -> Review:
    """The last finding fell. What people have decided stays decided."""
    if review.state not in UNDECIDED:
        return review
    gone = replace(settled(review), state=AlertState.WITHDRAWN, why=why)
    return replace(gone, version=review.version + 1)


def stands_again(review: Review, subject: Subject, now: int, clocks: Clocks) -> Review:
    """A finding of a withdrawn alert stands again."""
    if review.state is not AlertState.WITHDRAWN:
        return review
    back = replace(review, state=AlertState.OPEN, why="", resumes=AlertState.OPEN, version=review.version + 1)
    return started(back, clocks, subject.severity, now)
