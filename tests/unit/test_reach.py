"""What words reach: the same as asking each of them, in a number of steps that grows with the text only."""

import sys
from collections.abc import Callable
from types import FrameType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.domain.rules import Context, ContextPart, Exempt, Reach, Rule, Selection, Side, View
from monitor.domain.rulesets import RuleSet
from monitor.engine.batch import EventBatch
from monitor.engine.engineset import EngineSet
from monitor.engine.pipeline import judge
from monitor.engine.reach import Places, Reached, Reaching, ending_at
from monitor.engine.views import Views
from tests.unit.rulekit import ZONE, event, rule, tables, terms

TURNS = ("但是", "只不过", "不过", "。")
LENGTH = 30
places = st.tuples(st.integers(0, LENGTH - 1), st.integers(1, 6)).map(lambda p: (p[0], min(p[0] + p[1], LENGTH)))


def asked_of_each(words: list[tuple[int, int]], reach: Reaching, text: str, kept: str, start: int, end: int) -> bool:
    def close(a: int, b: int) -> bool:
        between = text[a:b] if b > a else ""
        return sum(c in kept for c in between) <= reach.within and (
            reach.turns is None or not any(turn in between for turn in TURNS))

    for first, last in words:
        if reach.side is not Side.AFTER and first < start:
            if close(last, start):
                return True
        elif reach.side is not Side.BEFORE and last > end:
            if close(end, first):
                return True
        elif reach.side is Side.EITHER and first < end and start < last:
            return True
    return False


@given(st.text("买但是只不过。 ", min_size=LENGTH, max_size=LENGTH), st.lists(places, max_size=5), places,
       st.integers(0, 6), st.sampled_from(Side), st.booleans())
def test_it_is_the_same_as_asking_each_word(
    text: str, words: list[tuple[int, int]], hit: tuple[int, int], within: int, side: Side, turning: bool
) -> None:
    reach = Reaching(0, 1, within, side, ending_at(TURNS) if turning else None)
    found = Reached(words, reach, Views(tables(), text), (0, len(text)))(*hit)
    assert found == asked_of_each(words, reach, text, "买但是只不过", *hit)


@given(st.lists(places, max_size=6), places)
def test_what_stands_around_and_inside(some: list[tuple[int, int]], place: tuple[int, int]) -> None:
    start, end = place
    assert Places(some).around(start, end) == any(a <= start and end <= b for a, b in some)
    assert Places(some).inside(start, end) == any(start <= a and b <= end for a, b in some)


NEGATION = Context(name="negation", title="", turns=("但是",), unless=("不得不",), parts=(
    ContextPart(terms=("不会", "不能"), within=4), ContextPart(patterns=("[吗嘛]",), side=Side.AFTER, within=3)))
CLAIM = terms("claim", "退款", "最低", also=(View.STRETCHED,))
OTHER = terms("other", "课程")
GROWING = {
    "near": (rule(CLAIM, terms("other", "课程"), condition="claim and other"), "课程不退款"),
    "near far away": (rule(terms("claim", "退款", near=Reach(("other",), 3)), OTHER, condition="claim and other"),
                      "退款吗"),
    "near everywhere": (rule(terms("claim", "退款", near=Reach(("other",), 200)), OTHER, condition="claim and other"),
                        "课程退款"),
    "veto": (rule(CLAIM, terms("not_so", "不能", veto=Reach(("all",), 0)), condition="claim"), "不能说退款"),
    "context": (rule(CLAIM, Selection(name="meant", context=("negation",), veto=Reach(("all",), 0)), condition="claim"),
                "不会是那个退款"),
    "context over marks": (rule(CLAIM, Selection(name="meant", context=("negation",), veto=Reach(("all",), 0)),
                                condition="claim"), " " * 20 + "退款"),
    "allow": (rule(CLAIM, Selection(name="fine", allow=("退款退",)), condition="claim"), "退款"),
    "times": (rule(terms("claim", "退款", times=99)), "退款"),
    "exempt": (rule(CLAIM, terms("exempt", "我们"), condition="claim", exempt=Exempt("exempt", 1, "X")),
               "退款最低我们"),
    "overlapping terms": (rule(terms("claim", "哈哈哈哈", "哈哈", "哈哈哈")), "哈"),
    "a pattern without bound": (rule(Selection(name="claim", patterns=("好+",))), "好"),
    "a pattern that nearly matches": (rule(Selection(name="claim", patterns=("[a-z]{1,8}[0-9]",))), "abc1"),
    "a pattern in a run": (rule(Selection(name="claim", patterns=("a[0-9a]",))), "a1a"),
    "letters": (rule(terms("claim", "weixin", also=(View.CONFUSABLES, View.LETTER_GAPS))), "wei xin "),
}


def steps(engine: EngineSet, text: str) -> int:
    """Lines of Python that judging takes."""
    count = 0

    def trace(frame: FrameType, what: str, value: Any) -> Callable[..., Any]:
        nonlocal count
        count += 1
        return trace

    batch = EventBatch([event(text)])
    judge(engine, batch)
    before = sys.gettrace()
    sys.settrace(trace)
    try:
        judge(engine, batch)
    finally:
        sys.settrace(before)
    return count


@pytest.mark.parametrize(("asking", "unit"), GROWING.values(), ids=GROWING)
def test_twice_the_text_takes_twice_the_steps(asking: Rule, unit: str) -> None:
    engine = EngineSet(RuleSet((asking,), {}, "t", {}, {"negation": NEGATION}), tables(), zone=ZONE)
    short, long = (steps(engine, (unit if unit.strip() == unit else "不能" + unit) * n) for n in (100, 200))
    assert short > 500
    assert long < 2.2 * short
