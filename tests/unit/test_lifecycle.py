"""The life of models: promoted, tried, rolled back; what judges follows, or nothing changes."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from monitor.adapters.ml.folder import MANIFEST, WEIGHTS, save_model
from monitor.adapters.ml.shelf import STATE, ModelShelf
from monitor.adapters.rulefiles import RuleFolder
from monitor.domain.errors import ConfigError, InputError, NewerFormat, NotFound, RedpostError, RuleError, StorageError
from monitor.domain.frames import Swap
from monitor.services.lifecycle import ALL, Choice, Lifecycle, ModelState
from monitor.services.rulebook import Rulebook
from tests.fakes.log import MemoryLog
from tests.fakes.registry import MemoryRegistry, tiny_model
from tests.fakes.store import MemoryStore
from tests.faults.harness import RULES
from tests.faults.inside import START, Clock, Quiet
from tests.faults.streams import ZONE, tables


class Kept(Quiet):
    def __init__(self) -> None:
        super().__init__()
        self.lines: list[tuple[str, dict[str, Any]]] = []

    def info(self, event: str, **facts: Any) -> None:
        self.lines.append((event, facts))

    def warning(self, event: str, **facts: Any) -> None:
        self.lines.append((event, facts))


class House:
    """A registry with local/1 and local/2 beside base/1, and a reload that counts and may fail."""

    def __init__(self) -> None:
        self.registry, self.logger = MemoryRegistry("base/1"), Kept()
        for name in ("local/1", "local/2"):
            self.registry.add(tiny_model(name), f"# {name}")
        self.reloads, self.refuses = 0, False
        self.life = Lifecycle(self.registry, self.reload, clock=Clock(), logger=self.logger)

    async def reload(self) -> None:
        self.reloads += 1
        if self.refuses:
            raise RuleError([])

    def roles(self) -> dict[str, str]:
        return {each.role: each.id for each in asyncio.run(self.life.listed()).models if each.role}

    def every(self) -> Choice:
        return self.registry.state().of(ALL)


def test_there_and_back_again() -> None:
    house = House()
    assert house.roles() == {"serving": "base/1"}
    choice = asyncio.run(house.life.promote("local/1", by="zhang")).of(ALL)
    assert (choice.what, choice.by, choice.at, house.reloads) == ("promoted", "zhang", START, 1)
    assert house.roles() == {"serving": "local/1", "previous": "base/1"}
    asyncio.run(house.life.promote("local/2", by="zhang"))
    assert house.roles() == {"serving": "local/2", "previous": "local/1"}
    asyncio.run(house.life.roll_back(by="li"))
    assert house.roles() == {"serving": "local/1"}
    with pytest.raises(InputError, match="none to go back to"):
        asyncio.run(house.life.roll_back(by="li"))
    asyncio.run(house.life.promote("base/1", by="li"))
    assert house.every().serving == "", "the one of the settings, whichever that will be"
    asyncio.run(house.life.roll_back(by="li"))
    assert house.roles() == {"serving": "local/1"}
    assert [(event, facts["by"], facts["serving"]) for event, facts in house.logger.lines] == [
        ("model_promoted", "zhang", "local/1"), ("model_promoted", "zhang", "local/2"),
        ("model_rolled_back", "li", "local/1"), ("model_promoted", "li", "base/1"),
        ("model_rolled_back", "li", "local/1")]


def test_a_shadow_ends_when_it_is_promoted_or_let_go() -> None:
    house = House()
    asyncio.run(house.life.shadow("local/1", by="zhang"))
    assert house.roles() == {"serving": "base/1", "shadow": "local/1"}
    asyncio.run(house.life.promote("local/1", by="zhang"))
    assert house.roles() == {"serving": "local/1", "previous": "base/1"}
    asyncio.run(house.life.shadow("local/2", by="zhang"))
    assert asyncio.run(house.life.shadow("", by="zhang")).of(ALL).shadow == ""


@pytest.mark.parametrize("step", ["promote", "shadow"])
@pytest.mark.parametrize("model, error, told", [
    ("local/9", NotFound, "no model"), ("local/2", InputError, "cannot serve: local/2 is cut off"),
    ("base/1", InputError, "serves already")])
def test_what_cannot_serve_changes_nothing(step: str, model: str, error: type[Exception], told: str) -> None:
    house = House()
    house.registry.unsound.add("local/2")
    with pytest.raises(error, match=told):
        asyncio.run(getattr(house.life, step)(model, by="zhang"))
    assert (house.registry.state(), house.reloads, house.logger.lines) == (ModelState(), 0, [])


def test_where_no_classifier_judges_none_is_promoted() -> None:
    models = MemoryRegistry("")
    models.add(tiny_model("local/1"), "#")

    async def reload() -> None: ...

    with pytest.raises(InputError, match="dir is none"):
        asyncio.run(Lifecycle(models, reload, clock=Clock(), logger=Quiet()).promote("local/1", by=""))


def test_a_refused_reload_or_a_full_disk_leaves_the_state_as_it_was() -> None:
    house = House()
    house.refuses = True
    with pytest.raises(RuleError):
        asyncio.run(house.life.promote("local/1", by="zhang"))
    house.registry.fails = StorageError("the disk is full")
    with pytest.raises(StorageError):
        asyncio.run(house.life.promote("local/1", by="zhang"))
    assert (house.registry.state(), house.reloads, house.logger.lines) == (ModelState(), 1, [])


def test_a_model_that_learnt_from_a_tenants_labels_is_for_that_tenant_alone() -> None:
    house = House()
    house.registry.add(tiny_model("agency/1", tenant="agency"), "#")
    state = asyncio.run(house.life.promote("agency/1", by="li"))
    assert (list(state.tenants), state.serving("agency"), state.serving("local")) == (["agency"], "agency/1", "")
    for tenant in (ALL, "local"):
        for step in (house.life.promote, house.life.shadow):
            with pytest.raises(InputError, match="labels of agency, and judges no other"):
                asyncio.run(step("agency/1", by="li", tenant=tenant))
    with pytest.raises(InputError, match="no name of a tenant"):
        asyncio.run(house.life.promote("local/1", by="li", tenant="../x"))
    asyncio.run(house.life.promote("local/1", by="li"))
    assert (house.registry.state().serving("agency"), house.registry.state().serving("other")) == (
        "agency/1", "local/1")
    with pytest.raises(InputError, match="local/1 serves all tenants now"):
        asyncio.run(house.life.promote("base/1", by="li", tenant="agency"))
    asyncio.run(house.life.promote("local/1", by="li", tenant="agency"))
    assert house.registry.state().of("agency").serving == "", "it has none of its own any more"
    with pytest.raises(InputError, match=r"several .*: \*, agency"):
        asyncio.run(house.life.roll_back(by="li"))
    asyncio.run(house.life.roll_back(by="li", tenant="agency"))
    assert house.registry.state().serving("agency") == "agency/1"
    assert asyncio.run(house.life.roll_back(by="li")).of(ALL).serving == "", "one that can: whose it is, is clear"


STEPS = st.tuples(st.sampled_from(["promote", "shadow", "roll_back"]),
                  st.sampled_from(["base/1", "local/1", "local/2", "local/9", "agency/1", ""]),
                  st.sampled_from([ALL, "agency", "other"]), st.booleans())


@given(st.lists(STEPS, max_size=12))
@example([("promote", "local/1", ALL, False), ("shadow", "base/1", ALL, False), ("roll_back", "", ALL, False)])
def test_whatever_steps_are_taken_what_serves_is_sound_and_refused_ones_leave_no_trace(
    steps: list[tuple[str, str, str, bool]]
) -> None:
    house = House()
    house.registry.unsound.add("local/2")
    house.registry.add(tiny_model("agency/1", tenant="agency"), "#")
    for step, model, tenant, refuses in steps:
        state, house.refuses = house.registry.state(), refuses
        whose = "agency" if model == "agency/1" and step != "roll_back" else tenant
        before, others = state.of(whose), {name: each for name, each in state.tenants.items() if name != whose}
        try:
            asyncio.run(getattr(house.life, step)(*([] if step == "roll_back" else [model]), by="x", tenant=tenant))
        except RedpostError:
            assert house.registry.state() == state
            continue
        changed = house.registry.state()
        after = changed.of(whose)
        assert {name: each for name, each in changed.tenants.items() if name != whose} == others
        sound = {"", "base/1", "local/1", None} | ({"agency/1"} if whose == "agency" else set())
        assert not refuses and {after.serving, after.shadow, after.previous} <= sound
        assert after.shadow != (changed.serving(whose) or "base/1")
        if step == "promote":
            assert (changed.serving(whose) or "base/1", after.previous) == (model, before.serving)
        if step == "roll_back":
            assert (after.serving, after.previous) == (before.previous, None)


# --- with a rulebook, over files --------------------------------------------------------------------------------------


@pytest.fixture
def shelf(tmp_path: Path) -> ModelShelf:
    save_model(tmp_path / "base/1", tiny_model("base/1"), "# base")
    made = ModelShelf(tmp_path / "base/1", tmp_path / "models")
    made.add(tiny_model("local/1", bias=-4), "# one")
    made.add(tiny_model("local/2", bias=-3), "# two")
    return made


class Running:
    def __init__(self, shelf: ModelShelf) -> None:
        self.log, self.store, self.logger = MemoryLog(), MemoryStore(), Kept()
        self.book = self.again(shelf)
        self.life = Lifecycle(shelf, lambda: self.book.reload(self.log), clock=Clock(), logger=self.logger)

    def again(self, shelf: ModelShelf) -> Rulebook:
        return Rulebook(RuleFolder(RULES, rooms=None, zone=ZONE), self.store, tables(), logger=self.logger,
                        telemetry=Quiet(), clock=Clock(), models=shelf)

    def serving(self) -> str:
        assert self.book.current.scorer is not None
        return self.book.current.scorer.version.partition("@")[0]

    async def swaps(self) -> list[str]:
        entries = await self.log.read(after=0, lane=None, events=100)
        return [each.entry.version for each in entries if isinstance(each.entry, Swap)]


async def test_promotion_and_return_reach_the_engine_by_an_entry_in_the_log(shelf: ModelShelf, tmp_path: Path) -> None:
    running = Running(shelf)
    first = await running.book.load()
    await running.life.promote("local/1", by="zhang")
    second = running.book.current
    assert (running.serving(), await running.swaps()) == ("local/1", [second.version])
    await running.life.roll_back(by="zhang")
    assert (running.serving(), await running.swaps()) == ("base/1", [second.version, first.version])
    # A start that reads the log again judges each part by the model that judged it.
    book = running.again(ModelShelf(tmp_path / "base/1", tmp_path / "models"))
    await book.load()
    assert (await book.engine_of(second.version)).scorer.version == second.scorer.version  # type: ignore[union-attr]
    (tmp_path / "models/local/1" / MANIFEST).unlink()
    book = running.again(ModelShelf(tmp_path / "base/1", tmp_path / "models"))
    await book.load()
    assert (await book.engine_of(second.version)).scorer.version == first.scorer.version  # type: ignore[union-attr]
    assert running.logger.lines[-2][0] == "model_differs", "the one that serves takes its place, which is told"


async def test_a_tenants_own_model_reaches_the_engine_by_the_log_and_a_re_read_judges_by_it(
    shelf: ModelShelf, tmp_path: Path
) -> None:
    shelf.add(tiny_model("agency/1", bias=-2, tenant="agency"), "#")
    running = Running(shelf)
    first = await running.book.load()
    await running.life.promote("agency/1", by="zhang")
    second = running.book.current
    assert (await running.swaps(), running.serving()) == ([second.version], "base/1")
    await running.life.promote("local/1", by="zhang")
    third = running.book.current
    await running.life.roll_back(by="zhang", tenant="agency")
    assert await running.swaps() == [second.version, third.version, running.book.current.version]
    book = running.again(ModelShelf(tmp_path / "base/1", tmp_path / "models"))
    await book.load()

    async def models(version: str) -> list[str]:
        found = [(await book.engine_of(version)).of(tenant).scorer for tenant in ("agency", "local")]
        return [scorer.version.partition("@")[0] for scorer in found if scorer is not None]

    assert await models(first.version) == ["base/1", "base/1"]
    assert await models(second.version) == ["agency/1", "base/1"]
    assert await models(third.version) == ["agency/1", "local/1"]
    (tmp_path / "models/agency/1" / MANIFEST).unlink()
    book = running.again(ModelShelf(tmp_path / "base/1", tmp_path / "models"))
    await book.load()
    assert await models(third.version) == ["local/1", "local/1"], "what serves takes its place, which is told"
    assert running.logger.lines[-2][0] == "model_differs"


async def test_a_tenants_shadow_is_tried_on_its_events_and_that_of_all_where_their_model_judges(
    shelf: ModelShelf
) -> None:
    for version in "12":
        shelf.add(tiny_model(f"agency/{version}", bias=int(version), tenant="agency"), "#")
    running = Running(shelf)
    await running.book.load()
    await running.life.promote("agency/1", by="x")
    await running.life.shadow("local/1", by="x")

    def shadows() -> list[str]:
        found = [running.book.shadow_of(tenant) for tenant in ("local", "agency")]
        return [scorer.version.partition("@")[0] if scorer else "" for scorer in found]

    assert shadows() == ["local/1", ""]
    await running.life.shadow("agency/2", by="x")
    assert shadows() == ["local/1", "agency/2"]
    await running.life.shadow("", by="x", tenant="agency")
    assert shadows() == ["local/1", ""]


def test_a_state_of_the_first_format_is_for_all(shelf: ModelShelf, tmp_path: Path) -> None:
    (tmp_path / "models" / STATE).write_bytes(b'{"format": 1, "serving": "local/1", "previous": "", "by": "li"}')
    assert shelf.state() == ModelState(tenants={ALL: Choice(serving="local/1", previous="", by="li")})


async def test_a_tampered_model_is_not_promoted_and_the_serving_one_stays(shelf: ModelShelf, tmp_path: Path) -> None:
    running = Running(shelf)
    serving = await running.book.load()
    with (tmp_path / "models/local/1" / WEIGHTS).open("r+b") as file:
        file.truncate(500)
    with pytest.raises(InputError, match="local/1 cannot serve") as caught:
        await running.life.promote("local/1", by="zhang")
    assert caught.value.hint
    assert running.book.current is serving
    assert (shelf.state(), running.log.end()) == (ModelState(), 0)


async def test_a_start_with_a_broken_promoted_model_says_how_to_go_back(shelf: ModelShelf, tmp_path: Path) -> None:
    running = Running(shelf)
    await running.book.load()
    await running.life.promote("local/1", by="zhang")
    (tmp_path / "models/local/1" / WEIGHTS).write_bytes(b"")
    fresh = ModelShelf(tmp_path / "base/1", tmp_path / "models")
    with pytest.raises(ConfigError, match="redpost model rollback"):
        await running.again(fresh).load()

    async def nobody() -> None: ...

    await Lifecycle(fresh, nobody, clock=Clock(), logger=Quiet()).roll_back(by="zhang")
    assert (await running.again(fresh).load()).scorer is not None


async def test_a_running_service_follows_a_step_that_a_command_took(shelf: ModelShelf, tmp_path: Path) -> None:
    running, done = Running(shelf), asyncio.Event()
    await running.book.load()

    async def nobody() -> None: ...

    other = ModelShelf(tmp_path / "base/1", tmp_path / "models")
    await Lifecycle(other, nobody, clock=Clock(), logger=Quiet()).promote("local/2", by="zhang")
    original = running.book.reload

    async def reload(log: Any) -> Any:
        done.set()
        return await original(log)

    running.book.reload = reload  # type: ignore[method-assign]
    async with asyncio.timeout(20):
        await running.book.watch(running.log, every_s=0, stop=done)
    assert running.serving() == "local/2"


async def test_a_shadow_is_loaded_beside_and_changes_no_engine_set(shelf: ModelShelf, tmp_path: Path) -> None:
    running = Running(shelf)
    first = await running.book.load()
    assert running.book.shadow_of("local") is None
    await running.life.shadow("local/2", by="zhang")
    shadow = running.book.shadow_of("local")
    assert shadow is not None and shadow.version.startswith("local/2@")
    assert running.book.current.version == first.version and await running.swaps() == []
    (tmp_path / "models/local/2" / WEIGHTS).write_bytes(b"")
    await running.book.reload(running.log)
    assert running.book.shadow_of("local") is None and running.logger.lines[-1][0] == "shadow_not_loaded"


@pytest.mark.parametrize("content, error", [
    (b"", ConfigError), (b"{}x", ConfigError), (b'{"serving": 3}', ConfigError), (b'{"servin": "x/1"}', ConfigError),
    (b'{"format": 3}', NewerFormat), (b'{"format": "x"}', ConfigError)])
def test_a_state_that_is_none(shelf: ModelShelf, tmp_path: Path, content: bytes, error: type[Exception]) -> None:
    (tmp_path / "models" / STATE).write_bytes(content)
    with pytest.raises(error) as caught:
        shelf.state()
    assert STATE in str(caught.value) and getattr(caught.value, "hint", "")


def test_versions_are_listed_as_numbers_and_a_broken_one_with_its_fault(shelf: ModelShelf, tmp_path: Path) -> None:
    for version in (10, 9):
        shelf.add(tiny_model(f"local/{version}"), "#")
    (tmp_path / "models/local/9" / MANIFEST).write_bytes(b"{")
    (tmp_path / "models/local/.tmp").mkdir()
    found = asyncio.run(Lifecycle(shelf, lambda: asyncio.sleep(0), clock=Clock(), logger=Quiet()).listed())
    assert [each.id for each in found.models] == ["base/1", "local/1", "local/2", "local/9", "local/10"]
    assert [bool(each.fault) for each in found.models] == [False, False, False, True, False]
    assert (found.models[0].macro_f1, found.models[0].hard_alarms, found.models[0].lines) == (0.5, 0.25, 7)


def test_a_model_under_another_ones_name_is_refused(shelf: ModelShelf, tmp_path: Path) -> None:
    (tmp_path / "models/local/1").rename(tmp_path / "models/local/7")
    with pytest.raises(ConfigError, match="local/1"):
        shelf.model("local/7")
