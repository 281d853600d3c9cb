"""The engine under any text: it never raises, hits what is hidden, and every span folds back to its term."""

import os
import random
from functools import cache

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from monitor.domain.rules import View
from monitor.engine import pipeline
from monitor.engine.batch import EventBatch
from monitor.engine.engineset import EngineSet
from monitor.engine.judged import Match
from monitor.engine.pipeline import judge
from monitor.engine.views import Views, ViewTables
from tests.unit.rulekit import engine, event, rule, tables, terms

TERMS = ("全网最低价", "免费领取", "加微信", "绝对安全", "无效包退", "三天见效", "国家级品质", "根治", "vx138",
         "稳赚不赔", "纯天然无添加", "老中医推荐", "原厂流出", "返现红包", "内部渠道")
PER_EXAMPLE = 100
_TRADITIONAL = dict(zip("网价费领绝对见国级质赚赔无医", "網價費領絕對見國級質賺賠無醫", strict=True))
_FORMS = {
    "width": lambda c, r: chr(ord(c) + 0xFEE0) if "!" <= c <= "~" else c,
    "case": lambda c, r: c.upper(),
    "traditional": lambda c, r: _TRADITIONAL.get(c, c),
    "styled": lambda c, r: r.choice((chr(0x1D400 + ord(c) - 97), chr(0x24D0 + ord(c) - 97))) if "a" <= c <= "z" else c,
    "digits": lambda c, r: chr(0x2460 + ord(c) - 49) if "1" <= c <= "9" else c,
}
_GAPS = (" ", ".", "*", "·", "~", "​", "　", "🍑", "️", "-", "、", "\U000e0100", "\n", "!", "。")
_FILLER = "的了是我们来看今天这个真好啊家人姐妹链接拍一号两件包邮尺码颜色😀.,!? abcXYZ123ｖ①"


@cache
def fuzzed() -> EngineSet:
    return engine(*[rule(terms("claim", t, views=(View.PLAIN, View.SKELETON)), name=f"t.r{i}")
                    for i, t in enumerate(TERMS)])


def hide(term: str, rng: random.Random) -> str:
    """The term by random folds, with random marks between."""
    out = []
    for i, char in enumerate(term):
        if i and rng.random() < 0.4:
            out.append(rng.choice(_GAPS) * rng.randint(1, 2))
        out.append(_FORMS[rng.choice(list(_FORMS))](char, rng) if rng.random() < 0.5 else char)
    return "".join(out)


def texts(seed: int, count: int) -> list[str]:
    rng = random.Random(seed)
    found = []
    for _ in range(count):
        text = "".join(rng.choices(_FILLER, k=rng.randint(0, 12)))
        if rng.random() < 0.5:
            text += hide(rng.choice(TERMS), rng) + "".join(rng.choices(_FILLER, k=rng.randint(0, 12)))
        if rng.random() < 0.1:  # anything that Unicode has
            text += "".join(
                chr(rng.choice((rng.randrange(0xD800), rng.randrange(0xE000, 0x110000)))) for _ in range(8))
        found.append(text)
    return found


def folded_back(text: str, match: Match) -> bool:
    """Each span, folded, is its term."""
    form = tables().fold(match.rule.rule.selections[0].terms[0])
    wanted = form[tables().keep[form]].tolist()
    for span in match.spans:
        units = tables().fold(text[span.start : span.end].replace("\n", " "))
        if units[tables().keep[units]].tolist() != wanted:
            return False
    return True


def check(seed: int, count: int = PER_EXAMPLE) -> None:
    some = texts(seed, count)
    found = judge(fuzzed(), EventBatch([event(t, id=str(i)) for i, t in enumerate(some)])).matches
    assert len({m.event for m in found}) >= 0.3 * count
    for match in found:
        assert match.spans
        assert folded_back(some[match.event], match), (some[match.event], match.spans)


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 2**63))
def test_hidden_terms_are_found_and_fold_back(seed: int) -> None:
    check(seed)


@pytest.mark.soak
def test_hidden_terms_100_000() -> None:
    for seed in range(int(os.environ.get("REDPOST_SOAK_TEXTS", "100000")) // PER_EXAMPLE):
        check(seed)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.text(st.characters(codec="utf-8"), max_size=40), max_size=8))
def test_no_text_raises(some: list[str]) -> None:
    judge(fuzzed(), EventBatch([event(t, id=str(i)) for i, t in enumerate(some)]))


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 2**63), st.integers(1, 40))
def test_the_cut_changes_nothing(seed: int, size: int) -> None:
    events = [event(t, id=str(i)) for i, t in enumerate(texts(seed, 80))]

    def found(step: int) -> list[object]:
        return [
            (start + m.event, m.rule.rule.id, m.spans, m.evasive)
            for start in range(0, len(events), step)
            for m in judge(fuzzed(), EventBatch(events[start : start + step])).matches
        ]

    whole = found(len(events))
    assert whole
    assert found(size) == whole


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 2**63), st.integers(1, 1_000), st.frozensets(st.integers(0, 90)))
def test_what_is_too_much_at_once_is_judged_in_portions(seed: int, most: int, skip: frozenset[int]) -> None:
    events = [event(t, id=str(i)) for i, t in enumerate([*texts(seed, 80), "", "打13912345678", ""])]
    whole = judge(fuzzed(), EventBatch(events), skip=skip)
    at_once: list[int] = []

    def views(tables: ViewTables, text: str) -> Views:
        at_once.append(len(text))
        return Views(tables, text)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pipeline, "MOST_TEXT", most)
        patch.setattr(pipeline, "Views", views)
        found = judge(fuzzed(), EventBatch(events), skip=skip)
    assert (found.matches, found.contacts) == (whole.matches, whole.contacts)
    assert whole.contacts
    longest = max(len(each.text) for each in events)
    assert max(at_once) < max(most, longest) + len(events)  # with the line feeds between them


@settings(max_examples=100, deadline=None)
@given(st.sampled_from(TERMS), st.text("的了是我们🙂。 x9", max_size=10), st.text("的了是我们🙂。 x9", max_size=10))
def test_what_stands_around_shifts_spans_exactly(term: str, before: str, after: str) -> None:
    around_is_free = not (before[-1:].isascii() and before[-1:].isalnum()) and not (
        after[:1].isascii() and after[:1].isalnum())
    found = judge(fuzzed(), EventBatch([event(before + term + after)])).matches
    spans = {(s.start, s.end) for m in found for s in m.spans if m.rule.rule.selections[0].terms == (term,)}
    if around_is_free or not (term[0].isascii() or term[-1].isascii()):
        assert (len(before), len(before) + len(term)) in spans


def test_the_order_of_rules_changes_nothing() -> None:
    rules = [rule(terms("claim", t), name=f"t.r{i}") for i, t in enumerate(TERMS)]
    batch = EventBatch([event(t, id=str(i)) for i, t in enumerate(texts(7, 200))])
    one, other = (judge(engine(*order), batch).matches for order in (rules, rules[::-1]))
    assert {(m.event, m.rule.rule.id, m.spans) for m in one} == {(m.event, m.rule.rule.id, m.spans) for m in other}
    assert one
