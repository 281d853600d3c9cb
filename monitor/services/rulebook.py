"""The rules in force: compiled aside, checked, kept by version, and swapped by an entry in the log.

Every version that ever judged is kept in the store with its sources, so that a re-read of the log judges by the same.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from enum import StrEnum
from typing import Final

import msgspec
from msgspec import Struct

from monitor.domain.audit import SYSTEM, Deed
from monitor.domain.errors import ConfigError, RedpostError
from monitor.domain.frames import Swap
from monitor.domain.rules import RoomContext
from monitor.domain.tenants import LOCAL
from monitor.engine.databases import Databases
from monitor.engine.engineset import EngineSet
from monitor.engine.scorer import Scorer
from monitor.engine.views import ViewTables
from monitor.services.bundles import Bundle, in_rooms, packed
from monitor.services.making import UNTRIED, Models, NoModels, RuleSource, Scorers, Shadows, compiled
from monitor.services.ports import Clock, Logger, Sink, Store, Telemetry
from monitor.services.shadows import shadow_rules

_KEPT: Final = 3


class Why(StrEnum):
    """What brought the service to load its rules anew by itself."""
    SIGNAL = "signal"
    FILES = "files"


async def _nowhere(bundle: Bundle, check: bool) -> None:
    """Compile nothing elsewhere."""


class ReloadResult(Struct, frozen=True):
    version: str
    previous: str
    changed: bool
    rules: int


class Rulebook:
    """Compiles off the event loop; `current` is the newest set that passed, `shadow_of` a model that is tried beside.

    `aside` may compile into the cache elsewhere first, with what checking needs or without; what it does not do is
    done here.
    """

    def __init__(
        self, source: RuleSource, store: Store, tables: ViewTables, *, logger: Logger, telemetry: Telemetry,
        clock: Clock, models: Models | None = None, databases: Databases | None = None,
        aside: Callable[[Bundle, bool], Awaitable[None]] = _nowhere, after_compiling: Callable[[], None] = lambda: None,
        rooms: Callable[[], list[RoomContext]] = list,
        record: Callable[[Sequence[Deed]], Awaitable[None]] | None = None,
    ) -> None:
        """`rooms`: what records say of rooms now; called on a thread of its own. `record`: writes into the trail."""
        self._source, self._store, self._tables, self._models = source, store, tables, models or NoModels()
        self._logger, self._telemetry, self._clock = logger, telemetry, clock
        self._databases = databases or Databases()
        self._aside, self._after_compiling, self._rooms, self._record = aside, after_compiling, rooms, record
        self._compiled: OrderedDict[str, EngineSet] = OrderedDict()
        self._busy, self._making = asyncio.Lock(), asyncio.Lock()
        self._blind = False  # the files can't be looked at
        self._read = ""  # the fingerprint of the files that were read last, whatever came of them
        self._current: EngineSet | None = None
        self._base: EngineSet | None = None  # what `current` is without what records say of rooms
        self._shadows, self._shadows_of = UNTRIED, ""  # the fingerprint that they were read at

    @property
    def current(self) -> EngineSet:
        if self._current is None:
            raise RuntimeError("load() first")
        return self._current

    def shadow_of(self, tenant: str) -> Scorer | None:
        """The model that is tried on this tenant's events. One for all is tried where the one for all judges."""
        return self._shadows.of(tenant)

    async def follow_shadows(self) -> None:
        """Try what is to be tried now, also where another process loads the rules; cheap enough to ask every second.
        What cannot be looked at stays as it is."""
        with suppress(RedpostError):
            found = await asyncio.to_thread(self._models.fingerprint)
            if found != self._shadows_of:
                self._shadows_of = found
                self._shadows = await asyncio.to_thread(self._tried)

    async def load(self) -> EngineSet:
        """Read, check, compile and keep what the files say now. Raises RuleError; nothing changes then."""
        self._read = await self._fingerprint(self._read)  # before reading: what changes meanwhile is seen by `watch`
        bundle = await asyncio.to_thread(self._source.read)
        scorers = await asyncio.to_thread(self._models.serving)
        await self._aside(bundle, True)
        bundle = msgspec.structs.replace(
            bundle, model=scorers.every.version if scorers.every else "",
            own={tenant: scorer.version for tenant, scorer in sorted(scorers.own.items())})
        base = await asyncio.to_thread(self._made, bundle, scorers, check=True)
        tried = shadow_rules(base.ruleset.all(), self._clock.now())
        await self._store.save_rule_set(base.version, msgspec.msgpack.encode(bundle), tried)
        engine = await self._in_rooms(base)
        self._shadows = await asyncio.to_thread(self._tried)
        self._telemetry.gauge("shadow_rules", len(tried))
        for reason, amount in engine.not_evaluated.items():
            self._telemetry.gauge("rules_not_evaluated", amount, reason=reason)
        self._telemetry.gauge("reload_last_success_timestamp_seconds", self._clock.now() / 1000)
        return engine

    async def _in_rooms(self, base: EngineSet) -> EngineSet:
        """With what records say of rooms now; kept by its version, which names that of `base`."""
        records = await asyncio.to_thread(lambda: packed(self._rooms()))
        engine = await asyncio.to_thread(in_rooms, base, records, self._current)
        if engine is not base and engine is not self._current:
            bundle = Bundle({}, b"", str(base.zone), base=base.version, records=records)
            await self._store.save_rule_set(engine.version, msgspec.msgpack.encode(bundle))
        self._keep(engine.version, engine)
        self._base, self._current = base, engine
        return engine

    async def refresh_rooms(self, log: Sink) -> ReloadResult:
        """Let the rules that judge know what records say of rooms now; no file is read."""
        return await self._swapped(log, self._load_rooms)

    async def _load_rooms(self) -> EngineSet:
        if self._base is None:
            raise RuntimeError("load() first")
        return await self._in_rooms(self._base)

    async def reload(self, log: Sink) -> ReloadResult:
        """Load, and let the new set judge from here on in the log. A fault leaves the old one judging."""
        return await self._swapped(log, self.load)

    async def reload_unasked(self, log: Sink, why: Why) -> ReloadResult:
        """The same where no request stands behind it, with a row of the trail of whoever runs the service."""
        result = await self.reload(log)
        if self._record is not None:
            await self._record([Deed(tenant=LOCAL, by=SYSTEM, at=self._clock.now(), what="rules.reload",
                                     on=result.version, facts={"previous": result.previous, "why": why.value})])
        return result

    async def _swapped(self, log: Sink, load: Callable[[], Awaitable[EngineSet]]) -> ReloadResult:
        async with self._busy:
            serving, base = self.current, self._base
            previous = serving.version
            try:
                engine = await load()
                changed = engine.version != previous
                if changed:
                    await log.append([Swap(self._clock.now(), engine.version)])
            except RedpostError as error:
                self._current, self._base = serving, base
                self._telemetry.count("reload_failures_total")
                self._logger.error("reload_failed", error=str(error), serving=previous)
                raise
            except Exception as error:  # a fault of redpost that some rule brings out: no reason to stop judging
                self._current, self._base = serving, base
                self._telemetry.count("reload_failures_total")
                self._logger.error("reload_failed", error=repr(error), serving=previous, exc_info=error)
                raise ConfigError("the rules can't be loaded, by a fault of redpost itself; the old ones stay in use",
                                  hint="take the last change back; the log has what happened") from error
            if changed:
                self._logger.info("reloaded", version=engine.version, rules=engine.judging)
            return ReloadResult(engine.version, previous, changed, engine.judging)

    async def watch(self, log: Sink, *, every_s: float, stop: asyncio.Event) -> None:
        """Reload when a file changed since it was read and has stayed as it is for one round."""
        seen = self._read
        while not stop.is_set():
            try:
                await asyncio.wait_for(stop.wait(), every_s)
            except TimeoutError:
                now = await self._fingerprint(seen)
                if now == seen and now != self._read:
                    try:
                        await self.reload_unasked(log, Why.FILES)
                    except RedpostError as error:  # said and counted in reload; the old set goes on judging
                        if error.retryable:
                            self._read = ""
                        continue
                seen = now

    def _tried(self) -> Shadows:
        try:
            return self._models.shadows()
        except RedpostError as error:
            self._logger.warning("shadow_not_loaded", error=str(error))
            return UNTRIED

    def _looked_at(self) -> str:
        return f"{self._source.fingerprint()} {self._models.fingerprint()}"

    async def _fingerprint(self, before: str) -> str:
        """`before` where the files can't be looked at: nothing is known to have changed."""
        try:
            found = await asyncio.to_thread(self._looked_at)
        except RedpostError as error:
            if not self._blind:
                self._logger.warning("rules_not_watched", error=str(error))
            self._blind = True
            return before
        self._blind = False
        return found

    async def adopt(self, version: str) -> None:
        """From now on this is `current`: another process said that it judges. While rules are being loaded here,
        nothing changes. Raises ConfigError."""
        if not self._busy.locked() and (self._current is None or version != self._current.version):
            async with self._busy:
                engine = await self.engine_of(version)
                bundle = msgspec.msgpack.decode(await self._store.rule_set(version) or b"", type=Bundle)
                self._base = await self.engine_of(bundle.base) if bundle.base else engine
                self._current = engine
            self._logger.info("rules_adopted", version=version)

    async def engine_of(self, version: str) -> EngineSet:
        """The set of this version, made once however many ask. Raises ConfigError where its sources are not stored."""
        async with self._making:
            return await self._engine_of(version)

    async def _engine_of(self, version: str) -> EngineSet:
        for known in (self._current, self._base):
            if known is not None and version == known.version:
                return known
        if version in self._compiled:
            self._compiled.move_to_end(version)
            return self._compiled[version]
        sources = await self._store.rule_set(version)
        if sources is None:
            raise ConfigError(f"the log was judged by engine set {version}, whose rules are not in the store",
                              hint="restore the store that belongs to this log, or start with an empty data folder")
        bundle = msgspec.msgpack.decode(sources, type=Bundle)
        if bundle.base:
            base = await self._engine_of(bundle.base)
            engine = await asyncio.to_thread(in_rooms, base, bundle.records)
            sources = msgspec.msgpack.encode(msgspec.structs.replace(bundle, base=base.version))
        else:
            await self._aside(bundle, False)
            engine = await asyncio.to_thread(lambda: self._made(bundle, self._scorers_of(bundle), check=False))
        if engine.version != version:
            self._logger.warning("engine_set_differs", asked=version, compiled=engine.version)
            await self._store.save_rule_set(engine.version, sources)  # the snapshots will name this one
        self._keep(version, engine)
        return engine

    def _scorers_of(self, bundle: Bundle) -> Scorers:
        """Those that judged; for one that is not kept any more, what serves now."""
        own = {tenant: self._scorer_of(version, tenant) for tenant, version in bundle.own.items()}
        every = self._scorer_of(bundle.model, "") if bundle.model else None
        return Scorers(every, {tenant: scorer for tenant, scorer in own.items() if scorer is not None})

    def _scorer_of(self, version: str, tenant: str) -> Scorer | None:
        scorer = self._models.of(version)
        if scorer is None:
            scorer = self._models.serving().of(tenant)
            self._logger.warning("model_differs", asked=version, taken=scorer.version if scorer else "")
        return scorer

    def _made(self, bundle: Bundle, scorers: Scorers, *, check: bool) -> EngineSet:
        engine = compiled(self._source, bundle, self._tables, self._databases, scorers, check=check)
        self._databases.release()
        self._after_compiling()
        return engine

    def _keep(self, version: str, engine: EngineSet) -> None:
        """At most `_KEPT`, without those that were asked for longest ago; what serves is kept beside them."""
        self._compiled[version] = engine
        self._compiled.move_to_end(version)
        while len(self._compiled) > _KEPT:
            self._compiled.popitem(last=False)
