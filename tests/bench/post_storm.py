"""A storm: 100,000 findings over 10,000 rooms in a minute, mostly of three rules, while somebody reads the queue."""

import asyncio
import random
import statistics
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sqlalchemy import func, select

from monitor.adapters.bundled import bundled, view_tables
from monitor.adapters.recordfiles import read_folder
from monitor.adapters.storage.database import Database
from monitor.adapters.storage.posts import SqlPosts
from monitor.adapters.storage.schema import alerts
from monitor.adapters.storage.store import SqlStore
from monitor.domain.alerts import Grouping, GroupingSettings
from monitor.domain.events import Kind, Role, Stage
from monitor.domain.findings import Advice, Finding, Severity, Span, Tier
from monitor.domain.organisation import Organisation, Post, Room, Unit
from monitor.services.cases import QueueFilter
from monitor.services.dispatch import Dispatcher
from monitor.services.records import Commit, Position

SEED = 20261127
FINDINGS, ROOMS, SECONDS, PER_COMMIT = 100_000, 10_000, 60, 500
NOON = 1_790_000_000_000


def organisation() -> Organisation:
    records: dict[tuple[str, str], Any] = dict(read_folder(bundled("config") / "post"))
    records |= {("unit", f"u{n}"): Unit(title=f"u{n}") for n in range(20)}
    records |= {("room", f"r{n}"): Room(unit=f"u{n % 20}", platform="douyin") for n in range(ROOMS)}
    return Organisation(records)


def findings() -> Iterator[Finding]:
    """In the order of time; all but three in a thousand are of three rules."""
    rng, grouping, settings = random.Random(SEED), Grouping(), GroupingSettings()
    for n in range(FINDINGS):
        at, room = NOON + n * SECONDS * 1_000 // FINDINGS, f"r{rng.randrange(ROOMS)}"
        rule = f"storm.{rng.randrange(3)}" if rng.random() < 0.997 else f"calm.{rng.randrange(60)}"
        text = f"第{rng.randrange(500)}款就是全网最好的，现在下单还送一件，家人们不要错过"
        opened_by = grouping.place(
            tenant="local", room=room, rule=rule, broadcast="b-" + room, speaker="", source="bench", event_id=f"e{n}",
            finding=f"f{n}", at=at, seen_at=at, settings=settings)
        yield Finding(
            id=f"f{n}", opened_by=opened_by, tenant="local", source="bench", event_id=f"e{n}", event_ids=[f"e{n}"],
            revision=0, room=room, broadcast="b-" + room, lane=0, kind=Kind.TRANSCRIPT, stage=Stage.LIVE,
            role=Role.HOST, speaker="", at=at, offset_ms=5_000, accepted_at=at, text=text, rule=rule,
            rule_version="1", title="绝对化用语",
            category=["absolute_claim"], sub="", tier=Tier.STANDARD, severity=Severity.HIGH, clauses=["AD-09-3"],
            spans=[Span(4, 10, text[4:10], "claim", "plain")], evasive=None, asr_variant=False,
            advice=Advice("去掉绝对化用语", {"全网最好": "回购多的一款"}))


class Processor:
    """How long the store's writing thread has worked, whatever else the machine does."""

    def __init__(self) -> None:
        self.seconds, self._since = 0.0, 0.0

    def __call__(self, name: str, events: int = 0) -> None:
        if name == "judged":
            self._since = time.thread_time()
        elif name == "committed":
            self.seconds += time.thread_time() - self._since


async def run() -> dict[str, Any]:
    found = list(findings())
    with tempfile.TemporaryDirectory(prefix="redpost-storm-") as name:
        database = await Database.open(Path(name) / "store.db")
        writing = Processor()
        store, posts, known = SqlStore(database, failpoint=writing), SqlPosts(database), organisation()
        dispatcher = Dispatcher(lambda tenant: known, view_tables().skeleton_text)
        every = QueueFilter(posts=("", *(post for post, _ in known.every(Post))))
        reads: list[float] = []
        reading = asyncio.create_task(_read(posts, every, reads))
        commits = await _write(store, dispatcher, found)
        reading.cancel()
        cards = len((await posts.queue("local", every, cursor=None, limit=100_000)).cards)
        states, recurrence = await database.read(lambda connection: (
            dict(connection.execute(select(alerts.c.state, func.count()).group_by(alerts.c.state)).tuples().all()),
            connection.scalar(select(func.sum(alerts.c.recurrence)))))
        await database.close()
    return {"findings": len(found), "kept": recurrence, "alerts": sum(states.values()), "states": states,
            "cards": cards, "seconds": sum(commits), "us_per_finding": sum(commits) / len(found) * 1e6,
            "processor_s": writing.seconds, "processor_us_per_alert": writing.seconds / sum(states.values()) * 1e6,
            "commit_p95_ms": _p95(commits) * 1e3,
            "queue_reads": len(reads), "queue_p95_ms": _p95(reads) * 1e3}


async def _write(store: SqlStore, dispatcher: Dispatcher, found: list[Finding]) -> list[float]:
    """Seconds of each commit."""
    position, took = await store.claim(0), []
    for n, start in enumerate(range(0, len(found), PER_COMMIT)):
        some = found[start : start + PER_COMMIT]
        commit = Commit(position=Position(0, n + 1, position.epoch), expected=n, findings=some, now=some[-1].at)
        before = time.perf_counter()
        await store.apply([commit], dispatcher)
        took.append(time.perf_counter() - before)
    return took


async def _read(posts: SqlPosts, where: QueueFilter, took: list[float]) -> None:
    while True:
        before = time.perf_counter()
        await posts.queue("local", where, cursor=None, limit=50)
        took.append(time.perf_counter() - before)
        await asyncio.sleep(0.05)


def _p95(values: list[float]) -> float:
    return statistics.quantiles(values, n=20)[-1] if len(values) > 1 else 0.0


def told(report: dict[str, Any]) -> str:
    states = ", ".join(f"{many:,} {state}" for state, many in sorted(report["states"].items()))
    return (f"{report['findings']:,} findings, {report['kept']:,} kept in {report['alerts']:,} alerts ({states}); "
            f"{report['cards']:,} cards in the queues; committed in {report['seconds']:.1f} s, "
            f"of which {report['processor_s']:.1f} s of processor, {report['processor_us_per_alert']:.0f} µs an alert, "
            f"{report['us_per_finding']:.0f} µs a finding, commits p95 "
            f"{report['commit_p95_ms']:.0f} ms; queue meanwhile p95 {report['queue_p95_ms']:.1f} ms "
            f"({report['queue_reads']:,} reads)")
