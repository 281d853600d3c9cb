"""Which rules judge: watching files that come and go, and how many compiled sets are kept."""

import asyncio
from collections.abc import Sequence
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import pytest

from monitor.adapters.rulefiles import RuleFolder, source
from monitor.adapters.rulefiles.folder import load_sources
from monitor.domain.audit import Deed
from monitor.domain.errors import ConfigError, StorageError
from monitor.domain.rulesets import RuleSet
from monitor.engine.databases import Databases
from monitor.engine.engineset import EngineSet
from monitor.services.bundles import Bundle
from monitor.services.rulebook import Rulebook, Why
from tests.fakes.log import MemoryLog
from tests.fakes.store import MemoryStore
from tests.faults.harness import RULES
from tests.faults.inside import Clock, Quiet
from tests.faults.streams import ZONE, tables


class Flaky(RuleFolder):
    """Its fingerprint is what `prints` says, round by round; an error is raised. Then `done` is set."""

    def __init__(self, prints: list[str | Exception], done: asyncio.Event) -> None:
        super().__init__(RULES, rooms=None, zone=ZONE)
        self.prints, self.done = prints, done
        self.loop = asyncio.get_running_loop()
        self.reads = 0

    def read(self) -> Any:
        self.reads += 1
        return super().read()

    def fingerprint(self) -> str:
        now = self.prints.pop(0) if len(self.prints) > 1 else self.prints[0]
        if len(self.prints) == 1:
            self.loop.call_soon_threadsafe(self.done.set)
        if isinstance(now, Exception):
            raise now
        return now


class Warned(Quiet):
    def __init__(self) -> None:
        super().__init__()
        self.warnings: list[str] = []

    def warning(self, event: str, **facts: Any) -> None:
        self.warnings.append(event)


async def watched(*prints: str | Exception) -> tuple[int, list[str]]:
    """(how often the rules were read again, what was warned of) while the files look like this, round by round."""
    done, logger = asyncio.Event(), Warned()
    source = Flaky([*prints, prints[-1], prints[-1]], done)
    book = Rulebook(source, MemoryStore(), tables(), logger=logger, telemetry=Quiet(), clock=Clock())
    await book.load()
    await book.watch(MemoryLog(), every_s=0, stop=done)
    return source.reads - 1, logger.warnings


def test_what_was_just_read_is_not_read_again(monkeypatch: pytest.MonkeyPatch) -> None:
    folder, read = RuleFolder(RULES, rooms=None, zone=ZONE), list[int]()

    def counted(files: dict[str, bytes], databases: Databases | None) -> RuleSet:
        read.append(len(files))
        return load_sources(files, databases)

    monkeypatch.setattr(source, "load_sources", counted)
    bundle = folder.read()
    first, _ = folder.parse(bundle)
    assert read == []
    again, _ = folder.parse(bundle)
    assert len(read) == 1, "it is not kept for longer"
    assert (first.version, first.rules) == (again.version, again.rules)
    folder.read()
    folder.parse(msgspec.structs.replace(bundle, files={**bundle.files}))
    assert len(read) == 2, "another bundle is another one"


async def test_a_change_is_loaded_once_it_has_settled() -> None:
    assert await watched("a", "a", "b", "b", "b") == (1, [])
    assert await watched("a", "a", "a") == (0, [])


async def test_what_reloads_without_being_asked_is_on_record() -> None:
    deeds: list[Deed] = []

    async def record(some: Sequence[Deed]) -> None:
        deeds.extend(some)

    done = asyncio.Event()
    book = Rulebook(Flaky(["a", "a", "b", "b", "b"], done), MemoryStore(), tables(), logger=Quiet(), telemetry=Quiet(),
                    clock=Clock(), record=record)
    version = (await book.load()).version
    await book.watch(MemoryLog(), every_s=0, stop=done)
    await book.reload_unasked(MemoryLog(), Why.SIGNAL)
    await book.reload(MemoryLog())  # whoever asks writes the row themselves
    assert [(deed.tenant, deed.by, deed.what, deed.on, deed.facts["why"]) for deed in deeds] == [
        ("local", "system", "rules.reload", version, why) for why in ("files", "signal")]


async def test_a_change_made_right_after_the_start_has_read_the_files_is_not_lost() -> None:
    class Edited(Flaky):
        def read(self) -> Any:
            found = super().read()
            self.prints = ["b"] * 5
            return found

    done = asyncio.Event()
    source = Edited(["a"] * 5, done)
    book = Rulebook(source, MemoryStore(), tables(), logger=Quiet(), telemetry=Quiet(), clock=Clock())
    await book.load()
    await book.watch(MemoryLog(), every_s=0, stop=done)
    assert source.reads == 2


async def test_what_others_loaded_is_compiled_aside_unchecked() -> None:
    told: list[bool] = []

    async def aside(bundle: Bundle, check: bool) -> None:
        told.append(check)

    def book() -> Rulebook:
        return Rulebook(RuleFolder(RULES, rooms=None, zone=ZONE), store, tables(), logger=Quiet(), telemetry=Quiet(),
                        clock=Clock(), aside=aside)

    store = MemoryStore()
    version = (await book().load()).version
    assert (await book().engine_of(version)).version == version
    assert told == [True, False]


async def test_a_folder_that_cannot_be_listed_for_a_while_is_watched_on() -> None:
    refused = StorageError("too many open files")
    assert await watched("a", refused, refused, "a", "a") == (0, ["rules_not_watched"])
    assert await watched("a", refused, "b", "b", "b") == (1, ["rules_not_watched"])


async def test_a_fault_of_redpost_itself_leaves_the_old_rules_serving() -> None:
    class Broken(RuleFolder):
        broken = False

        def read(self) -> Bundle:
            if self.broken:
                raise RecursionError("too deep")
            return super().read()

    source = Broken(RULES, rooms=None, zone=ZONE)
    book = Rulebook(source, MemoryStore(), tables(), logger=Quiet(), telemetry=Quiet(), clock=Clock())
    serving = await book.load()
    source.broken = True
    with pytest.raises(ConfigError, match="stay in use"):
        await book.reload(MemoryLog())
    assert book.current is serving


async def test_few_compiled_sets_are_kept_whoever_asked_for_them() -> None:
    """All versions are in the store; what is asked for again is compiled again once three others came."""
    store = MemoryStore()
    whole = RuleFolder(RULES, rooms=None, zone=ZONE).read()
    book = Rulebook(RuleFolder(RULES, rooms=None, zone=ZONE), store, tables(), logger=Quiet(), telemetry=Quiet(),
                    clock=Clock())
    current = await book.load()
    versions = []
    for name in sorted(name for name in whole.files if "/" in name and not name.endswith("pack.yml"))[:4]:
        less = msgspec.structs.replace(whole, files={path: data for path, data in whole.files.items() if path != name})
        versions.append(EngineSet(RuleFolder(RULES, rooms=None, zone=ZONE).parse(less)[0], tables(),
                                  zone=ZoneInfo(ZONE)).version)
        await store.save_rule_set(versions[-1], msgspec.msgpack.encode(less))
    assert len({current.version, *versions}) == 5
    first = await book.engine_of(versions[0])
    assert await book.engine_of(versions[0]) is first
    for version in versions[1:]:
        await book.engine_of(version)
    assert await book.engine_of(current.version) is current, "what judges stays"
    assert await book.engine_of(versions[0]) is not first
