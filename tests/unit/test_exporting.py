"""Exports and ledgers, on the real store."""

import json
from collections.abc import AsyncIterator
from datetime import timedelta, timezone
from pathlib import Path

import pytest

from monitor.adapters.storage.database import Database
from monitor.adapters.storage.ledgers import SqlLedgers
from monitor.adapters.storage.posts import SqlPosts
from monitor.adapters.storage.store import SqlStore
from monitor.domain.alerts import opened
from monitor.domain.cues import Corrected
from monitor.domain.errors import NotFound, Refused
from monitor.domain.events import Kind, Role
from monitor.domain.ids import alert_id
from monitor.domain.labels import Label
from monitor.domain.ledgers import EMPTY, HEADERS, Entry, Ledger, around, moment, row
from monitor.domain.moves import Decide, Outcome, Rectify, Remedy
from monitor.domain.organisation import Host, Organisation, Paper, Product, Room, Slot, Unit
from monitor.domain.people import Actor, Grant
from monitor.domain.people import Role as Job
from monitor.domain.review import Review
from monitor.services.exporting import Exporting
from monitor.services.recordings import Edit
from tests.contract.test_store import NOON, finding
from tests.unit.test_post_flow import LAWFUL, LEAD, VIOLATION, WANG, ZHAO, World

ADMIN = Actor(id="admin", tenant="local", grants=(Grant(Job.OPERATOR), Grant(Job.UNIT_ADMIN)))
BEIJING = timezone(timedelta(hours=8))


class Desk(World):
    def __init__(self, store: SqlStore, posts: SqlPosts, ledgers: SqlLedgers) -> None:
        super().__init__(store, posts)
        self.exporting = Exporting(store=store, ledgers=ledgers, trail=posts, review=self.desk,
                                   organising=self.organising, clock=self.clock, zone=BEIJING)

    async def rows(self, name: str, actor: Actor = LEAD, **where: object) -> list[dict[str, object]]:
        export = await self.exporting.start(actor, name, where, form="csv")
        return [dict(zip(export.headers, row, strict=True)) async for page in export.pages for row in page]

    async def organise(self, *records: tuple[str, str, object]) -> None:
        await self.organising.edit(ADMIN, [Edit(kind=kind, id=name, record=record) for kind, name, record in records])


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    database = await Database.open(tmp_path / "store.db")
    yield Desk(SqlStore(database), SqlPosts(database), SqlLedgers(database))
    await database.close()


EVENING = (
    ("unit", "east", Unit(title="华东分部")),
    ("room", "room-1", Room(unit="east", title="一号间", platform="douyin", account="dy-9", operator="某某传媒",
                            credit_code="91310000X", hosts=("li",), claim_proofs={"回购第一": "P-7"},
                            media="https://cdn.example/{room}/{broadcast}.mp4#t={offset_s}")),
    ("host", "li", Host(name="李", papers={"主播证": Paper(number="Z-1", ends=NOON)}, of_age=True)),
    ("host", "ai", Host(name="小红", digital=True)),
    ("product", "sku-1", Product(title="面膜", seller="甲店", category="cosmetics", link="https://shop.example/1",
                                 certificates={"备案": Paper(number="B-2")}, claims={"补水": "P-8"})),
    ("slot", "s1", Slot(room="room-1", starts=NOON - 1, ends=NOON + 10, host="ai", products=("sku-1",))),
)


