"""Trainings that a running service was asked for: one of a tenant at a time, all others in turn, each told how it went.

The work is done by a process of its own (`Train`), so that judging goes on beside it. Whatever becomes of that process,
what serves stays as it is: a training only keeps a candidate.
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from enum import StrEnum

from msgspec import Struct
from msgspec.structs import replace

from monitor.domain import tenants
from monitor.domain.errors import ConfigError, Conflict, InputError, NotFound, RedpostError
from monitor.services.ports import Clock, Logger


class Stage(StrEnum):
    WAITING = "waiting"
    RUNNING = "running"
    KEPT = "kept"
    REFUSED = "refused"
    FAILED = "failed"


UNDER_WAY = frozenset((Stage.WAITING, Stage.RUNNING))


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


Train = Callable[[str, str], Awaitable[Learnt]]
"""Trains for (tenant, who asked). Raises RedpostError where nothing came of it."""


class Learning:
    """`kept`: called after a candidate was kept, so that the engine tries it."""

    def __init__(self, train: Train, kept: Callable[[], Awaitable[object]], *, clock: Clock, logger: Logger) -> None:
        self._train, self._kept, self._clock, self._logger = train, kept, clock, logger
        self._one_at_a_time = asyncio.Lock()
        self._latest: dict[str, Training] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def start(self, tenant: str, *, by: str) -> Training:
        """Returns at once. Raises Conflict where this tenant's is under way."""
        try:
            tenants.checked(tenant)
        except ConfigError as error:
            raise InputError(error.message, hint=error.hint) from error
        known = self._latest.get(tenant)
        if known is not None and known.stage in UNDER_WAY:
            raise Conflict(f"a training for {tenant} is under way", hint="GET /api/v1/models/retrain tells how it goes")
        self._latest[tenant] = asked = Training(
            tenant=tenant, stage=Stage.WAITING, by=by, asked_at=self._clock.now())
        task = asyncio.create_task(self._run(asked))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return asked

    def latest(self, tenant: str) -> Training:
        """Raises NotFound where this service was not asked for one since its start."""
        if tenant not in self._latest:
            raise NotFound(f"no training for {tenant[:80]} was asked for since the service was started",
                           hint="POST /api/v1/models/retrain asks for one; the log tells of earlier ones")
        return self._latest[tenant]

    async def close(self) -> None:
        """End what is under way; nothing of it is kept."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _run(self, asked: Training) -> None:
        async with self._one_at_a_time:
            self._latest[asked.tenant] = replace(asked, stage=Stage.RUNNING)
            try:
                learnt = await self._train(asked.tenant, asked.by)
            except RedpostError as error:
                ended = replace(asked, stage=Stage.FAILED, fault=str(error))
                self._logger.warning("training_failed", tenant=asked.tenant, by=asked.by, error=str(error))
            except Exception as error:
                ended = replace(asked, stage=Stage.FAILED, fault="something went wrong inside; the log has it")
                self._logger.error("training_failed", tenant=asked.tenant, by=asked.by, error=repr(error),
                                   exc_info=error)
            else:
                ended = replace(asked, stage=Stage.REFUSED if learnt.refused else Stage.KEPT, learnt=learnt)
                self._logger.info("training_ended", tenant=asked.tenant, by=asked.by, model=learnt.model,
                                  refused=learnt.refused, figures=learnt.comparisons)
            if ended.stage is Stage.KEPT:
                with suppress(RedpostError):  # said and counted in reload
                    await self._kept()
            self._latest[asked.tenant] = replace(ended, ended_at=self._clock.now())
