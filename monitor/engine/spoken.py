"""Where a shared context is heard by itself, whatever rules make of it."""

from typing import NamedTuple

import numpy as np

from monitor.domain.rules import Side
from monitor.engine.batch import Batch
from monitor.engine.conditions import genuine, heard
from monitor.engine.engineset import EngineSet
from monitor.engine.sightings import among
from monitor.engine.views import Views, span_of


class Spoken(NamedTuple):
    """Event `event` of the batch has it. `looks_back`: in words that speak of what was said before them."""

    event: int
    looks_back: bool


def spoken(engine: EngineSet, batch: Batch, name: str) -> list[Spoken]:
    """The events in which the context of this name is heard; none where the rules have no such context."""
    context = next((each for each in engine.contexts if each.context.name == name), None)
    count = len(batch.starts)
    if context is None or not count:
        return []
    views, owner = Views(engine.tables, batch.text), -1 - context.index
    texts = engine.matcher.everywhere(views, batch.starts)
    seen = texts.ask(among(np.arange(count), owner, count, engine.matcher.owners))
    begins, found = batch.starts.tolist(), []
    for event in range(count):
        hits = heard(context, genuine(seen.of(event, owner), views), views, span_of(event, begins, views)).hits
        if hits:
            back = any(context.context.parts[hit.selection].side is not Side.BEFORE for hit in hits)
            found.append(Spoken(event, back))
    return found
