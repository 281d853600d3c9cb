"""Ingest and Detect in this process, on memory or on real files, that lose everything but their data at any step.

A crash ends the loop that judges by an error at a named point and drops every object; what is opened again afterwards
sees only the log, the store and the archive's files.
"""

import asyncio
import shutil
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any, Final, Protocol
from zoneinfo import ZoneInfo

import msgspec

from monitor.adapters.bus.embedded import LogSettings, open_log
from monitor.adapters.rulefiles import RuleFolder
from monitor.adapters.storage.archive import ParquetArchive
from monitor.adapters.storage.store import SqlStore
from monitor.domain.alerts import GroupingSettings
from monitor.domain.frames import Entry, Swap, Tick
from monitor.domain.rules import Status
from monitor.engine.engineset import EngineSet
from monitor.services.bundles import Bundle
from monitor.services.context import REACH_MS
from monitor.services.detect import Detect, DetectSettings
from monitor.services.evidence import EvidenceDesk
from monitor.services.ingest import Ingest, IngestSettings
from monitor.services.ports import Archive, Log, Store
from monitor.services.pseudonyms import KEY_BYTES, Pseudonyms
from monitor.services.records import AlertFilter, ArchiveQuery, Update
from tests.fakes.archive import MemoryArchive
from tests.fakes.log import MemoryLog
from tests.fakes.store import MemoryStore
from tests.faults.harness import RULES, Item, body_of
from tests.faults.streams import ZONE, tables

CORRELATIONS: Final = Path(__file__).with_name("correlations")
"""Rules over several events: only where no clock but the test's own moves time."""
SHADOWS: Final = frozenset((Status.SHADOW,))
TENANT: Final = "local"
START: Final = 1_800_000_000_000
Line = tuple[int, str, int]
"""Lane, event, revision."""
GROUPING: Final = GroupingSettings(gap_ms=4_000, longest_ms=9_000)


class Crash(Exception):
    pass


class Clock:
    def __init__(self, now: int = START) -> None:
        self.time = now

    def now(self) -> int:
        return self.time


class Quiet:
    """Telemetry and logger that keep nothing; `shed` counts what was not judged."""

    def __init__(self) -> None:
        self.shed = 0.0

    def count(self, metric: str, amount: float = 1, /, **labels: str) -> None:
        if metric == "shed_total":
            self.shed += amount

    def observe(self, metric: str, value: float, /, **labels: str) -> None: ...

    def gauge(self, metric: str, value: float, /, **labels: str) -> None: ...

    def info(self, event: str, **facts: Any) -> None: ...

    def warning(self, event: str, **facts: Any) -> None: ...

    def error(self, event: str, **facts: Any) -> None: ...


@cache
def _sets() -> list[tuple[EngineSet, Bundle]]:
    folder = RuleFolder(RULES, rooms=None, zone=ZONE)
    plain = folder.read()
    over_time = {f"shop/{path.name}": path.read_bytes() for path in CORRELATIONS.glob("*.yml")}
    over_time |= {f"shop/tried_{rule.name}": tried(rule)
                  for rule in (RULES / "shop/lowest.yml", CORRELATIONS / "often.yml")}
    whole = msgspec.structs.replace(plain, files=plain.files | over_time)
    less = msgspec.structs.replace(
        whole, files={path: data for path, data in whole.files.items() if path != "shop/rank.yml"})
    return [(EngineSet(folder.parse(bundle)[0], tables(), zone=ZoneInfo(ZONE), beside=SHADOWS), bundle)
            for bundle in (plain, whole, less)]


def tried(rule: Path) -> bytes:
    """The same in the shadow."""
    text = rule.read_text("utf-8").replace("status: active", "status: shadow")
    return text.replace(f"id: shop.{rule.stem}", f"id: shop.tried_{rule.stem}").encode()


def engines() -> dict[str, EngineSet]:
    """By version: the fault tests' rules, then the same with correlations and rules in the shadow, then these with one
    rule less."""
    return {engine.version: engine for engine, _ in _sets()}


def bundles() -> dict[str, Bundle]:
    """By version, what `engines` are made of."""
    return {engine.version: bundle for engine, bundle in _sets()}


class House(Protocol):
    """Data that outlives a crash."""

    async def open(self) -> tuple[Log, Store, Archive]: ...

    async def close(self) -> None:
        """Let go of files without writing anything that is not written yet."""
        ...


