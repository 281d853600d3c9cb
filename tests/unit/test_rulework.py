"""The rules workbench: versions of files, what lies over the folder, publishing now and later, and the way back."""

from collections.abc import AsyncIterator, Callable
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from monitor.adapters.rulefiles import RuleFolder, load_sources
from monitor.adapters.storage.database import Database
from monitor.adapters.storage.rule_edits import SqlRuleEdits
from monitor.domain.errors import ConfigError, Conflict, InputError, NotFound, Refused, RuleError, StorageError
from monitor.domain.people import Actor
from monitor.services.casework import run_cases
from monitor.services.dryrecords import RunThis
from monitor.services.rulebook import ReloadResult
from monitor.services.ruleeditions import Publishing, Released, RuleEdits, Saving
from monitor.services.ruleparts import checked_path, part
from monitor.services.ruletrying import RuleDraft, RuleTrial, TryThis
from monitor.services.rulework import Workbench
from tests.fakes.posts import MemoryPosts
from tests.fakes.rule_edits import MemoryRuleEdits
from tests.faults.harness import ROOT, RULES
from tests.faults.inside import Quiet
from tests.faults.streams import ZONE, engine_of, tables
from tests.functional.fakes import NOW, FakeArchive, FakeClock

LOWEST = "shop/lowest.yml"
TEXT = (RULES / LOWEST).read_text(encoding="utf-8")
WIDER = TEXT.replace("claim: [全网最低, 史上最低]", "claim: {terms: [全网最低, 史上最低, 底价]}").replace(
    "cases:", "cases:\n  - {text: 今天给底价, expect: [claim]}")
WRONG = TEXT.replace("今天全网最低", "今天天气很好")
OPERATOR = Actor(id="op", tenant="local")


class Reloads:
    """Parses what lies over the folder as the rulebook would."""

    def __init__(self) -> None:
        self.calls = 0
        self.fail: list[Exception] = []
        self.laid: Callable[[], object] = dict

    async def __call__(self) -> ReloadResult:
        self.calls += 1
        if self.fail:
            raise self.fail.pop(0)
        return ReloadResult("new", "old", True, 5)


