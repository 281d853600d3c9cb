"""What is held back: storms and their end."""

from typing import Protocol

from monitor.services.cases import Placing
from monitor.services.ports import Clock, Telemetry


class Holds(Protocol):
    """Alerts that are held, and what holds them. Raises StorageError."""

    async def standing_storms(self) -> list[tuple[str, str, str]]:
        """(tenant, rule, id) of those that have not ended."""
        ...

    async def calm(self, placing: Placing, now: int) -> int:
        """End the storms that do not rage any more (UTC ms); how many rage."""
        ...


class HoldDesk:
    """Used from one event loop."""

    def __init__(self, holds: Holds, placing: Placing, clock: Clock, telemetry: Telemetry) -> None:
        self._holds, self._placing, self._clock, self._telemetry = holds, placing, clock, telemetry

    async def resume(self) -> None:
        """Storms go on where the last process left them; before anything is placed."""
        raging = {(tenant, rule): storm for tenant, rule, storm in await self._holds.standing_storms()}
        self._placing.resume(raging, self._clock.now())

    async def pass_time(self) -> None:
        """Storms end by calm."""
        self._telemetry.gauge("storm_breakers_open", await self._holds.calm(self._placing, self._clock.now()))
