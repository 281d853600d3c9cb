"""An evening at the supervision post, end to end: by HTTP, through a whole service and its real store."""

import asyncio
import csv
import io
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientSession
from openpyxl import load_workbook

from monitor.domain.moves import Outcome, Remedy
from monitor.domain.titles import OUTCOMES, REMEDIES
from tests.functional.clikit import redpost
from tests.functional.real import Evening, Person, evening


def _rule(name: str, tier: str, severity: str, words: str, *more: str) -> str:
    return "\n".join((
        f"id: evening.{name}", f"title: {name}", f"tier: {tier}", f"severity: {severity}", "status: active", *more,
        "applies: {speakers: any}", "detection:", f"  words: {{terms: [{words}]}}",
        "  taken_back: {context: [correction], veto: all}", "  condition: words", "cases:",
        f"  - {{text: {words}, expect: [words]}}", "  - {text: 欢迎新来的朋友, expect: none}", ""))


RULES = {
    "best": _rule("best", "redline", "high", "全网最好", "category: [absolute_claim, false_promotion]",
                  "clauses: [AD-09-3]", "advice: {say: 请改为可证实的表述}"),
    "cure": _rule("cure", "redline", "medium", "三天根治", "category: [medical_claim]", "clauses: [AD-09-3]"),
    "fake": _rule("fake", "redline", "high", "高仿", "category: [counterfeit_quality]", "clauses: [PQL-27]"),
    "contact": _rule("contact", "redline", "high", "加我微信", "category: [offsite_fraud]", "clauses: [LSM-18-5]"),
    "despair": _rule("despair", "care", "critical", "不想活了"),
}
ROOMS = tuple(f"r{n}" for n in range(1, 6))
SAYS, MASKED = (f"这款面膜全网最好三天根治，电话{number}" for number in ("13812345678", "*" * 11))
TAKEN_BACK = "不好意思刚才说错了，不能说全网最好"


@pytest.fixture
async def tonight(tmp_path: Path) -> AsyncIterator[Evening]:
    async with evening(tmp_path, RULES, alerts__storm_most=2) as found:
        await _furnish(await found.person("operator"), found.clock.ms)
        yield found


async def _furnish(operator: Person, now: int) -> None:
    """An agency with a branch, its rooms, and who sells what in one of them."""
    records: list[tuple[str, str, dict[str, Any]]] = [
        ("unit", "agency", {"title": "晚风传媒"}), ("unit", "east", {"title": "东区", "above": "agency"}),
        ("host", "ake", {"name": "阿珂", "unit": "east", "of_age": True, "identity_checked": True}),
        ("product", "sku1", {"title": "修护面膜", "unit": "east", "seller": "示例商行"}),
        *(("room", room, {"title": f"{room} 直播间", "unit": "east", "platform": "douyin", "operator": "示例公司",
                          "credit_code": "91000000X"}) for room in ROOMS),
        ("slot", "s1", {"room": "r1", "starts": now - 60_000, "host": "ake", "products": ["sku1"]})]
    await operator.send("records", {"edits": [{"kind": kind, "id": name, "record": record}
                                              for kind, name, record in records]})


async def _by_rule(person: Person, **where: str) -> dict[str, list[dict[str, Any]]]:
    """Alerts, oldest first."""
    found: dict[str, list[dict[str, Any]]] = {}
    for alert in reversed((await person.get("alerts", **where))["alerts"]):
        found.setdefault(alert["rule"].removeprefix("evening."), []).append(alert)
    return found


def _table(data: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(data.decode("utf-8-sig"), newline="")))


def _sheet(data: bytes) -> list[dict[str, str]]:
    rows = [["" if cell is None else str(cell) for cell in row] for row in
            load_workbook(io.BytesIO(data)).active.iter_rows(values_only=True)]
    return [dict(zip(rows[0], row, strict=True)) for row in rows[1:]]


