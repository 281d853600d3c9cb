"""Rooms that stay silent: their post is told once a slot, and again when they are on air."""

from collections.abc import AsyncIterator
from datetime import UTC
from pathlib import Path

import pytest

from monitor.adapters.storage.database import Database
from monitor.adapters.storage.mail import SqlMail
from monitor.adapters.telemetry import PrometheusTelemetry
from monitor.domain.channels import Channel
from monitor.domain.messages import Message, text_of, title_of
from monitor.domain.organisation import Post, Room, Slot, Unit
from monitor.domain.record import Record
from monitor.services.absences import Absences
from monitor.services.evening import Evening
from monitor.services.organising import Organising
from monitor.services.recordings import Edit, Edits
from tests.fakes.cues import MemoryMail
from tests.fakes.posts import MemoryPosts
from tests.unit.test_evening import HOUR, MIN, NOW, aired

RECORDS: dict[tuple[str, str], Record] = {
    ("channel", "duty"): Channel(url="https://example.com/hook", secret="s" * 16),
    ("channel", "boss"): Channel(url="https://example.com/boss", secret="s" * 16),
    ("post", "content"): Post(title="内容岗", unit="east", notify=("duty", "boss")),
    ("post", "quiet"): Post(title="无通道", unit="west"),
    ("unit", "east"): Unit(title="东", default_post="content"),
    ("unit", "west"): Unit(title="西", default_post="quiet"),
    ("room", "e"): Room(unit="east", title="一号间"), ("room", "w"): Room(unit="west"),
    ("slot", "1"): Slot(room="e", starts=NOW), ("slot", "2"): Slot(room="w", starts=NOW),
}


class Clock:
    ms = NOW

    def now(self) -> int:
        return self.ms


class World:
    def __init__(self, mail: MemoryMail | SqlMail) -> None:
        self.posts, self.clock, self.mail = MemoryPosts(), Clock(), mail
        self.organising = Organising(self.posts, self.clock, {})
        self.start()

    def start(self) -> None:
        absences = Absences(self.mail, self.organising, self.clock)
        self.evening = Evening(self.posts, self.organising, self.clock, PrometheusTelemetry(),
                               silent_after_ms=10 * MIN, absences=absences)

    async def keep(self, records: dict[tuple[str, str], Record]) -> None:
        changes = [Edit(kind=kind, id=name, record=record) for (kind, name), record in records.items()]
        await self.posts.edit("agency", Edits(changes=changes, deeds=[], at=NOW, by="x"))
        await self.organising.refresh("agency")

    async def told(self) -> list[tuple[str, str]]:
        """After a look: (channel, what) of each message, in order."""
        await self.evening.look()
        page = await self.mail.page("agency", state=None, channel=None, cursor=None, limit=99)
        return sorted((one.message.channel, one.message.items[0].what.value) for one in page.messages)

    async def messages(self) -> list[Message]:
        page = await self.mail.page("agency", state=None, channel="duty", cursor=None, limit=99)
        return sorted((one.message for one in page.messages), key=lambda message: message.at)


@pytest.fixture(params=["memory", "sqlite"])
async def world(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[World]:
    if request.param == "memory":
        yield World(MemoryMail())
        return
    database = await Database.open(tmp_path / "store.db")
    yield World(SqlMail(database))
    await database.close()


SILENT = [("boss", "room_silent"), ("duty", "room_silent")]
BOTH = sorted([*SILENT, ("boss", "room_on_air"), ("duty", "room_on_air")])


async def test_a_post_is_told_once_and_again_when_the_room_is_on_air(world: World) -> None:
    await world.keep(RECORDS)
    assert await world.told() == []
    world.clock.ms = NOW + 10 * MIN
    assert await world.told() == SILENT
    world.clock.ms += MIN
    assert await world.told() == SILENT
    world.start()  # and not again after a restart
    assert await world.told() == SILENT
    world.start()
    world.posts.aired = [aired("e", NOW + 12 * MIN)]
    assert await world.told() == BOTH
    world.posts.aired = [aired("e", NOW + 12 * MIN, ended=NOW + 20 * MIN)]
    assert await world.told() == BOTH
    silent, back = await world.messages()
    assert title_of(silent) == "直播间到点未开播 · 直播间 e"
    assert text_of(silent, UTC) == "08:00:00 直播间到点未开播 · 一号间 · 监察岗 content"
    assert text_of(back, UTC).startswith("08:11:00 未开播的直播间已开播 · 一号间")


async def test_who_is_on_air_in_time_is_no_news_and_a_slot_that_is_moved_is_another_one(world: World) -> None:
    await world.keep(RECORDS)
    world.clock.ms = NOW + 10 * MIN
    world.posts.aired = [aired("e", NOW)]
    assert await world.told() == []
    world.posts.aired = []
    assert await world.told() == SILENT  # its broadcast was no other one's: the plan has it back
    await world.keep({("slot", "1"): Slot(room="e", starts=NOW + HOUR)})
    assert await world.told() == SILENT
    world.clock.ms = NOW + HOUR + 10 * MIN
    assert await world.told() == sorted(SILENT * 2)


async def test_what_is_told_is_on_record_once() -> None:
    mail = MemoryMail()
    world = World(mail)
    await world.keep(RECORDS)
    world.clock.ms = NOW + 10 * MIN
    for _ in range(3):
        await world.told()
    (deed,) = mail.deeds
    assert (deed.by, deed.what, deed.on) == ("time", "slot.room_silent", "slot/1")
    assert deed.facts == {"room": "e", "starts": NOW, "post": "content"}
