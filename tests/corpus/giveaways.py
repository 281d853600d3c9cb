"""How well a line's outside alone tells violations from lawful lines. It should tell little, or a classifier learns how
the authors write instead of what is said."""

from collections.abc import Callable, Sequence
from typing import Final

import numpy as np
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import StratifiedKFold, cross_val_predict
from sklearn.tree import DecisionTreeClassifier

from monitor.domain.labelled import Labelled

_MARKS: Final = ("，,", "。.", "！!", "？?", "、：；~…", " ")
_DIGITS: Final = ("0123456789", "零一二三四五六七八九十百千万两")
_FILLERS: Final = tuple("啊呀哦嘛呢哈嗯哎吧了噢嘞")
_SEED: Final = 20261127

PROBES: Final[dict[str, Callable[[Labelled], tuple[int | str, ...]]]] = {
    "length": lambda line: (len(line.text),),
    "punctuation": lambda line: tuple(_count(line.text, marks) for marks in _MARKS),
    "digits": lambda line: tuple(_count(line.text, digits) for digits in _DIGITS),
    "fillers": lambda line: tuple(_count(line.text, filler) for filler in _FILLERS),
    "brief": lambda line: (line.brief,),
    "kind": lambda line: (line.kind,),
    "role": lambda line: (line.speaker,),
    "kind and role": lambda line: (f"{line.kind}/{line.speaker}",),
}


def told_by(probe: str, lines: Sequence[Labelled]) -> float:
    """AUC of a small tree that sees the probe alone, five times cross-fitted over lines: 0.5 is chance."""
    wanted = np.array([bool(line.labels) for line in lines])
    tree = DecisionTreeClassifier(max_leaf_nodes=32, min_samples_leaf=50, random_state=_SEED)
    folds = StratifiedKFold(5, shuffle=True, random_state=_SEED)
    scores = cross_val_predict(tree, _columns([PROBES[probe](line) for line in lines]), wanted, cv=folds,
                               method="predict_proba")
    return float(roc_auc_score(wanted, scores[:, 1]))


def _columns(rows: list[tuple[int | str, ...]]) -> np.ndarray:
    """Numbers as they are; names as one column each."""
    if isinstance(rows[0][0], int):
        return np.array(rows)
    names = {row[0] for row in rows}
    return np.array([[row[0] == name for name in sorted(names)] for row in rows])


def _count(text: str, characters: str) -> int:
    return sum(map(text.count, characters))