async def test_what_comes_goes_to_its_post_and_a_storm_lies_in_one_card(tonight: Evening) -> None:
    reviewer, lead = await tonight.person("reviewer"), await tonight.person("lead")
    await tonight.hear(("r1", "host", SAYS), ("r2", "host", "这批高仿包大家放心拍"), ("r3", "viewer", "我真的不想活了"),
                       *((room, "viewer", "想要的加我微信") for room in ROOMS))
    found = await _by_rule(reviewer)
    assert {rule: {alert["post"] for alert in alerts} for rule, alerts in found.items()} == {
        "best": {"content-review"}, "cure": {"content-review"}, "fake": {"product-quality"}, "despair": {"lead"},
        "contact": {"network-security"}}
    assert sorted(alert["state"] for alert in found["contact"]) == ["held", "held", "held", "open", "open"]
    assert {alert["unit"] for alerts in found.values() for alert in alerts} == {"east"}

    cards = (await reviewer.get("queue"))["cards"]
    (notice,) = [card for card in cards if card["storm"]]
    assert (notice["post"], notice["storm"]["waiting"]) == ("network-security", 3)
    assert cards[0]["alerts"][0]["rule"] == "evening.despair"
    assert [len(card["alerts"]) for card in cards if card["room"] == "r1"] == [2, 1]  # one moment, and a comment

    storm = f"held/storm/{notice['moment']}"
    decided = {"move": "decide", "outcome": "violation", "reason": "as_found"}
    await reviewer.send(storm, {"move": decided}, 403)
    assert (await reviewer.get("held"))["totals"] == {"storm": 3}
    assert (await lead.send(storm, {"move": decided}))["moved"] == 3
    assert (await reviewer.get("held"))["totals"] == {}


async def _cue(tonight: Evening, alert: str) -> None:
    """The reviewer tells the room, which has seen it, and the host corrects it twelve seconds later."""
    reviewer = await tonight.person("reviewer")
    made = await reviewer.send("rooms/r1/links", {}, 201)
    cue = await reviewer.send(f"alerts/{alert}/cue", {"say": "请更正：不能说全网最好"})
    async with ClientSession() as room:
        async with room.get(tonight.base + made["path"]) as page:
            assert page.status == 200 and page.content_type == "text/html"
        secret = f"{tonight.base}/api/v1/cue/{made['secret']}"
        async with room.get(secret) as shown:
            assert [(each["say"], each["quote"]) for each in (await shown.json())["cues"]] == [(cue["say"], "全网最好")]
        async with room.post(f"{secret}/answers", json={"cue": cue["id"], "answer": "seen"}) as answered:
            assert answered.status == 200
    await tonight.pass_time(12)
    await tonight.hear(("r1", "host", TAKEN_BACK))
    (told,) = (await reviewer.get(f"alerts/{alert}/cues"))["cues"]
    assert (told["answered"], told["corrected_at"]) == ("seen", tonight.clock.ms)


CORRECTED = {
    "直播间": "r1", "主播": "阿珂", "商品SKU": "sku1", "实际销售者": "示例商行", "运营者主体": "示例公司",
    "统一社会信用代码": "91000000X", "原文": MASKED, "同类次数": "2", "结论": OUTCOMES[Outcome.VIOLATION],
    "认定类别": "绝对化用语", "依据条款": "AD-09-3", "研判人": "reviewer",
    "处置动作": REMEDIES[Remedy.CORRECTED_ON_AIR], "建议纠正话术": "请改为可证实的表述", "纠正话术原文": TAKEN_BACK}
HANDLED = {"直播间": "r2", "原文": "高仿也行啊", "发言人角色": "观众", "结论": OUTCOMES[Outcome.VIOLATION]}


async def _check_ledgers(auditor: Person) -> None:
    for form, read in (("csv", _table), ("xlsx", _sheet)):
        (corrected,) = read(await auditor.file(f"exports/corrections?format={form}"))
        assert {name: corrected[name] for name in CORRECTED} == CORRECTED
        assert float(corrected["纠正用时（秒）"]) == 12
        (handled,) = read(await auditor.file(f"exports/comments?format={form}"))
        assert {name: handled[name] for name in HANDLED} == HANDLED
        assert float(handled["响应用时（秒）"]) == 17


