"""A rule in the shadow through a whole service: it is tried on what is said, its owner looks, and lets it judge."""

from pathlib import Path

from tests.functional.real import Evening, evening
from tests.functional.test_rulework import RULE

TRIED = RULE.replace("evening.best", "evening.first").replace("[全网最好]", "[全网最好, 宇宙第一]").replace(
    "status: active", "status: shadow")
PATH = "evening/first.yml"


async def rules_of(found: Evening) -> dict[str, tuple[str, int, int]]:
    listed = (await (await found.person("operator")).get("rules"))["rules"]
    return {rule["id"]: (rule["status"], rule["figures"]["alerts"], rule["figures"]["shadow"]) for rule in listed}


async def test_its_owner_sees_what_it_would_find_and_lets_it_judge(tmp_path: Path) -> None:
    async with evening(tmp_path, {"best": RULE, "first": TRIED}) as found:
        operator, lead = await found.person("operator"), await found.person("lead")
        assert (await operator.get("rules/shadow", rule="evening.first"))["findings"] == 0
        await found.hear(("r1", "host", "今天全网最好"), ("r1", "host", "宇宙第一"),
                         ("r2", "host", "宇宙第一，我的号是13800138000"), ("r2", "host", "大家好"))
        (alert,) = (await lead.get("alerts"))["alerts"]
        assert (alert["rule"], alert["recurrence"]) == ("evening.best", 1)
        await lead.move(alert["id"], "claim")
        await lead.move(alert["id"], "decide", outcome="violation", reason="as_found")

        trial = await operator.get("rules/shadow", rule="evening.first")
        assert {name: trial[name] for name in (
            "since", "findings", "days", "looked_at", "rooms", "with_alert", "violations", "otherwise")} == {
            "since": found.clock.ms, "findings": 3, "days": [{"day": "2026-11-23", "findings": 3}], "looked_at": 3,
            "rooms": 2, "with_alert": 1, "violations": 1, "otherwise": 0}
        hits = {hit["text"]: (hit["room"], hit["alert"], hit["outcome"]) for hit in trial["hits"]}
        assert hits == {"今天全网最好": ("r1", alert["id"], "violation"), "宇宙第一": ("r1", "", ""),
                        "宇宙第一，我的号是***********": ("r2", "", "")}
        assert await rules_of(found) == {"evening.best": ("active", 1, 0), "evening.first": ("shadow", 0, 3)}

        active = TRIED.replace("status: shadow", "status: active")
        saved = await operator.send("rules/file", {"path": PATH, "text": active, "base": 0}, method="PUT")
        await operator.send("rules/publish", {"path": PATH, "version": saved["version"], "confirm": 0})
        await operator.get("rules/shadow", 404, rule="evening.first")
        await found.hear(("r3", "host", "宇宙第一"))
        assert (await rules_of(found))["evening.first"][0] == "active"
        assert [each["rule"] for each in (await lead.get("alerts", room="r3"))["alerts"]] == ["evening.first"]


async def test_only_the_operators_own_people_see_it_and_their_own_rooms(tmp_path: Path) -> None:
    async with evening(tmp_path, {"first": TRIED}) as found:
        await found.hear(("r1", "host", "宇宙第一"))
        assert (await (await found.person("operator")).get("rules/shadow", rule="evening.first"))["findings"] == 1
        for role, tenant in (("reviewer", "local"), ("operator", "street")):
            error = (await (await found.person(role, tenant)).get("rules/shadow", 403, rule="evening.first"))["error"]
            assert error["code"] in ("forbidden", "missing_scope", "missing_permission")
