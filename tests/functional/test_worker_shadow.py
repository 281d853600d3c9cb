"""A model in the shadow where workers judge: each takes it from the shared folder and counts what it judges."""

import asyncio
from collections import Counter
from pathlib import Path
from zoneinfo import ZoneInfo

from prometheus_client.parser import text_string_to_metric_families

from monitor.adapters.ml.folder import save_model
from monitor.adapters.ml.shelf import ModelShelf
from monitor.adapters.rulefiles import load as load_rules
from monitor.bootstrap.worker import Worker
from monitor.domain.events import Event, Kind
from monitor.domain.frames import Frame, build
from monitor.engine.engineset import EngineSet
from monitor.services.lifecycle import Lifecycle
from monitor.settings import load
from tests.fakes.log import MemoryLog
from tests.fakes.registry import tiny_model
from tests.faults.harness import RULES
from tests.faults.inside import START, Clock, Quiet
from tests.faults.streams import ZONE, tables
from tests.functional.fakes import FakeLogger

SAID = "整晚都没有什么好说的大家随便看看"


async def judged(worker: Worker, partition: int, events: int) -> None:
    """One batch of so many events, through what this worker makes for a partition."""
    scorer = ModelShelf(Path(worker.settings.model.dir)).serving().every
    engine = EngineSet(load_rules(RULES), tables(), zone=ZoneInfo(ZONE), scorer=scorer)
    log = MemoryLog()
    detect, archive = await worker._detect(partition, log, engine)  # type: ignore[arg-type]
    await detect.start()
    end = await log.append(frames(events))
    running = asyncio.create_task(detect.run())
    async with asyncio.timeout(20):
        while min(detect.positions()) < end:
            await asyncio.sleep(0.01)
            assert not running.done(), running
    detect.stop()
    await running
    await archive.close()


def frames(many: int) -> list[Frame]:
    events = [Event(id=f"e{i}", kind=Kind.TRANSCRIPT, text=f"{SAID}{i}", at=START) for i in range(many)]
    return build(events, tenant="local", accepted_at=START, pseudonym=str, revision_of=lambda event: 0)


def counted(worker: Worker) -> Counter[str]:
    """Events by what the shadow local/1 made of them, as this worker's metrics tell."""
    families = text_string_to_metric_families(worker.telemetry.render()[0].decode())
    return Counter({sample.labels["result"]: int(sample.value) for family in families for sample in family.samples
                    if sample.name == "redpost_shadow_events_total" and sample.labels["model"] == "local/1"})


async def test_what_workers_count_of_a_shadow_adds_up_to_all_that_they_judged(tmp_path: Path) -> None:
    save_model(tmp_path / "base/1", tiny_model("base/1", bias=-2), "#")
    shelf = ModelShelf(tmp_path / "base/1", tmp_path / "common" / "models")
    shelf.add(tiny_model("local/1", bias=2), "#")

    async def nobody() -> None: ...

    life = Lifecycle(shelf, nobody, clock=Clock(), logger=Quiet())
    workers, clocks = [], []
    for number in range(2):
        settings = load(environ={}, overrides={
            "data.dir": f"{tmp_path}/worker-{number}", "data.shared": f"{tmp_path}/common",
            "bus.brokers": "127.0.0.1:9",
            "model.dir": f"{tmp_path}/base/1", "rules.dir": str(RULES)}).settings
        worker = Worker(settings, logger=FakeLogger())
        worker.folder.mkdir()
        await worker._data()
        worker._judges()
        worker.clients()
        workers.append(worker)
        clocks.append(asyncio.create_task(worker._clocks()))
    try:
        await judged(workers[0], 0, 3)
        assert not counted(workers[0]), "none is tried yet"
        await life.shadow("local/1", by="zhang")
        await tried(workers, present=True)
        workers[0].observer._batches = 0  # the next one is of the sample
        await judged(workers[0], 1, 5)
        await judged(workers[1], 2, 8)
        assert sum((counted(worker) for worker in workers), Counter()) == {"shadow": 13}
        assert workers[0].drift.look in workers[0]._chores()._trims
        workers[0].drift._window = 8
        await workers[0].drift.look()
        assert list((tmp_path / "common/models/spreads").glob("base~1@*.json")), "what the serving one began with"
        await life.shadow("", by="zhang")
        await tried(workers, present=False)
    finally:
        for task in clocks:
            task.cancel()
        for worker in workers:
            await worker.close()


async def tried(workers: list[Worker], *, present: bool) -> None:
    async with asyncio.timeout(20):
        while not all((worker.rulebook.shadow_of("local") is not None) == present for worker in workers):
            await asyncio.sleep(0.02)
