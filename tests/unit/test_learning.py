"""Trainings that a service is asked for: one of a tenant at a time, in a process of its own, each told how it went."""

import asyncio
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest

from monitor.adapters.storage.database import Database
from monitor.adapters.storage.trainings import SqlTrainings
from monitor.bootstrap.learning import learn_aside
from monitor.domain.errors import Conflict, InputError, NotFound, RuleError, StorageError
from monitor.services.learning import KeptTrainings, Learning, Learnt, Stage, Training
from tests.fakes.trainings import MemoryTrainings
from tests.faults.inside import START
from tests.functional.fakes import FakeClock
from tests.unit.test_lifecycle import Kept

LEARNT = Learnt(model="agency/1", against="base/1", lines=3, comparisons={"held-out test": "better"})


@pytest.fixture(params=["memory", "sql"])
async def trainings(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[KeptTrainings]:
    if request.param == "memory":
        yield MemoryTrainings()
        return
    database = await Database.open(tmp_path / "store.db")
    yield SqlTrainings(database)
    await database.close()


class House:
    """A process of a service. Trainings wait until they are told what they give."""

    def __init__(self, trainings: KeptTrainings) -> None:
        self.began: list[str] = []
        self.ends: dict[str, asyncio.Future[Learnt]] = {}
        self.reloads, self.refuses, self.logger = 0, False, Kept()
        self.clock = FakeClock()
        self.clock.ms = START
        self.learning = Learning(self.train, trainings, self.kept, clock=self.clock, logger=self.logger)

    async def train(self, tenant: str, by: str) -> Learnt:
        self.began.append(f"{tenant} by {by}")
        self.ends[tenant] = asyncio.get_running_loop().create_future()
        return await self.ends[tenant]

    async def kept(self) -> None:
        self.reloads += 1
        if self.refuses:
            raise RuleError([])

    async def until(self, tenant: str, stage: Stage) -> None:
        async with asyncio.timeout(10):
            while (await self.learning.latest(tenant)).stage is not stage:
                await asyncio.sleep(0)


async def test_one_of_a_tenant_at_a_time_and_others_in_turn(trainings: KeptTrainings) -> None:
    house = House(trainings)
    with pytest.raises(NotFound):
        await house.learning.latest("agency")
    asked = await house.learning.start("agency", by="li")
    assert (asked.tenant, asked.stage, asked.by, asked.asked_at, asked.ended_at) == (
        "agency", Stage.WAITING, "li", START, None)
    other = await house.learning.start("other", by="wang")
    await house.until("agency", Stage.RUNNING)
    assert await house.learning.latest("other") == other and house.began == ["agency by li"]
    for tenant in ("agency", "other"):
        with pytest.raises(Conflict, match=f"for {tenant} is under way"):
            await house.learning.start(tenant, by="li")
    house.ends["agency"].set_result(LEARNT)
    await house.until("agency", Stage.KEPT)
    ended = await house.learning.latest("agency")
    assert (ended.learnt, ended.ended_at) == (LEARNT, START)
    await house.until("other", Stage.RUNNING)
    assert (await house.learning.start("agency", by="li")).stage is Stage.WAITING, "the next one"
    await house.learning.close()


@pytest.mark.parametrize("refuses", [True, False])
async def test_a_candidate_that_is_kept_is_tried_at_once(trainings: KeptTrainings, refuses: bool) -> None:
    house = House(trainings)
    house.refuses = refuses
    await house.learning.start("agency", by="li")
    await house.until("agency", Stage.RUNNING)
    house.ends["agency"].set_result(LEARNT)
    await house.until("agency", Stage.KEPT)
    assert house.reloads == 1
    await house.learning.start("agency", by="li")
    await house.until("agency", Stage.RUNNING)
    house.ends["agency"].set_result(msgspec.structs.replace(LEARNT, refused="it is better on nothing"))
    await house.until("agency", Stage.REFUSED)
    assert house.reloads == 1, "nothing is there to be tried"


@pytest.mark.parametrize("error, told", [(InputError("too few labels", hint="send more"), "too few labels (send more)"),
                                         (ValueError("secret"), "something went wrong inside; the log has it")])
async def test_a_training_that_fails_says_so_and_changes_nothing(
    trainings: KeptTrainings, error: Exception, told: str
) -> None:
    house = House(trainings)
    await house.learning.start("agency", by="li")
    await house.until("agency", Stage.RUNNING)
    house.ends["agency"].set_exception(error)
    await house.until("agency", Stage.FAILED)
    failed = await house.learning.latest("agency")
    assert (failed.fault, failed.learnt, house.reloads) == (told, None, 0)
    await house.learning.start("agency", by="li")
    await house.until("agency", Stage.RUNNING)
    await house.learning.close()


async def test_every_process_tells_how_it_goes_and_starts_no_second_one(trainings: KeptTrainings) -> None:
    here, there = House(trainings), House(trainings)
    await here.learning.start("agency", by="li")
    await here.until("agency", Stage.RUNNING)
    assert (await there.learning.latest("agency")).stage is Stage.RUNNING
    with pytest.raises(Conflict):
        await there.learning.start("agency", by="wang")
    here.ends["agency"].set_result(LEARNT)
    await there.until("agency", Stage.KEPT)
    assert (await there.learning.latest("agency")).learnt == LEARNT and there.reloads == 0
    await there.learning.start("agency", by="wang")
    await there.until("agency", Stage.RUNNING)
    await there.learning.close()
    stopped = await here.learning.latest("agency")
    assert (stopped.stage, stopped.by) == (Stage.FAILED, "wang") and "ended meanwhile" in stopped.fault


async def test_one_whose_process_died_is_no_longer_under_way(trainings: KeptTrainings) -> None:
    here, there = House(trainings), House(trainings)
    await trainings.begin(Training(tenant="agency", stage=Stage.RUNNING, by="li", asked_at=START), silent=0)
    there.clock.ms += 30_000
    with pytest.raises(Conflict):
        await here.learning.start("agency", by="wang")
    assert (await there.learning.latest("agency")).stage is Stage.RUNNING
    there.clock.ms += 1
    assert (await there.learning.latest("agency")).stage is Stage.FAILED
    there.clock.ms += 1
    assert (await there.learning.start("agency", by="wang")).by == "wang"
    await trainings.change(Training(tenant="agency", stage=Stage.KEPT, by="li", asked_at=START), alive_at=None)
    assert (await there.learning.latest("agency")).by == "wang", "what wakes too late changes nothing"
    await there.learning.close()


async def test_a_store_that_refuses_ends_no_training() -> None:
    class Refusing(MemoryTrainings):
        async def change(self, training: Training, *, alive_at: int | None) -> None:
            raise StorageError("away")

    house = House(Refusing())
    await house.learning.start("agency", by="li")
    async with asyncio.timeout(10):
        while "agency" not in house.ends:
            await asyncio.sleep(0)
        house.ends["agency"].set_result(LEARNT)
        while not house.reloads:
            await asyncio.sleep(0)
    await house.learning.close()


async def test_no_name_of_a_tenant(trainings: KeptTrainings) -> None:
    with pytest.raises(InputError, match="no name of a tenant"):
        await House(trainings).learning.start("../x", by="li")


# --- the process


def command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str) -> Path:
    """Stands for the interpreter; it is given what `redpost retrain` would be."""
    path = tmp_path / "python"
    path.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    path.chmod(0o700)
    monkeypatch.setattr(sys, "executable", str(path))
    return tmp_path


