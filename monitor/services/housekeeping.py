"""What goes on beside the judging: trimming the log, the outbox, the archive and the heap, tidying, and the gauges."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from functools import partial
from typing import Final, TypeVar

from msgspec import Struct

from monitor.domain.errors import RedpostError
from monitor.domain.findings import Severity
from monitor.domain.tenants import within
from monitor.services.detect import Detect
from monitor.services.ports import Archive, Clock, Log, Logger, Store, Telemetry

_T = TypeVar("_T")
_STEPS: Final = 20
"""Of expiry, at each turn."""
NOBODY: Final = "nobody"
_IN_TIME: Final = (("claim", 0), ("decide", 0))
"""What the gauges call the queue of no post."""


async def _nothing() -> bool:
    return False


class ChoreSettings(Struct, frozen=True, kw_only=True):
    """`tidy_after_ms`: how old events are before the archive may merge their segments · `tidy_pause_s`: rest after each
    step of it, so that the judging has the processor."""

    gauges_s: float = 5
    trim_s: float = 60
    tidy_after_ms: int = 300_000
    tidy_pause_s: float = 0.2


class HousekeepingSettings(ChoreSettings, frozen=True, kw_only=True):
    log_keep_ms: int
    log_max_bytes: int
    events_keep_ms: int
    outbox_keep: int


Work = Callable[[], Awaitable[object]]


class Chores:
    """What is done again and again: `gauges` often, `trims` from time to time, `tidy` step by step in between."""

    settings: ChoreSettings

    def __init__(
        self, *, gauges: Sequence[Work], trims: Sequence[Work], tidy: Sequence[Callable[[int], Awaitable[bool]]],
        logger: Logger, clock: Clock, settings: ChoreSettings,
    ) -> None:
        """`tidy`: each makes a step with what lies before a time (UTC ms); True where more is left."""
        self._gauges, self._trims, self._tidy = gauges, trims, tidy
        self._logger, self._clock, self.settings = logger, clock, settings

    async def run(self, stop: asyncio.Event) -> None:
        trimmed_at, untidy = self._clock.now(), True
        while not stop.is_set():
            await self.gauges()
            if self._clock.now() - trimmed_at >= self.settings.trim_s * 1000:
                trimmed_at, untidy = self._clock.now(), True
                await self.trim()
            untidy = await self._rest(stop, untidy)

    async def _rest(self, stop: asyncio.Event, untidy: bool) -> bool:
        """Until the gauges' next turn; meanwhile the archive is tidied, until nothing is left to do (then False)."""
        end = self._clock.now() + self.settings.gauges_s * 1000
        while untidy and not stop.is_set() and self._clock.now() < end:
            untidy = await self.tidy()
            await _either(stop, self.settings.tidy_pause_s)
        await _either(stop, (end - self._clock.now()) / 1000)
        return untidy

    async def tidy(self) -> bool:
        """One step; False where nothing is left to do, or where it fails for now."""
        before = self._clock.now() - self.settings.tidy_after_ms
        for step in self._tidy:
            if await self._attempt(step(before)):
                return True
        return False

    async def trim(self) -> None:
        for work in self._trims:
            await self._attempt(work())

    async def gauges(self) -> None:
        for work in self._gauges:
            await self._attempt(work())

    async def _attempt(self, work: Awaitable[_T]) -> _T | None:
        """None where it fails: it is tried again at the next turn, and the judging needs none of it. A full disk is no
        reason to end, least of all here."""
        try:
            return await work
        except Exception as error:
            expected = isinstance(error, RedpostError)
            self._logger.warning("housekeeping_failed", error=str(error) if expected else repr(error),
                                 exc_info=None if expected else error)
            return None


class Housekeeping(Chores):
    """Of the process that does everything."""

    settings: HousekeepingSettings

    def __init__(
        self, *, log: Log, store: Store, archive: Archive, detect: Detect, telemetry: Telemetry, logger: Logger,
        clock: Clock, disk_free: Callable[[], int], settings: HousekeepingSettings,
        trim_heap: Callable[[], None] = lambda: None, expire: Callable[[], Awaitable[bool]] = _nothing,
        also: Sequence[Work] = (),
    ) -> None:
        """`trim_heap`: give memory that nobody holds back to the system; safe in any thread. `expire`: one step of
        dropping what was kept long enough; True where more is left. `also`: done beside the trimming."""
        self.settings = settings

        async def judging() -> None:
            tell_judging([detect], disk_free(), telemetry)

        async def trim_log() -> None:
            """Never past the place from which a restart reads the log again."""
            await log.trim(before=detect.trimmable, accepted_before=clock.now() - self.settings.log_keep_ms,
                           max_bytes=self.settings.log_max_bytes)

        super().__init__(
            gauges=(judging, QueueGauges(store, telemetry, clock).look),
            trims=(trim_log, lambda: store.trim_outbox(keep=self.settings.outbox_keep),
                   lambda: archive.expire(before=clock.now() - self.settings.events_keep_ms),
                   partial(in_steps, expire, settings.tidy_pause_s), *also, partial(asyncio.to_thread, trim_heap)),
            tidy=(lambda before: archive.tidy(before=before),), logger=logger, clock=clock, settings=settings)


def tell_judging(judging: Sequence[Detect], disk_free: int, telemetry: Telemetry) -> None:
    """How what judges in this process stands, as metrics; a version is that of the first. `disk_free`: bytes."""
    oldest_ms = max((each.oldest_unjudged_ms() for each in judging), default=0)
    telemetry.gauge("rooms_live", sum(each.rooms_live() for each in judging))
    telemetry.gauge("log_oldest_unjudged_seconds", oldest_ms / 1000)
    telemetry.gauge("disk_free_bytes", disk_free)
    for each in judging[:1]:
        telemetry.gauge("ruleset_info", 1, version=each.judging())
        telemetry.gauge("model_info", 1, version=each.classifying())


async def in_steps(step: Callable[[], Awaitable[bool]], pause_s: float) -> None:
    """With rests, as many as one turn takes; what is left then waits for the next."""
    for _ in range(_STEPS):
        if not await step():
            return
        await asyncio.sleep(pause_s)


class QueueGauges:
    """What lies before the posts, as metrics. A queue that has been seen reads 0 once it is empty."""

    def __init__(self, store: Store, telemetry: Telemetry, clock: Clock) -> None:
        self._store, self._telemetry, self._clock = store, telemetry, clock
        self._posts: set[str] = set()

    async def look(self) -> None:
        telemetry, found = self._telemetry, await self._store.open_alerts()
        standing = {(within(each.tenant, each.post or NOBODY), each.severity): each for each in found}
        self._posts |= {post for post, _ in standing}
        for post in self._posts:
            for severity in Severity:
                each = standing.get((post, severity))
                age = max(0, self._clock.now() - each.oldest_at) / 1000 if each else 0
                telemetry.gauge("alerts_open", each.count if each else 0, severity=severity, post=post)
                telemetry.gauge("alert_oldest_open_seconds", age, severity=severity, post=post)
                for clock, late in (("claim", each.unclaimed), ("decide", each.undecided)) if each else _IN_TIME:
                    telemetry.gauge("sla_overdue", late, clock=clock, severity=severity, post=post)
        telemetry.gauge("alerts_unrouted", sum(each.unrouted for each in found))


async def _either(stop: asyncio.Event, seconds: float) -> None:
    """Until it is to stop, or this time has passed."""
    with suppress(TimeoutError):
        await asyncio.wait_for(stop.wait(), max(0, seconds))