async def test_the_ledger_of_corrections_has_what_was_said_decided_and_done(desk: Desk) -> None:
    await desk.organise(*EVENING)
    await desk.find(finding("a"), finding("b", event="x", at=NOON + 20, rule="other"),
                    finding("c", event="y", room="room-2"), finding("d", event="z", room="room-3"))
    await desk.act(ZHAO, alert_id("a"), Decide(outcome=Outcome.UNCLEAR, reason="needs_second", note="听不清"))
    await desk.act(WANG, alert_id("a"), VIOLATION)
    desk.clock.ms += 5_000
    await desk.act(WANG, alert_id("a"), Rectify(remedy=Remedy.CORRECTED_ON_AIR, note="当场更正"))
    await desk.act(WANG, alert_id("c"), LAWFUL)
    (row,) = await desk.rows("corrections", since=NOON, until=NOON + 1, unit="east")
    assert tuple(row) == HEADERS[Ledger.CORRECTIONS]
    assert row["发生时间"] == moment(NOON, BEIJING) and str(row["发生时间"]).endswith("+08:00")
    assert {name: row[name] for name in (
        "直播间", "平台", "直播间账号", "组织单元", "运营者主体", "统一社会信用代码", "实际销售者", "主播",
        "是否数字人", "商品SKU", "许可与广审文号", "证明材料编号", "结论", "依据条款",
        "研判人", "先前存疑人", "分歧说明", "处置动作",
        "处置人", "处置说明", "规则包版本", "模型分值", "类别", "层级", "严重度", "命中", "环节", "音视频", "状态",
    )} == {
        "直播间": "room-1", "平台": "douyin", "直播间账号": "dy-9", "组织单元": "华东分部", "运营者主体": "某某传媒",
        "统一社会信用代码": "91310000X", "实际销售者": "甲店", "主播": "小红", "是否数字人": "是", "商品SKU": "sku-1",
        "许可与广审文号": "备案 B-2", "证明材料编号": "回购第一：P-7；补水：P-8", "结论": "成立", "依据条款": "AD-09-3",
        "研判人": "wang", "先前存疑人": "zhao", "分歧说明": "听不清", "处置动作": "当场纠正", "处置人": "wang",
        "处置说明": "当场更正", "规则包版本": "s1", "模型分值": "绝对化用语 0.75", "类别": "绝对化用语", "层级": "严禁",
        "严重度": "高", "命中": "全网最好", "环节": "直播", "音视频": "https://cdn.example/room-1/b-1.mp4#t=5",
        "状态": "已纠正"}
    assert row["纠正播出时间"] == row["处置时间"] != ""
    assert all(row[name] == "" for name in EMPTY)


async def test_what_was_decided_after_its_time_is_in_the_ledger(desk: Desk) -> None:
    await desk.find(finding("a"))
    desk.clock.ms += 3_600_000
    await desk.desk.pass_time()
    history = await desk.desk.history(LEAD, alert_id("a"))
    assert {"move": "decide"} in [moved.move for moved in history.moves if moved.by == "time"]
    await desk.act(LEAD, alert_id("a"), VIOLATION)
    assert [row["预警编号"] for row in await desk.rows("corrections")] == [alert_id("a")]


def test_a_correction_that_was_heard_is_told_as_it_was_said() -> None:
    heard = Corrected(at=NOON + 7_000, after_s=7, event="e9", quote="刚才说错了，不是最好")
    entry = Entry(alert=opened(finding("a")), review=Review(), corrected=heard)
    cells = row(Ledger.CORRECTIONS, entry, around(Organisation({}), entry, BEIJING))
    told = dict(zip(HEADERS[Ledger.CORRECTIONS], cells, strict=True))
    assert (told["纠正话术原文"], told["纠正用时（秒）"]) == ("刚才说错了，不是最好", 7)
    assert told["纠正播出时间"] == moment(NOON + 7_000, BEIJING)


async def test_a_ledger_knows_the_plan_of_evenings_that_are_long_over(desk: Desk) -> None:
    await desk.organise(*EVENING)
    await desk.find(finding("a"))
    await desk.act(WANG, alert_id("a"), VIOLATION)
    desk.clock.ms += 30 * 86_400_000
    await desk.organising.load()
    assert list(desk.organising.of("local").every(Slot)) == []
    (row,) = await desk.rows("corrections")
    assert (row["主播"], row["商品SKU"]) == ("小红", "sku-1")
    assert [line["id"] for line in await desk.rows("records", kind="slot")] == ["s1"]


async def test_without_a_plan_the_rooms_hosts_stand_in(desk: Desk) -> None:
    await desk.organise(*EVENING)
    await desk.find(finding("b", at=NOON + 20))
    await desk.act(WANG, alert_id("b"), VIOLATION)
    (row,) = await desk.rows("corrections")
    assert (row["主播"], row["主播是否成年"], row["商品SKU"]) == ("李", "是", "")
    assert str(row["主播资质证号与有效期"]).startswith("主播证 Z-1（至 20")