class _Forgetful(MemoryArchive):
    """Loses what is not flushed."""

    def crash(self) -> None:
        self._frames = {key: rows for key, rows in self._frames.items() if key in self._flushed}


class MemoryHouse:
    def __init__(self) -> None:
        self.log, self.store, self.archive = MemoryLog(), MemoryStore(), _Forgetful()

    async def open(self) -> tuple[Log, Store, Archive]:
        return self.log, self.store, self.archive

    async def close(self) -> None:
        self.archive.crash()


class FileHouse:
    """The real adapters. `template`: an empty store of today's schema, since making one takes long."""

    def __init__(self, folder: Path, template: Path) -> None:
        self._folder = folder
        folder.mkdir()
        shutil.copy(template, folder / "store.db")

    async def open(self) -> tuple[Log, Store, Archive]:
        self.store = await SqlStore.open(self._folder / "store.db")
        self.log = await open_log(LogSettings(path=self._folder / "log.db", cache_bytes=20_000), logger=Quiet(),
                                  on_fatal=lambda error: None)
        self.archive = await ParquetArchive.open(self._folder / "archive", log=Quiet())
        return self.log, self.store, self.archive

    async def close(self) -> None:
        await self.archive.close()
        await self.log.close()
        await self.store.close()


async def make_template(path: Path) -> None:
    store = await SqlStore.open(path)
    await store.close()


