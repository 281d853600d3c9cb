"""What a classifier finds by itself, without a rule."""

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from monitor.engine.patterns import ContactSpan, covered
from monitor.engine.views import Index, Views

LEAST_ALONE: Final = 6
"""Characters of a text that are to be read for a finding by its score alone: a few decide little."""


def long_enough(views: Views, starts: Index, contacts: Sequence[ContactSpan]) -> NDArray[np.bool_]:
    """bool[n]: are LEAST_ALONE characters of the text read? Symbols, spaces, emoji and contact data are not."""
    gone = covered(contacts, views, starts)
    read = np.concatenate(([0], np.cumsum(views.kept if gone is None else views.kept & ~gone)))
    ends = np.append(starts[1:] - 1, len(views.plain))[: len(starts)]
    enough: NDArray[np.bool_] = read[ends] - read[starts] >= LEAST_ALONE
    return enough


def sure(
    scores: NDArray[np.floating[Any]], limits: NDArray[np.floating[Any]], enough: NDArray[np.bool_]
) -> NDArray[np.bool_]:
    """bool[n, c]: what is found by scores alone. `scores`: float[n, c]; `limits`: float[c], the thresholds `alone`;
    `enough`: bool[n], see `long_enough`."""
    found: NDArray[np.bool_] = (scores >= limits) & enough[:, None]
    return found
