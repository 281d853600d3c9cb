"""What the classifier's scores look like from a distance: how they are spread, how much of what is said the model has
learnt, and how often a model in the shadow would say the same. Nothing here makes or changes a finding.

The spread is counted in every batch, from the scores that judged it; the rest reads one batch in SAMPLE once more.
"""

from collections.abc import Callable, Sequence
from typing import Final

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from monitor.domain.events import KINDS, Kind
from monitor.domain.frames import Frame
from monitor.engine.alone import long_enough, sure
from monitor.engine.batch import FrameBatch
from monitor.engine.patterns import contacts
from monitor.engine.scorer import Scorer, Scores
from monitor.engine.views import Views, ViewTables
from monitor.services.measures import Bools
from monitor.services.ports import Telemetry

EDGES: Final = (0, 2, 10, 30, 50, 70, 90)
"""Hundredths at which the buckets of the spread begin; each ends where the next one begins."""
_STEPS: Final = 101
SAMPLE: Final = 16
_SIGNAL: Final = KINDS.index(Kind.SIGNAL)


class Sight(Struct, frozen=True):
    """`spread`: int[c, len(EDGES)]; `grams`: (with a row that is not zero, all); `shadow`: events by what the model in
    the shadow makes of them."""

    categories: tuple[str, ...]
    spread: NDArray[np.int64]
    grams: tuple[int, int] = (0, 0)
    shadow: dict[str, int] = {}


class Observer:
    """`look` on the thread that judges, `take` and `tell` on the loop; `shadow` gives the model that is tried, if any.

    What is taken gathers until it is told, since a counter costs more than a batch's sums.
    """

    def __init__(
        self, telemetry: Telemetry, shadow: Callable[[], Scorer | None] = lambda: None, *, sample: int = SAMPLE
    ) -> None:
        self._telemetry, self._shadow, self._sample = telemetry, shadow, sample
        self._batches = 0
        self._gathered: list[Sight] = []

    def look(
        self, scorer: Scorer | None, tables: ViewTables, frames: Sequence[Frame], scores: Scores | None
    ) -> Sight | None:
        """`scores`: float32[n, c], those that judged these frames; None without a classifier."""
        if scorer is None or scores is None:
            return None
        heard = np.frombuffer(b"".join(frame.kinds for frame in frames), np.uint8) != _SIGNAL
        spread = spread_of(scores[heard])
        self._batches += 1
        if (self._batches - 1) % self._sample:
            return Sight(scorer.categories, spread)
        batch = FrameBatch(frames)
        views = Views(tables, batch.text)
        found = contacts(views, batch.starts.tolist(), ())
        shadow, agreed = self._shadow(), dict[str, int]()
        if shadow is not None:
            enough = heard & long_enough(views, batch.starts, found)
            agreed = agreement(sure(scores, limits(scorer), enough),
                               sure(shadow.score(views, batch, found), limits(shadow), enough),
                               heard, scorer.categories, shadow.categories)
        return Sight(scorer.categories, spread, scorer.known(views, batch, found), agreed)

    def take(self, sight: Sight | None) -> None:
        if sight is not None:
            self._gathered.append(sight)

    def tell(self) -> None:
        """All that was taken since, as metrics."""
        gathered, self._gathered = self._gathered, []
        for categories in dict.fromkeys(sight.categories for sight in gathered):
            total = np.sum([sight.spread for sight in gathered if sight.categories == categories], axis=0)
            for category, counts in zip(categories, total.tolist(), strict=True):
                for edge, amount in zip(EDGES, counts, strict=True):
                    if amount:
                        self._telemetry.count("scores_total", amount, category=category, above=f"{edge / 100:g}")
        known, grams = (sum(sight.grams[i] for sight in gathered) for i in (0, 1))
        for name, amount in (("yes", known), ("no", grams - known)):
            if amount:
                self._telemetry.count("grams_total", amount, known=name)
        for sight in gathered:
            for result, amount in sight.shadow.items():
                self._telemetry.count("shadow_events_total", amount, result=result)


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
