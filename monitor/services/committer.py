"""Commits beside the judging: while one transaction runs, what is judged meanwhile gathers for the next.

So a commit covers as many batches as its predecessor took time for, both lanes in one transaction.
"""

import asyncio
from collections.abc import Iterable

import msgspec

from monitor.domain.alerts import AlertState, Retraction, standing
from monitor.domain.broadcasts import Broadcast
from monitor.domain.findings import Finding
from monitor.services.cases import Placing
from monitor.services.lane import Outcome
from monitor.services.ports import Clock, FailPoint, Judgements, Publisher, Telemetry
from monitor.services.records import Commit, ContextChunk, Update
from monitor.services.recovery import Cursor


class Committer:
    """Used from one event loop. After an error nothing is committed any more, and `add` and `settle` raise it."""

    def __init__(
        self, store: Judgements, publisher: Publisher, telemetry: Telemetry, clock: Clock, failpoint: FailPoint,
        placing: Placing,
    ) -> None:
        self._store, self._publisher, self._telemetry = store, publisher, telemetry
        self._clock, self._failpoint = clock, failpoint
        self._placing = placing
        self._cursors: list[Cursor] = []
        self._pending: dict[int, list[Outcome]] = {}
        self._changed: dict[tuple[str, str, str], Broadcast] = {}
        self._running: asyncio.Task[None] | None = None

    def serve(self, cursors: list[Cursor]) -> None:
        self._cursors = cursors
        self._pending = {cursor.lane.number: [] for cursor in cursors}

    def changed(self, broadcasts: Iterable[Broadcast]) -> None:
        """Broadcasts to store with the next commit."""
        self._changed.update(((b.tenant, b.room, b.id), b) for b in broadcasts)

    def add(self, cursor: Cursor, outcome: Outcome, read: int, *, merged: Outcome) -> None:
        """The lane is judged up to `read`; `merged` is what both lanes together give by that. Commits soon where there
        is something to see."""
        self._pending[cursor.lane.number].append(outcome)
        self._pending[self._cursors[-1].lane.number].append(merged)
        cursor.read = read
        if _to_see(outcome) or _to_see(merged):
            self.start()

    def add_context(self, cursor: Cursor, chunks: list[ContextChunk]) -> None:
        """Lines that go with none of the outcomes: a re-read of committed entries brought them up, whose all else is
        stored, or they were not to gather any longer."""
        if chunks:
            self._pending[cursor.lane.number].append(Outcome(context=chunks))

    @property
    def busy(self) -> bool:
        """Is there something to see that is not committed?"""
        return self._to_see() or (self._running is not None and not self._running.done())

    def start(self) -> None:
        """Commit what is pending, now or right after the commit that runs."""
        if self._running is not None and self._running.done():
            self._running.result()  # raises what the last commit met
            self._running = None
        if self._running is None:
            self._running = asyncio.create_task(self._run())

    async def settle(self) -> None:
        """Everything that was added is committed, and both positions stand at what is read."""
        while self._running is not None or self._waiting():
            self.start()
            if self._running is not None:
                await self._running
                self._running = None

    async def _run(self) -> None:
        """Until nothing worth a transaction is left."""
        while True:
            commits, taken = self._take()
            if not commits:
                return
            before = self._clock.now()
            updates = await self._store.apply(commits, self._placing)
            for cursor, commit in zip(self._cursors, commits, strict=True):
                cursor.position = commit.position
            self._failpoint("committed")
            self._publisher.publish(updates)
            self._failpoint("published")
            self._count(taken, commits, updates, before)
            if not self._to_see():
                return

    def _to_see(self) -> bool:
        return any(_to_see(outcome) for some in self._pending.values() for outcome in some)

    def _waiting(self) -> bool:
        return bool(self._changed) or any(c.read != c.position.seq for c in self._cursors) or self._to_see()

    def _take(self) -> tuple[list[Commit], list[Outcome]]:
        """A commit of each lane from what is pending; empty where nothing moved."""
        if not self._waiting():
            return [], []
        changed, self._changed = self._changed, {}
        now = self._clock.now()
        commits: list[Commit] = []
        taken: list[Outcome] = []
        for cursor in self._cursors:
            pending, self._pending[cursor.lane.number] = self._pending[cursor.lane.number], []
            taken += pending
            commits.append(Commit(
                position=msgspec.structs.replace(cursor.position, seq=cursor.read), expected=cursor.position.seq,
                findings=[f for o in pending for f in o.findings],
                shadows=[f for o in pending for f in o.shadows],
                joins=[j for o in pending for j in o.joins],
                withdrawals=[w for o in pending for w in o.withdrawals],
                retractions=_standing(pending),
                broadcasts=[msgspec.structs.replace(b) for b in changed.values()],
                context=[c for o in pending for c in o.context], now=now,
            ))
            changed = {}
        return commits, taken

    def _count(self, taken: list[Outcome], commits: list[Commit], updates: list[Update], before: int) -> None:
        now = self._clock.now()
        self._telemetry.observe("db_commit_seconds", max(0, now - before) / 1000)
        for outcome in taken:
            for reason, amount in outcome.suppressed.items():
                self._telemetry.count("suppressed_total", amount, reason=reason)
            for kind, amount in outcome.shed.items():
                self._telemetry.count("shed_total", amount, kind=kind)
        for finding in (f for commit in commits for f in commit.findings):
            self._telemetry.count("findings_total", category=_first_category(finding), tier=finding.tier)
        for finding in (f for commit in commits for f in commit.shadows):
            self._telemetry.count("shadow_findings_total", category=_first_category(finding), tier=finding.tier)
        for update in updates:
            if update.what == "opened":
                self._telemetry.observe("event_to_alert_seconds", max(0, now - update.alert.accepted_at) / 1000)
                if update.alert.state is AlertState.HELD:
                    self._telemetry.count("suppressed_total", reason=update.alert.reason)


def _first_category(finding: Finding) -> str:
    return finding.category[0] if finding.category else "care"


def _to_see(outcome: Outcome) -> bool:
    """Is there something to write that somebody waits for?"""
    return bool(outcome.findings or outcome.joins or outcome.withdrawals or outcome.retractions or outcome.context)


def _standing(outcomes: Iterable[Outcome]) -> list[Retraction]:
    """Retractions of findings that did not come again in a later outcome."""
    found: list[Retraction] = []
    for outcome in outcomes:
        found = standing(found, [*outcome.findings, *outcome.shadows]) + outcome.retractions
    return found
