"""Corrections on air: heard by the packs' own context, matched with what was said, noted once, decided by nobody."""

from collections.abc import AsyncIterator
from functools import cache
from pathlib import Path
from typing import Any

import msgspec
import pytest

from monitor.adapters.rulefiles import load
from monitor.adapters.storage.database import Database
from monitor.domain.alerts import GroupingSettings
from monitor.domain.cues import Cue
from monitor.domain.events import Event, Kind
from monitor.domain.findings import Finding
from monitor.domain.frames import build
from monitor.domain.ids import alert_id
from monitor.engine.batch import EventBatch
from monitor.engine.engineset import EngineSet
from monitor.engine.spoken import spoken
from monitor.services.correcting import CONTEXT, Corrections
from monitor.services.cueing import Draft
from monitor.services.lane import Admitted, Lane, LaneState
from tests.contract.test_store import NOON
from tests.functional.fakes import FakeLogger
from tests.unit.rulekit import ZONE, event, rule, tables, terms
from tests.unit.test_cues import Studio
from tests.unit.test_post_flow import LEAD, WANG


@cache
def judging() -> EngineSet:
    """The shipped contexts, and one rule that spares nothing."""
    shipped = load(Path(__file__).parents[2] / "rules")
    lowest = rule(terms("claim", "全网最低"), category=("absolute_claim",))
    return EngineSet(msgspec.structs.replace(shipped, rules=(lowest,), correlations=()), tables(), zone=ZONE)


class Air(Studio):
    """A studio whose rooms are listened to."""

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self.corrections = Corrections(
            self.cue_store, self.told, self.clock, self.telemetry, FakeLogger(), fold=tables().skeleton_text,
            wake=lambda tenant, room: self.woken.append((tenant, room)))
        self.cueing._watch = self.corrections.watch
        self.lane = Lane(0, judging(), GroupingSettings(), state=LaneState())
        self.said = 0

    async def say(self, text: str, at_s: int = 0, **more: Any) -> list[Finding]:
        """The host says it in room-1, so many seconds after noon; what is found is committed after it was heard."""
        return await self.hear([(text, at_s)], **more)

    async def hear(self, lines: list[tuple[str, int]], *, kind: Kind = Kind.TRANSCRIPT, room: str = "room-1",
                   commit: bool = True) -> list[Finding]:
        events = []
        for text, at_s in lines:
            self.said += 1
            events.append(Event(id=f"said-{self.said}", kind=kind, room=room, text=text, at=NOON + at_s * 1_000))
        (frame,) = build(events, tenant="local", accepted_at=NOON + lines[-1][1] * 1_000, pseudonym=str,
                         revision_of=lambda event: 0)
        outcome = self.lane.run([Admitted(self.said, frame, ["b-1"] * len(events))])
        self.corrections.listen(judging(), outcome.judged, outcome.findings)
        if commit and outcome.findings:
            await self.find(*outcome.findings)
        await self.corrections.store()
        return outcome.findings

    async def corrected(self, found: Finding) -> Any:
        return (await self.desk.history(WANG, alert_id(found.id))).case.kept.corrected


@pytest.fixture
async def air(tmp_path: Path) -> AsyncIterator[Air]:
    database = await Database.open(tmp_path / "store.db")
    yield Air(database)
    await database.close()


@pytest.mark.parametrize("text, back", [
    ("不好意思刚才说错了", True), ("给大家更正一下", True), ("这个说法不对大家别当真", True), ("今天天气不错", None),
    ("欢迎新来的朋友", None)])
def test_a_correction_is_what_the_packs_call_one(text: str, back: bool | None) -> None:
    found = spoken(judging(), EventBatch([event("你好"), event(text)]), CONTEXT)
    assert [(each.event, each.looks_back) for each in found] == ([] if back is None else [(1, back)])


def test_a_context_that_the_rules_lack_is_never_heard() -> None:
    assert spoken(judging(), EventBatch([event("说错了")]), "nothing") == []
    assert spoken(judging(), EventBatch([]), CONTEXT) == []


