"""redpost org export · import · check · show, redpost plan import · show"""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from monitor.adapters.recordfiles import read
from monitor.adapters.storage.database import Database
from monitor.adapters.storage.posts import SqlPosts
from monitor.domain.audit import verify
from monitor.domain.organisation import Slot
from tests.functional.clikit import redpost
from tests.functional.fakes import furnish, serving

ORG = """\
unit:
  agency: {title: 晚风机构}
  east: {title: 东区支部, above: agency}
post:
  east-content: {title: 东区内容岗, unit: east, members: [lin]}
shift:
  s1: {post: east-content, people: [lin], starts: 2020-01-01T00:00:00+08:00, ends: 2090-01-01T00:00:00+08:00}
host:
  h1: {name: 阿珂, unit: east, identity_checked: true, of_age: true}
product:
  sku1: {title: 腊肉礼盒, listed_price: 99}
room:
  '9001': {title: 好物直播间, unit: east, hosts: [h1]}
  '9002': {title: 好物直播间, unit: east}
"""


@pytest.fixture
def data(tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    folder.mkdir(mode=0o700)
    return folder


def written(tmp_path: Path, text: str, name: str = "org.yml") -> Path:
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return path


def slots(data: Path) -> dict[str, Slot]:
    done = redpost("org", "export", "--kind", "slot", "--data", data)
    return {name: record for (_, name), record in read(done.out, "x").items() if isinstance(record, Slot)}


def test_what_is_imported_is_exported_as_it_was_and_importing_again_changes_nothing(
        data: Path, tmp_path: Path) -> None:
    path = written(tmp_path, ORG)
    dry = redpost("org", "import", path, "--dry-run", "--data", data)
    assert (dry.code, dry.err) == (0, "")
    assert dry.out.splitlines()[0] == "+ unit agency"
    assert dry.out.splitlines()[-1] == "8 of 8 records would be changed"
    assert redpost("org", "export", "--data", data).out == "{}\n"

    assert redpost("org", "import", path, "--data", data).out.endswith("\n8 of 8 records changed\n")
    exported = redpost("org", "export", "--data", data).out
    assert read(exported, "exported") == read(ORG, "org.yml")
    assert "starts: 2019-12-31 16:00:00+00:00" in exported

    again = redpost("org", "import", written(tmp_path, exported, "again.yml"), "--data", data)
    assert (again.code, again.out) == (0, "0 of 8 records changed\n")


def test_every_import_is_in_the_trail(data: Path, tmp_path: Path) -> None:
    redpost("org", "import", written(tmp_path, ORG), "--data", data, "--tenant", "agency")

    async def rows() -> list[Any]:
        database = await Database.open(data / "store.db")
        try:
            return await SqlPosts(database).rows("agency", after=0, limit=100)
        finally:
            await database.close()

    found = asyncio.run(rows())
    assert verify(found) is None
    assert [row.deed.on for row in found][:2] == ["unit/agency", "unit/east"]
    assert all(row.deed.by.startswith("cli:") for row in found)


def test_all_faults_are_told_at_once_with_their_lines_and_nothing_changes(data: Path, tmp_path: Path) -> None:
    unread = written(tmp_path, "unit:\n  a: {title: 1}\n  a: {title: x}\nslot:\n  s: {room: r, starts: 2026-01-01}\n"
                               "  t: {room: b, starts: 5, host: h}\npots: {}\nroom:\n  b: {unit: a, tag: x}\n")
    done = redpost("org", "check", unread)
    assert (done.code, done.out) == (2, "")
    for told in ("org.yml:2: unit a: Expected `str`", "org.yml:3: 'a' stands twice, first in line 2",
                 "org.yml:5: slot s: the day 2026-01-01 is no time", "org.yml:7: there is no kind 'pots'",
                 "org.yml:9: room b: Object contains unknown field", "org.yml:6: slot t: there is no host 'h'"):
        assert told in done.err
    assert "there is no room" not in done.err  # it is there, with a fault that is told
    unsound = written(tmp_path, ORG + "slot:\n  s: {room: r9, starts: 5}\nprofile:\n  p: {title: x}\n")
    done = redpost("org", "import", unsound, "--data", data)
    assert done.code == 2
    assert "org.yml:16: slot s: there is no room 'r9'" in done.err
    assert redpost("org", "export", "--data", data).out == "{}\n"
    assert redpost("org", "check", written(tmp_path, ORG)).out == "8 records, sound\n"


def test_the_organisation_is_shown_as_a_tree_with_who_is_on_duty(data: Path, tmp_path: Path) -> None:
    redpost("org", "import", written(tmp_path, ORG), "--data", data)
    shown = redpost("org", "show", "--data", data).out
    assert "东区支部 (east)" in shown
    assert "post 东区内容岗 (east-content): lin" in shown
    assert "post 内容审核岗 (content-review): nobody on duty" in shown
    assert "2 rooms: 好物直播间, 好物直播间" in shown


PLAN = "开播时间,直播间,结束时间,主播,商品,备注\n20:00,9001,02:00,阿珂,腊肉礼盒;sku1,首播\n2026-1-5 9:30,9002,,,,\n"


def test_a_plan_is_taken_from_a_table_and_the_same_line_again_is_the_same_slot(data: Path, tmp_path: Path) -> None:
    redpost("org", "import", written(tmp_path, ORG), "--data", data)
    plan = tmp_path / "tonight.csv"
    plan.write_bytes(PLAN.encode("gb18030"))
    words = ("plan", "import", plan, "--day", "2026-11-27", "--zone", "Asia/Shanghai", "--data", data)
    assert redpost(*words, "--dry-run").out.endswith("2 of 2 records would be changed\n")
    assert redpost(*words).out.endswith("2 of 2 records changed\n")
    assert redpost(*words).out == "0 of 2 records changed\n"
    first, second = sorted(slots(data).values(), key=lambda slot: -slot.starts)
    assert first == Slot(room="9001", starts=1_795_780_800_000, ends=1_795_802_400_000, host="h1",
                         products=("sku1", "sku1"), note="首播")
    assert (second.room, second.starts, second.ends) == ("9002", 1_767_576_600_000, None)
    assert redpost("plan", "show", "--data", data, "--hours", "0").code == 0


def test_each_line_of_a_plan_that_cannot_be_read_is_told(data: Path, tmp_path: Path) -> None:
    redpost("org", "import", written(tmp_path, ORG), "--data", data)
    plan = written(tmp_path, "starts,room,host,ends\n25:00,9001,,\n20:00,9009,谁,\n\n2026-11-27 20:00,好物直播间,,\n"
                             "2026-11-27 20:00,9001,,2026-11-27 19:00\n20:00,9001,,\n20:00,9001,,\n", "p.csv")
    done = redpost("plan", "import", plan, "--day", "2026-11-27", "--data", data)
    assert done.code == 2
    for told in ("p.csv:2: starts: '25:00' is no time", "p.csv:3: there is no room '9009'",
                 "p.csv:3: there is no host '谁'",
                 "p.csv:5: several rooms are called '好物直播间': write one of 9001, 9002",
                 "p.csv:6: it ends before it starts", "p.csv:8: this room and start stand in line 7 already"):
        assert told in done.err
    assert slots(data) == {}
    heads = redpost("plan", "import", written(tmp_path, "when,room\n", "h.csv"), "--data", data)
    assert "h.csv:1: there is no heading 'when'" in heads.err
    assert "h.csv:1: there is no column starts" in heads.err
    assert "--day" in redpost("plan", "import", plan, "--day", "tomorrow", "--data", data).err


def test_a_running_service_is_asked_by_its_api(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with serving() as api:
            await furnish(api, "agency")
            token = api.token("organise", "read")["Authorization"].removeprefix("Bearer ")
            secret = written(tmp_path, token, "token")
            at = ("--url", f"http://127.0.0.1:{api.port}", "--token-file", secret)
            done = await asyncio.to_thread(redpost, "org", "import", written(tmp_path, ORG), *at)
            assert (done.code, done.err) == (0, "")
            assert api.organising.of("agency").unit_of("9001") == "east"
            exported = await asyncio.to_thread(redpost, "org", "export", *at)
            assert "晚风机构" in exported.out
            assert "r1" in exported.out
            answer = await api.client.get("/api/v1/records/unit", headers=api.token("read"))
            assert [one["id"] for one in json.loads(await answer.text())["records"]] == ["agency", "east"]
            api.revoke()
            refused = await asyncio.to_thread(redpost, "org", "show", *at)
            assert refused.code == 2
            assert "401" in refused.err

    asyncio.run(scenario())


def test_what_cannot_be_reached_is_told(tmp_path: Path) -> None:
    nowhere = redpost("org", "show", "--url", "http://127.0.0.1:9")
    assert nowhere.code == 2
    assert "does not answer" in nowhere.err
    assert "is no address" in redpost("org", "show", "--url", "nowhere").err
    assert redpost("org", "show", "--data", tmp_path / "none").code == 2
    assert "there is no kind" in redpost("org", "export", "--kind", "rooms", "--data", tmp_path).err
