"""Script checks on the real store and engine: what is found, kept, numbered, and shown to whom."""

import asyncio
import io
from collections.abc import AsyncIterator
from datetime import UTC
from functools import partial
from hashlib import sha256
from pathlib import Path

import docx
import pytest

from monitor.adapters.recordfiles import read_folder
from monitor.adapters.sources.scripts import read_script
from monitor.adapters.storage.checks import SqlChecks
from monitor.adapters.storage.database import Database
from monitor.adapters.storage.posts import SqlPosts
from monitor.domain.decoding import Limits
from monitor.domain.errors import BusyError, InputError, NotFound, Refused
from monitor.domain.findings import gathered
from monitor.domain.organisation import Room, Unit
from monitor.domain.people import Actor, Grant, Role
from monitor.services.checking import CheckDesk, CheckFilter, Script
from monitor.services.organising import Organising
from monitor.services.recordings import Edit
from monitor.services.scan import Scanner, midnight
from tests.faults.streams import engine_of
from tests.unit.test_post_flow import CONFIG, Still

LEAD = Actor(id="lin", tenant="local", grants=(Grant(Role.LEAD),))
ADMIN = Actor(id="zhou", tenant="local", grants=(Grant(Role.UNIT_ADMIN),))
WRONG = "今天全网最低"
REVIEWER = Actor(id="wang", tenant="local", grants=(Grant(Role.REVIEWER),))


class Desk:
    def __init__(self, database: Database) -> None:
        self.posts, self.clock = SqlPosts(database), Still()
        self.organising = Organising(self.posts, self.clock, read_folder(CONFIG))
        self.desk = CheckDesk(SqlChecks(database), self.organising, partial(read_script, limits=Limits()), engine_of,
                              partial(midnight, UTC), self.clock)


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[Desk]:
    database = await Database.open(tmp_path / "store.db")
    yield Desk(database)
    await database.close()


def script(text: str, name: str = "晚场", **other: str) -> Script:
    return Script(name, text.encode(), **other)


async def test_a_script_is_judged_as_a_scan_does_and_kept(world: Desk) -> None:
    text = f"大家晚上好\n\n{WRONG}\n我的电话13812345678"
    made = await world.desk.check(LEAD, script(text))
    told = made.summary
    assert (told.name, told.version, told.by, told.at, told.lines) == ("晚场", 1, "lin", world.clock.ms, 3)
    assert told.sha256 == sha256(text.encode()).hexdigest() and told.engine_set == engine_of().version
    lines = {line.line: line for line in made.details.lines}
    assert sorted(lines) == [1, 3, 4] and lines[1].findings == [] and "13812345678" not in lines[4].text
    assert lines[3].findings and {finding.stage for finding in lines[3].findings} == {"preair"}
    read = read_script(script(text), world.clock.ms, Limits())
    scanner = Scanner(engine_of(), day=midnight(UTC, world.clock.ms))
    scanned = [*scanner.scan(read.events, [("", n) for n in read.lines]), *scanner.finish()]
    assert [remark for line in made.details.lines for remark in line.findings] == [
        remark for one in scanned for remark in gathered(one.findings)]
    assert told.findings == sum(len(line.findings) for line in lines.values()) + len(made.details.missing)
    assert await world.desk.one(REVIEWER, told.id, None) == made
    (row,) = await world.posts.rows("local", after=0, limit=10)
    assert (row.deed.what, row.deed.on, row.deed.facts["version"]) == ("check.made", told.id, 1)


async def test_the_same_name_again_is_a_new_version(world: Desk) -> None:
    for n in range(3):
        world.clock.ms += 1
        await world.desk.check(LEAD, script(f"第{n}稿"))
    other = await world.desk.check(LEAD, script("大家好", "午场"))
    page = await world.desk.page(LEAD, CheckFilter(), cursor=None, limit=3)
    assert [(told.name, told.version) for told in page.checks] in (
        [("午场", 1), ("晚场", 3), ("晚场", 2)], [("晚场", 3), ("午场", 1), ("晚场", 2)])
    page = await world.desk.page(LEAD, CheckFilter(), cursor=page.next, limit=3)
    assert [(told.name, told.version) for told in page.checks] == [("晚场", 1)] and page.next is None
    versions = await world.desk.page(LEAD, CheckFilter(id=page.checks[0].id), cursor=None, limit=9)
    assert [told.version for told in versions.checks] == [3, 2, 1]
    assert (await world.desk.one(LEAD, page.checks[0].id, 2)).details.lines[0].text == "第1稿"
    for name, version in ((other.summary.id, 2), ("c0", None), (other.summary.id + ".0", None)):
        with pytest.raises(NotFound):
            await world.desk.one(LEAD, name, version)
    with pytest.raises(NotFound):
        await world.desk.one(Actor(id="x", tenant="other", grants=LEAD.grants), other.summary.id, None)


async def test_who_may_check_and_see(world: Desk) -> None:
    await world.organising.edit(ADMIN, [Edit(kind="unit", id="east", record=Unit(title="东")),
                                        Edit(kind="room", id="r1", record=Room(unit="east"))])
    east = Actor(id="qian", tenant="local", grants=(Grant(Role.LEAD, "east"),))
    made = await world.desk.check(east, script("大家好", room="r1"))
    assert made.summary.room == "r1"
    for actor, wanted in ((east, script("大家好")), (REVIEWER, script("大家好", room="r1"))):
        with pytest.raises(Refused, match="permission plan"):
            await world.desk.check(actor, wanted)
    west = Actor(id="sun", tenant="local", grants=(Grant(Role.LEAD, "west"),))
    assert (await world.desk.page(west, CheckFilter(), cursor=None, limit=9)).checks == []
    with pytest.raises(NotFound):
        await world.desk.one(west, made.summary.id, None)


async def test_files(world: Desk) -> None:
    document, data = docx.Document(), io.BytesIO()
    document.add_paragraph(WRONG)
    document.save(data)
    made = await world.desk.check(LEAD, Script("文档", data.getvalue(), "晚场.docx"))
    assert made.summary.findings and made.details.lines[0].text == WRONG
    for data_, file, told in ((b"%PDF-1.7", "a.txt", "PDF"), (b"x", "a.pdf", "ending"), (b"", "a.txt", "nothing in"),
                              (b"x", "a.docx", "no Word document"), (b" \n\n", "a.md", "nothing in"),
                              (b"a\n" * 20_001, "a.txt", "more than 20,000 lines")):
        with pytest.raises(InputError, match=told):
            await world.desk.check(LEAD, Script("坏", data_, file))
    assert len((await world.desk.page(LEAD, CheckFilter(), cursor=None, limit=9)).checks) == 1


async def test_a_few_wait_and_the_rest_are_told_to_come_again(world: Desk) -> None:
    done = await asyncio.gather(*(world.desk.check(LEAD, script("大家好", f"第{n}场")) for n in range(9)),
                                return_exceptions=True)
    refused = [one for one in done if isinstance(one, BusyError)]
    assert len(refused) == 5 and len([one for one in done if not isinstance(one, BaseException)]) == 4
    assert (await world.desk.check(LEAD, script("大家好", "最后"))).summary.version == 1