async def test_a_correction_that_follows_directly_is_noted_and_nothing_is_decided(air: Air) -> None:
    (found,) = await air.say("今天全网最低价")
    await air.say("不好意思刚才说错了", 20)
    corrected = await air.corrected(found)
    assert (corrected.after_s, corrected.event, corrected.quote) == (20, "said-2", "不好意思刚才说错了")
    assert corrected.proposes == "corrected_on_air"
    case = (await air.desk.history(WANG, alert_id(found.id))).case
    assert (case.alert.state, case.review.ruling, case.alert.version) == ("open", None, 0)
    assert [update.what for update in air.told.updates] == ["corrected"]
    rows = await air.posts.rows("local", after=0, limit=9)
    assert [(row.deed.what, row.deed.by) for row in rows] == [("alert.corrected", "host")]
    await air.say("我再更正一下", 25)
    assert (await air.corrected(found)).after_s == 20
    assert "redpost_corrected_on_air_total 1.0" in air.telemetry.render()[0].decode()


async def test_later_it_has_to_mention_the_words(air: Air) -> None:
    (found,) = await air.say("今天全网最低价")
    await air.say("刚才说错了", 100)
    assert await air.corrected(found) is None
    await air.say("全网最低这话说错了，是本店活动价", 200)
    assert (await air.corrected(found)).after_s == 200


@pytest.mark.parametrize("text, after_s, more", [
    ("欢迎大家点点关注", 10, {}), ("刚才说错了", 10, {"room": "room-2"}), ("全网最低这话说错了", 301, {}),
    ("刚才说错了", 10, {"kind": Kind.CAPTION})])
async def test_what_is_no_correction_of_it_is_none(air: Air, text: str, after_s: int, more: dict[str, Any]) -> None:
    (found,) = await air.say("今天全网最低价")
    await air.say(text, after_s, **more)
    assert await air.corrected(found) is None


async def test_a_correction_in_the_same_batch_counts_and_one_in_the_same_breath_does_not(air: Air) -> None:
    (found,) = await air.hear([("今天全网最低价", 0), ("刚才说错了", 5)])
    assert (await air.corrected(found)).after_s == 5
    (again,) = await air.say("全网最低，说错了", 1_000)
    assert await air.corrected(again) is None  # the event itself is what was found


async def test_what_is_committed_later_is_noted_later(air: Air) -> None:
    found = await air.hear([("今天全网最低价", 0), ("刚才说错了", 5)], commit=False)
    assert air.told.updates == []
    await air.find(*found)
    await air.corrections.store()
    assert (await air.corrected(found[0])).after_s == 5


async def test_a_cue_that_is_followed_is_told_to_the_room(air: Air) -> None:
    (found,) = await air.say("今天全网最低价")
    link = await air.link()
    air.clock.ms = NOON + 400_000
    cue = await air.cueing.cue(LEAD, alert_id(found.id), Draft())
    await air.say("刚才说错了给大家更正一下", 420)  # long after the words, shortly after the cue
    (shown,) = await air.cueing.shown(link)
    assert shown.corrected_after_s == 20 and shown.seq > cue.seq and air.woken[-1] == ("local", "room-1")
    assert (await air.corrected(found)).after_s == 420


async def test_what_was_said_before_a_restart_can_be_corrected_after_it(air: Air) -> None:
    (found,) = await air.say("今天全网最低价")
    (update,) = await air.store.updates("local", after=0, limit=9)
    air.corrections = Corrections(air.cue_store, air.told, air.clock, air.telemetry, FakeLogger(),
                                  fold=tables().skeleton_text, wake=lambda tenant, room: None)
    air.corrections.remember([update.alert])
    await air.say("刚才说错了", 20)
    assert (await air.corrected(found)).after_s == 20


async def test_contact_data_in_a_correction_is_masked(air: Air) -> None:
    (found,) = await air.say("今天全网最低价")
    await air.say("说错了，加我微信13812345678", 5)
    assert "13812345678" not in (await air.corrected(found)).quote


async def test_rooms_that_are_over_are_forgotten(air: Air) -> None:
    await air.say("今天全网最低价")
    await air.say("欢迎大家说错了也没关系更正", 1_000)
    assert isinstance(air.corrections._rooms, dict) and not air.corrections._rooms
    air.corrections.watch(Cue(id="c", tenant="local", room="r", broadcast="b", alert="a", by="x", at=1, say="好"))
    assert list(air.corrections._rooms) == [("local", "r")]
