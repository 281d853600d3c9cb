"""A pytest plugin (-p tests.parts.on_postgres): what opens a store in a file gets a database of PostgreSQL's instead,
the same one for the same path. For running whole suites that were written for SQLite."""

from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from monitor.adapters.storage.database import Database
from monitor.adapters.storage.postgres import PostgresDatabase

if TYPE_CHECKING:
    from tests.parts.postgres import Cluster

_urls: dict[Path, str] = {}
_open = ExitStack()
_clusters: list["Cluster"] = []


@pytest.fixture(autouse=True)
async def _forget() -> Any:
    yield
    for url in _urls.values():
        await _clusters[0].drop(url)
    _urls.clear()


def pytest_sessionstart() -> None:
    from tests.parts.postgres import own_postgres  # a plugin itself: pytest is the first to import it

    cluster = _open.enter_context(own_postgres())
    _clusters.append(cluster)

    async def opened(place: Path | str, **_: Any) -> Database:
        if isinstance(place, Path):
            if place not in _urls:
                _urls[place] = await cluster.fresh()
                place.touch()  # some look for it before they open it
            place = _urls[place]
        return await PostgresDatabase.opened(place)

    Database.open = staticmethod(opened)  # type: ignore[method-assign]


def pytest_sessionfinish() -> None:
    _open.close()
