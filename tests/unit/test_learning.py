"""Trainings that a service is asked for: one of a tenant at a time, in a process of its own, each told how it went."""

import asyncio
import sys
from pathlib import Path

import msgspec
import pytest

from monitor.bootstrap.learning import learn_aside
from monitor.domain.errors import Conflict, InputError, NotFound, RuleError, StorageError
from monitor.services.learning import Learning, Learnt, Stage
from tests.faults.inside import START, Clock
from tests.unit.test_lifecycle import Kept

LEARNT = Learnt(model="agency/1", against="base/1", lines=3, comparisons={"held-out test": "better"})


class House:
    """Trainings wait until they are told what they give."""

    def __init__(self) -> None:
        self.began: list[str] = []
        self.ends: dict[str, asyncio.Future[Learnt]] = {}
        self.reloads, self.refuses, self.logger = 0, False, Kept()
        self.learning = Learning(self.train, self.kept, clock=Clock(), logger=self.logger)

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
            while self.learning.latest(tenant).stage is not stage:
                await asyncio.sleep(0)


async def test_one_of_a_tenant_at_a_time_and_others_in_turn() -> None:
    house = House()
    with pytest.raises(NotFound):
        house.learning.latest("agency")
    asked = house.learning.start("agency", by="li")
    assert (asked.tenant, asked.stage, asked.by, asked.asked_at, asked.ended_at) == (
        "agency", Stage.WAITING, "li", START, None)
    other = house.learning.start("other", by="wang")
    await house.until("agency", Stage.RUNNING)
    assert house.learning.latest("other") == other and house.began == ["agency by li"]
    for tenant in ("agency", "other"):
        with pytest.raises(Conflict, match=f"for {tenant} is under way"):
            house.learning.start(tenant, by="li")
    house.ends["agency"].set_result(LEARNT)
    await house.until("agency", Stage.KEPT)
    assert (house.learning.latest("agency").learnt, house.learning.latest("agency").ended_at) == (LEARNT, START)
    await house.until("other", Stage.RUNNING)
    assert house.learning.start("agency", by="li").stage is Stage.WAITING, "the next one"
    await house.learning.close()


@pytest.mark.parametrize("refuses", [True, False])
async def test_a_candidate_that_is_kept_is_tried_at_once(refuses: bool) -> None:
    house = House()
    house.refuses = refuses
    house.learning.start("agency", by="li")
    await house.until("agency", Stage.RUNNING)
    house.ends["agency"].set_result(LEARNT)
    await house.until("agency", Stage.KEPT)
    assert house.reloads == 1
    house.learning.start("agency", by="li")
    await house.until("agency", Stage.RUNNING)
    house.ends["agency"].set_result(msgspec.structs.replace(LEARNT, refused="it is better on nothing"))
    await house.until("agency", Stage.REFUSED)
    assert house.reloads == 1, "nothing is there to be tried"


@pytest.mark.parametrize("error, told", [(InputError("too few labels", hint="send more"), "too few labels (send more)"),
                                         (ValueError("secret"), "something went wrong inside; the log has it")])
async def test_a_training_that_fails_says_so_and_changes_nothing(error: Exception, told: str) -> None:
    house = House()
    house.learning.start("agency", by="li")
    await house.until("agency", Stage.RUNNING)
    house.ends["agency"].set_exception(error)
    await house.until("agency", Stage.FAILED)
    assert (house.learning.latest("agency").fault, house.learning.latest("agency").learnt, house.reloads) == (
        told, None, 0)
    house.learning.start("agency", by="li")
    await house.until("agency", Stage.RUNNING)
    await house.learning.close()


async def test_no_name_of_a_tenant() -> None:
    with pytest.raises(InputError, match="no name of a tenant"):
        House().learning.start("../x", by="li")


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
