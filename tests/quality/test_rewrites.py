"""What a host is offered to say instead fits what was said, and is itself without a finding."""

from functools import cache

from monitor.domain.events import HOST_SIDE, Event, Kind, Role, Speaker, lane_of
from monitor.domain.rules import Rule
from monitor.engine.batch import EventBatch
from monitor.engine.engineset import EngineSet
from monitor.engine.pipeline import judge
from tests.functional.test_shipped_rules import judging
from tests.quality.evaluate import NOW
from tests.quality.rewrites import advised, demo, engine, told


@cache
def shipped() -> EngineSet:
    return engine()


def spoken(texts: list[str]) -> list[Event]:
    return [Event(id=str(n), kind=Kind.TRANSCRIPT, text=text, speaker=Speaker(Role.HOST), at=NOW)
            for n, text in enumerate(texts)]


def test_no_rewrite_has_a_finding_itself() -> None:
    texts = sorted({instead for rule in judging() for instead in rule.advice.rewrite.values()})
    silenced = shipped().correlations.silenced
    found = [(texts[match.event], match.rule.rule.id) for match in judge(shipped(), EventBatch(spoken(texts))).matches
             if match.rule.rule.id not in silenced]
    assert len(texts) > 500 and not found
    assert judge(shipped(), EventBatch(spoken(["全网最低价"]))).matches, "something would be found"


def test_nearly_all_that_rules_are_to_find_is_offered_a_wording() -> None:
    """Of the host side's words; where there is a lawful wording."""
    cases = [(rule.id, case) for rule in judging() if isinstance(rule, Rule) for case in rule.cases
             if case.expect and lane_of(case.kind, case.speaker or Role.HOST) == HOST_SIDE]
    own = {case.text: name for name, case in cases}
    found = [one for one in advised(shipped(), spoken(list(own))) if one.sayable and own[one.text] == one.rule.id]
    bare = [(one.rule.id, one.text) for one in found if not one.advice.rewrite]
    assert len(found) > 1_000 and len(bare) < 0.02 * len(found), bare


def test_nearly_all_that_the_demo_shows_is_offered_a_wording() -> None:
    found = demo(shipped())
    offered = [bool(each.advice.rewrite) for each in found]
    assert len(found) > 80 and sum(offered) > 0.9 * len(found)


def test_shares_are_told_by_category_and_without_what_cannot_be_said() -> None:
    rows = [("minors", True, True), ("minors", True, False), ("minors", False, False), ("identity_ai", False, False)]
    assert told("all", rows).splitlines() == [
        "minors                    1 of      2 0.500 · 1 of labels without a lawful wording",
        "all                       1 of      2 0.500 · 2 of labels without a lawful wording"]
