"""A real PostgreSQL for a session, with a database at the newest revision for whoever asks."""

import asyncio
import itertools
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import asyncpg
import pytest

from monitor.adapters.storage.postgres import migrate_to_head
from tests.parts.running import free_ports, script

TEMPLATE = "redpost_template"
_numbers = itertools.count(1)


class Cluster:
    """`url` is its superuser's."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.url = script("postgres.sh", "start", "--data", str(folder), "--port", str(free_ports(1)))
        self._templated = False

    def of(self, name: str) -> str:
        return f"{self.url.rsplit('/', 1)[0]}/{name}"

    async def empty(self) -> str:
        """The URL of a new database without a table."""
        name = f"test_{os.getpid()}_{next(_numbers)}"
        await self._do(f"CREATE DATABASE {name} TEMPLATE template0 LOCALE 'C.UTF-8'")
        return self.of(name)

    async def fresh(self, *, template: str = "") -> str:
        """The URL of a new database at the newest revision, or as this one is (to which nobody is connected)."""
        if not self._templated:
            await self._do(f"DROP DATABASE IF EXISTS {TEMPLATE}",
                           f"CREATE DATABASE {TEMPLATE} TEMPLATE template0 LOCALE 'C.UTF-8'")
            await migrate_to_head(self.of(TEMPLATE))
            self._templated = True
        name = f"test_{os.getpid()}_{next(_numbers)}"
        await self._do(f"CREATE DATABASE {name} TEMPLATE {template.rpartition('/')[2] or TEMPLATE}")
        return self.of(name)

    async def drop(self, url: str) -> None:
        await self._do(f"DROP DATABASE {url.rsplit('/', 1)[1]} WITH (FORCE)")

    def stop(self, *, now: bool = False) -> None:
        script("postgres.sh", "stop", "--data", str(self.folder), *(["--now"] if now else []))

    def start(self) -> None:
        script("postgres.sh", "start", "--data", str(self.folder), "--port", self.url.rsplit(":", 1)[1].split("/")[0])

    async def _do(self, *statements: str) -> None:
        connection = await asyncpg.connect(self.url)
        try:
            for statement in statements:
                await connection.execute(statement)
        finally:
            await connection.close()


@contextmanager
def own_postgres() -> Iterator[Cluster]:
    """One that nobody else uses, and nothing of it afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="redpost-postgres-"))  # not in pytest's folder, which is root's alone
    folder.chmod(0o755)
    try:
        yield Cluster(folder)
    finally:
        script("postgres.sh", "stop", "--data", str(folder), "--now")
        shutil.rmtree(folder)


@pytest.fixture(scope="session")
def postgres() -> Iterator[Cluster]:
    with own_postgres() as cluster:
        yield cluster


@pytest.fixture
def fresh_url(postgres: Cluster) -> Iterator[str]:
    """Of a database for this test alone."""
    url = asyncio.run(postgres.fresh())
    yield url
    asyncio.run(postgres.drop(url))
