"""What a model makes of labelled lines, and with rules beside it."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Protocol

import numpy as np

from monitor.domain.events import Event, Kind, Role, Speaker
from monitor.engine.alone import long_enough
from monitor.engine.batch import EventBatch
from monitor.engine.engineset import EngineSet
from monitor.engine.patterns import contacts
from monitor.engine.pipeline import judge
from monitor.engine.scorer import Scorer
from monitor.engine.views import Views, ViewTables
from monitor.services.measures import Bools, Floats

_AT_ONCE = 512


class Line(Protocol):
    """What a classifier reads."""

    @property
    def text(self) -> str: ...

    @property
    def kind(self) -> Kind: ...

    @property
    def speaker(self) -> Role: ...

    @property
    def vertical(self) -> str: ...


def probabilities(scorer: Scorer, tables: ViewTables, lines: Sequence[Line]) -> Floats:
    """float32[n, categories]"""
    found = [np.zeros((0, len(scorer.categories)), np.float32)]
    column = {name: i for i, name in enumerate(scorer.verticals)}
    trades, first = np.array([column.get(line.vertical, -1) for line in lines], dtype=np.int64), 0
    for batch in batches(lines):
        views, last = Views(tables, batch.text), first + len(batch)
        found.append(scorer.score(views, batch, contacts(views, batch.starts.tolist()), trades[first:last]))
        first = last
    return np.concatenate(found)


def enough(tables: ViewTables, lines: Sequence[Line]) -> Bools:
    """bool[n]: is so much of the line read that a score may find something by itself?"""
    found = [np.zeros(0, dtype=bool)]
    for batch in batches(lines):
        views = Views(tables, batch.text)
        found.append(long_enough(views, batch.starts, contacts(views, batch.starts.tolist(), ())))
    return np.concatenate(found)


def findings(engine: EngineSet, lines: Sequence[Line], categories: Sequence[str], *, now: int) -> Bools:
    """bool[n, categories]: what the rules of the set find, hints at exemptions apart. `now`: UTC ms."""
    found = np.zeros((len(lines), len(categories)), dtype=bool)
    column = {name: i for i, name in enumerate(categories)}
    for i, names in enumerate(categories_of(engine, batches(lines, now))):
        found[i, [column[name] for name in names if name in column]] = True
    return found


def categories_of(engine: EngineSet, some: Iterable[EventBatch]) -> Iterator[set[str]]:
    """Of each event what the rules of the set find, hints at exemptions apart."""
    for batch in some:
        found: list[set[str]] = [set() for _ in range(len(batch))]
        for match in judge(engine, batch).matches:
            if not match.exempt and match.rule.rule.id not in engine.correlations.silenced:
                found[match.event].update(match.rule.rule.category)
        yield from found


def batches(lines: Sequence[Line], now: int = 0) -> list[EventBatch]:
    """Lines as the engine reads them, some at a time. `now`: UTC ms."""
    return batched([Event(id=str(i), kind=line.kind, text=line.text, speaker=Speaker(line.speaker), at=now)
                    for i, line in enumerate(lines)])


def batched(events: Sequence[Event]) -> list[EventBatch]:
    """As many at a time as are judged at the least cost."""
    return [EventBatch(events[first : first + _AT_ONCE]) for first in range(0, len(events), _AT_ONCE)]