async def test_from_a_claim_to_both_ledgers(tonight: Evening, tmp_path: Path) -> None:
    reviewer, lead, auditor = [await tonight.person(role) for role in ("reviewer", "lead", "auditor")]
    await tonight.hear(("r1", "host", SAYS), ("r2", "viewer", "高仿也行啊"))
    tonight.clock.ms += 5_000
    await tonight.hear(("r1", "host", "真的是全网最好"))
    found = {rule: alerts[0]["id"] for rule, alerts in (await _by_rule(reviewer)).items()}
    best = found["best"]
    assert (await reviewer.move(best, "claim"))["claimed_by"] == "reviewer"
    assert (await lead.move(found["cure"], "note", note="同一句话"))["state"] == "open"
    await _cue(tonight, best)
    assert (await reviewer.get(f"alerts/{best}/history"))["case"]["kept"]["corrected"]["after_s"] == 12

    decided = await reviewer.send("moves", {"moves": [
        {"alert": best, "move": {"move": "decide", "outcome": "violation", "reason": "as_found",
                                 "categories": ["absolute_claim"]}},
        {"alert": found["cure"], "move": {"move": "decide", "outcome": "no_violation", "reason": "lawful_context"}},
        {"alert": found["fake"], "move": {"move": "decide", "outcome": "violation", "reason": "as_found"}}]})
    assert {alert["state"] for alert in decided["alerts"]} == {"violation", "closed"}
    labels = (await lead.get("labels"))["labels"]
    assert sorted((label["labels"], label.get("near", ""), label["text"]) for label in labels) == [
        ([], "medical_claim", MASKED),
        (["absolute_claim"], "", MASKED),
        (["counterfeit_quality"], "", "高仿也行啊")]
    moves = (await reviewer.get(f"alerts/{best}/history"))["moves"]
    assert [move["inherited"] for move in moves if move["move"]["move"] == "decide"] == [1]
    assert (await reviewer.move(best, "rectify", remedy="corrected_on_air"))["state"] == "rectified"
    assert (await reviewer.move(best, "close"))["state"] == "closed"

    await _check_ledgers(auditor)
    verified = await asyncio.to_thread(redpost, "audit", "verify", "--data", tmp_path / "data")
    assert verified.code == 0 and "local: " in verified.out and "whole" in verified.out


async def test_over_a_link_goes_a_frozen_masked_copy_and_advice_comes_back(tonight: Evening) -> None:
    reviewer, lead = await tonight.person("reviewer"), await tonight.person("lead")
    street = await tonight.person("coordinator", "street")
    await tonight.hear(("r1", "host", SAYS))
    best = (await _by_rule(lead))["best"][0]["id"]
    hand = {"to": "street", "note": "请指导"}
    refused = await lead.send(f"alerts/{best}/hand", hand, 409)
    assert refused["error"]["details"]["why"] == "link"
    for person, other in ((lead, "street"), (street, "local")):
        await person.send(f"records/link/{other}", {"title": "协同"}, method="PUT")
    await reviewer.send(f"alerts/{best}/hand", hand, 403)
    await lead.send(f"alerts/{best}/hand", hand)
    await tonight.hear(("r1", "host", "还是全网最好"))  # the alert grows, the copy does not

    (handed,) = (await street.get("handed"))["handed"]
    copy = handed["copy"]
    assert (copy["recurrence"], copy["text"]) == (1, MASKED)
    assert [line["speaker"] for line in copy["lines"]] == [1] and handed["by"] == "" == handed["alert"]
    assert (await street.get(f"alerts/{best}", 404))["error"]["code"] == "not_found"
    advice = {"outcome": "violation", "clause": "AD-09-3", "note": "属绝对化用语"}
    await street.send(f"handed/{handed['id']}/answer", advice)
    history = await reviewer.get(f"alerts/{best}/history")
    assert (history["case"]["alert"]["state"], history["moves"][-1]["by"]) == ("escalated", "link:street")
    assert history["moves"][-1]["move"] == {"move": "advice", **advice}
    assert history["case"]["alert"]["recurrence"] == 2


async def test_a_decision_is_taken_back_within_its_time(tonight: Evening) -> None:
    reviewer, lead = await tonight.person("reviewer"), await tonight.person("lead")
    await tonight.hear(("r1", "host", SAYS))
    best = (await _by_rule(reviewer))["best"][0]["id"]
    ruling = {"outcome": "no_violation", "reason": "lawful_context"}
    await reviewer.move(best, "claim")
    await reviewer.move(best, "decide", **ruling)
    await tonight.pass_time(9)
    assert (await lead.move(best, "undo", 409))["details"]["why"] == "author"
    assert (await reviewer.move(best, "undo"))["state"] == "claimed"
    (label,) = (await lead.get("labels"))["labels"]
    assert label["withdrawn"]["by"] == "reviewer"
    await reviewer.move(best, "decide", **ruling)
    await tonight.pass_time(11)
    assert (await reviewer.move(best, "undo", 409))["details"]["why"] == "late"
