"""A million stored alerts, ten thousand of them to be decided: how long queues, history and moves take.

Fifty reviewers each read their queue, claim and decide, with half a second between two acts (`moves`); then all fifty
act in the same instant, again and again (`bursts`); then 10,000 claims race for the same alerts. BENCH_ALERTS stores
another number; BENCH_DATA names a folder that an earlier run has filled.
"""

import asyncio
import os
import random
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Connection

from monitor.adapters.recordfiles import read_folder
from monitor.adapters.storage import cases
from monitor.adapters.storage.database import Database
from monitor.adapters.storage.posts import SqlPosts
from monitor.adapters.storage.schema import alert_categories, alerts
from monitor.adapters.storage.store import SqlStore
from monitor.adapters.telemetry import PrometheusTelemetry
from monitor.domain.alerts import LIVE, Alert, AlertState
from monitor.domain.clocks import Clocks
from monitor.domain.findings import Advice, Opinion, Severity, Span, Tier
from monitor.domain.ids import digest
from monitor.domain.moves import AnyMove, Claim, Decide, Outcome
from monitor.domain.organisation import Post, Room, Unit
from monitor.domain.people import Actor, Grant, Role
from monitor.domain.priority import factors
from monitor.domain.review import Review, Ruling, started
from monitor.domain.rules import CATEGORIES
from monitor.services.cases import Case, Kept, QueueFilter
from monitor.services.dispatch import shown
from monitor.services.organising import Organising
from monitor.services.recordings import Edit, Edits
from monitor.services.records import AlertFilter
from monitor.services.review import ReviewDesk, Wanted

