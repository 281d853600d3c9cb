"""A dry run: what a text of a rule file would have made of the last hours, beside what the rules in force made of them.

It goes through what the archive keeps of the tenant's own events, a slice at a time, beside the service; both sides are
judged anew, so that they differ in nothing but the file.
"""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from math import ceil
from typing import Final

from msgspec.structs import replace

from monitor.domain.alerts import Alert, GroupingSettings
from monitor.domain.audit import Deed
from monitor.domain.errors import Conflict, InputError, NotFound, RedpostError, StorageError
from monitor.domain.events import Event, Stage
from monitor.domain.findings import Finding
from monitor.domain.ids import digest
from monitor.domain.organisation import Post
from monitor.domain.people import Actor
from monitor.domain.phrases import phrase
from monitor.domain.routing import route
from monitor.domain.rules import Status
from monitor.engine.engineset import EngineSet
from monitor.services.dispatch import labels_for
from monitor.services.dryrecords import DryOutcome, DryRun, DrySample, KeptRuns, PostLoad, RunState, RunThis
from monitor.services.organising import Organising
from monitor.services.ports import Archive, Clock, Logger
from monitor.services.recordings import Trail
from monitor.services.records import ArchiveQuery
from monitor.services.ruleparts import EVERY, Part, engine_of
from monitor.services.ruletrying import RuleTrial, event_of
from monitor.services.scan import Scanner
from monitor.services.scanned import Scanned

HOURS: Final = (2, 24)
_HOUR_MS: Final = 3_600_000
_SLICE_MS: Final = 600_000
_MOST: Final = 20_000
"""Events of a slice that are looked at, the newest ones."""
_SAMPLES: Final = 20
KEPT_MS: Final = 7 * 86_400_000
"""No longer than the events that it shows."""
_MOST_KEPT: Final = 200
"""Of a tenant."""
_TELL_MS: Final = 1_000
_SILENT_MS: Final = 30_000
"""What was not told of for so long has ended with its process."""


