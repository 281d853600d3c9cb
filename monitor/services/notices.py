"""Who is told, beyond the console, of what nobody looks at: escalations, and red lines that nobody claims."""

from monitor.domain.findings import Tier
from monitor.domain.messages import Message, What, addressed, told_of
from monitor.domain.organisation import Organisation, Post
from monitor.services.cases import Case


def of_clock(organisation: Organisation, before: Case, after: Case, clock: str, now: int) -> tuple[Message, ...]:
    """A clock ran out ("claim", "decide"; a lease's end tells nobody)."""
    redline = clock == "claim" and before.alert.tier is Tier.REDLINE
    up = after.review.post != before.review.post
    if redline:
        return _to(organisation, after, What.REDLINE_UNCLAIMED, (before.review.post, after.review.post), now)
    return _to(organisation, after, What.ESCALATION, (after.review.post,), now) if up else ()


def of_escalation(organisation: Organisation, after: Case, now: int) -> tuple[Message, ...]:
    """Somebody escalated it."""
    return _to(organisation, after, What.ESCALATION, (after.review.post,), now)


def _to(organisation: Organisation, case: Case, what: What, posts: tuple[str, ...], now: int) -> tuple[Message, ...]:
    """To all channels of these posts; as long after as the route says that brought it."""
    found = [organisation.get(Post, name) for name in posts]
    channels = [channel for post in found if post is not None for channel in post.notify]
    wait_s = case.kept.why[0].wait_s if case.kept.why else 0
    item = told_of(case.alert, what, now, post=case.review.post)
    return addressed(case.alert.tenant, case.alert.room, item, channels, now=now, wait_s=wait_s)
