"""How good scores are on parts of the lines: by kind, trade, disguise and length."""

import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from monitor.domain.labelled import EVASIVE, HARD, ORDINARY, Labelled
from monitor.services.measures import Bools, alarms, macro_f1

LEAST: Final = 50
"""Lines that a trade needs for a slice of its own."""
_BANDS: Final = {"1–10": 10, "11–20": 20, "21–40": 40, "41 and more": sys.maxsize}
"""Code points of the longest text of each band."""


def sliced(wanted: Bools, found: Bools, lines: Sequence[Labelled]) -> dict[str, dict[str, float]]:
    """By slice: lines, macro-F1 over the categories that it has, recall, shares of its hard negatives and of its
    ordinary lines with an alarm; NaN where it has none. `wanted`, `found`: bool[n, c]."""
    types = np.array([line.type for line in lines])
    return {name: {"lines": int(of.sum()), "macro_f1": macro_f1(wanted[of], found[of]),
                   "recall": float(found[of][wanted[of]].mean()) if wanted[of].any() else float("nan"),
                   "hard_alarms": alarms(found[of], types[of].tolist(), HARD),
                   "ordinary_alarms": alarms(found[of], types[of].tolist(), ORDINARY)}
            for name, of in _parts(lines)}


def _parts(lines: Sequence[Labelled]) -> Iterator[tuple[str, NDArray[np.bool_]]]:
    """Each with its lines, bool[n]; none is empty."""
    trades = Counter(line.vertical for line in lines)
    for names in (
        [f"kind {line.kind}" for line in lines],
        [f"vertical {_trade(line.vertical, trades[line.vertical])}" for line in lines],
        [f"evasive {'yes' if line.type == EVASIVE else 'no'}" for line in lines],
    ):
        for name in sorted(set(names)):
            yield name, np.array([each == name for each in names])
    bands = np.searchsorted(list(_BANDS.values()), [len(line.text) for line in lines])
    for i, band in enumerate(_BANDS):
        if (bands == i).any():
            yield f"length {band}", bands == i


def _trade(name: str, lines: int) -> str:
    return "not said" if not name else name if lines >= LEAST else "others"