class DryRuns:
    """The latest of each file; a process runs one at a time, and any shows and stops those of all."""

    def __init__(
        self, trial: RuleTrial, archive: Archive, organising: Organising, engine: Callable[[], EngineSet],
        trail: Trail, clock: Clock, logger: Logger, grouping: GroupingSettings, kept: KeptRuns,
        *, keep_ms: int = KEPT_MS,
    ) -> None:
        """`keep_ms`: how long what came of one is shown."""
        self._kept, self._keep_ms = kept, keep_ms
        self._trial, self._archive, self._organising, self._engine = trial, archive, organising, engine
        self._trail, self._clock, self._logger, self._grouping = trail, clock, logger, grouping
        self._mine: tuple[str, DryRun] | None = None
        self._told_at = 0
        self._task: asyncio.Task[None] | None = None

    async def start(self, actor: Actor, asked: RunThis) -> DryRun:
        """Returns once the text is compiled. Raises RuleError, StorageError, Conflict while another one runs here, or
        one of this file anywhere."""
        if asked.hours not in HOURS:
            raise InputError(phrase("a dry run of {hours} hours is not offered", hours=asked.hours), hint="2 or 24")
        before = await self._find(actor.tenant, asked.path)
        if self._running() or (before is not None and before.state is RunState.RUNNING):
            raise Conflict("another dry run is under way", hint="wait for its end")
        serving, now = self._engine(), self._clock.now()
        tried = await asyncio.to_thread(self._trial.made, asked, serving)
        if not tried.part.own:
            raise InputError("no rule is changed by this file alone", hint="run the rules that rest on it")
        run = DryRun(path=asked.path, digest=digest(asked.text), hours=asked.hours, by=actor.id, asked_at=now)
        await self._trail.write([Deed(tenant=actor.tenant, by=actor.id, at=now, what="rule.dry_run", on=asked.path,
                                      facts={"hours": asked.hours})])
        comparing = await asyncio.to_thread(self._comparing, actor.tenant, tried.part, asked.path, serving)
        await self._kept.begin(actor.tenant, run, since=now - self._keep_ms, most=_MOST_KEPT)
        self._mine, self._told_at = (actor.tenant, run), now
        self._task = asyncio.create_task(self._run(actor.tenant, run, comparing))
        return run

    def _comparing(self, tenant: str, part: Part, path: str, serving: EngineSet) -> "_Comparing":
        """The rules in force against the text, a draft in it taken for active."""
        before = self._trial.part_now(path, serving)
        old = None if before is None or not before.own else engine_of(before, serving, frozenset((Status.ACTIVE,)))
        new = engine_of(part, serving, EVERY - {Status.DEPRECATED})
        return _Comparing(new, old, tenant, self._grouping, part.own | (before.own if before else frozenset()))

    async def latest(self, tenant: str, path: str) -> DryRun:
        """Raises NotFound where this service was not asked for one lately, StorageError."""
        found = await self._find(tenant, path)
        if found is None:
            raise NotFound(f"no dry run of {path[:80]} is kept",
                           hint="POST /api/v1/rules/dryrun starts one")
        return found

    async def stop(self, actor: Actor, path: str) -> DryRun:
        """Wherever it runs. Raises NotFound, Conflict where it has ended, StorageError."""
        found = await self.latest(actor.tenant, path)
        stopped = replace(found, state=RunState.STOPPED)
        if found.state is not RunState.RUNNING or not await self._kept.change(actor.tenant, stopped, alive_at=None):
            raise Conflict("the dry run has ended", hint="GET /api/v1/rules/dryrun tells how")
        if self._is_mine(actor.tenant, found):
            await self.close()
        await self._trail.write([Deed(tenant=actor.tenant, by=actor.id, at=self._clock.now(), what="rule.dry_run_stop",
                                      on=path, facts={"hours": found.hours})])
        return stopped

    async def abandon(self) -> None:
        """Those that other processes ran have ended with them: there are no others."""
        await self._kept.abandon()

    async def close(self) -> None:
        """End the one that runs here."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def to_confirm(self, actor: Actor, path: str, text: bytes) -> int | None:
        """What a publication must confirm: 0 where the text was not run, its alerts an hour where they are too many.
        Raises StorageError."""
        found = await self._find(actor.tenant, path)
        if found is None or found.outcome is None or found.digest != digest(text.decode(errors="replace")):
            return 0
        return found.outcome.over

    def _running(self) -> bool:
        return self._task is not None and not self._task.done()

    async def _find(self, tenant: str, path: str) -> DryRun | None:
        """What is kept, unless this process knows better: how far it is, or how it ended where the store refused."""
        kept, now = await self._kept.run(tenant, path), self._clock.now()
        if kept is None or kept.run.asked_at < now - self._keep_ms:
            return None
        if kept.run.state is not RunState.RUNNING:
            return kept.run
        if self._mine is not None and self._is_mine(tenant, kept.run):
            return self._mine[1]
        silent = kept.alive_at is None or now - kept.alive_at > _SILENT_MS
        return replace(kept.run, state=RunState.INTERRUPTED) if silent else kept.run

    def _is_mine(self, tenant: str, run: DryRun) -> bool:
        return self._mine is not None and self._mine[0] == tenant and (
            self._mine[1].path, self._mine[1].asked_at) == (run.path, run.asked_at)

    async def _run(self, tenant: str, run: DryRun, comparing: "_Comparing") -> None:
        begin = run.asked_at - run.hours * _HOUR_MS
        try:
            for since in range(begin, run.asked_at, _SLICE_MS):
                until = min(since + _SLICE_MS, run.asked_at)
                kept = await self._archive.search(tenant, ArchiveQuery(since=since, until=until, limit=_MOST))
                await asyncio.to_thread(comparing.take, [event_of(one) for one in reversed(kept)])
                if not await self._tell(tenant, replace(run, done=(until - begin) / (run.asked_at - begin))):
                    return
            outcome = await asyncio.to_thread(comparing.ended)
            posts = self._posts(tenant, comparing, run.hours)
            over = [load.new for load in posts if load.budget is not None and load.new > max(load.budget, load.now)]
            ended = replace(run, state=RunState.DONE, done=1, outcome=replace(
                outcome, posts=posts, over=ceil(max(over)) if over else None))
        except asyncio.CancelledError:
            await self._end(tenant, replace(run, state=RunState.INTERRUPTED))
            raise
        except RedpostError as error:
            ended = replace(run, state=RunState.FAILED, fault=str(error))
        except Exception as error:
            self._logger.error("dry_run_failed", path=run.path, error=repr(error), exc_info=error)
            ended = replace(run, state=RunState.FAILED, fault="something went wrong inside; the log has it")
        await self._end(tenant, ended)

    async def _tell(self, tenant: str, run: DryRun) -> bool:
        """False where it is not to go on: it was stopped, or started anew, elsewhere."""
        self._mine, now = (tenant, run), self._clock.now()
        if now - self._told_at < _TELL_MS:
            return True
        self._told_at = now
        with suppress(StorageError):  # told at the next turn
            return await self._kept.change(tenant, run, alive_at=now)
        return True

    async def _end(self, tenant: str, run: DryRun) -> None:
        """Where the store refuses, it is known until this process runs another one."""
        self._mine = tenant, run
        try:
            await self._kept.change(tenant, run, alive_at=None)
        except StorageError as error:
            self._logger.warning("dry_run_not_kept", path=run.path, error=str(error))

    def _posts(self, tenant: str, comparing: "_Comparing", hours: float) -> list[PostLoad]:
        organisation = self._organising.of(tenant)
        counts: dict[str, list[int]] = {}
        for side, alerts in enumerate((comparing.now, comparing.new)):
            for alert in alerts.values():
                unit = organisation.unit_of(alert.room)
                labels = labels_for(organisation, alert, "", Stage.LIVE)
                post = route(labels, organisation.trees(unit), default=organisation.default_post(unit)).post
                counts.setdefault(post, [0, 0])[side] += 1
        found = []
        for name, (now, new) in sorted(counts.items()):
            post = organisation.get(Post, name)
            found.append(PostLoad(post=name, title=post.title if post else "", now=round(now / hours, 1),
                                  new=round(new / hours, 1), budget=post.budget if post else None))
        return found


class _Comparing:
    """Both sides, fed with the same events. Used from one thread at a time."""

    def __init__(
        self, new: EngineSet, old: EngineSet | None, tenant: str, grouping: GroupingSettings, rules: frozenset[str],
    ) -> None:
        self._scanners = [
            None if engine is None else Scanner(engine, tenant=tenant, grouping=grouping, with_alerts=True)
            for engine in (old, new)]
        self._rules = rules
        self._events = self._cut = 0
        self._on_air: set[tuple[str, int]] = set()
        self._found: tuple[dict[str, DrySample], dict[str, DrySample]] = ({}, {})
        self.now: dict[str, Alert] = {}
        self.new: dict[str, Alert] = {}

    def take(self, events: Sequence[Event]) -> None:
        self._events += len(events)
        self._cut += len(events) >= _MOST
        self._on_air.update((event.room, event.at // _SLICE_MS) for event in events if isinstance(event.at, int))
        for scanner, found in zip(self._scanners, self._found, strict=True):
            if scanner is not None and events:
                self._note(scanner.scan(events), found)

    def _note(self, scanned: Iterable[Scanned], found: dict[str, DrySample]) -> None:
        found.update((finding.id, _sample(finding)) for one in scanned for finding in one.findings
                     if finding.rule in self._rules)

    def ended(self) -> DryOutcome:
        for scanner, found, into in zip(self._scanners, self._found, (self.now, self.new), strict=True):
            if scanner is not None:
                self._note(scanner.finish(), found)
                found.update((finding.id, _sample(finding)) for finding in scanner.missing())
                into.update((alert.id, alert) for alert, _ in scanner.alerts() if alert.rule in self._rules)
        before, after = self._found
        came = [sample for name, sample in after.items() if name not in before]
        went = [sample for name, sample in before.items() if name not in after]
        return DryOutcome(
            events=self._events, room_hours=round(len(self._on_air) * _SLICE_MS / _HOUR_MS, 2), cut=self._cut,
            now=len(self.now), new=len(self.new), came=len(came), went=len(went), coming=_spread(came),
            going=_spread(went), posts=[])


def _sample(found: Finding) -> DrySample:
    return DrySample(rule=found.rule, title=found.title, severity=found.severity, room=found.room, at=found.at,
                     text=found.text, spans=found.spans)


def _spread(samples: Sequence[DrySample]) -> list[DrySample]:
    """Some, spread over all of them."""
    return list(samples[:: max(1, len(samples) // _SAMPLES)][:_SAMPLES])

