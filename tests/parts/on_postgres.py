"""A pytest plugin (-p tests.parts.on_postgres): what opens a store in a file gets a database of PostgreSQL's instead,
the same one for the same path. For running whole suites that were written for SQLite."""

import shutil
from pathlib import Path
from typing import Any

import pytest

from monitor.adapters.storage.database import Database
from monitor.adapters.storage.postgres import PostgresDatabase
from tests.parts.postgres import Cluster, started

_urls: dict[Path, str] = {}
_cluster: tuple[Cluster, Path] | None = None


@pytest.fixture(autouse=True)
async def _forget() -> Any:
    yield
    if _cluster is not None:
        for url in _urls.values():
            await _cluster[0].drop(url)
    _urls.clear()


def pytest_sessionstart() -> None:
    global _cluster
    _cluster = started()
    cluster = _cluster[0]

    async def opened(place: Path | str, **_: Any) -> Database:
        if isinstance(place, Path):
            if place not in _urls:
                _urls[place] = await cluster.fresh()
                place.touch()  # some look for it before they open it
            place = _urls[place]
        return await PostgresDatabase.opened(place)

    Database.open = staticmethod(opened)  # type: ignore[method-assign]


def pytest_sessionfinish() -> None:
    if _cluster is not None:
        _cluster[0].stop(now=True)
        shutil.rmtree(_cluster[1])
