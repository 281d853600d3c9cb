"""What is held back, on a database."""

from monitor.adapters.storage import storms
from monitor.adapters.storage.database import Database
from monitor.services.cases import Placing


class SqlHolds:
    """Implements `Holds`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def standing_storms(self) -> list[tuple[str, str, str]]:
        return await self._database.read(storms.standing)

    async def calm(self, placing: Placing, now: int) -> int:
        return await self._database.run(lambda connection: storms.calm(connection, placing.raging(now), now))
