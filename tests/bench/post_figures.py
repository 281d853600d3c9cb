"""A hundred thousand alerts over 31 days: how long the figures page waits for what it reads, nothing else running.

Each is an answer to GET /figures with the bytes that go out; `compared` is what the page asks for at once when it
compares with a time before in which as many came. BENCH_FIGURES stores another number of alerts, BENCH_DATA names a
folder that an earlier run has filled.
"""

import asyncio
import os
import random
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from msgspec.structs import replace

from monitor.adapters.storage.database import Database
from monitor.adapters.storage.figures import SqlFigures
from monitor.adapters.storage.posts import SqlPosts
from monitor.adapters.web.errors import json_answer
from monitor.domain.people import Actor, Grant, Role
from monitor.services.cases import Case
from monitor.services.figures import LONGEST_MS, Figures
from monitor.services.lifecycle import ModelList, ModelState
from tests.bench.post_queue import DAY, NOW, SEED, Standing, fill, one_case, organisation, p95, timed
from tests.faults.streams import engine_of

ALERTS: Final = int(os.environ.get("BENCH_FIGURES", "100000"))
LIVE_SHARE: Final = 50
"""One of so many waits for somebody."""
ASKED: Final[dict[str, dict[str, Any]]] = {
    "month": {"since": NOW - LONGEST_MS}, "week": {"since": NOW - 7 * DAY}, "day": {},
    "post": {"since": NOW - LONGEST_MS, "post": "content-review"},
    "unit": {"since": NOW - LONGEST_MS, "unit": "team7"}, "room": {"since": NOW - LONGEST_MS, "room": "r77"},
}


def every_case(rng: random.Random) -> Iterator[Case]:
    """Decided some seconds to an hour after they came, a few not yet."""
    for n in range(ALERTS):
        case = one_case(rng, n, NOW - rng.randrange(LONGEST_MS), live=n % LIVE_SHARE == 0)
        if case.review.ruling is not None:
            took = rng.randrange(5_000, 3_600_000)
            review = replace(case.review, taken_at=case.alert.at + took // 2,
                             ruling=replace(case.review.ruling, at=case.alert.at + took))
            case = replace(case, kept=replace(case.kept, review=review))
        yield case


async def no_models() -> ModelList:
    return ModelList([], ModelState())


async def run() -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(os.environ.get("BENCH_DATA", folder)) / "figures.db"
        full = path.exists()
        database = await Database.open(path)
        if not full:
            await fill(database, every_case(random.Random(SEED)))
        engine = engine_of()
        figures = Figures(SqlFigures(database), await organisation(SqlPosts(database)), lambda: engine, no_models,
                          Standing())
        lead = Actor(id="p7", tenant="agency", grants=(Grant(Role.LEAD),))

        async def answer(**where: int | str) -> None:
            json_answer(await figures.of(lead, **where))  # type: ignore[arg-type]

        async def compared() -> None:
            await asyncio.gather(answer(**ASKED["month"]), answer(**ASKED["month"]))

        found = {name: p95(await timed(lambda where=where: answer(**where), 20))  # type: ignore[misc]
                 for name, where in ASKED.items()}
        report = {"alerts": ALERTS, "p95_ms": {**found, "compared": p95(await timed(compared, 20))}}
        await database.close()
    return report


def told(report: dict[str, Any]) -> str:
    return f"{report['alerts']:,} alerts over 31 days; p95 in ms: {report['p95_ms']}"
