"""The canary: the rules find words of their own, and it is told when they do not."""

from collections.abc import Callable
from typing import Any, cast

from monitor.domain.events import Kind
from monitor.domain.rules import Case, RoomContext, Rule, Status
from monitor.engine.engineset import EngineSet
from monitor.services.canary import Canary, found_by
from monitor.services.detect import Detect
from tests.unit.rulekit import engine, rule, terms


class Post:
    """A judge, a clock, a telemetry and a log. `lost`: what is not found any more."""

    def __init__(self, judged: EngineSet) -> None:
        self.engine = judged
        self.time = 5_000
        self.lost: frozenset[str] = frozenset()
        self.gauges: list[float] = []
        self.told: list[tuple[str, list[str]]] = []

    async def on_engine(self, work: Callable[..., frozenset[str]], *args: Any) -> frozenset[str]:
        return work(*args) - self.lost

    def now(self) -> int:
        return self.time

    def gauge(self, metric: str, value: float, /, **labels: str) -> None:
        assert metric == "canary_last_ok_timestamp_seconds" and not labels
        self.gauges.append(value)

    def count(self, metric: str, amount: float = 1, /, **labels: str) -> None: ...

    def observe(self, metric: str, value: float, /, **labels: str) -> None: ...

    def error(self, event: str, **facts: Any) -> None:
        self.told.append((event, facts["missed"]))

    info = warning = error


def watching(post: Post) -> Canary:
    return Canary(lambda: cast(Detect, post), post, post, post)


def told(word: str, *, name: str, **more: Any) -> Rule:
    """A rule with a case of a word that it finds."""
    case = Case(text=f"今天{word}了", expect=("words",), kind=Kind.TRANSCRIPT, **more)
    return rule(terms("words", word), name=name, cases=(Case(text="今天好吃", expect=()), case))


TWO = (told("全网最低", name="t.one"), told("加微信", name="t.two"))


def test_rules_find_words_of_their_own() -> None:
    elsewhere = told("祖传秘方", name="t.room", room=RoomContext(room="", title="x"))
    draft = told("包治百病", name="t.draft")
    cases = (*TWO, elsewhere, rule(terms("words", "稳赚"), name="t.silent"))
    assert found_by(engine(*cases)) == {"t.one", "t.two"}
    assert found_by(engine(*TWO, rule(*draft.selections, name="t.draft", cases=draft.cases, status=Status.DRAFT))) == {
        "t.one", "t.two"}


async def test_it_is_noted_when_all_were_found_last() -> None:
    post = Post(engine(*TWO))
    canary = watching(post)
    await canary.look()
    post.time = 65_000
    await canary.look()
    assert post.gauges == [5.0, 65.0] and post.told == []


async def test_a_rule_that_is_not_found_any_more_is_told_and_the_time_stands_still() -> None:
    post = Post(engine(*TWO))
    canary = watching(post)
    await canary.look()
    post.lost = frozenset(("t.two",))
    post.time = 65_000
    await canary.look()
    assert post.gauges == [5.0] and post.told == [("canary_missed", ["t.two"])]
    post.lost = frozenset()
    await canary.look()
    assert post.gauges == [5.0, 65.0]


async def test_other_rules_have_other_words() -> None:
    post = Post(engine(*TWO))
    canary = watching(post)
    await canary.look()
    post.engine = engine(TWO[0], rooms=[RoomContext(room="another", title="and with it another version")])
    await canary.look()
    assert len(post.gauges) == 2 and post.told == []


async def test_a_set_that_finds_nothing_of_its_own_is_none() -> None:
    post = Post(engine(rule(terms("words", "稳赚"))))
    await watching(post).look()
    assert post.gauges == [] and post.told == [("canary_missed", [])]


async def test_where_nothing_is_judged_nothing_is_said() -> None:
    post = Post(engine(*TWO))
    await Canary(lambda: None, post, post, post).look()
    assert (post.gauges, post.told) == ([], [])
