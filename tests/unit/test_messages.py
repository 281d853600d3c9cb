"""Messages: written with what causes them, sent at least once by one id, tried again, given up, held up by nobody."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC
from pathlib import Path

import pytest
from msgspec.structs import replace

from monitor.adapters.storage.cues import SqlCues
from monitor.adapters.storage.database import Database
from monitor.adapters.storage.mail import SqlMail
from monitor.adapters.storage.posts import SqlPosts
from monitor.adapters.storage.store import SqlStore
from monitor.domain.channels import Channel
from monitor.domain.errors import Refused
from monitor.domain.findings import Severity, Tier
from monitor.domain.ids import alert_id
from monitor.domain.messages import MOST_ITEMS, PAUSES_S, Item, Message, State, What, addressed, text_of, title_of
from monitor.domain.moves import Claim, Escalate
from monitor.domain.organisation import Post, Room, Routes, Unit
from monitor.domain.people import Actor, Grant, Role
from monitor.domain.routing import Route
from monitor.services.cueing import CueDesk, Draft
from monitor.services.messaging import Messenger, Undelivered
from monitor.services.recordings import Edit
from tests.contract.test_store import finding
from tests.functional.fakes import FakeLogger
from tests.unit.test_post_flow import LEAD, WANG, World

ADMIN = Actor(id="admin", tenant="local", grants=(Grant(Role.UNIT_ADMIN), Grant(Role.LEAD)))
HOOK = Channel(url="https://hooks.example.com/a", secret="s" * 16)


class Postman:
    """Implements `Courier`: notes what it is given; `fails`: by channel what it raises, or an event that it waits for.
    """

    def __init__(self) -> None:
        self.sent: list[tuple[str, Message]] = []
        self.fails: dict[str, Exception | asyncio.Event] = {}

    async def send(self, channel: Channel, message: Message) -> None:
        self.sent.append((message.channel, message))
        failing = self.fails.get(message.channel)
        if isinstance(failing, asyncio.Event):
            await failing.wait()
        elif failing is not None:
            raise failing


class Office(World):
    """A branch below the tenant, each with a post that has a channel, and a room with one."""

    def __init__(self, database: Database) -> None:
        super().__init__(SqlStore(database), SqlPosts(database))
        self.database, self.mail, self.postman, self.logger = database, SqlMail(database), Postman(), FakeLogger()
        self.messenger = self.restarted()
        self.cueing = CueDesk(SqlCues(database), self.organising, self.clock, self.telemetry, mask=str,
                              wake=lambda tenant, room: None)

    def restarted(self) -> Messenger:
        return Messenger(self.mail, self.organising, self.postman, self.clock, self.telemetry, self.logger,
                         within_s=0.2)

    async def furnish(self, *, wait_s: int = 0) -> None:
        await self.organising.edit(ADMIN, [
            Edit(kind="unit", id="east", record=Unit(title="华东")),
            *(Edit(kind="channel", id=name, record=HOOK) for name in ("duty", "boss", "studio")),
            Edit(kind="post", id="east-review", record=Post(title="华东内容", unit="east", notify=("duty",))),
            Edit(kind="post", id="content-review", record=Post(title="内容审核岗", notify=("boss",))),
            *(Edit(kind="room", id=f"room-{n}", record=Room(unit="east", notify=("studio",))) for n in (1, 2)),
            Edit(kind="routes", id="east", record=Routes(tree=Route(post="east-review", wait_s=wait_s)))])

    async def waiting(self) -> list[tuple[str, list[str]]]:
        page = await self.mail.page("local", state=None, channel=None, cursor=None, limit=200)
        return sorted((row.message.channel, [item.what.value for item in row.message.items]) for row in page.messages)

    async def states(self) -> list[tuple[State, int, str]]:
        page = await self.mail.page("local", state=None, channel=None, cursor=None, limit=200)
        return [(row.state, row.tries, row.error) for row in page.messages]

    async def say(self, channel: str = "duty", room: str = "r", *, wait_s: int = 0, alert: str = "a") -> Message:
        item = Item(what=What.ESCALATION, at=self.clock.ms, alert=alert, title="绝对化用语")
        (message,) = addressed("local", room, item, [channel], now=self.clock.ms, wait_s=wait_s)
        await self.mail.put([message], [])
        return message


@pytest.fixture
async def office(tmp_path: Path) -> AsyncIterator[Office]:
    database = await Database.open(tmp_path / "store.db")
    made = Office(database)
    await made.furnish()
    yield made
    await database.close()


async def test_a_red_line_that_nobody_claims_is_told_to_both_posts(office: Office) -> None:
    await office.find(finding("a"), finding("b", tier=Tier.STANDARD, room="room-2", event="x"))
    assert await office.waiting() == []
    office.clock.ms += 101_000  # high: to be claimed within 100 s
    await office.desk.pass_time()
    found = await office.waiting()
    assert found.count(("duty", ["redline_unclaimed"])) == found.count(("boss", ["redline_unclaimed"])) == 1
    assert found.count(("boss", ["escalation"])) == 1 and len(found) == 3
    await office.messenger.turn(wait=True)
    assert [row[0] for row in await office.states()] == [State.SENT] * 3
    message = next(message for channel, message in office.postman.sent if channel == "duty")
    assert title_of(message) == "红线预警超时未认领 · 直播间 room-1"
    text = text_of(message, UTC)
    assert "绝对化用语" in text and "全网最好" in text and "***" in text  # as it is masked


async def test_a_claimed_one_tells_nobody_and_a_lease_that_ends_neither(office: Office) -> None:
    await office.find(finding("a"))
    await office.act(WANG, alert_id("a"), Claim())
    office.clock.ms += 121_000
    assert await office.desk.pass_time() == 1
    assert await office.waiting() == []


async def test_an_escalation_is_told_and_a_refused_move_leaves_no_message(office: Office) -> None:
    await office.find(finding("a", lane=1, text="观众说的话"))
    with pytest.raises(Refused, match="somebody else has moved"):
        await office.act(LEAD, alert_id("a"), Escalate(note="帮忙"), version=7)
    assert await office.waiting() == []
    await office.act(LEAD, alert_id("a"), Escalate(note="帮忙"))
    assert await office.waiting() == [("boss", ["escalation"])]
    await office.messenger.turn(wait=True)
    assert "观众说的话" not in text_of(office.postman.sent[0][1], UTC)  # what viewers say stays inside


async def test_a_cue_goes_to_the_channels_of_the_room(office: Office) -> None:
    await office.find(finding("a"))
    await office.cueing.cue(LEAD, alert_id("a"), Draft(say="请更正"))
    assert await office.waiting() == [("studio", ["cue"])]
    await office.messenger.turn(wait=True)
    ((_, message),) = office.postman.sent
    assert title_of(message) == "场控提示 · 直播间 room-1" and "「请更正」" in text_of(message, UTC)


async def test_what_comes_within_the_wait_of_a_route_goes_as_one(tmp_path: Path) -> None:
    database = await Database.open(tmp_path / "store.db")
    office = Office(database)
    await office.furnish(wait_s=60)
    await office.find(finding("a"), finding("b", rule="other", category=["minors"], event="x"),
                      finding("c", room="room-2", event="y"))
    office.clock.ms += 101_000
    await office.desk.pass_time()
    assert sorted(len(what) for channel, what in await office.waiting() if channel == "duty") == [1, 2]
    await office.messenger.turn(wait=True)
    assert office.postman.sent == []  # more may come
    office.clock.ms += 60_000
    await office.messenger.turn(wait=True)
    assert len(office.postman.sent) == 4
    assert "（共 2 条）" in title_of(next(m for c, m in office.postman.sent if m.room == "room-1"))
    await database.close()


async def test_more_than_fits_is_counted(office: Office) -> None:
    for n in range(MOST_ITEMS + 5):
        await office.say(wait_s=60, alert=f"a{n}")
    office.clock.ms += 60_000
    await office.messenger.turn(wait=True)
    ((_, message),) = office.postman.sent
    assert len(message.items) == MOST_ITEMS and message.more == 5 and "另有 5 条" in text_of(message, UTC)
    assert "（共 25 条）" in title_of(message)


async def test_a_message_is_sent_after_a_crash_before_it(office: Office) -> None:
    message = await office.say()
    office.messenger = office.restarted()  # what was in memory is gone
    await office.messenger.turn(wait=True)
    await office.messenger.turn(wait=True)
    assert [sent.id for _, sent in office.postman.sent] == [message.id]


async def test_a_crash_between_sending_and_noting_it_down_sends_again_by_the_same_id(office: Office) -> None:
    message = await office.say()
    office.messenger._begin((await office.mail.due(office.clock.ms, each=2))[0])
    await asyncio.gather(*office.messenger._trying.values())
    office.messenger = office.restarted()
    await office.messenger.turn(wait=True)
    assert [sent.id for _, sent in office.postman.sent] == [message.id] * 2
    assert await office.states() == [(State.SENT, 1, "")]


async def test_a_failure_is_tried_again_after_growing_pauses_and_ends_where_people_see_it(office: Office) -> None:
    await office.say()
    office.postman.fails["duty"] = Undelivered("answered 500")
    for tries, pause in enumerate(PAUSES_S, 1):
        await office.messenger.turn(wait=True)
        assert await office.states() == [(State.WAITING, tries, "answered 500")]
        office.clock.ms += pause * 1_000 - 1
        await office.messenger.turn(wait=True)
        assert len(office.postman.sent) == tries  # not a moment too early
        office.clock.ms += 1
    await office.messenger.turn(wait=True)
    assert await office.states() == [(State.DEAD, len(PAUSES_S) + 1, "answered 500")]
    office.clock.ms += 10**9
    await office.messenger.turn(wait=True)
    assert len(office.postman.sent) == len(PAUSES_S) + 1
    exposed = office.telemetry.render()[0].decode()
    assert 'redpost_notifications_total{result="failed"} 7.0' in exposed
    assert 'redpost_notifications_total{result="dead"} 1.0' in exposed


async def test_one_that_hangs_holds_up_no_other_channel(office: Office) -> None:
    office.postman.fails["boss"] = asyncio.Event()
    for n in range(50):
        await office.say("boss", f"r{n}")
    await office.say("duty")
    await office.messenger.turn()
    await asyncio.sleep(0)
    await office.messenger.turn()
    assert [channel for channel, _ in office.postman.sent].count("boss") == 2
    assert [channel for channel, _ in office.postman.sent].count("duty") == 1
    await office.messenger.turn(wait=True)  # their time is over
    hung = [row for row in await office.states() if row[1] == 1 and row[0] is State.WAITING]
    assert [error for _, _, error in hung] == ["no answer within 0.2 s"] * 2


async def test_what_is_added_while_a_message_is_on_its_way_is_not_lost(office: Office) -> None:
    first = await office.say(wait_s=60)
    office.clock.ms += 60_000
    office.postman.fails["duty"] = gate = asyncio.Event()
    await office.messenger.turn()
    await asyncio.sleep(0)
    office.clock.ms -= 1  # written a moment before the message was due
    await office.say(alert="b")
    gate.set()
    office.clock.ms += 1
    await office.messenger.turn(wait=True)
    await office.messenger.turn(wait=True)
    assert [(sent.id, [item.alert for item in sent.items]) for _, sent in office.postman.sent] == [
        (first.id, ["a"]), (first.id, ["a", "b"])]
    assert [state for state, _, _ in await office.states()] == [State.SENT]


async def test_a_clock_that_jumps_forward_makes_what_waits_due(office: Office) -> None:
    await office.say(wait_s=600)
    office.postman.fails["duty"] = Undelivered("answered 500")
    office.clock.ms += 86_400_000
    await office.messenger.turn(wait=True)
    assert [tries for _, tries, _ in await office.states()] == [1]


async def test_a_channel_that_was_taken_away_is_told(office: Office) -> None:
    await office.say("gone")
    await office.messenger.turn(wait=True)
    assert await office.states() == [(State.WAITING, 1, "there is no such channel any more")]


async def test_pages_of_messages_and_whose_they_are(office: Office) -> None:
    for n in range(5):
        await office.say(room=f"r{n}")
        office.clock.ms += 1
    first = await office.messenger.page(ADMIN, state="waiting", channel="duty", cursor=None, limit=3)
    rest = await office.messenger.page(ADMIN, state=None, channel=None, cursor=first.next, limit=3)
    assert [row.message.room for row in (*first.messages, *rest.messages)] == ["r4", "r3", "r2", "r1", "r0"]
    assert rest.next is None
    stranger = replace(ADMIN, tenant="stranger")
    assert (await office.messenger.page(stranger, state=None, channel=None, cursor=None, limit=9)).messages == []
    with pytest.raises(Refused, match="permission audit"):
        await office.messenger.page(WANG, state=None, channel=None, cursor=None, limit=9)


async def test_a_hidden_secret_that_comes_back_stays_what_it_was(office: Office) -> None:
    shown = (await office.organising.one(ADMIN, "channel", "duty")).record
    assert (shown.url, shown.secret) == ("https://hooks.example.com/***", "***")
    await office.organising.edit(ADMIN, [Edit(kind="channel", id="duty", record=replace(shown, title="新名"))])
    kept = office.organising.of("local").get(Channel, "duty")
    assert (kept.url, kept.secret, kept.title) == (HOOK.url, HOOK.secret, "新名")
    rows = await office.posts.rows("local", after=0, limit=50)
    assert "s" * 16 not in repr(rows) and "example.com/a" not in repr(rows)
    assert office.database.path.stat().st_mode & 0o777 == 0o600


async def test_severity_without_a_clock_tells_nobody(office: Office) -> None:
    await office.find(finding("a", severity=Severity.LOW))
    office.clock.ms += 10**8
    await office.desk.pass_time()
    assert await office.waiting() == []
