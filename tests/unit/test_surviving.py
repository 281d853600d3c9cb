"""What is asked of a rule's hits, and when nothing more is."""

from itertools import permutations
from typing import Any, ClassVar

import pytest

from monitor.domain.rules import Context, ContextPart, Listed, Reach, Selection, View
from monitor.domain.rulesets import RuleSet
from monitor.engine import pipeline
from monitor.engine.batch import EventBatch
from monitor.engine.compiled import CompiledContext
from monitor.engine.conditions import Heard, Hit, Missed, genuine, heard, surviving
from monitor.engine.engineset import EngineSet
from monitor.engine.lexicon import RawHit
from monitor.engine.pipeline import judge
from monitor.engine.terms import Form
from monitor.engine.views import Views
from tests.unit import rulekit

TEXT = "全网最低只要九块"
SPARED = Selection(name="spared", context=("no",), veto=Reach(of=("all",), within=0))
CLAIM = rulekit.terms("claim", "最低", near=Reach(of=("price",), within=4))
RULE = rulekit.rule(CLAIM, rulekit.terms("price", "九块"), SPARED)
ENGINE = EngineSet(RuleSet((RULE,), {}, "test", {}, {"no": Context(
    name="no", title="no", parts=(ContextPart(terms=("不是",)),))}), rulekit.tables(), zone=rulekit.ZONE)
LOWEST, NINE = Hit(0, 2, 4, View.PLAIN, None), Hit(1, 6, 8, View.PLAIN, None)


def left_of(hits: list[Hit]) -> tuple[list[Hit] | Missed, list[int]]:
    """(what is left, or why the rule cannot hold, the contexts that were heard for it)"""
    asked: list[int] = []

    def hear(context: int) -> Heard:
        asked.append(context)
        return Heard([], [])

    def no(hit: Hit, detector: str = "", how: Listed = Listed.NONE) -> bool:
        return False

    views = Views(ENGINE.tables, TEXT)
    return surviving(ENGINE.rules[0], hits, views, hear, ENGINE.contexts, no, no), asked


def test_a_context_is_heard_where_hits_stand() -> None:
    assert left_of([LOWEST, NINE]) == ([LOWEST, NINE], [0])


def test_a_context_of_which_nothing_stands_in_a_text_is_not_heard(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def hear(context: CompiledContext, *rest: Any) -> Heard:
        asked.append(context.context.name)
        return heard(context, *rest)

    monkeypatch.setattr(pipeline, "heard", hear)
    found = judge(ENGINE, EventBatch([rulekit.event(text) for text in (TEXT, "不是全网最低只要九块", TEXT)]))
    assert [match.event for match in found.matches] == [0, 2]
    assert asked == ["no"]


def test_nothing_more_is_asked_once_the_rule_cannot_hold() -> None:
    assert left_of([LOWEST]) == (Missed.NEARLY, [])


def test_a_rule_promises_nothing_where_what_stands_near_it_is_missing() -> None:
    rule, claim, price = ENGINE.rules[0], 1 << 0, 1 << 1
    assert not rule.promising_early(claim)  # both are looked for in every text
    assert not rule.promising(claim)
    assert rule.promising(claim | price)


def test_of_two_that_must_stand_near_each_other_the_rarer_is_looked_for_in_every_text() -> None:
    common = Selection(name="common", patterns=("的|一",), near=Reach(of=("rare",), within=4))
    rare = Selection(name="rare", patterns=("罕见[之的]物",))
    rule = rulekit.engine(rulekit.rule(common, rare, condition="common")).rules[0]
    assert rule.early == 1 << 1
    assert rule.promising_early(1 << 1)  # the other is not looked for yet
    assert not rule.promising(1 << 1)


def test_what_stands_nearby_may_hold_no_word() -> None:
    claim = rulekit.terms("claim", "最低", near=Reach(of=("asked",), within=4))
    rule = rulekit.rule(claim, Selection(name="asked", patterns=("[?]",)), condition="claim")
    assert rulekit.engine(rule).rules[0].early == 1 << 0
    assert rulekit.spans(rule, "全网最低吗?") == {(2, 4)}


def test_a_rule_may_have_more_selections_than_a_machine_word_has_bits() -> None:
    many = [rulekit.terms(f"s{i}", f"{chr(ord('一') + i)}号商品") for i in range(70)]
    rule = rulekit.rule(*many, condition="s3 and s69")
    text = f"{many[3].terms[0]},{many[69].terms[0]}"
    assert rulekit.spans(rule, text) == {(0, 4), (5, 9)}


def test_nobody_asks_for_the_kind_of_an_event_in_which_nothing_is_seen() -> None:
    class Asked(EventBatch):
        asked: ClassVar[list[int]] = []

        def code(self, i: int) -> int:
            self.asked.append(i)
            return super().code(i)

    judge(ENGINE, Asked([rulekit.event("今天天气不错"), rulekit.event(TEXT)]))
    assert set(Asked.asked) == {1}


def test_a_place_is_shown_in_the_plainest_view_of_its_hits_whatever_comes_first() -> None:
    views = Views(rulekit.tables(), "加wei信")
    asked = frozenset({View.SOUND, View.SPELLED})
    wechat, prestige = (Form(term, term, asked, "", ()) for term in ("加微信", "加威信"))
    raw = [RawHit(0, 5, View.SPELLED, 0, wechat), RawHit(0, 5, View.SOUND, 0, prestige)]
    for order in permutations(raw):
        assert [(hit.view, hit.form) for hit in genuine(order, views)] == [(View.SOUND, prestige)]
    for order in permutations([*raw, RawHit(0, 5, View.PLAIN, 0, None)]):
        assert [hit.view for hit in genuine(order, views)] == [View.PLAIN]
