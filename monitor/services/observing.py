"""What the classifier's scores look like from a distance: how they are spread, how much of what is said the model has
learnt, and how often a model in the shadow would say the same. Nothing here makes or changes a finding.

The spread is counted in every batch, from the scores that judged it; the rest reads one batch in SAMPLE once more.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Final

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from monitor.domain.events import KINDS, Kind
from monitor.domain.frames import Frame
from monitor.domain.rules import RoomContext
from monitor.engine.alone import long_enough, sure
from monitor.engine.batch import Batch, Chosen, FrameBatch
from monitor.engine.judged import Scored
from monitor.engine.patterns import contacts
from monitor.engine.scorer import Scorer, Scores
from monitor.engine.trades import Trades
from monitor.engine.views import Views, ViewTables
from monitor.services.drift import Drift
from monitor.services.measures import Bools
from monitor.services.ports import Telemetry

EDGES: Final = (0, 2, 10, 30, 50, 70, 90)
"""Hundredths at which the buckets of the spread begin; each ends where the next one begins."""
_STEPS: Final = 101
SAMPLE: Final = 16
_SIGNAL: Final = KINDS.index(Kind.SIGNAL)
Rooms = Mapping[tuple[str, str], RoomContext]
_NO_ROOMS: Final[Rooms] = {}


class Sight(Struct, frozen=True):
    """What is seen of one classifier, of the version `of`, in one batch. `spread`: int[c, len(EDGES)]; `looks`: into
    it, where it is one of the sample."""

    categories: tuple[str, ...]
    spread: NDArray[np.int64]
    looks: list["Look"] = []
    of: str = ""


class Look(Struct, frozen=True):
    """`grams`: (with a row that is not zero, all); `shadow`: events by what the model in the shadow, whose version is
    `of`, makes of them."""

    grams: tuple[int, int]
    of: str = ""
    shadow: dict[str, int] = {}


class Observer:
    """`look` on the thread that judges, `take` and `tell` on the loop; `shadow` gives the model that is tried on a
    tenant's events, if any.

    What is taken gathers until it is told, since a counter costs more than a batch's sums.
    """

    def __init__(
        self, telemetry: Telemetry, shadow: Callable[[str], Scorer | None] = lambda tenant: None, *,
        sample: int = SAMPLE, drift: Drift | None = None,
    ) -> None:
        self._telemetry, self._shadow, self._sample, self._drift = telemetry, shadow, sample, drift
        self._batches = 0
        self._gathered: list[Sight] = []

    def look(
        self, tables: ViewTables, frames: Sequence[Frame], scored: Sequence[Scored], rooms: Rooms = _NO_ROOMS
    ) -> list[Sight]:
        """`scored`: what judged these frames; one sight of each. `rooms`: what is known of them."""
        if not scored:
            return []
        heard = np.frombuffer(b"".join(frame.kinds for frame in frames), np.uint8) != _SIGNAL
        self._batches += 1
        sampled = (self._batches - 1) % self._sample == 0
        return [Sight(each.scorer.categories, spread_of(each.scores[heard[each.events]]),
                      self._looks(tables, frames, each, heard, rooms) if sampled else [], each.scorer.version)
                for each in scored]

    def _looks(
        self, tables: ViewTables, frames: Sequence[Frame], scored: Scored, heard: Bools, rooms: Rooms
    ) -> list[Look]:
        """One for each shadow, and one for the events that have none."""
        whole = FrameBatch(frames)
        shadows = {tenant: self._shadow(tenant) for tenant in {frame.tenant for frame in frames}}
        of = np.repeat(np.array([id(shadows[frame.tenant]) for frame in frames]), [len(frame) for frame in frames])
        looks = []
        for shadow in {id(each): each for each in shadows.values()}.values():
            rows = np.flatnonzero(of[scored.events] == id(shadow))
            if rows.size:
                looks.append(_look(tables, whole, scored._replace(
                    events=scored.events[rows], scores=scored.scores[rows]), shadow, heard, rooms))
        return looks

    def take(self, sights: Sequence[Sight]) -> None:
        self._gathered += sights

    def tell(self) -> None:
        """All that was taken since, as metrics."""
        gathered, self._gathered = self._gathered, []
        if self._drift is not None:
            for sight in gathered:
                self._drift.take(sight.of, sight.spread)
        for categories in dict.fromkeys(sight.categories for sight in gathered):
            total = np.sum([sight.spread for sight in gathered if sight.categories == categories], axis=0)
            for category, counts in zip(categories, total.tolist(), strict=True):
                for edge, amount in zip(EDGES, counts, strict=True):
                    if amount:
                        self._telemetry.count("scores_total", amount, category=category, above=f"{edge / 100:g}")
        looks = [look for sight in gathered for look in sight.looks]
        known, grams = (sum(look.grams[i] for look in looks) for i in (0, 1))
        for name, amount in (("yes", known), ("no", grams - known)):
            if amount:
                self._telemetry.count("grams_total", amount, known=name)
        for look in looks:
            for result, amount in look.shadow.items():
                self._telemetry.count("shadow_events_total", amount, model=look.of.partition("@")[0], result=result)


def _look(
    tables: ViewTables, whole: FrameBatch, scored: Scored, shadow: Scorer | None, heard: Bools, rooms: Rooms
) -> Look:
    scorer, events, scores = scored
    batch: Batch = whole if events.size == len(whole) else Chosen(whole, events)
    views = Views(tables, batch.text)
    found = contacts(views, batch.starts.tolist(), ())
    grams = scorer.known(views, batch, found)
    if shadow is None:
        return Look(grams)
    enough = heard[events] & long_enough(views, batch.starts, found)
    others = shadow.score(views, batch, found, Trades(shadow, rooms).of(batch))
    return Look(grams, shadow.version, agreement(
        sure(scores, limits(scorer), enough), sure(others, limits(shadow), enough), heard[events], scorer.categories,
        shadow.categories))


def spread_of(scores: Scores) -> NDArray[np.int64]:
    """int[c, len(EDGES)]: how many scores of each category lie in each bucket. `scores`: float32[n, c]."""
    columns = scores.shape[1]
    places = (scores * np.float32(_STEPS - 1)).astype(np.intp)
    places += np.arange(columns) * _STEPS
    counts = np.bincount(places.ravel(), minlength=columns * _STEPS).reshape(columns, _STEPS)
    spread: NDArray[np.int64] = np.add.reduceat(counts, EDGES, axis=1)
    return spread


def limits(scorer: Scorer) -> NDArray[np.float64]:
    """float64[c]: from which on a score is a finding by itself."""
    return np.array([scorer.thresholds[name].alone for name in scorer.categories])


def agreement(
    serving: Bools, shadow: Bools, heard: Bools, of_serving: Sequence[str], of_shadow: Sequence[str]
) -> dict[str, int]:
    """How many events (bool[n] `heard`) neither finds anything in (`silent`), both find the same in (`same`), only one
    of them finds something in (`serving`, `shadow`), or both, but not the same (`other`)."""
    names = sorted({*of_serving, *of_shadow})
    one, two = np.zeros((2, len(heard), len(names)), dtype=bool)
    one[:, [names.index(name) for name in of_serving]] = serving
    two[:, [names.index(name) for name in of_shadow]] = shadow
    ours, theirs, same = one.any(axis=1), two.any(axis=1), (one == two).all(axis=1)
    counted = {"silent": ~ours & ~theirs, "same": ours & same, "serving": ours & ~theirs, "shadow": ~ours & theirs,
               "other": ours & theirs & ~same}
    return {result: amount for result, of in counted.items() if (amount := int((of & heard).sum()))}
