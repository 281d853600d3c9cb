"""What carried a classifier's score, as places in the text."""

from collections.abc import Iterable

from msgspec import Struct

from monitor.domain.events import Event
from monitor.engine.batch import EventBatch
from monitor.engine.engineset import EngineSet
from monitor.engine.patterns import contacts
from monitor.engine.scorer import Reason
from monitor.engine.views import Views, without_breaks

_MOST = 5


class Carrying(Struct, frozen=True):
    """Code points [start, end) of the text, and what the n-grams in them added to the log-odds."""

    start: int
    end: int
    text: str
    weight: float


class Why(Struct, frozen=True):
    """A category's probability, from which one on it is enough by itself (`alone`), `amid` the words of a rule that
    nearly holds, and `beside` one that holds, and what carried it, the weightiest first."""

    category: str
    score: float
    alone: float
    beside: float
    amid: float
    carrying: list[Carrying]


def why(engine: EngineSet, event: Event, categories: Iterable[str], *, tenant: str = "local") -> list[Why]:
    """Of those categories that the set's classifier knows, the likeliest first; nothing without one."""
    scorer = engine.scorer
    if scorer is None:
        return []
    batch = EventBatch([event], tenant=tenant)
    views = Views(engine.tables, batch.text)
    found = contacts(views, [0])
    scored = scorer.score(views, batch, found, engine.trades.of(batch))[0]
    scores = dict(zip(scorer.categories, scored.tolist(), strict=True))
    text = without_breaks(event.text)
    limits = scorer.thresholds
    return sorted(
        (Why(name, scores[name], limits[name].alone, limits[name].beside, limits[name].enough_amid,
             carrying(scorer.reasons(views, batch, found, name), text))
         for name in dict.fromkeys(categories) if name in scores), key=lambda each: -each.score)


def carrying(reasons: Iterable[Reason], text: str) -> list[Carrying]:
    """Runs of characters that speak for the category, each n-gram's weight spread over its characters."""
    weights = [0.0] * len(text)
    for start, end, weight in reasons:
        for at in range(start, end):
            weights[at] += weight / (end - start)
    runs: list[Carrying] = []
    start = 0
    for at in range(len(text) + 1):
        if at < len(text) and weights[at] > 0:
            continue
        if start < at:
            runs.append(Carrying(start, at, text[start:at], sum(weights[start:at])))
        start = at + 1
    return sorted(runs, key=lambda run: -run.weight)[:_MOST]
