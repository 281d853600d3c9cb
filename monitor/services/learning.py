"""Trainings that a service was asked for: one of a tenant at a time, all others of a process in turn, each told how it
goes by every process.

The work is done by a process of its own (`Train`), so that judging goes on beside it. Whatever becomes of that process,
what serves stays as it is: a training only keeps a candidate.
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from enum import StrEnum
from typing import Final, Protocol

from msgspec import Struct
from msgspec.structs import replace

from monitor.domain import tenants
from monitor.domain.errors import ConfigError, Conflict, InputError, NotFound, RedpostError, StorageError
from monitor.services.ports import Clock, Logger


class Stage(StrEnum):
    WAITING = "waiting"
    RUNNING = "running"
    KEPT = "kept"
    REFUSED = "refused"
    FAILED = "failed"


class Learnt(Struct, frozen=True, kw_only=True):
    """What a training gave: the candidate and what it was held against. `lines` were learnt; `comparisons` in words, by
    the name of the test; `refused`: why it was not kept, "" where it is and is tried in the shadow."""

    model: str
    against: str
    lines: int
    comparisons: dict[str, str]
    refused: str = ""


class Training(Struct, frozen=True, kw_only=True):
    """Times in UTC ms. `learnt`: once it is kept or refused; `fault`: why it failed, and what to do."""

    tenant: str
    stage: Stage
    by: str
    asked_at: int
    ended_at: int | None = None
    learnt: Learnt | None = None
    fault: str = ""


class KeptTraining(Struct, frozen=True):
    """`alive_at`: when the process that trains last told of it (UTC ms); None once it has ended."""

    training: Training
    alive_at: int | None


class KeptTrainings(Protocol):
    """The latest training of each tenant. Raises StorageError. Times in UTC ms."""

    async def latest(self, tenant: str) -> KeptTraining | None: ...

    async def begin(self, training: Training, *, silent: int) -> bool:
        """In place of the one before; False, and nothing changes, where that one is under way and was told of after
        `silent`."""
        ...

    async def change(self, training: Training, *, alive_at: int | None) -> None:
        """How it stands now; nothing changes where another one has taken its place."""
        ...


Train = Callable[[str, str], Awaitable[Learnt]]
"""Trains for (tenant, who asked). Raises RedpostError where nothing came of it."""


_TELL_S: Final = 5
_SILENT_MS: Final = 30_000
"""What was not told of for so long has ended with its process."""
_INTERRUPTED: Final = "the service that trained ended meanwhile; nothing was kept (ask for it again)"


class Learning:
    """`tried`: called after a candidate was kept, so that the engine tries it."""

    def __init__(
        self, train: Train, kept: KeptTrainings, tried: Callable[[], Awaitable[object]], *, clock: Clock,
        logger: Logger,
    ) -> None:
        self._train, self._kept, self._tried, self._clock, self._logger = train, kept, tried, clock, logger
        self._one_at_a_time = asyncio.Lock()
        self._tasks: set[asyncio.Task[None]] = set()

    async def start(self, tenant: str, *, by: str) -> Training:
        """Returns at once. Raises Conflict where this tenant's is under way anywhere, StorageError."""
        try:
            tenants.checked(tenant)
        except ConfigError as error:
            raise InputError(error.message, hint=error.hint) from error
        now = self._clock.now()
        asked = Training(tenant=tenant, stage=Stage.WAITING, by=by, asked_at=now)
        if not await self._kept.begin(asked, silent=now - _SILENT_MS):
            raise Conflict(f"a training for {tenant} is under way", hint="GET /api/v1/models/retrain tells how it goes")
        task = asyncio.create_task(self._run(asked))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return asked

    async def latest(self, tenant: str) -> Training:
        """Raises NotFound where none was asked for, StorageError."""
        found = await self._kept.latest(tenant)
        if found is None:
            raise NotFound(f"no training for {tenant[:80]} was asked for",
                           hint="POST /api/v1/models/retrain asks for one")
        if found.alive_at is not None and self._clock.now() - found.alive_at > _SILENT_MS:
            return replace(found.training, stage=Stage.FAILED, fault=_INTERRUPTED)
        return found.training

    async def close(self) -> None:
        """End what is under way here; nothing of it is kept."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _run(self, asked: Training) -> None:
        telling = asyncio.create_task(self._tell(asked))
        try:
            async with self._one_at_a_time:
                telling.cancel()
                telling = asyncio.create_task(self._tell(replace(asked, stage=Stage.RUNNING)))
                ended = await self._trained(asked)
            if ended.stage is Stage.KEPT:
                with suppress(RedpostError):  # said and counted in reload
                    await self._tried()
        except asyncio.CancelledError:
            await self._end(telling, replace(asked, stage=Stage.FAILED, fault=_INTERRUPTED))
            raise
        await self._end(telling, ended)

    async def _trained(self, asked: Training) -> Training:
        try:
            learnt = await self._train(asked.tenant, asked.by)
        except RedpostError as error:
            self._logger.warning("training_failed", tenant=asked.tenant, by=asked.by, error=str(error))
            return replace(asked, stage=Stage.FAILED, fault=str(error))
        except Exception as error:
            self._logger.error("training_failed", tenant=asked.tenant, by=asked.by, error=repr(error), exc_info=error)
            return replace(asked, stage=Stage.FAILED, fault="something went wrong inside; the log has it")
        self._logger.info("training_ended", tenant=asked.tenant, by=asked.by, model=learnt.model,
                          refused=learnt.refused, figures=learnt.comparisons)
        return replace(asked, stage=Stage.REFUSED if learnt.refused else Stage.KEPT, learnt=learnt)

    async def _tell(self, training: Training) -> None:
        """Until cancelled, that it is under way."""
        while True:
            with suppress(StorageError):  # told at the next turn
                await self._kept.change(training, alive_at=self._clock.now())
            await asyncio.sleep(_TELL_S)

    async def _end(self, telling: asyncio.Task[None], ended: Training) -> None:
        telling.cancel()
        await asyncio.gather(telling, return_exceptions=True)
        try:
            await self._kept.change(replace(ended, ended_at=self._clock.now()), alive_at=None)
        except StorageError as error:
            self._logger.warning("training_not_kept", tenant=ended.tenant, error=str(error))
