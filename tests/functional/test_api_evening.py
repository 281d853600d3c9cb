"""Tonight by the API: the plan, rooms without a record, who is on duty; and records by pages."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from monitor.domain.broadcasts import Broadcast
from monitor.domain.organisation import Host, Post, Room, Shift, Slot, Unit
from monitor.domain.people import Grant, Role
from monitor.domain.record import Record
from monitor.services.recordings import Edit, Edits
from tests.functional.clikit import redpost
from tests.functional.fakes import NOW, Api, serving

HOUR = 3_600_000


async def keep(api: Api, records: dict[tuple[str, str], Record], tenant: str = "agency") -> None:
    changes = [Edit(kind=kind, id=name, record=record) for (kind, name), record in records.items()]
    await api.posts.edit(tenant, Edits(changes=changes, deeds=[], at=NOW, by="x"))
    await api.organising.refresh(tenant)


async def asked(api: Api, path: str, headers: dict[str, str]) -> tuple[int, Any]:
    async with api.client.get(f"/api/v1/{path}", headers=headers) as response:
        return response.status, await response.json()


async def test_the_plan_unknown_rooms_and_duty_are_told_to_the_owner_and_to_nobody_else() -> None:
    async with serving(loopback=False) as api:
        await keep(api, {
            ("room", "r1"): Room(title="一号"), ("slot", "s1"): Slot(room="r1", starts=NOW - HOUR, products=()),
            ("post", "p1"): Post(title="内容岗"),
            ("shift", "n1"): Shift(post="p1", people=("lin",), starts=NOW - 1, ends=NOW + 1)})
        api.posts.aired = [Broadcast(id="b", tenant="agency", room="x", started_at=NOW, last_at=NOW, named=True)]
        mine, theirs = api.token("read"), api.token("read", tenant="stranger")

        status, plan = await asked(api, "plan", mine)
        assert (status, [(line["room"], line["state"], line["known"]) for line in plan["lines"]]) == (
            200, [("r1", "silent", True), ("x", "unplanned", False)])
        assert (plan["counts"]["silent"], plan["next"]) == (1, None)
        _, silent = await asked(api, "plan?state=silent&hours=1&limit=1", mine)
        assert [line["title"] for line in silent["lines"]] == ["一号"]
        _, unknown = await asked(api, "rooms/unknown", mine)
        assert [room["room"] for room in unknown["rooms"]] == ["x"]
        _, duty = await asked(api, "duty", mine)
        assert {post["post"]: post["people"] for post in duty["posts"]}["p1"] == ["lin"]

        assert (await asked(api, "plan", theirs))[1]["lines"] == []
        assert (await asked(api, "rooms/unknown", theirs))[1]["rooms"] == []
        assert "p1" not in {post["post"] for post in (await asked(api, "duty", theirs))[1]["posts"]}


async def test_what_is_wrong_with_a_question_is_told() -> None:
    async with serving() as api:
        for wrong in ("state=late", "hours=0", "hours=169", "limit=1001", "cursor=x", "room=r"):
            status, answer = await asked(api, f"plan?{wrong}", {})
            assert status == 400
            assert answer["error"]["hint"]


async def test_records_come_by_pages_and_the_command_line_reads_them_all(tmp_path: Path) -> None:
    async with serving() as api:
        await keep(api, {("room", f"r{n:04}"): Room() for n in range(2_345)})
        mine = api.token("read", "organise")
        seen: list[str] = []
        cursor = ""
        while True:
            _, page = await asked(api, f"records/room?limit=1000{cursor}", mine)
            seen += [one["id"] for one in page["records"]]
            if page["next"] is None:
                break
            cursor = f"&cursor={page['next']}"
        assert seen == [f"r{n:04}" for n in range(2_345)]
        secret = tmp_path / "token"
        secret.write_text(mine["Authorization"].removeprefix("Bearer "))
        done = await asyncio.to_thread(redpost, "org", "export", "--kind", "room", "--url",
                                       f"http://127.0.0.1:{api.port}", "--token-file", secret)
        assert done.out.count("\n  r") == 2_345
        assert (await asked(api, "records/room?limit=0", mine))[0] == 400


TABLE = "开播时间,直播间,结束时间,主播,商品,备注\n20:00,一号,02:00,阿珂,,首播\n21:00,r1,,,,\n"


async def test_who_looks_after_a_branch_takes_its_plan_from_a_table() -> None:
    async with serving(loopback=False) as api:
        await keep(api, {
            ("unit", "east"): Unit(title="东"), ("unit", "west"): Unit(title="西"),
            ("room", "r1"): Room(title="一号", unit="east"), ("room", "r2"): Room(title="二号", unit="west"),
            ("host", "ake"): Host(name="阿珂", unit="east")})
        bo = await api.person("bo", Grant(Role.UNIT_ADMIN, "east"))

        async def take(table: str, query: str = "?file=tonight.csv&day=2026-11-27") -> tuple[int, Any]:
            async with api.client.post(
                    f"/api/v1/plan{query}", data=table.encode("gb18030"), headers=bo) as response:
                return response.status, await response.json()

        status, tried = await take(TABLE, "?file=tonight.csv&day=2026-11-27&dry_run=true")
        assert (status, len(tried["changed"]), tried["unchanged"]) == (200, 2, 0)
        assert list(api.organising.of("agency").every(Slot)) == []
        assert await take(TABLE) == (200, tried)
        taken = dict(api.organising.of("agency").every(Slot))
        assert set(taken) == set(tried["changed"])
        assert {(slot.room, slot.host, slot.note) for slot in taken.values()} == {("r1", "ake", "首播"), ("r1", "", "")}
        assert [row.deed.by for row in api.posts.trail["agency"] if row.deed.what == "slot.put"] == ["bo", "bo"]
        assert await take(TABLE) == (200, {"changed": {}, "unchanged": 2})

        for table, told in (("开播时间,直播间\n20:00,二号\n20:00,九号\n", "tonight.csv:2: there is no room '二号'"),
                            ("开播时间,直播间\n明天,r1\n", "tonight.csv:2: "), ("直播间\nr1\n", "no column starts")):
            status, refused = await take(table)
            assert status == 400 and told in refused["error"]["message"] and refused["error"]["hint"]
        assert (await take(TABLE, "?file=x&day=tonight"))[1]["error"]["hint"] == "write it as 2026-11-27"
        body = {"table": TABLE, "day": "2026-11-27"}
        async with api.client.post("/api/v1/plan", json=body, headers=bo) as response:
            assert await response.json() == {"changed": {}, "unchanged": 2}


@pytest.mark.parametrize(("kind", "record", "field"), [
    ("unit", {"title": 5}, "title"), ("unit", {}, "title"), ("room", {"tags": ["a", ""]}, "tags[1]"),
    ("host", {"name": "a", "papers": {"p": {"ends": "x"}}}, "papers[...].ends"), ("unit", {"title": "a", "x": 1}, "x"),
])
async def test_what_is_wrong_with_a_record_is_told_with_its_key(kind: str, record: dict[str, Any], field: str) -> None:
    async with serving() as api, api.client.put(f"/api/v1/records/{kind}/new", json=record) as response:
        error = (await response.json())["error"]
        assert (response.status, error["code"], error["details"]) == (400, "bad_input", {"field": field})
