"""views → match → score → evaluate, for one batch. Python runs per batch and per hit, never per character.

What a batch is cut into does not change what is found.
"""

import re
from collections.abc import Container
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from monitor.domain.findings import Evasion
from monitor.engine.batch import Batch, parts_of
from monitor.engine.compiled import CompiledRule
from monitor.engine.conditions import Hit, evasion_of, genuine, outermost, surviving, variant_of
from monitor.engine.engineset import EngineSet
from monitor.engine.matcher import RawHit
from monitor.engine.patterns import ContactSpan
from monitor.engine.views import Views

# An unknown speaker who sells is judged as official: names the link, the price, the goods as their own.
_SELLS: Final = re.compile(
    r"链接|小黄车|购物车|下单|拍下|开价|到手|现货|包邮|批发|代理|招商|厂家|我们?家|本店|店里|自家|直播间|库存|发货|赠|领券"
    r"|加(我|v|微|q|群)|私我|[+➕](v|微|我)|vx|v信|微信|扣扣|\d号"
)
_BUYS: Final = re.compile(r"[吗嘛么?]|我(买|拍|用|穿|吃|喝|收到)|买(了|过)|用(了|过)|收到(了|货)|求|有没有|请问")


class Match(NamedTuple):
    """A rule that holds for event `event` of the batch. `spans`: code points of that event's text."""

    event: int
    rule: CompiledRule
    spans: tuple["MatchSpan", ...]
    evasive: Evasion | None
    asr_variant: bool
    scores: dict[str, float]
    surviving: frozenset[str]


class MatchSpan(NamedTuple):
    start: int
    end: int
    selection: str
    view: str


class Judged(NamedTuple):
    """`matches` in order of event, then rule."""

    matches: list[Match]
    contacts: list[ContactSpan]
    scores: NDArray[np.float32] | None


def judge(engine: EngineSet, batch: Batch, *, skip: Container[int] = ()) -> Judged:
    """All rules on all events of a batch; events in `skip` are searched for contact data only."""
    if not len(batch.starts):
        return Judged([], [], None)
    views = Views(engine.tables, batch.text)
    scan = engine.matcher.scan(views, batch.starts)
    scores = engine.scorer.score(views, batch) if engine.scorer else None
    by_rule = scan.by_rule
    if scores is not None:
        _add_scored(engine, scores, by_rule)
    matches: list[Match] = []
    for (event, index), raw in by_rule.items():
        rule = engine.rules[index]
        bits = 0
        for hit in raw:
            bits |= 1 << hit[3][1]
        if rule.possible(bits) and event not in skip and _applies(engine, rule, batch, event, views):
            if index in engine.matcher.late_rules:
                raw += engine.matcher.late_hits(scan, event, index, views, _span(batch, event, views))
            match = _evaluate(rule, event, raw, batch, views, scores, engine)
            if match is not None:
                matches.append(match)
    matches.sort(key=lambda m: (m.event, m.rule.index))
    return Judged(matches, scan.contacts, scores)


def _add_scored(
    engine: EngineSet, scores: NDArray[np.float32], by_rule: dict[tuple[int, int], list[RawHit]]
) -> None:
    """Events that a score alone may carry over a rule's condition."""
    scorer = engine.scorer
    assert scorer is not None  # noqa: S101 - the caller has scores
    for rule in engine.rules:
        for _, category, gte in rule.scores:
            if category in scorer.categories:
                for event in np.flatnonzero(scores[:, scorer.categories.index(category)] >= gte).tolist():
                    by_rule.setdefault((event, rule.index), [])


def _applies(engine: EngineSet, rule: CompiledRule, batch: Batch, event: int, views: Views) -> bool:
    applies = rule.codes[batch.code(event)]
    if not applies or not rule.in_force(batch.at(event)):
        return False
    if applies == 2 and not _sells(views.plain_text[slice(*_span(batch, event, views))]):
        return False
    return not rule.room_bound or engine.active_in(rule, batch.room(event))


def _span(batch: Batch, event: int, views: Views) -> tuple[int, int]:
    """The event's place in the joined text."""
    starts = batch.starts
    return int(starts[event]), int(starts[event + 1]) - 1 if event + 1 < len(starts) else len(views.plain)


def _sells(text: str) -> bool:
    return bool(_SELLS.search(text)) and not _BUYS.search(text)


def _evaluate(
    rule: CompiledRule, event: int, raw: list[RawHit], batch: Batch, views: Views,
    scores: NDArray[np.float32] | None, engine: EngineSet,
) -> Match | None:
    hits = surviving(rule, genuine(raw, views), views) if raw else []
    bits, unknown, known = 0, 0, {}
    for hit in hits:
        bits |= 1 << hit.selection
    for i, category, gte in rule.scores:
        if scores is None or engine.scorer is None or category not in engine.scorer.categories:
            unknown |= 1 << i
        else:
            known[category] = float(scores[event, engine.scorer.categories.index(category)])
            bits |= (known[category] >= gte) << i
    if not rule.holds(bits, unknown):
        return None
    shown = outermost([h for h in hits if rule.shown >> h.selection & 1])
    return _match(rule, event, hits, shown, batch, views, known)


def _match(
    rule: CompiledRule, event: int, hits: list[Hit], shown: list[Hit], batch: Batch, views: Views,
    scores: dict[str, float],
) -> Match:
    base = int(batch.starts[event])
    kind = parts_of(batch.code(event))[0]
    evasions = [variant_of(evasion_of(hit, batch.text, views), kind) for hit in shown]
    spans = tuple(MatchSpan(h.start - base, h.end - base, rule.names[h.selection], h.view) for h in shown)
    return Match(
        event, rule, spans,
        evasive=next((evasive for evasive, _ in evasions if evasive), None),
        asr_variant=any(variant for _, variant in evasions),
        scores=scores,
        surviving=frozenset(rule.names[h.selection] for h in hits),
    )
