"""How far a classifier's scores lie from those that it gave when it began to judge."""

import asyncio
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

from monitor.domain.errors import RedpostError
from monitor.services.ports import Logger, Telemetry

WINDOW: Final = 20_000
"""Events of a reference, and of what is held against it: by chance alone they differ by some 0.001."""
Spread = NDArray[np.int64]
"""int[categories, buckets]: how many scores lie in each bucket; each event has one score in each category."""


class References(Protocol):
    """The spreads that models began with. Raises StorageError or ConfigError; may wait for a disk."""

    def spread(self, model: str) -> list[list[int]] | None: ...

    def keep_spread(self, model: str, spread: list[list[int]]) -> None:
        """Unless there is one: whoever was first is right."""
        ...


def stability(reference: Spread, now: Spread) -> float:
    """The population stability index of the category that differs most; 0: all is as it was. Half an event more in each
    bucket keeps it finite."""
    p, q = (counts + 0.5 for counts in (reference, now))
    p, q = p / p.sum(axis=1, keepdims=True), q / q.sum(axis=1, keepdims=True)
    return float(((q - p) * np.log(q / p)).sum(axis=1).max())


class Drift:
    """`take` on the loop, `look` from time to time. By version; the first window of a model is its reference, for all
    processes that share `references` and over restarts."""

    def __init__(self, references: References, telemetry: Telemetry, logger: Logger, *, window: int = WINDOW) -> None:
        self._references, self._telemetry, self._logger = references, telemetry, logger
        self._window = window
        self._gathered: dict[str, Spread] = {}

    def take(self, model: str, spread: Spread) -> None:
        known = self._gathered.get(model)
        self._gathered[model] = spread if known is None else known + spread

    async def look(self) -> None:
        """Those with a whole window are held against their reference."""
        whole = {model: spread for model, spread in self._gathered.items() if spread[0].sum() >= self._window}
        for model, spread in whole.items():
            del self._gathered[model]
            try:
                await self._held_against(model, spread)
            except RedpostError as error:
                self._logger.warning("drift_not_told", model=model, error=str(error))

    async def _held_against(self, model: str, spread: Spread) -> None:
        kept = await asyncio.to_thread(self._references.spread, model)
        if kept is None:
            await asyncio.to_thread(self._references.keep_spread, model, spread.tolist())
            return
        reference = np.array(kept, dtype=np.int64)
        if reference.shape == spread.shape:
            self._telemetry.gauge("model_drift", stability(reference, spread), model=model.partition("@")[0])
