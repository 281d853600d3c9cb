"""Rules compiled in a process of its own: once, for whoever loads them, and not longer than they are wanted."""

import asyncio
import os
from pathlib import Path

import psutil
import pytest

from monitor.adapters.blobs import databases
from monitor.adapters.rulefiles import RuleFolder
from monitor.bootstrap import compiling
from monitor.bootstrap.compiling import compile_aside
from monitor.services.making import compiled
from tests.faults.harness import ROOT, RULES, until
from tests.faults.streams import ZONE, tables


def children() -> list[psutil.Process]:
    return [child for child in psutil.Process().children() if compiling._CHILD in child.cmdline()]


async def test_all_that_a_load_needs_is_in_the_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compiling, "_SMALL", 0)
    folder = RuleFolder(RULES, rooms=None, zone=ZONE)
    bundle = folder.read()
    await compile_aside(bundle, True, cache=tmp_path)
    made = {path.name: path.stat().st_mtime_ns for path in tmp_path.iterdir()}
    compiled(folder, bundle, tables(), databases(tmp_path), check=True)
    assert made.keys() == {path.name for path in tmp_path.iterdir()}, "something had to be compiled after all"
    monkeypatch.setattr(asyncio, "create_subprocess_exec", None)
    await compile_aside(bundle, True, cache=tmp_path)


async def test_rules_at_fault_are_left_to_who_loads_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(compiling, "_SMALL", 0)
    bundle = RuleFolder(RULES, rooms=None, zone=ZONE).read()
    bundle.files["shop/rank.yml"] = b"id: shop.rank\ntitle: ["
    await compile_aside(bundle, True, cache=tmp_path)
    assert capfd.readouterr().err == ""


async def begun() -> list[psutil.Process]:
    """The process that compiles and, where there is another processor, the one that shares its work."""
    await until(children)
    if len(os.sched_getaffinity(0)) > 1:
        await until(lambda: children()[0].children())
    return [each for child in children() for each in (child, *child.children())]


async def test_a_start_that_is_given_up_leaves_no_process_behind(tmp_path: Path) -> None:
    bundle = RuleFolder(ROOT / "rules", rooms=None, zone=ZONE).read()
    compiling_aside = asyncio.create_task(compile_aside(bundle, True, cache=tmp_path))
    processes = await begun()
    compiling_aside.cancel()
    with pytest.raises(asyncio.CancelledError):
        await compiling_aside
    await until(lambda: not any(each.is_running() for each in processes))


async def test_who_shares_the_work_of_a_process_that_was_killed_ends_by_itself(tmp_path: Path) -> None:
    bundle = RuleFolder(ROOT / "rules", rooms=None, zone=ZONE).read()
    compiling_aside = asyncio.create_task(compile_aside(bundle, True, cache=tmp_path))
    processes = await begun()
    processes[0].kill()
    await compiling_aside
    await until(lambda: not any(each.is_running() for each in processes))


async def test_a_process_that_died_has_compiled_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compiling, "_SMALL", 0)
    bundle = RuleFolder(RULES, rooms=None, zone=ZONE).read()
    with monkeypatch.context() as short:
        short.setattr(compiling, "_CHILD", "raise SystemExit(1)")
        await compile_aside(bundle, True, cache=tmp_path)
    assert not list(tmp_path.iterdir())
    await compile_aside(bundle, True, cache=tmp_path)
    assert list(tmp_path.iterdir())
