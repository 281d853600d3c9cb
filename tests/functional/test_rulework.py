"""The rules workbench through a whole service: a rule is edited, tried, run over what was said, published, undone."""

import asyncio
from pathlib import Path
from shutil import rmtree
from typing import Any

from msgspec import to_builtins

from monitor.adapters.storage.database import Database
from monitor.adapters.storage.dry_runs import SqlDryRuns
from monitor.domain.people import Actor
from monitor.services.dryrecords import DryRun
from tests.functional.clikit import redpost
from tests.functional.real import Evening, evening

PATH = "evening/best.yml"
RULE = """id: evening.best
title: 绝对化用语
tier: redline
category: [absolute_claim]
severity: high
status: active
clauses: [AD-09-3]
applies: {speakers: any}
detection:
  words: {terms: [全网最好]}
  condition: words
cases:
  - {text: 全网最好, expect: [words]}
  - {text: 欢迎新来的朋友, expect: none}
"""
WIDER = RULE.replace("[全网最好]}", "[全网最好, 宇宙第一]}")


async def alerts(found: Evening) -> list[str]:
    lead = await found.person("lead")
    return sorted(alert["text"] for alert in (await lead.get("alerts"))["alerts"])


async def finished(operator: Any) -> Any:
    async with asyncio.timeout(20):
        while (run := await operator.get(f"rules/dryrun?path={PATH}"))["state"] == "running":
            await asyncio.sleep(0.01)
    return run


async def test_from_a_draft_to_what_judges_and_back(tmp_path: Path) -> None:
    async with evening(tmp_path, {"best": RULE}) as found:
        operator = await found.person("operator")
        await found.hear(("r1", "host", "家人们宇宙第一"), ("r1", "host", "今天全网最好"))
        listed = await operator.get("rules")
        (rule,) = listed["rules"]
        assert (rule["id"], rule["path"], rule["cases"], rule["figures"]["alerts"]) == ("evening.best", PATH, 2, 1)

        saved = await operator.send("rules/file", {"path": PATH, "text": WIDER, "base": 0}, method="PUT")
        assert (saved["version"], saved["cases"], saved["failed"]) == (1, 2, 0)
        tried = await operator.send("rules/try", {"path": PATH, "text": WIDER, "room": "r1", "minutes": 5})
        assert (tried["looked"], [line["text"] for line in tried["lines"]]) == (2, ["家人们宇宙第一", "今天全网最好"])

        error = await operator.send("rules/publish", {"path": PATH, "version": 1}, 409)
        assert error["error"]["details"] == {"why": "confirm", "confirm": 0}
        found.clock.ms += 1  # kept events lie before now
        await operator.send("rules/dryrun", {"path": PATH, "text": WIDER}, 202)
        run = await finished(operator)
        outcome = run["outcome"]
        assert (run["state"], outcome["now"], outcome["new"], outcome["came"], outcome["went"]) == ("done", 1, 1, 1, 0)
        assert outcome["coming"][0]["text"] == "家人们宇宙第一" and outcome["events"] == 2 and outcome["over"] is None

        await operator.send("rules/publish", {"path": PATH, "version": 1})
        await found.hear(("r2", "host", "宇宙第一的锅"))
        assert await alerts(found) == ["今天全网最好", "宇宙第一的锅"]
        await operator.send("rules/publish", {"path": PATH, "version": 0})
        await found.hear(("r3", "host", "宇宙第一的碗"))
        assert await alerts(found) == ["今天全网最好", "宇宙第一的锅"]

        reviewer = await found.person("reviewer")
        alert = (await reviewer.get("alerts"))["alerts"][-1]["id"]
        await reviewer.move(alert, "claim")
        await reviewer.move(alert, "decide", outcome="violation", reason="as_found")
        found.clock.ms += 31_000
        (rule,) = (await operator.get("rules"))["rules"]
        assert rule["figures"] == {"hits": 2, "alerts": 2, "decided": 1, "violations": 1, "shadow": 0}

        admin = await found.person("unit_admin")
        done = [row["deed"]["what"] for row in (await admin.get("audit"))["rows"]]
        assert {"rule.save", "rule.dry_run", "rule.publish"} <= set(done)


async def test_what_was_published_judges_after_a_restart(tmp_path: Path) -> None:
    async with evening(tmp_path, {"best": RULE}) as found:
        operator = await found.person("operator")
        await operator.send("rules/file", {"path": PATH, "text": WIDER, "base": 0}, method="PUT")
        await operator.send("rules/publish", {"path": PATH, "version": 1, "confirm": 0})
    for edits in (True, False):
        rmtree(tmp_path / "rules")
        async with evening(tmp_path, {"best": RULE}, rules__edits=edits) as found:
            assert ("宇宙第一".encode() in found.service.rulebook.current.ruleset.sources[PATH]) is edits


