"""The folder that workers write judged events into goes away and comes back."""

from pathlib import Path

from monitor.adapters.storage.gathered import GatheredArchive
from monitor.services.records import ArchiveQuery
from tests.faults.cluster import TENANT, Scene
from tests.faults.harness import until
from tests.faults.staging import EVENTS, stage, stopped
from tests.faults.streams import cut, stream

__all__ = ["stage"]


async def test_alerts_come_meanwhile_and_lines_afterwards(stage: Scene, tmp_path: Path) -> None:
    shared = tmp_path / "shared"
    worker = stage.worker(data__shared=shared)
    worker.start()
    batches = cut(stream(9, EVENTS), 100)
    await stage.send(batches[:20])
    await stage.settled()
    away = tmp_path / "away"
    (shared / "archive").rename(away)
    (shared / "archive").write_text("the mount is gone")
    await stage.send(batches[20:40])
    await stage.settled()
    await until(lambda: "archive_refused" in worker.output())
    (shared / "archive").unlink()
    away.rename(shared / "archive")
    await stage.send(batches[40:])
    await stage.settled()
    await stopped(stage)
    await stage.check()
    archive = GatheredArchive.of(shared / "archive")
    kept = {event.id for event in await archive.search(TENANT, ArchiveQuery(limit=10 * EVENTS))}
    await archive.close()
    assert kept == {item["id"] for batch in batches for item in batch}
