"""A worker: the partitions that it is given are judged here, each by a `Detect` of its own, until they are taken."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import Any, Final, Protocol

from monitor.engine.engineset import EngineSet
from monitor.services.detect import Detect
from monitor.services.ports import Judgements, Log, Logger, Telemetry
from monitor.services.recovery import EngineOf, first_engine

_NO_RULES_S: Final = 1.0
"""How often a partition looks for its first rule set."""


class Fed(Log, Protocol):
    """A log that is fed with what somebody delivers."""

    async def feed(self, message: Any) -> None: ...

    def messages_after(self, seq: int) -> int:
        """Messages that hold entries with a higher number, of those that were delivered."""
        ...


class Closes(Protocol):
    async def close(self) -> None: ...


class Share:
    """A partition that this worker owns."""

    log: Fed
    detect: Detect | None = None
    task: asyncio.Task[None]

    def __init__(self) -> None:
        self.opened = asyncio.Event()
        self.over = False

    def lag(self) -> int:
        """Messages that are not judged, or not committed."""
        return 0 if self.detect is None else self.log.messages_after(min(self.detect.positions()))


class Owning:
    """Used from one event loop. `failed` is told of whatever ends a partition's judging: the process is to end."""

    def __init__(
        self, *, open_log: Callable[[int], Awaitable[Fed]], store_of: Callable[[int], Judgements], engine_of: EngineOf,
        detect: Callable[[int, Fed, EngineSet], Awaitable[tuple[Detect, Closes]]],
        failed: Callable[[BaseException], None], telemetry: Telemetry, logger: Logger,
    ) -> None:
        """`detect` makes what judges a partition, and gives with it what is to be closed after it."""
        self._open_log, self._store_of, self._engine_of, self._detect = open_log, store_of, engine_of, detect
        self.failed, self._telemetry, self._logger = failed, telemetry, logger
        self.shares: dict[int, Share] = {}

    def judging(self) -> list[Detect]:
        """By partition; those that are still read again are not among them."""
        shares = [share.detect for _, share in sorted(self.shares.items())]
        return [detect for detect in shares if detect is not None and detect.ready]

    async def assigned(self, partitions: Iterable[int]) -> None:
        """From now on these are judged here; those that were before go on."""
        for partition in partitions:
            if partition not in self.shares:
                share = self.shares[partition] = Share()
                share.task = asyncio.create_task(self._own(partition, share))
        self._tell()

    async def revoked(self, partitions: Iterable[int]) -> None:
        """Returns once everything that was judged of them is committed, and nothing of them is written any more."""
        gone = [self.shares.pop(partition) for partition in partitions if partition in self.shares]
        for share in gone:
            share.over = True
            share.opened.set()
            if share.detect is not None and share.detect.ready:
                share.detect.stop()
            else:
                share.task.cancel()
        if gone:
            await asyncio.wait([share.task for share in gone])
        self._tell()

    async def deliver(self, partition: int, message: Any) -> None:
        """Dropped where the partition is not this worker's any more."""
        share = self.shares.get(partition)
        if share is None:
            return
        await share.opened.wait()
        if not share.over:
            await share.log.feed(message)

    def unwritten(self) -> int:
        """Judged events that archives have in memory only."""
        return sum(share.detect.unwritten() for share in self.shares.values() if share.detect is not None)

    async def close(self) -> None:
        await self.revoked(list(self.shares))

    async def _own(self, partition: int, share: Share) -> None:
        try:
            log = share.log = await self._open_log(partition)
            share.opened.set()
            try:
                engine = await self._first_engine(partition, log)
                share.detect, archive = await self._detect(partition, log, engine)
                try:
                    await share.detect.start()
                    if not share.over:
                        self._logger.info("partition_taken", partition=partition, position=share.detect.positions())
                        await share.detect.run()
                finally:
                    await archive.close()
            finally:
                await log.close()
        except Exception as error:
            self.failed(error)

    async def _first_engine(self, partition: int, log: Fed) -> EngineSet:
        """Nothing is judged before a rule set is named."""
        told = False
        while (engine := await first_engine(self._store_of(partition), log, self._engine_of)) is None:
            if not told:
                told = True
                self._logger.warning("no_rules_yet", partition=partition,
                                     hint="the log names no rule set: start a web node, which names its own")
            await asyncio.sleep(_NO_RULES_S)
        return engine

    def _tell(self) -> None:
        self._telemetry.gauge("worker_partitions", len(self.shares))