class World:
    """One service on one house. `entries`: everything that was ever appended to the log, in order."""

    def __init__(self, house: House, *, detect: DetectSettings, ingest: IngestSettings, now: int = START) -> None:
        self.house = house
        self.clock = Clock(now)
        self.entries: list[Entry] = []
        self.rules = next(iter(engines()))
        self.telemetry = Quiet()
        self.published: list[Update] = []
        self._detect_settings, self._ingest_settings = detect, ingest
        self._armed: tuple[str, int] | None = None
        self._judging: asyncio.Task[None] | None = None

    async def open(self, *, swap: bool = True) -> None:
        self.log, self.store, self.archive = await self.house.open()
        tail = await self.log.read(after=len(self.entries), lane=None, events=10**9)
        self.entries += [numbered.entry for numbered in tail]  # what was under way when it died
        self._armed = None
        engine = engines()[self.rules]

        async def engine_of(version: str) -> EngineSet:
            return engines()[version]

        self.detect = Detect(
            log=_Recording(self.log, self), store=self.store, archive=self.archive, publisher=self,
            telemetry=self.telemetry, logger=Quiet(), clock=self.clock, engine=engine, engine_of=engine_of,
            settings=self._detect_settings, failpoint=self._failpoint)
        await self.detect.start()
        if swap:
            await self.append([Swap(self.clock.now(), engine.version)])
        self.ingest = Ingest(
            log=_Recording(self.log, self), pseudonyms=Pseudonyms(lambda tenant: bytes(KEY_BYTES)), clock=self.clock,
            telemetry=self.telemetry, settings=self._ingest_settings, backlog=self.detect.backlog,
            unwritten=self.detect.unwritten)
        self._judging = asyncio.create_task(self.detect.run())

    async def append(self, entries: Sequence[Entry]) -> int:
        last = await self.log.append(entries)
        self.entries += entries
        assert last >= len(self.entries)
        return last

    def publish(self, updates: Sequence[Update]) -> None:
        self.published += updates

    def arm(self, point: str, passes: int) -> None:
        """Die at this pass of this point from now on."""
        self._armed = (point, passes)

    def _failpoint(self, name: str, events: int = 0) -> None:
        if self._armed is not None and self._armed[0] == name:
            self._armed = (name, self._armed[1] - 1)
            if not self._armed[1]:
                raise Crash(name)

    @property
    def dead(self) -> bool:
        return self._judging is None or self._judging.done()

    async def crash(self) -> None:
        """Now, wherever it is."""
        assert self._judging is not None
        others = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in others:
            task.cancel()
        ended = await asyncio.gather(*others, return_exceptions=True)
        unexpected = [end for end in ended if isinstance(end, Exception) and not isinstance(end, Crash)]
        if self._judging.done() and not self._judging.cancelled():
            end = self._judging.exception()
            unexpected += [end] if isinstance(end, Exception) and not isinstance(end, Crash) else []
        self._judging = None
        await self.house.close()
        if unexpected:
            raise unexpected[0]

    async def stop(self) -> None:
        """As a SIGTERM does."""
        assert self._judging is not None
        self.detect.stop()
        await self._judging
        self._judging = None

    async def send(self, batch: Sequence[Item]) -> None:
        """Returns once it is acknowledged."""
        receipt = await self.ingest.accept(TENANT, body_of(batch))
        assert not receipt.rejected_total and receipt.accepted + receipt.duplicates == len(batch), receipt

    async def swap(self, rules: str) -> None:
        """A reload."""
        self.rules = rules
        await self.append([Swap(self.clock.now(), rules)])

    async def settle(self) -> None:
        """Until everything in the log is judged, or the crash that is armed has come."""
        while not self.dead and (self.detect.backlog(0) or self.detect.backlog(1)):
            await asyncio.sleep(0.001)

    async def rest(self) -> None:
        """Until the time that it is now, too, is judged by both lanes, and what that gave is committed."""
        await self.settle()
        now = self.clock.now()
        while not self.dead:
            ticks = [n for n, e in enumerate(self.entries, 1) if isinstance(e, Tick) and e.accepted_at >= now]
            last = max(ticks, default=0)
            if last and min(cursor.read for cursor in self.detect._state.cursors) >= last:
                break
            await asyncio.sleep(0.001)
        while not self.dead and self.detect._committer.busy:
            await asyncio.sleep(0.001)

    async def trim(self) -> None:
        await self.log.trim(before=self.detect.trimmable, accepted_before=self.clock.now() + 1, max_bytes=0)

    async def seen(self) -> "Seen":
        """What can be seen once everything is judged and committed."""
        pages, cursor = [], None
        while True:
            page = await self.store.alerts(TENANT, AlertFilter(), cursor=cursor, limit=50)
            pages += page.alerts
            cursor = page.next
            if cursor is None:
                break
        desk = EvidenceDesk(self.store, self.detect, lambda: engines()[self.rules]) if self._judging else None
        alerts: dict[str, tuple[object, ...]] = {}  # when a missing statement is noticed, what comes again decides, too
        lines: dict[str, tuple[int, int, list[Line]]] = {}
        for alert in pages:
            found = await (desk or self.store).evidence(TENANT, alert.id)
            assert found is not None
            seen_at = 0 if alert.scope == "broadcast" else alert.accepted_at
            told = msgspec.structs.replace(found.alert, accepted_at=seen_at)
            alerts[alert.id] = (told, [f.id for f in found.findings],
                                [f.engine_set for f in found.findings])
            times = [alert.at, alert.last_at, *(finding.at for finding in found.findings)]
            around = sorted((line.lane, line.event_id, line.revision) for line in found.context)
            lines[alert.id] = min(times) - REACH_MS, max(times) + REACH_MS, around
        kept = await self.archive.search(TENANT, ArchiveQuery(limit=100_000))
        names = [(event.id, event.revision) for event in kept]
        assert len(names) == len(set(names))
        return Seen(alerts, lines, {(e.id, e.revision): (e.text, e.broadcast, e.sampled_out, e.at) for e in kept})


class Seen(msgspec.Struct):
    """`alerts`: with their findings and which engine set found them · `lines`: (since, until, what was said) around
    each · `kept`: the archive."""

    alerts: dict[str, tuple[object, ...]]
    lines: dict[str, tuple[int, int, list[Line]]]
    kept: dict[tuple[str, int], tuple[str, str, bool, int]]


class _Recording:
    """The log, whose appends the world remembers."""

    def __init__(self, log: Log, world: World) -> None:
        self._log, self.append = log, world.append

    def __getattr__(self, name: str) -> Any:
        return getattr(self._log, name)


async def replayed(entries: Sequence[Entry], *, now: int) -> Seen:
    """What one uninterrupted pass over these entries of a log gives: large batches, no snapshot, no rest."""
    house = MemoryHouse()
    await house.log.append(entries)
    never = 10**15
    world = World(house, now=now, ingest=IngestSettings(), detect=DetectSettings(
        snapshot_ms=never, commit_ms=never, archive_ms=never, tick_ms=20, linger_s=0, grouping=GROUPING))
    world.rules = next(entry.version for entry in entries if isinstance(entry, Swap))
    await world.open(swap=False)
    await world.rest()
    await world.stop()
    return await world.seen()
