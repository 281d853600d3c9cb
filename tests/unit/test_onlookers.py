"""Who has a page open, and what they look at: known at every process, forgotten with the process that told."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from monitor.adapters.storage.database import Database
from monitor.adapters.storage.onlookers import SqlGatherings
from monitor.adapters.storage.store import SqlStore
from monitor.domain.alerts import Alert
from monitor.domain.errors import StorageError
from monitor.services.onlookers import HOLDS_MS, KEPT_MS, Gathering, Look, Onlookers, SharedOnlookers
from tests.contract.test_store import Writer, finding
from tests.functional.fakes import FakeClock, alert


class Pages:
    def __init__(self) -> None:
        self.open: dict[str, frozenset[str]] = {}
        self.seen: list[tuple[str, str]] = []

    def listening(self) -> dict[str, frozenset[str]]:
        return self.open

    def look(self, alert: Alert, by: str) -> None:
        self.seen.append((alert.id, by))

    def shown(self) -> list[tuple[str, str]]:
        seen, self.seen = self.seen, []
        return seen


class Counted(SqlGatherings):
    """Counts what is written, and refuses while `away`."""

    written = 0
    away = False

    async def keep(self, process: str, gathering: Gathering, *, now: int, until: int) -> None:
        if self.away:
            raise StorageError("away")
        self.written += 1
        await super().keep(process, gathering, now=now, until=until)


class Processes:
    """Two; three alerts are stored, of two tenants."""

    def __init__(self, database: Database, alerts: list[Alert]) -> None:
        self.alerts, self.clock, self.rows = alerts, FakeClock(), Counted(database)
        self.here, self.there = Pages(), Pages()
        self.one = SharedOnlookers(self.here, self.rows, self.clock, process="one")
        self.other = SharedOnlookers(self.there, self.rows, self.clock, process="other")

    async def share(self, ms: int = 0) -> None:
        self.clock.ms += ms
        await self.one.share()
        await self.other.share()


@pytest.fixture
async def both(tmp_path: Path) -> AsyncIterator[Processes]:
    database = await Database.open(tmp_path / "store.db")
    writer = await Writer.of(SqlStore(database))
    found = await writer(finding("a"), finding("b"), finding("c", tenant="agency"))
    yield Processes(database, [update.alert for update in found])
    await database.close()


@pytest.mark.parametrize("shared", [False, True])
async def test_at_home_all_is_known_at_once(both: Processes, shared: bool) -> None:
    onlookers = both.one if shared else Onlookers(both.here)
    both.here.open = {"local": frozenset(["wang"])}
    assert onlookers.listening("local") == {"wang"} and not onlookers.listening("agency")
    onlookers.look(alert(1), "wang")
    assert both.here.shown() == [(alert(1).id, "wang")]


async def test_what_is_looked_at_elsewhere_is_shown_once_to_those_who_listen(both: Processes) -> None:
    a, b, c = both.alerts
    both.here.open, both.there.open = {"local": frozenset(["wang"])}, {"local": frozenset(["lin"])}
    both.one.look(a, "wang")
    both.one.look(b, "chen")
    both.one.look(c, "xu")  # nobody of the agency listens there
    await both.share()
    await both.share()
    assert both.there.shown() == [(b.id, "chen"), (a.id, "wang")]
    both.clock.ms += 1
    both.one.look(b, "wang")
    both.one.look(alert(7, tenant="local"), "gone")  # of which there is no alert
    await both.share()
    assert both.there.shown() == [(b.id, "wang")]
    assert len(both.here.shown()) == 5, "its own are not shown again at home"


async def test_those_with_a_page_are_known_everywhere(both: Processes) -> None:
    both.here.open, both.there.open = {"local": frozenset(["wang"])}, {"local": frozenset(["lin"])}
    await both.share()
    await both.share()
    assert both.one.listening("local") == both.other.listening("local") == {"wang", "lin"}
    assert both.other.listening("agency") == set()
    both.here.open = {}
    await both.share()
    assert both.other.listening("local") == {"lin"}


async def test_who_tells_no_more_fades(both: Processes) -> None:
    both.here.open = {"local": frozenset(["wang"])}
    await both.one.share()
    await both.other.share()
    both.clock.ms += KEPT_MS - 1
    assert both.other.listening("local") == {"wang"}
    both.clock.ms += 1
    assert both.other.listening("local") == set(), "also where the store does not answer any more"
    both.there.open = {"local": frozenset(["lin"])}
    await both.other.share()  # whoever tells takes what has faded away
    assert await both.rows.others("x", 0) == {"other": (Gathering({"local": ["lin"]}, []), both.clock.ms + KEPT_MS)}


async def test_what_has_not_changed_is_not_written(both: Processes) -> None:
    await both.share()
    assert both.rows.written == 0, "nobody is here"
    both.here.open = {"local": frozenset(["wang"])}
    await both.share()
    await both.share(3_999)
    assert both.rows.written == 1
    await both.share(1)
    assert both.rows.written == 2, "kept alive"
    both.one.look(both.alerts[0], "wang")
    await both.share()
    await both.share()
    assert both.rows.written == 3
    await both.share(HOLDS_MS)
    (found, _), = (await both.rows.others("x", both.clock.ms)).values()
    assert found.looks == [], "pages have forgotten it"


async def test_a_store_that_is_away_is_told_when_it_is_back(both: Processes) -> None:
    both.here.open = both.there.open = {"local": frozenset(["wang"])}
    both.rows.away = True
    both.one.look(both.alerts[0], "wang")
    assert both.here.shown()
    with pytest.raises(StorageError):
        await both.one.share()
    both.rows.away = False
    await both.share(100)
    assert both.there.shown() == [(both.alerts[0].id, "wang")]


async def test_many_who_look_are_bounded(both: Processes) -> None:
    for n in range(2_100):
        both.one.look(both.alerts[0], f"p{n}")
    await both.one.share()
    (found, _), = (await both.rows.others("x", both.clock.ms)).values()
    assert len(found.looks) == 2_000 and found.looks[-1] == Look("local", both.alerts[0].id, "p2099", both.clock.ms)