async def test_the_ledger_of_comments_names_no_viewer(desk: Desk) -> None:
    comment = {"lane": 1, "kind": Kind.COMMENT, "role": Role.VIEWER, "speaker": "v-77"}
    await desk.find(finding("a", **comment), finding("b", event="e2", rule="other", **comment),
                    finding("c", event="e3"))
    desk.clock.ms += 30_009
    await desk.act(WANG, alert_id("a"), VIOLATION)
    await desk.act(WANG, alert_id("a"), Rectify(remedy=Remedy.COMMENT_WITHDRAWN))
    (row,) = await desk.rows("comments")
    assert [row[name] for name in ("内容类型", "发言人角色", "处置动作", "响应用时（秒）")] == [
        "评论", "观众", "撤回评论", 30.0]
    assert "v-77" not in str(row)
    assert await desk.rows("corrections") == []


async def test_ledgers_go_on_over_pages(desk: Desk) -> None:
    count = 450
    await desk.find(*(finding(f"f{n:03}", event=f"e{n}", room=f"room-{n}", at=NOON + n // 2, rule=f"r{n}")
                      for n in range(count)))
    for n in range(count):
        await desk.act(WANG, alert_id(f"f{n:03}"), VIOLATION)
    rows = await desk.rows("corrections")
    assert len({row["预警编号"] for row in rows}) == len(rows) == count
    assert [row["发生时间"] for row in rows] == sorted(str(row["发生时间"]) for row in rows)


async def test_every_list_and_what_it_leaves_on_record(desk: Desk) -> None:
    await desk.organise(*EVENING)
    await desk.find(finding("a"), finding("b", event="x", room="room-2"))
    await desk.store.save_labels("local", [Label(id="l1", text="好", labels=["minors"], at=NOON)])
    assert {row["room"] for row in await desk.rows("alerts")} == {"room-1", "room-2"}
    assert [row["hits"] for row in await desk.rows("alerts", room="room-1")] == ["全网最好"]
    assert [row["of_post"] for row in await desk.rows("queue", room="room-2")] == ["content-review"]
    assert [row["labels"] for row in await desk.rows("labels")] == ["minors"]
    (room,) = [row for row in await desk.rows("records", kind="room")]
    assert json.loads(str(room["claim_proofs"])) == {"回购第一": "P-7"} and room["changed_at"] != ""
    trail = await desk.rows("audit", on="alerts")
    assert [(row["what"], row["by"], json.loads(str(row["facts"]))) for row in trail] == [
        ("list.export", "lin", {"format": "csv"}), ("list.export", "lin", {"format": "csv", "room": "room-1"})]


async def test_who_may_not_gets_nothing_and_leaves_nothing(desk: Desk) -> None:
    await desk.organise(*EVENING)
    await desk.find(finding("a"), finding("b", event="x", room="room-2"))
    east = Actor(id="sun", tenant="local", grants=(Grant(Job.REVIEWER, "east"),))
    assert [row["room"] for row in await desk.rows("alerts", east)] == ["room-1"]
    before = len(await desk.posts.rows("local", after=0, limit=100))
    for name in ("audit", "corrections", "comments"):
        with pytest.raises(Refused, match="permission audit"):
            await desk.rows(name, east)
    with pytest.raises(NotFound, match="no kind"):
        await desk.rows("records", LEAD, kind="nothing")
    assert len(await desk.posts.rows("local", after=0, limit=100)) == before
    lead = Actor(id="qian", tenant="local", grants=(Grant(Job.LEAD, "east"),))
    assert await desk.rows("corrections", lead, unit="east") == []
    for name in ("a", "b"):
        await desk.act(LEAD, alert_id(name), VIOLATION)
    assert [row["直播间"] for row in await desk.rows("corrections", lead)] == ["room-1"]  # without a unit: their own
    assert {row["直播间"] for row in await desk.rows("corrections")} == {"room-1", "room-2"}
    with pytest.raises(Refused):
        await desk.rows("corrections", lead, unit="west")
