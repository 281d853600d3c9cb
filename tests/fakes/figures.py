"""Figures over the posts in memory."""

from collections import Counter

from monitor.domain.alerts import LIVE
from monitor.services.figures import AGES_S, HOUR_MS, Backlog, Counts, FigureFilter, Load, RuleShare, Slice
from tests.fakes.posts import MemoryPosts

Times = dict[str, dict[int, int]]


class MemoryFigures:
    """Implements `FigureStore`."""

    def __init__(self, posts: MemoryPosts) -> None:
        self._posts = posts

    async def counts(self, tenant: str, where: FigureFilter, *, now: int) -> Counts:
        slices, load, rules = Counter[tuple[int, str]](), Counter[tuple[str, int]](), Counter[tuple[str, int]]()
        claims: Times = {}
        decisions: Times = {}
        backlog: dict[str, Backlog] = {}
        for (of, _), case in self._posts.cases.items():
            alert, review = case.alert, case.review
            theirs = where.units is None or alert.unit in where.units or alert.post in where.posts
            inside = (where.within is None or alert.unit in where.within) and where.post in (None, alert.post)
            if of != tenant or not theirs or not inside or where.room not in (None, alert.room):
                continue
            if alert.state in LIVE:
                known = backlog.get(alert.severity, Backlog(alert.severity, 0, alert.at, [0] * (len(AGES_S) + 1)))
                ages = list(known.ages)
                ages[sum(now - alert.at >= 1_000 * edge for edge in AGES_S)] += 1
                backlog[alert.severity] = Backlog(
                    alert.severity, known.alerts + 1, min(known.oldest_at, alert.at), ages)
            if not where.since <= alert.at < where.until:
                continue
            slices[alert.at - (alert.at - where.since) % where.step_ms, alert.category[0]] += 1
            rules[alert.rule, 0] += 1
            for times, at in ((claims, review.taken_at), (decisions, review.ruling and review.ruling.at)):
                if at is not None:
                    took = max(0, at - alert.accepted_at) // 1_000
                    some = times.setdefault(alert.severity.value, {})
                    some[took] = some.get(took, 0) + 1
            if review.ruling is not None:
                load[alert.post, review.ruling.at - review.ruling.at % HOUR_MS] += 1
                rules[alert.rule, 1] += 1
                rules[alert.rule, 2] += review.ruling.outcome == "violation"
        return Counts(
            slices=[Slice(at, category, many) for (at, category), many in sorted(slices.items())],
            claims=claims, decisions=decisions, load=[Load(*key, many) for key, many in sorted(load.items())],
            rules=sorted((RuleShare(rule=rule, alerts=rules[rule, 0], decided=rules[rule, 1],
                                    violations=rules[rule, 2]) for rule in {rule for rule, _ in rules}),
                         key=lambda each: (-each.decided, -each.alerts, each.rule)),
            backlog=list(backlog.values()))

    async def last_found(self, tenant: str) -> dict[str, int]:
        found: dict[str, int] = {}
        for (of, _), case in self._posts.cases.items():
            if of == tenant:
                found[case.alert.rule] = max(found.get(case.alert.rule, 0), case.alert.at)
        return found
