"""What of a batch is judged at once: the events of one classifier, and no more text than memory allows."""

from typing import NamedTuple

import numpy as np

from monitor.engine.batch import Batch, in_portions
from monitor.engine.engineset import EngineSet
from monitor.engine.views import Index


class Share(NamedTuple):
    """Event i of `batch` is event `events[i]` (int64) of the whole, and is judged by `engine`."""

    engine: EngineSet
    batch: Batch
    events: Index


def shares(engine: EngineSet, batch: Batch, most: int) -> list[Share]:
    """Each event of the batch in one of them; at most `most` code points each, or one event. A batch of one classifier
    that is no longer is its own share."""
    found: list[Share] = []
    for own, events in _by_classifier(engine, batch):
        if events.size == len(batch.starts) and len(batch.text) <= most:
            return [Share(own, batch, events)]
        found += [Share(own, some, some.events) for some in in_portions(batch, events, most)]
    return found


def _by_classifier(engine: EngineSet, batch: Batch) -> list[tuple[EngineSet, Index]]:
    every = np.arange(len(batch.starts))
    if not engine.own:
        return [(engine, every)]
    runs = batch.tenants()
    sets = list({id(own): own for own in (engine.of(tenant) for tenant, _ in runs)}.values())
    if len(sets) < 2:
        return [(sets[0] if sets else engine, every)]
    numbers = {id(own): number for number, own in enumerate(sets)}
    of = np.repeat([numbers[id(engine.of(tenant))] for tenant, _ in runs], [size for _, size in runs])
    return [(own, np.flatnonzero(of == number)) for number, own in enumerate(sets)]