ALERTS: Final = int(os.environ.get("BENCH_ALERTS", "1000000"))
LIVE_ALERTS: Final = min(10_000, ALERTS // 10)
REVIEWERS: Final = 50
NOW: Final = 1_795_435_200_000
DAY: Final = 86_400_000
DAYS: Final = 90
POSTS: Final = ("content-review", "network-security", "product-quality")
CONFIG: Final = Path(__file__).parents[2] / "config" / "post"
SEED: Final = 20261127
VIOLATION: Final = Decide(outcome=Outcome.VIOLATION, reason="as_found")


class Standing:
    def now(self) -> int:
        return NOW


class _Nobody:
    def publish(self, updates: object) -> None:
        """Nobody listens."""


def person(number: int) -> Actor:
    return Actor(id=f"p{number}", tenant="agency", grants=(Grant(Role.REVIEWER),))


def every_case(rng: random.Random) -> Iterator[Case]:
    """Decided ones over ninety days, then those to be decided, of the last hour."""
    for n in range(ALERTS):
        live = n >= ALERTS - LIVE_ALERTS
        at = NOW - (rng.randrange(3_600_000) if live else rng.randrange(DAYS * DAY))
        yield one_case(rng, n, at, live=live)


def one_case(rng: random.Random, n: int, at: int, *, live: bool) -> Case:
    room, rule = rng.randrange(10_000), rng.randrange(200)
    severity = rng.choices(list(Severity), (5, 30, 40, 20, 5))[0]
    tier, category = rng.choice((Tier.REDLINE, Tier.STANDARD, Tier.STANDARD)), CATEGORIES[rule % len(CATEGORIES)]
    text = "这款面膜全网最好，今天只要九十九块，错过再等一年"
    name = digest("alert", n)
    alert = Alert(
        id=name, tenant="agency", room=f"r{room}", broadcast=f"b{room}-{at // DAY}", lane=0, rule=f"pack.rule{rule}",
        rule_version="1", title="绝对化用语", category=[category], sub="", tier=tier, severity=severity,
        clauses=["AD-09-3"], scope="event", event_ids=[f"e{n}"], at=at, last_at=at, offset_ms=1, accepted_at=at,
        recurrence=1, state=AlertState.OPEN, reason="", text=text, spans=[Span(4, 8, "全网最好", "claim", "plain")],
        evasive=None, advice=Advice("改为可证实的表述"), unit=f"team{room % 20}", moment=digest("moment", n // 2))
    review = started(Review(post=rng.choices(POSTS, (8, 1, 1))[0]), Clocks(), severity, NOW + DAY)
    if not live:
        outcome = rng.choices((Outcome.VIOLATION, Outcome.NO_VIOLATION, Outcome.EXEMPT), (50, 49, 1))[0]
        state = AlertState.CLOSED if outcome is not Outcome.VIOLATION else rng.choice(
            (AlertState.VIOLATION, AlertState.RECTIFIED))
        review = Review(post=review.post, state=state, version=2, ruling=Ruling(
            outcome=outcome, reason="as_found", by=f"p{n % 50}", at=at))
    elif n % 10 == 0:
        review = Review(post=review.post, state=AlertState.CLAIMED, version=1, claimed_by=f"p{n % 500 // 10}",
                        lease_until=NOW + DAY)
    weights = factors(severity=severity, tier=tier, opinion=Opinion.NONE, recurrence=1, evasive=False, host_side=True,
                      repeats=False, cued=False)
    return shown(Case(alert=alert, kept=Kept(review=review, factors=weights, kind="transcript", role="host",
                                             wording=digest("w", n))))


async def fill(database: Database, found: Iterator[Case]) -> None:
    def write(connection: Connection) -> int:
        some = [case for _, case in zip(range(20_000), found, strict=False)]
        if not some:
            return 0
        connection.execute(alerts.insert(), [cases.case_values(case) for case in some])
        connection.execute(alert_categories.insert(), [
            {"tenant": "agency", "category": case.alert.category[0], "at": case.alert.at, "alert_id": case.alert.id}
            for case in some])
        cases.requeue(connection, [case.alert for case in some if case.alert.state in LIVE])
        return len(some)

    while await database.run(write):
        pass


async def organisation(posts: SqlPosts) -> Organising:
    made = Organising(posts, Standing(), read_folder(CONFIG))
    records = [("unit", f"team{n}", Unit(title=f"{n} 组")) for n in range(20)]
    records += [("room", f"r{n}", Room(unit=f"team{n % 20}")) for n in range(10_000)]
    records += [("post", name, Post(title=name)) for name in POSTS]
    await posts.edit("agency", Edits(changes=[Edit(kind=k, id=i, record=r) for k, i, r in records], deeds=[], at=NOW,
                                     by="bench"))
    await made.load()
    return made


async def timed(work: Callable[[], Awaitable[Any]], times: int = 30) -> list[float]:
    """Milliseconds of each."""
    found = []
    for _ in range(times):
        began = time.perf_counter()
        await work()
        found.append((time.perf_counter() - began) * 1_000)
    return found


def p95(found: list[float]) -> float:
    return round(sorted(found)[min(len(found) - 1, int(len(found) * 0.95))], 1)


QUEUES: Final[dict[str, dict[str, Any]]] = {
    "open": {}, "own": {"claimed_by": "p7"}, "post": {"posts": ("network-security",)},
    "severity": {"severity": "critical"}, "tier": {"tier": "redline"}, "category": {"category": "minors"},
    "rule": {"rule": "pack.rule7"}, "room": {"room": "r77"}, "state": {"state": "claimed"},
    "nothing": {"rule": "pack.rule7", "severity": "info"},
}
RANGE: Final = {"since": NOW - 31 * DAY, "until": NOW}
HISTORIES: Final[dict[str, dict[str, Any]]] = {
    "all": {}, "post": {"post": "product-quality"}, "unit": {"within": ("team7",)}, "outcome": {"outcome": "exempt"},
    "state": {"state": "rectified"}, "severity": {"severity": "critical"}, "tier": {"tier": "redline"},
    "category": {"category": "minors"}, "rule": {"rule": "pack.rule7"}, "room": {"room": "r77"},
    "claimed_by": {"claimed_by": "p7"}, "source": {"source": "manual"},
    "rare": {"post": "product-quality", "outcome": "exempt", "severity": "critical", "within": ("team7",)},
    "category and rare": {"category": "minors", "outcome": "exempt", "severity": "critical", "within": ("team7",)},
}


async def queues(desk: ReviewDesk) -> dict[str, float]:
    lead = Actor(id="p7", tenant="agency", grants=(Grant(Role.LEAD),))
    return {name: p95(await timed(lambda where=where: desk.queue(  # type: ignore[misc]
        lead, QueueFilter(**{"posts": (), **where}), cursor=None, limit=50))) for name, where in QUEUES.items()}


async def histories(store: SqlStore) -> dict[str, float]:
    return {name: p95(await timed(lambda where=where: store.alerts(  # type: ignore[misc]
        "agency", AlertFilter(**RANGE, **where), cursor=None, limit=50), 10)) for name, where in HISTORIES.items()}


async def act(desk: ReviewDesk, number: int, alert: str, move: AnyMove) -> float:
    began = time.perf_counter()
    answered = await desk.move(person(number), [Wanted(alert, move)], together=True)
    if not answered.cases:
        raise RuntimeError(answered.refused)
    return (time.perf_counter() - began) * 1_000


async def moves(desk: ReviewDesk, names: list[str]) -> dict[str, float]:
    """Each reviewer at their own pace."""
    claims: list[float] = []
    decisions: list[float] = []

    async def work(number: int) -> None:
        rng = random.Random(number)
        for alert in names[number::REVIEWERS]:
            await asyncio.sleep(rng.uniform(0.2, 0.8))
            await desk.queue(person(number), QueueFilter(posts=("content-review",)), cursor=None, limit=20)
            claims.append(await act(desk, number, alert, Claim()))
            await asyncio.sleep(rng.uniform(0.2, 0.8))
            decisions.append(await act(desk, number, alert, VIOLATION))

    await asyncio.gather(*(work(number) for number in range(REVIEWERS)))
    return {"claim": p95(claims), "decide": p95(decisions)}


async def bursts(desk: ReviewDesk, names: list[str]) -> dict[str, float]:
    """All in the same instant."""
    found: dict[str, list[float]] = {"claim": [], "decide": []}
    for start in range(0, len(names), REVIEWERS):
        some = names[start : start + REVIEWERS]
        for what, move in (("claim", Claim()), ("decide", VIOLATION)):
            found[what] += await asyncio.gather(*(act(desk, n, alert, move) for n, alert in enumerate(some)))
    return {what: p95(times) for what, times in found.items()}


async def races(desk: ReviewDesk, names: list[str]) -> dict[str, int]:
    """10,000 claims, fifty for each alert; how many alerts were claimed otherwise than once."""
    tries = [(n, name) for name in names for n in range(REVIEWERS)]
    answers = await asyncio.gather(*(
        desk.move(person(n), [Wanted(name, Claim())], together=True) for n, name in tries))
    won: dict[str, int] = dict.fromkeys(names, 0)
    for (_, name), answered in zip(tries, answers, strict=True):
        won[name] += len(answered.cases)
    return {"claims": len(tries), "not_once": sum(times != 1 for times in won.values())}


async def run() -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(os.environ.get("BENCH_DATA", folder)) / "store.db"
        full = path.exists()
        database = await Database.open(path)
        began = time.perf_counter()
        if not full:
            await fill(database, every_case(random.Random(SEED)))
        filled = round(time.perf_counter() - began)
        posts, store = SqlPosts(database), SqlStore(database)
        organising = await organisation(posts)
        desk = ReviewDesk(posts, organising, _Nobody(), Standing(), PrometheusTelemetry())
        free = [digest("alert", n) for n in range(ALERTS - LIVE_ALERTS, ALERTS) if n % 10]
        paced, burst, raced = free[:300], free[300:500], free[500:700]
        report = {
            "alerts": ALERTS, "fill_s": filled, "queue_p95_ms": await queues(desk),
            "history_p95_ms": await histories(store), "gauges_p95_ms": p95(await timed(store.open_alerts, 10)),
            "moves_p95_ms": await moves(desk, paced), "burst_p95_ms": await bursts(desk, burst),
            "races": await races(desk, raced)}
        await database.close()
    return report


def told(report: dict[str, Any]) -> str:
    return (f"{report['alerts']:,} alerts; p95 in ms: queue {report['queue_p95_ms']}, history of 31 days "
            f"{report['history_p95_ms']}, gauges {report['gauges_p95_ms']}, 50 reviewers {report['moves_p95_ms']}, in "
            f"one instant {report['burst_p95_ms']}; races {report['races']}")
