"""Rules that have earned it cue by themselves, when an alert of theirs opens."""

import asyncio
from collections import deque
from collections.abc import Sequence
from typing import Final

from monitor.domain.alerts import AlertState
from monitor.domain.errors import RedpostError
from monitor.services.cueing import CueDesk, CueStore
from monitor.services.ports import Logger, Publisher, Telemetry
from monitor.services.records import Update

_MOST_WAITING: Final = 5_000
_KNOWN_TURNS: Final = 40
_TURN_S: Final = 0.25


class RuleCues:
    """Implements `Publisher`: passes updates on, and minds what opens. Used from one event loop."""

    def __init__(self, further: Publisher, store: CueStore, telemetry: Telemetry, logger: Logger) -> None:
        self._further, self._store = further, store
        self._telemetry, self._logger = telemetry, logger
        self._earned: set[tuple[str, str]] = set()
        self._waiting: deque[tuple[str, str]] = deque()

    def publish(self, updates: Sequence[Update]) -> None:
        self._further.publish(updates)
        self.mind(updates)

    def mind(self, updates: Sequence[Update]) -> None:
        """What opens here may be cued."""
        for update in updates:
            alert = update.alert
            if update.what != "opened" or (alert.tenant, alert.rule) not in self._earned:
                continue
            if alert.state is not AlertState.OPEN:
                continue
            if len(self._waiting) >= _MOST_WAITING:
                self._telemetry.count("cues_total", result="dropped")
            else:
                self._waiting.append((alert.tenant, alert.id))

    async def run(self, desk: CueDesk) -> None:
        turn = 0
        while True:
            try:
                if turn % _KNOWN_TURNS == 0:
                    await self.learn()
                await self.tell(desk)
            except RedpostError as error:  # the disk refuses: the cue comes a little later
                self._logger.warning("rule_cue_failed", error=str(error))
            turn += 1
            await asyncio.sleep(_TURN_S)

    async def learn(self) -> None:
        """Which rules have earned it by now."""
        self._earned = await self._store.earned()

    async def tell(self, desk: CueDesk) -> None:
        """What has opened since."""
        while self._waiting:
            await desk.by_rule(*self._waiting[0])
            self._waiting.popleft()
