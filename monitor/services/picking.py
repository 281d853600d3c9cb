"""Which kept events a person should label next: where the classifier is least sure, where it and the rules disagree,
and some of those in which nothing was found, at random, since what is never looked at is never learnt."""

from collections.abc import Callable, Iterable
from typing import Final

import numpy as np
from msgspec import Struct
from numpy.random import PCG64, Generator
from numpy.typing import NDArray

from monitor.domain.events import Kind, Role
from monitor.domain.ids import digest
from monitor.domain.labels import MOST_TEXT
from monitor.engine.alone import sure
from monitor.engine.engineset import EngineSet
from monitor.engine.scorer import Scorer
from monitor.services.classifying import enough, findings, probabilities
from monitor.services.measures import Bools, Floats
from monitor.services.records import KeptEvent

_PARTS: Final = 3
_LEAST: Final = 1e-6


class Pick(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A label without its `labels`, for a person to give. `source`: pick.uncertain, pick.differs or pick.random;
    `weight`: how many events like this one it stands for; `scores`: the classifier's, by category, those above 0.05."""

    id: str
    text: str
    kind: Kind
    speaker: Role
    event: str
    source: str
    why: str
    weight: float = 1.0
    scores: dict[str, float] = {}


class _Looked(Struct, frozen=True):
    """`events` that may be picked, n of them; `scores`: float[n, c]; `sure`, `ruled`: bool[n, c], what is found by
    scores alone and by rules."""

    events: list[KeptEvent]
    scores: Floats
    sure: Bools
    ruled: Bools
    alone: Floats
    beside: Floats
    categories: tuple[str, ...]


def picked(
    tenant: str, events: Iterable[KeptEvent], engine: EngineSet, scorer: Scorer, *, amount: int,
    labelled: frozenset[str], now: int, seed: int,
) -> list[Pick]:
    """A third of each; where few disagree, more are uncertain. `engine`: rules without a classifier. `labelled`: ids of
    the labels that there are already."""
    wanted = [e for e in events if _can_be_labelled(e) and pick_id(tenant, e) not in labelled]
    if not wanted:
        return []
    looked = _looked_at(tenant, wanted, engine, scorer, now)
    rng = Generator(PCG64(seed))
    taken: dict[int, Pick] = {}
    silent = np.flatnonzero(~(looked.ruled | looked.sure).any(axis=1))
    drawn = rng.choice(silent, min(amount - 2 * (amount // _PARTS), silent.size), replace=False)
    for i in drawn.tolist():
        taken[i] = _pick(tenant, looked, i, "random", f"one of {silent.size:,} in which nothing was found",
                         weight=silent.size / drawn.size)
    said = {wanted[i].text for i in taken}
    differing = np.flatnonzero(_differs(looked).any(axis=1))
    for order, most, source, why in (
        (rng.permutation(differing), amount // _PARTS, "differs", _why_differs),
        (np.argsort(_doubt(looked).min(axis=1), kind="stable"), amount, "uncertain", _why_uncertain),
    ):
        _take(tenant, looked, order, min(len(taken) + most, amount), taken, said, source, why)
    return list(taken.values())


def pick_id(tenant: str, event: KeptEvent) -> str:
    return "p" + digest(tenant, event.source, event.id, event.revision)


def _can_be_labelled(event: KeptEvent) -> bool:
    """It was judged, and has words."""
    return event.kind != Kind.SIGNAL and not event.sampled_out and 0 < len(event.text.strip()) <= MOST_TEXT


class _Line(Struct, frozen=True):
    text: str
    kind: Kind
    speaker: Role
    vertical: str


def _looked_at(tenant: str, events: list[KeptEvent], engine: EngineSet, scorer: Scorer, now: int) -> _Looked:
    rooms = [engine.rooms.get((tenant, event.room)) for event in events]
    lines = [_Line(event.text, Kind(event.kind), Role(event.role), room.vertical if room else "")
             for event, room in zip(events, rooms, strict=True)]
    limits = [scorer.thresholds[name] for name in scorer.categories]
    alone, beside = np.array([(limit.alone, limit.beside) for limit in limits]).T
    scores = probabilities(scorer, engine.tables, lines)
    return _Looked(
        events, scores, sure(scores, alone, enough(engine.tables, lines)),
        findings(engine, lines, scorer.categories, now=now), alone, beside, scorer.categories)


def _take(
    tenant: str, looked: _Looked, order: NDArray[np.int64], upto: int, taken: dict[int, Pick], said: set[str],
    source: str, why: Callable[[_Looked, int], str],
) -> None:
    """In this order, the same words once."""
    for i in order.tolist():
        if len(taken) >= upto:
            return
        text = looked.events[i].text
        if text not in said:
            said.add(text)
            taken[i] = _pick(tenant, looked, i, source, why(looked, i))


def _pick(tenant: str, looked: _Looked, i: int, source: str, why: str, *, weight: float = 1.0) -> Pick:
    event = looked.events[i]
    scores = {name: round(float(p), 3) for name, p in zip(looked.categories, looked.scores[i], strict=True) if p > 0.05}
    return Pick(id=pick_id(tenant, event), text=event.text, kind=Kind(event.kind), speaker=Role(event.role),
                event=event.id, source=f"pick.{source}", why=why, weight=weight, scores=scores)


def _differs(looked: _Looked) -> Bools:
    """A rule finds what the classifier finds unlikely, or it is sure of what no rule finds."""
    unlikely = looked.ruled & (looked.scores < looked.beside)
    return unlikely | (looked.sure & ~looked.ruled)


def _why_differs(looked: _Looked, i: int) -> str:
    at = int(np.argmax(_differs(looked)[i]))
    name, score = looked.categories[at], looked.scores[i, at]
    return f"a rule says {name}, the classifier {score:.2f}" if looked.ruled[i, at] else (
        f"the classifier says {name} ({score:.2f}), no rule does")


def _doubt(looked: _Looked) -> Floats:
    """float[n, c]: how far the log-odds are from the threshold."""

    def odds(p: Floats) -> Floats:
        known = np.clip(p, _LEAST, 1 - _LEAST)
        return np.log(known / (1 - known))

    far: Floats = np.abs(odds(looked.scores.astype(np.float64)) - odds(looked.alone))
    return far


def _why_uncertain(looked: _Looked, i: int) -> str:
    at = int(np.argmin(_doubt(looked)[i]))
    return f"{looked.categories[at]} {looked.scores[i, at]:.2f}, close to its threshold {looked.alone[at]:.2f}"