async def test_what_came_of_a_dry_run_is_shown_after_a_restart_and_may_be_published(tmp_path: Path) -> None:
    async with evening(tmp_path, {"best": RULE}) as found:
        operator = await found.person("operator")
        await found.hear(("r1", "host", "家人们宇宙第一"))
        await operator.send("rules/file", {"path": PATH, "text": WIDER, "base": 0}, method="PUT")
        found.clock.ms += 1
        await operator.send("rules/dryrun", {"path": PATH, "text": WIDER}, 202)
        run = await finished(operator)
        assert run["state"] == "done"
        half = DryRun(path="evening/half.yml", digest="", hours=24, by="x", asked_at=run["asked_at"])
        await SqlDryRuns(found.service.post.database).begin("local", half, since=0, most=9)
    rmtree(tmp_path / "rules")
    async with evening(tmp_path, {"best": RULE}) as found:
        runs = found.service.works.dry_runs
        assert to_builtins(await runs.latest("local", PATH)) == run
        assert await runs.to_confirm(Actor(id="x", tenant="local"), PATH, WIDER.encode()) is None
        assert (await runs.latest("local", "evening/half.yml")).state == "interrupted"


async def test_few_dry_runs_are_kept_and_not_for_long(tmp_path: Path) -> None:
    database = await Database.open(tmp_path / "store.db")
    kept = SqlDryRuns(database)
    for tenant, path, at in (
            ("a", "old", 1), ("a", "x", 10), ("a", "y", 11), ("b", "x", 10), ("a", "z", 12), ("a", "y", 13)):
        run = DryRun(path=path, digest="", hours=2, by="", asked_at=at)
        await kept.begin(tenant, run, since=5, most=2)
    found = [await kept.run(tenant, path) for tenant in "ab" for path in ("old", "x", "y", "z")]
    await database.close()
    assert [kept and kept.run.asked_at for kept in found] == [None, None, 13, 12, None, 10, None, None]


async def test_a_scan_by_a_data_folder_is_judged_by_what_was_published_there_and_says_so(tmp_path: Path) -> None:
    async with evening(tmp_path, {"best": RULE}) as found:
        operator = await found.person("operator")
        await operator.send("rules/file", {"path": PATH, "text": WIDER, "base": 0}, method="PUT")
        await operator.send("rules/publish", {"path": PATH, "version": 1, "confirm": 0})
        data = found.service.settings.data.dir
    said = tmp_path / "said.srt"
    said.write_text("1\n00:00:01,000 --> 00:00:03,000\n家人们宇宙第一\n", encoding="utf-8")
    words = ("scan", said, "--json", "--rules", tmp_path / "rules")
    assert (await asyncio.to_thread(redpost, *words)).code == 0
    done = await asyncio.to_thread(redpost, *words, "--data", data)
    assert (done.code, done.err) == (1, f"published over the rules folder: {PATH}\nclassifier: none\n")


async def test_rules_are_explained_and_shown_as_they_were_published_in_a_data_folder(tmp_path: Path) -> None:
    async with evening(tmp_path, {"best": RULE}) as found:
        operator = await found.person("operator")
        await operator.send("rules/file", {"path": PATH, "text": WIDER, "base": 0}, method="PUT")
        await operator.send("rules/publish", {"path": PATH, "version": 1, "confirm": 0})
        data = found.service.settings.data.dir
    told = f"published over the rules folder: {PATH}\n"
    rules, of_data = ("--rules", tmp_path / "rules"), ("--data", data)
    explained = [await asyncio.to_thread(redpost, "rules", "explain", "家人们宇宙第一", *rules, *also)
                 for also in ((), of_data)]
    assert [(done.code, done.err) for done in explained] == [(0, ""), (1, f"{told}classifier: none\n")]
    shown = [await asyncio.to_thread(redpost, "rules", "show", "evening.best", *rules, *also) for also in ((), of_data)]
    assert [("宇宙第一" in done.out, done.err) for done in shown] == [(False, ""), (True, told)]


async def test_rules_are_the_operators_people_only(tmp_path: Path) -> None:
    async with evening(tmp_path, {"best": RULE}) as found:
        for role, tenant in (("reviewer", "local"), ("lead", "local"), ("operator", "street")):
            person = await found.person(role, tenant)
            await person.get("rules", 403)
            await person.send("rules/publish", {"path": PATH, "version": 0}, 403)
            await person.send("rules/file", {"path": PATH, "text": RULE, "base": 0}, 403, method="PUT")
        operator = await found.person("operator")
        for path in ("../../etc/passwd", "evening/../x.yml"):
            await operator.get(f"rules/file?path={path}", 400)
            await operator.send("rules/file", {"path": path, "text": RULE, "base": 0}, 400, method="PUT")
