"""What compiling keeps for the next start: the same findings from it, and none but its own trusted."""

import gc
from collections.abc import Callable, Sequence
from pathlib import Path
from threading import Thread
from typing import Any, TypeVar

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.adapters.blobs import BlobFolder
from monitor.adapters.rulefiles import folder, load_sources
from monitor.adapters.rulefiles.faults import Faults
from monitor.domain.errors import RuleError
from monitor.domain.rules import Case, Context, ContextPart, Reach, Rule, Selection, View
from monitor.domain.rulesets import RuleSet
from monitor.engine import databases as engine_databases
from monitor.engine import expressions, looking, patterns
from monitor.engine.batch import EventBatch
from monitor.engine.characters import Characters
from monitor.engine.databases import Databases, compiled, undivided
from monitor.engine.engineset import EngineSet
from monitor.engine.judged import Match
from monitor.engine.pipeline import judge
from monitor.engine.terms import form_of
from monitor.engine.uncollected import uncollected
from monitor.services import casework
from monitor.services.casework import Failure, failing_cases, run_cases
from tests.unit.rulekit import ZONE, event, rule, tables, terms

T = TypeVar("T")
U = TypeVar("U")
ROOT = Path(__file__).parents[2]
WORDS = ("全网最低价", "最低", "加微信", "9.9包邮", "vx号", "天天返")
CONTEXTS = {"negation": Context(name="negation", title="negation", parts=(ContextPart(terms=("不能说", "不是")),),
                                unless=("是不是",))}
ALSO = st.sets(st.sampled_from(
    [View.NUMERALS, View.STRETCHED, View.SIGNS, View.SPLIT, View.SPELLED, View.INITIALS])).map(tuple)
SELECTIONS = st.builds(lambda words, also, name: Selection(name=name, terms=tuple(words), also=also),
                       st.lists(st.sampled_from(WORDS), min_size=1, unique=True), ALSO, st.just("claim"))
PIECES = st.sampled_from([*WORDS, "全网zui低价", "加➕微 信", "力口微信", "9元", "不能说", "是不是", "天天天返",
                          "，", "好的"])


class Shelf(dict[str, bytes]):
    def put(self, key: str, data: bytes) -> None:
        self[key] = data


def made(rules: list[Rule], blobs: Shelf | BlobFolder | None, edition: str = "") -> EngineSet:
    return EngineSet(RuleSet(tuple(rules), {}, "test", {}, CONTEXTS), tables(), zone=ZONE,
                     databases=Databases(blobs, edition))


def found(engine: EngineSet, texts: list[str]) -> list[tuple[object, ...]]:
    def facts(m: Match) -> tuple[object, ...]:
        return m.event, m.rule.rule.id, m.spans, m.evasive, m.surviving

    return [facts(m) for m in judge(engine, EventBatch([event(t, id=str(i)) for i, t in enumerate(texts)])).matches]


def some_rules(claim: Selection) -> list[Rule]:
    spared = Selection(name="spared", context=("negation",), veto=Reach(("claim",), 4))
    near = Selection(name="price", patterns=(r"\d{1,3}元", "便宜[了吧]"), near=Reach(("claim",), 20))
    return [rule(claim, spared, name="t.a"), rule(claim, near, condition="claim and price", name="t.b"),
            rule(terms("claim", *WORDS[:2]), name="t.c")]