async def test_the_command_is_run_for_the_tenant_and_its_answer_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked, answer = f'echo "$@ $REDPOST_MODEL__DIR" > {tmp_path}/asked', msgspec.json.encode(LEARNT).decode()
    data = command(tmp_path, monkeypatch, f"{asked}; echo '{answer}'; exit 1")
    assert await learn_aside("agency", "li", data=data, model="none") == LEARNT
    assert (tmp_path / "asked").read_text(encoding="utf-8") == (
        f"-m monitor retrain --json --tenant agency --by li --data {data} none\n")


@pytest.mark.parametrize("script, error, told", [
    ("kill -9 $$", StorageError, "ended by SIGKILL; nothing was kept"),
    ('echo "[info] x" >&2; echo "error: too few labels" >&2; echo "hint: send more" >&2; exit 2', InputError,
     "^too few labels \\(send more\\)$"),
    ("echo Traceback >&2; echo ValueError >&2; exit 1", InputError, "ValueError"), ("exit 70", InputError, "a word")])
async def test_what_comes_of_no_training_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str, error: type[Exception], told: str
) -> None:
    data = command(tmp_path, monkeypatch, script)
    with pytest.raises(error, match=told):
        await learn_aside("agency", "li", data=data, model="")


async def test_a_stop_ends_the_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = command(tmp_path, monkeypatch, f"echo $$ > {tmp_path}/new; mv {tmp_path}/new {tmp_path}/pid; exec sleep 600")
    task = asyncio.create_task(learn_aside("agency", "li", data=data, model=""))
    async with asyncio.timeout(20):
        while not (tmp_path / "pid").exists():
            await asyncio.sleep(0.01)
    number = (tmp_path / "pid").read_text(encoding="utf-8").strip()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert not Path("/proc", number).exists()
