"""Dry runs that several processes share: each shows how those of all go, and stops them."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, cast

import pytest
from msgspec.structs import replace

from monitor.adapters.rulefiles import load_sources
from monitor.adapters.storage.database import Database
from monitor.adapters.storage.dry_runs import SqlDryRuns
from monitor.domain.alerts import GroupingSettings
from monitor.domain.errors import Conflict, NotFound, StorageError
from monitor.domain.people import Actor
from monitor.services.dryrecords import DryRun, KeptRuns, RunState, RunThis
from monitor.services.dryrun import DryRuns
from monitor.services.organising import Organising
from monitor.services.ports import Archive
from monitor.services.ruletrying import RuleTrial
from tests.fakes.posts import MemoryPosts
from tests.fakes.rule_edits import MemoryDryRuns
from tests.faults.harness import RULES
from tests.faults.inside import Quiet
from tests.faults.streams import engine_of
from tests.functional.fakes import FakeClock

PATH = "shop/lowest.yml"
THIS = RunThis(path=PATH, text=(RULES / PATH).read_text(encoding="utf-8"))
ONE, OTHER = Actor(id="op", tenant="local"), Actor(id="xu", tenant="local")
RUN = DryRun(path=PATH, digest="", hours=2, by="op", asked_at=10)


class Gate:
    """An archive that gives one slice for each `step`."""

    def __init__(self, clock: FakeClock) -> None:
        self.clock = clock
        self._turns: asyncio.Queue[int] = asyncio.Queue()
        self._asked = asyncio.Event()

    async def search(self, tenant: str, query: Any) -> list[Any]:
        self._asked.set()
        self.clock.ms += await self._turns.get()
        return []

    async def step(self, ms: int) -> None:
        """One slice more, which takes so long."""
        await self._asked.wait()
        self._asked.clear()
        self._turns.put_nowait(ms)
        await self._asked.wait()

    def open(self) -> None:
        for _ in range(200):
            self._turns.put_nowait(0)


class Processes:
    """Two, with one store."""

    def __init__(self, kept: KeptRuns) -> None:
        self.kept, self.clock, self.posts = kept, FakeClock(), MemoryPosts()
        self.gate = Gate(self.clock)
        self.one, self.other = self.process(), self.process()

    def process(self) -> DryRuns:
        archive = cast(Archive, self.gate)
        return DryRuns(RuleTrial(archive, load_sources, engine_of, self.clock), archive,
                       Organising(self.posts, self.clock, {}), engine_of, self.posts, self.clock, Quiet(),
                       GroupingSettings(), self.kept)

    def last_deed(self) -> tuple[str, str]:
        deed = self.posts.trail["local"][-1].deed
        return deed.what, deed.by


@pytest.fixture(params=["memory", "sql"])
async def kept(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[KeptRuns]:
    if request.param == "memory":
        yield MemoryDryRuns()
        return
    database = await Database.open(tmp_path / "store.db")
    yield SqlDryRuns(database)
    await database.close()


async def test_what_has_ended_changes_no_more(kept: KeptRuns) -> None:
    assert await kept.run("a", PATH) is None and not await kept.change("a", RUN, alive_at=11)
    await kept.begin("a", RUN, since=0, most=9)
    assert await kept.change("a", replace(RUN, done=0.5), alive_at=12)
    for tenant, run in (("b", RUN), ("a", replace(RUN, asked_at=9)), ("a", replace(RUN, path="other.yml"))):
        assert not await kept.change(tenant, run, alive_at=12)
    found = await kept.run("a", PATH)
    assert found is not None and (found.run.done, found.alive_at) == (0.5, 12)
    assert await kept.change("a", replace(RUN, state=RunState.DONE), alive_at=None)
    assert not await kept.change("a", RUN, alive_at=13)
    await kept.begin("a", replace(RUN, asked_at=20), since=0, most=9)
    await kept.abandon()
    assert not await kept.change("a", replace(RUN, asked_at=20), alive_at=21)


async def test_any_process_shows_how_far_it_is_and_starts_no_second_one(kept: KeptRuns) -> None:
    both = Processes(kept)
    await both.one.start(ONE, THIS)
    await both.gate.step(900)
    assert (await both.other.latest("local", PATH)).done == 0, "a store is not told of each slice"
    await both.gate.step(900)
    shown = await both.other.latest("local", PATH)
    assert (shown.state, shown.done) == (RunState.RUNNING, 2 / 12) and shown == await both.one.latest("local", PATH)
    for process in (both.one, both.other):
        with pytest.raises(Conflict):
            await process.start(OTHER, THIS)
    both.gate.open()
    await asyncio.gather(cast("asyncio.Task[None]", both.one._task))
    shown = await both.other.latest("local", PATH)
    assert shown.state is RunState.DONE and await both.other.to_confirm(OTHER, PATH, THIS.text.encode()) is None
    with pytest.raises(Conflict):
        await both.other.stop(OTHER, PATH)


@pytest.mark.parametrize("at", ["one", "other"])
async def test_any_process_stops_it(kept: KeptRuns, at: str) -> None:
    both = Processes(kept)
    with pytest.raises(NotFound):
        await both.other.stop(OTHER, PATH)
    await both.one.start(ONE, THIS)
    await both.gate.step(2_000)
    stopped = await getattr(both, at).stop(OTHER, PATH)
    for process in (both.one, both.other):
        assert await process.latest("local", PATH) == stopped and stopped.state is RunState.STOPPED
    if at == "other":
        both.gate.open()
    await asyncio.wait([cast("asyncio.Task[None]", both.one._task)])
    assert (await both.one.latest("local", PATH)).state is RunState.STOPPED
    assert both.last_deed() == ("rule.dry_run_stop", "xu")
    await both.other.start(OTHER, THIS)
    await both.other.close()


async def test_one_whose_process_died_is_interrupted(kept: KeptRuns) -> None:
    both = Processes(kept)
    await both.one.start(ONE, THIS)
    await both.gate.step(2_000)
    both.clock.ms += 30_000
    assert (await both.other.latest("local", PATH)).state is RunState.RUNNING
    both.clock.ms += 1
    assert (await both.other.latest("local", PATH)).state is RunState.INTERRUPTED
    assert (await both.one.latest("local", PATH)).state is RunState.RUNNING, "it knows better"
    await both.other.start(OTHER, THIS)  # in its place
    await both.one.close()
    assert (await both.one.latest("local", PATH)).by == "xu"
    await both.other.close()
    assert (await both.one.latest("local", PATH)).state is RunState.INTERRUPTED


async def test_one_that_a_process_leaves_is_interrupted_at_once(kept: KeptRuns) -> None:
    both = Processes(kept)
    await both.one.start(ONE, THIS)
    await both.gate.step(2_000)
    await both.other.abandon()
    assert (await both.process().latest("local", PATH)).state is RunState.INTERRUPTED
    await both.one.close()


async def test_the_process_knows_how_one_ended_that_the_store_did_not_take() -> None:
    kept = MemoryDryRuns()
    both = Processes(kept)
    await both.one.start(ONE, THIS)
    kept.fail = StorageError("the disk is full")
    both.gate.open()
    await asyncio.gather(cast("asyncio.Task[None]", both.one._task))
    assert (await both.one.latest("local", PATH)).state is RunState.DONE
    assert (await both.other.latest("local", PATH)).state is RunState.RUNNING