@pytest.fixture(params=["memory", "sql"])
async def edits(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[RuleEdits]:
    if request.param == "memory":
        yield MemoryRuleEdits(MemoryPosts())
        return
    database = await Database.open(tmp_path / "store.db")
    yield SqlRuleEdits(database)
    await database.close()


def bench(
    edits: RuleEdits, reload: Reloads, clock: FakeClock, confirm: int | None = None, *, shared: bool = False,
) -> Workbench:
    async def budget(actor: Actor, path: str, text: bytes) -> int | None:
        return confirm

    return Workbench(edits, parse=load_sources, folder=lambda: engine_of().ruleset.sources, engine=engine_of,
                     reload=reload, clock=clock, logger=Quiet(), schema={}, budget=budget,
                     shared=shared)


async def test_what_one_process_saves_and_publishes_others_show_at_once_and_keep(edits: RuleEdits) -> None:
    one, other = (bench(edits, Reloads(), FakeClock(), shared=True) for _ in range(2))
    await one.load()
    await other.load()
    await one.save(OPERATOR, Saving(path=LOWEST, text=WIDER, base=0, note=""))
    assert [edition.version for edition in (await other.file(LOWEST)).editions] == [1]
    assert [edition.version for edition in (await one.file(LOWEST)).editions] == [1]
    await other.publish(OPERATOR, Publishing(path=LOWEST, version=1))
    rank = "shop/rank.yml"
    await one.save(OPERATOR, Saving(path=rank, text=(RULES / rank).read_text(encoding="utf-8"), base=0, note=""))
    await one.publish(OPERATOR, Publishing(path=rank, version=1))
    assert set(one.laid()) == {LOWEST, rank}, "the other one's is not taken back"
    later = await other.publish(OPERATOR, Publishing(path=rank, version=0, at=NOW + 60_000))
    assert {(row.path, row.version) for row in (await one.listed("local")).files} >= {(LOWEST, 1), (rank, 1)}
    await one.cancel(OPERATOR, later.id)
    assert not (await other.listed("local")).waiting


async def test_a_file_is_saved_published_and_taken_back(edits: RuleEdits) -> None:
    reload, clock = Reloads(), FakeClock()
    desk = bench(edits, reload, clock)
    await desk.load()
    first = await desk.save(OPERATOR, Saving(path=LOWEST, text=WIDER, base=0, note="加词"))
    assert (first.version, first.rules, first.cases, first.failed) == (1, ("shop.lowest",), 3, 0)
    assert desk.laid() == {} and (await desk.file(LOWEST)).version == 0
    with pytest.raises(Conflict):
        await desk.save(OPERATOR, Saving(path=LOWEST, text=TEXT, base=0))

    done = await desk.publish(OPERATOR, Publishing(path=LOWEST, version=1))
    assert done.state is Released.DONE and desk.laid() == {LOWEST: WIDER.encode()} and reload.calls == 1
    again = bench(edits, reload, clock)  # as after a restart
    await again.load()
    assert again.laid() == desk.laid()
    row = next(rule for rule in (await again.listed("local")).rules if rule.id == "shop.lowest")
    assert (row.version, row.latest) == (1, 1)

    clock.ms += 1
    await desk.publish(OPERATOR, Publishing(path=LOWEST, version=0))
    assert desk.laid() == {} and (await desk.file(LOWEST)).text == WIDER
    assert (await desk.file(LOWEST, 0)).text == TEXT


async def test_what_cannot_judge_is_not_published(edits: RuleEdits) -> None:
    reload, clock = Reloads(), FakeClock()
    desk = bench(edits, reload, clock)
    with pytest.raises(RuleError) as raised:
        await desk.save(OPERATOR, Saving(path=LOWEST, text=TEXT.replace("condition: claim", "condition: clam"), base=0))
    assert (raised.value.faults[0].path, raised.value.faults[0].line) == (LOWEST, 11)
    assert (await desk.save(OPERATOR, Saving(path=LOWEST, text=WRONG, base=0))).failed == 1
    with pytest.raises(Refused, match="cases do not hold"):
        await desk.publish(OPERATOR, Publishing(path=LOWEST, version=1))
    with pytest.raises(NotFound):
        await desk.publish(OPERATOR, Publishing(path=LOWEST, version=7))
    await desk.save(OPERATOR, Saving(path=LOWEST, text=WIDER, base=1))
    reload.fail = [ConfigError("no")]
    with pytest.raises(ConfigError):
        await desk.publish(OPERATOR, Publishing(path=LOWEST, version=2))
    assert desk.laid() == {} and (await desk.file(LOWEST)).releases == []


async def test_a_store_that_refuses_leaves_the_old_rules_judging() -> None:
    edits, reload = MemoryRuleEdits(MemoryPosts()), Reloads()
    desk = bench(edits, reload, FakeClock())
    await desk.save(OPERATOR, Saving(path=LOWEST, text=WIDER, base=0))
    edits.fail = StorageError("full")
    with pytest.raises(StorageError):
        await desk.publish(OPERATOR, Publishing(path=LOWEST, version=1))
    assert desk.laid() == {} and reload.calls == 2  # there, and back


async def test_above_the_budget_the_number_is_asked_for(edits: RuleEdits) -> None:
    desk = bench(edits, Reloads(), FakeClock(), confirm=12)
    await desk.save(OPERATOR, Saving(path=LOWEST, text=WIDER, base=0))
    for confirm in (None, 11):
        with pytest.raises(Refused, match="12"):
            await desk.publish(OPERATOR, Publishing(path=LOWEST, version=1, confirm=confirm))
    await desk.publish(OPERATOR, Publishing(path=LOWEST, version=1, confirm=12))
    await desk.publish(OPERATOR, Publishing(path=LOWEST, version=0))
    await desk.publish(OPERATOR, Publishing(path=LOWEST, version=1))  # it has judged before: the way back is free


@pytest.mark.parametrize("status", ["shadow", "draft", "deprecated"])
async def test_what_raises_nothing_need_not_be_confirmed(edits: RuleEdits, status: str) -> None:
    desk = bench(edits, Reloads(), FakeClock(), confirm=12)
    await desk.load()
    quiet = WIDER.replace("status: active", f"status: {status}")
    await desk.save(OPERATOR, Saving(path=LOWEST, text=quiet, base=0))
    await desk.publish(OPERATOR, Publishing(path=LOWEST, version=1))
    contexts = "contexts: {told: {title: t, parts: [{terms: [听说], side: before, within: 2}]}}"
    await desk.save(OPERATOR, Saving(path="contexts.yml", text=contexts, base=0))
    with pytest.raises(Refused):
        await desk.publish(OPERATOR, Publishing(path="contexts.yml", version=1))


async def test_what_is_due_later_is_published_then_or_called_off(edits: RuleEdits) -> None:
    reload, clock = Reloads(), FakeClock()
    desk = bench(edits, reload, clock)
    await desk.save(OPERATOR, Saving(path=LOWEST, text=WIDER, base=0))
    with pytest.raises(InputError):
        await desk.publish(OPERATOR, Publishing(path=LOWEST, version=1, at=NOW + 31 * 86_400_000))
    later, off = [await desk.publish(OPERATOR, Publishing(path=LOWEST, version=1, at=NOW + ms))
                  for ms in (5_000, 9_000)]
    assert (later.state, reload.calls, len((await desk.listed("local")).waiting)) == (Released.WAITING, 0, 2)
    assert (await desk.cancel(OPERATOR, off.id)).state is Released.CANCELLED
    with pytest.raises(Conflict):
        await desk.cancel(OPERATOR, off.id)
    await desk.pass_time("local")
    assert reload.calls == 0
    clock.ms += 5_000
    desk = bench(edits, reload, clock)  # also after a restart
    await desk.load()
    await desk.pass_time("local")
    assert desk.laid() == {LOWEST: WIDER.encode()} and (await desk.listed("local")).waiting == []
    await desk.pass_time("local")
    assert reload.calls == 1


async def test_what_is_due_and_does_not_load_is_refused_once(edits: RuleEdits) -> None:
    reload, clock = Reloads(), FakeClock()
    desk = bench(edits, reload, clock)
    await desk.save(OPERATOR, Saving(path=LOWEST, text=WIDER, base=0))
    await desk.publish(OPERATOR, Publishing(path=LOWEST, version=1, at=NOW + 1))
    clock.ms += 1
    reload.fail = [StorageError("for now"), ConfigError("it does not load")]
    for expected in (Released.WAITING, Released.REFUSED, Released.REFUSED):
        await desk.pass_time("local")
        release = (await desk.file(LOWEST)).releases[0]
        assert release.state is expected
    assert "does not load" in release.fault and desk.laid() == {} and reload.calls == 2


@pytest.mark.parametrize("path", [
    "../etc/passwd", "/shop/a.yml", "shop/../a.yml", "shop/.a.yml", "shop/A.yml", "a.sh", "", "a/b/c/d.yml",
    "shop/a.yml\n"])
def test_only_files_of_the_rules_are_written(path: str) -> None:
    with pytest.raises(InputError):
        checked_path(path)


def test_a_part_judges_as_the_whole_does() -> None:
    serving = engine_of().ruleset
    for rule in serving.all():
        found = part(serving, rule.path, serving.sources[rule.path].decode(), load_sources)
        assert next(each for each in found.ruleset.all() if each.id == rule.id).version == rule.version
        assert rule.id in found.own


async def attempt(text: str, said: str) -> tuple[list[str], list[str]]:
    trial = RuleTrial(FakeArchive(), load_sources, engine_of, FakeClock())  # type: ignore[arg-type]
    tried = await trial.attempt("local", TryThis(path=LOWEST, text=text, said=said))
    assert not tried.faults
    (line,) = tried.lines
    return [f"{'own ' if found.own else ''}{found.rule}" for found in line.found], [
        f"{hit.selection} {hit.taken_by}".strip() for fate in line.fates for hit in fate.hits]


async def test_a_text_is_tried_in_place_of_its_file() -> None:
    assert await attempt(TEXT, "今天给底价，全国第一") == (["shop.rank"], [])
    assert await attempt(WIDER, "今天给底价，全国第一") == (["own shop.lowest", "shop.rank"], ["claim"])
    denied = "  denied: {terms: [不能说], veto: claim, side: before, within: 4}\n"
    vetoed = WIDER.replace("  condition:", denied + "  condition:")
    assert await attempt(vetoed, "不能说全网最低") == ([], ["denied", "claim veto denied"])


async def test_faults_and_cases_are_told_where_they_stand() -> None:
    trial = RuleTrial(FakeArchive(), load_sources, engine_of, FakeClock())  # type: ignore[arg-type]
    linted = await trial.lint(RuleDraft(path=LOWEST, text=WRONG))
    assert (linted.faults, linted.cases, linted.failed[0].line, linted.failed[0].wanted) == ([], 2, 14, ["claim"])
    linted = await trial.lint(RuleDraft(path=LOWEST, text="id: [\n"))
    assert linted.faults and {fault.path for fault in linted.faults} == {LOWEST}
    linted = await trial.lint(RuleDraft(path="shop/copy.yml", text=TEXT))
    assert any("twice" in fault.message or "stands" in fault.message for fault in linted.faults)
    assert RunThis(path=LOWEST, text=TEXT).hours == 2


def test_each_shipped_rule_over_several_events_holds_its_cases_by_itself() -> None:
    """As it is saved in the console: with what it needs of the others, and these in force."""
    folder = RuleFolder(ROOT / "rules", rooms=None, zone=ZONE)
    shipped = folder.parse(folder.read())[0]
    for rule in shipped.correlations:
        alone = part(shipped, rule.path, shipped.sources[rule.path].decode(), load_sources)
        ran, failed = run_cases(alone.ruleset, tables(), ZoneInfo(ZONE))
        assert ran >= len(rule.cases) and not failed, rule.id