@pytest.fixture
def never_gathered(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("compiled anew")

    monkeypatch.setattr(looking, "gathered", refuse)


@settings(max_examples=40, deadline=None)
@given(SELECTIONS, st.lists(st.lists(PIECES, max_size=4).map("".join), min_size=1, max_size=8))
def test_a_set_from_the_cache_finds_what_the_first_one_found(claim: Selection, texts: list[str]) -> None:
    shelf, rules = Shelf(), some_rules(claim)
    assert found(made(rules, shelf), texts) == found(made(rules, shelf), texts) == found(made(rules, None), texts)


def test_a_second_start_compiles_nothing(request: pytest.FixtureRequest) -> None:
    shelf, rules = Shelf(), some_rules(terms("claim", *WORDS))
    first = found(made(rules, shelf), ["全网最低价9元", "不能说最低"])
    request.getfixturevalue("never_gathered")
    assert first and found(made(rules, shelf), ["全网最低价9元", "不能说最低"]) == first
    with pytest.raises(AssertionError, match="compiled anew"):
        made(rules, shelf, edition="other code")
    with pytest.raises(AssertionError, match="compiled anew"):
        made(some_rules(terms("claim", *WORDS[1:])), shelf)


def test_what_is_not_in_the_cache_any_more_is_made_again() -> None:
    shelf, rules = Shelf(), some_rules(terms("claim", *WORDS))
    first = found(made(rules, shelf), ["全网最低价9元"])
    for key in list(shelf):
        without = Shelf({k: data for k, data in shelf.items() if k != key})
        assert found(made(rules, without), ["全网最低价9元"]) == first


@pytest.mark.parametrize("spoil", [lambda d: b"", lambda d: d[:-1], lambda d: d[:40] + bytes([d[40] ^ 1]) + d[41:]])
def test_a_damaged_file_is_made_again(tmp_path: Path, spoil: "object") -> None:
    assert callable(spoil)
    rules = some_rules(terms("claim", *WORDS))
    first = found(made(rules, BlobFolder(tmp_path)), ["全网最低价9元"])
    kept = {path: path.read_bytes() for path in tmp_path.iterdir()}
    for path, data in kept.items():
        path.write_bytes(spoil(data))
    assert found(made(rules, BlobFolder(tmp_path)), ["全网最低价9元"]) == first
    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == kept


def test_what_another_program_left_under_a_key_is_made_again() -> None:
    shelf, rules = Shelf(), some_rules(terms("claim", *WORDS))
    first = found(made(rules, shelf), ["全网最低价9元"])
    foreign = Shelf(dict.fromkeys(shelf, b"\x93\x01\x02\x03"))
    assert found(made(rules, foreign), ["全网最低价9元"]) == first


def test_a_database_that_is_asked_for_twice_is_compiled_once(monkeypatch: pytest.MonkeyPatch) -> None:
    made = list[int]()

    def counted(expressions: list[bytes]) -> Any:
        made.append(len(expressions))
        return compiled(expressions)

    monkeypatch.setattr(engine_databases, "compiled", counted)
    shelf, forms = Shelf(), ["全网", "最低"]
    databases = Databases(shelf)
    keys = [databases.literals(forms), databases.literals(forms), databases.literals(forms[:1])]
    databases.finish()
    assert keys[0] == keys[1]
    assert sorted(made) == [1, 2]
    assert set(shelf) == set(keys)
    Databases(shelf).known(keys[2])


def test_a_word_that_is_scanned_for_by_its_sound_has_no_scan_of_its_own_characters() -> None:
    def scanned(word: str) -> list[View]:
        return [of for _, of, _ in form_of(word, Characters(tables()), terms("claim", word))[1]]

    assert scanned("全网最低") == [View.SOUND]
    assert scanned("最低") == [View.SKELETON]
    assert scanned("全网vip最低") == [View.SKELETON, View.SOUND], "letters have no sound"
    assert {m[2][0].view for m in found(made([rule(terms("claim", "全网最低"))], None), ["全网最低"])} == {View.PLAIN}


def test_what_is_shared_with_another_process_is_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    """Patterns that cannot be run are told as ever, and cases that fail."""
    shared: list[int] = []

    def halved(work: Callable[[Sequence[T]], list[U]], items: Sequence[T], of: type[U]) -> list[U]:
        shared.append(len(items))
        done = [*work(items[:1]), *work(items[1:])]
        return msgspec.msgpack.decode(msgspec.msgpack.encode(done), type=list[of])  # type: ignore[valid-type]

    monkeypatch.setattr(expressions, "_MANY", 1)
    monkeypatch.setattr(casework, "_MANY", 1)
    claim = Selection(name="claim", patterns=("(全网|全国)最低|最便宜", "最[低好]价", "第一(名|品牌)"))
    cases = (Case("全网最低", expect=("claim",)), Case("好的", expect=("claim",)), Case("最好价", expect=()))
    ruleset = RuleSet((rule(claim, cases=cases),), {}, "test", {})
    alone, apart = (run_cases(ruleset, tables(), ZONE, Databases(halved=how)) for how in (undivided, halved))
    assert apart == alone
    assert [str(failure).rpartition(": ")[2] for failure in alone[1]] == ["好的", "最好价"]
    assert shared == [3, 3]
    broken = RuleSet((rule(Selection(name="claim", patterns=("最好|(第一", "最低", "a{1001}|b"))),), {}, "test", {})
    with pytest.raises(RuleError) as told:
        EngineSet(broken, tables(), zone=ZONE, databases=Databases(halved=halved))
    assert len(told.value.faults) == 2


def test_no_garbage_is_looked_for_while_rules_are_made_and_again_whatever_comes_of_it() -> None:
    with uncollected():
        with uncollected():
            pass
        assert not gc.isenabled()
    with pytest.raises(RuleError):
        load_sources({"a/pack.yml": b"id: ["})
    assert gc.isenabled()


def test_two_threads_scan_with_one_database() -> None:
    db, data, hits = compiled([b"ab"]), b"ab" * 300_000, []

    def scan() -> None:
        seen: list[int] = []
        db.scan(data, lambda n, start, end, flags, context: seen.append(end))
        hits.append(len(seen))

    threads = [Thread(target=scan) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert hits == [300_000] * 3


def test_cases_that_held_are_not_run_again(monkeypatch: pytest.MonkeyPatch) -> None:
    shelf, ran = Shelf(), list[int]()

    def run(ruleset: RuleSet, *rest: Any) -> tuple[int, list[Failure]]:
        ran.append(len(ruleset.rules[0].cases))
        return run_cases(ruleset, *rest)

    def failing(*cases: Case, edition: str = "") -> int:
        ruleset = RuleSet((rule(terms("claim", "最低"), cases=cases),), {}, "the same", {})
        return len(failing_cases(ruleset, tables(), ZONE, Databases(shelf, edition)))

    monkeypatch.setattr(casework, "run_cases", run)
    right, wrong = Case(text="最低价", expect=("claim",)), Case(text="最低价", expect=())
    assert [failing(right), failing(right)] == [0, 0]
    assert ran == [1]
    assert [failing(right, wrong), failing(right, wrong)] == [1, 1], "what failed is told again"
    assert [failing(right), failing(right, edition="other code")] == [0, 0]
    assert ran == [1, 2, 2, 1]


def test_files_that_were_read_are_not_read_again(monkeypatch: pytest.MonkeyPatch) -> None:
    shelf, read, source = Shelf(), list[int](), ROOT / "rules"
    files = {path.relative_to(source).as_posix(): path.read_bytes()
             for path in (*source.glob("*.yml"), *source.glob("jobs/**/*.*"))}
    plain = load_sources(files)

    def reading(sources: dict[str, bytes], unread: list[Faults], databases: Databases) -> RuleSet:
        read.append(len(sources))
        return as_read(sources, unread, databases)

    as_read = folder._load
    monkeypatch.setattr(folder, "_load", reading)
    for _ in range(2):
        assert load_sources(files, Databases(shelf)) == plain
    assert read == [len(files)]
    spoilt = files | {"jobs/pack.yml": b"id: ["}
    for _ in range(2):
        with pytest.raises(RuleError):
            load_sources(spoilt, Databases(shelf))
    assert read == [len(files)] * 3, "faults are told again"
    load_sources(files, Databases(shelf, "other code"))
    assert read == [len(files)] * 4


def test_no_event_waits_for_a_database(monkeypatch: pytest.MonkeyPatch) -> None:
    patterns._database.cache_clear()
    engine = made([rule(terms("claim", "全网最低价"))], None)

    def late(expressions: object) -> object:
        raise AssertionError("compiled while an event waits")

    monkeypatch.setattr(patterns, "compiled", late)
    assert found(engine, ["全网最低价", "加微信 abc12345"])
