"""Cues on the real store: told, answered, earned, corrected on air; links that show them."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.adapters.keys import link_secret
from monitor.adapters.rulefiles import load
from monitor.adapters.storage.cues import SqlCues
from monitor.adapters.storage.database import Database
from monitor.adapters.storage.mail import SqlMail
from monitor.adapters.storage.posts import SqlPosts
from monitor.adapters.storage.retention import SqlExpiry
from monitor.adapters.storage.store import SqlStore
from monitor.domain import cues
from monitor.domain.cues import Answer, Corrected, CueRule, RoomLink, Track
from monitor.domain.errors import NotFound, Refused
from monitor.domain.findings import Advice, Tier
from monitor.domain.ids import alert_id
from monitor.domain.moves import Reopen, Undo
from monitor.domain.organisation import Room
from monitor.domain.people import Actor, Grant, Role
from monitor.services.cueing import CueDesk, Draft
from monitor.services.recordings import Edit
from monitor.services.retention import Kind
from monitor.services.roomlinks import RoomLinks
from monitor.services.rulecues import RuleCues
from tests.contract.test_store import NOON, finding
from tests.functional.fakes import FakeLogger
from tests.unit.test_post_flow import LAWFUL, LEAD, VIOLATION, WANG, World

LIMIT = cues.EARNED_DECISIONS
STRANGER = Actor(id="evil", tenant="stranger", grants=(Grant(Role.LEAD),))
ADMIN = Actor(id="admin", tenant="local", grants=(Grant(Role.UNIT_ADMIN), Grant(Role.LEAD)))


class Studio(World):
    """A world whose rooms are told things."""

    def __init__(self, database: Database) -> None:
        super().__init__(SqlStore(database), SqlPosts(database))
        self.database, self.cue_store, self.mail = database, SqlCues(database), SqlMail(database)
        self.woken: list[tuple[str, str]] = []
        self.cueing = CueDesk(self.cue_store, self.organising, self.clock, self.telemetry,
                              mask=lambda text: text.replace("13812345678", "*" * 11),
                              wake=lambda tenant, room: self.woken.append((tenant, room)))
        self.links = RoomLinks(self.cue_store, self.organising, self.clock, link_secret)
        self.rule_cues = RuleCues(self.told, self.cue_store, self.telemetry, FakeLogger())

    async def earn(self, violations: int, lawful: int = 0) -> None:
        """Decisions on as many alerts of the one rule, in rooms of their own."""
        for n in range(violations + lawful):
            await self.find(finding(f"e{n}", event=f"ev{n}", room=f"past-{n}", at=NOON - 10_000_000 + n * 60_000))
            await self.act(LEAD, alert_id(f"e{n}"), VIOLATION if n < violations else LAWFUL)
            self.clock.ms += 10_000

    async def link(self, room: str = "room-1") -> RoomLink:
        return (await self.links.make(LEAD, room, 3_600))[0]

    async def open(self, name: str, **more) -> str:
        """An alert opens, and its rule may cue; what came of it."""
        self.rule_cues.publish(await self.find(finding(name, event=f"now-{name}", **more)))
        if not self.rule_cues._waiting:
            return "unearned"
        outcomes = []
        for tenant, alert in list(self.rule_cues._waiting):
            outcomes.append(await self.cueing.by_rule(tenant, alert))
        self.rule_cues._waiting.clear()
        return outcomes[-1]


@pytest.fixture
async def studio(tmp_path: Path) -> AsyncIterator[Studio]:
    database = await Database.open(tmp_path / "store.db")
    yield Studio(database)
    await database.close()


async def test_a_reviewer_cues_the_room_in_the_rules_words_and_it_answers(studio: Studio) -> None:
    await studio.find(finding("a", advice=Advice(say="改为：深受欢迎")))
    link = await studio.link()
    cue = await studio.cueing.cue(WANG, alert_id("a"), Draft())
    assert (cue.say, cue.by, cue.room, cue.clause) == ("改为：深受欢迎", "wang", "room-1", "AD-09-3")
    assert cue.quote == cues.quoted((await studio.desk.history(WANG, alert_id("a"))).case.alert) != ""
    assert [shown.id for shown in await studio.cueing.shown(link)] == [cue.id]
    answered = await studio.cueing.answer(link, cue.id, Answer.NOT_SO, "是引用 13812345678")
    assert (answered.answered, answered.word) == ("not_so", "是引用 " + "*" * 11)
    again = await studio.cueing.answer(link, cue.id, Answer.SEEN, "")
    assert again == answered  # the last word
    assert [shown.seq for shown in await studio.cueing.shown(link, after=cue.seq)] == [cue.seq + 1]
    assert studio.woken == [("local", "room-1")] * 2
    rows = await studio.posts.rows("local", after=0, limit=10)
    assert [(row.deed.what, row.deed.by) for row in rows] == [
        ("room.link", "lin"), ("alert.cue", "wang"), ("cue.answer", f"link:{link.id}")]
    studio.clock.ms += cues.CURRENT_MS
    assert await studio.cueing.shown(link) == []
    with pytest.raises(Refused, match="no longer shown"):
        await studio.cueing.answer(link, cue.id, Answer.SEEN, "")


async def test_an_answer_takes_the_place_of_a_lesser_one_only(studio: Studio) -> None:
    await studio.find(finding("a"))
    cue = await studio.cueing.cue(WANG, alert_id("a"), Draft())
    assert cue.severity == finding("a").severity
    link, answered = await studio.link(), []
    for said in (Answer.SEEN, Answer.CORRECTED, Answer.SEEN, Answer.NOT_SO, Answer.CORRECTED):
        answered.append((await studio.cueing.answer(link, cue.id, said, "")).answered)
    assert answered == ["seen", "corrected", "corrected", "not_so", "not_so"]
    rows = await studio.posts.rows("local", after=0, limit=10)
    facts = [row.deed.facts for row in rows if row.deed.what == "cue.answer"]
    assert [each["answer"] for each in facts] == ["seen", "corrected", "not_so"]


async def test_a_number_is_not_given_again_after_the_cues_time_is_over(studio: Studio) -> None:
    await studio.find(finding("a"))
    cue = await studio.cueing.cue(WANG, alert_id("a"), Draft())
    answered = await studio.cueing.answer(await studio.link(), cue.id, Answer.SEEN, "")
    assert answered.seq == cue.seq + 1
    studio.clock.ms += 1_000
    await SqlExpiry(studio.database).expire(Kind.CUES, before=studio.clock.ms, now=studio.clock.ms, limit=9)
    assert await studio.cueing.shown(await studio.link()) == []
    assert (await studio.cueing.cue(WANG, alert_id("a"), Draft(say="再说一次"))).seq > answered.seq


async def test_what_a_person_says_is_masked_and_strangers_find_nothing(studio: Studio) -> None:
    await studio.find(finding("a"))
    cue = await studio.cueing.cue(WANG, alert_id("a"), Draft(say="别报 13812345678", quote="", clause="X"))
    assert (cue.say, cue.quote, cue.clause) == ("别报 " + "*" * 11, "", "X")
    with pytest.raises(NotFound, match="no alert"):
        await studio.cueing.cue(STRANGER, alert_id("a"), Draft())
    other = await studio.link("room-2")
    with pytest.raises(NotFound, match="no cue"):
        await studio.cueing.answer(other, cue.id, Answer.SEEN, "")
    auditor = Actor(id="x", tenant="local", grants=(Grant(Role.AUDITOR),))
    with pytest.raises(Refused, match="permission cue"):
        await studio.cueing.cue(auditor, alert_id("a"), Draft())
    with pytest.raises(Refused, match="permission cue"):
        await studio.links.make(auditor, "room-1", 60)


async def test_viewers_words_are_never_quoted_to_a_room(studio: Studio) -> None:
    await studio.find(finding("a", lane=1))
    assert (await studio.cueing.cue(WANG, alert_id("a"), Draft())).quote == ""


async def test_a_link_ends_by_time_and_by_hand_and_keeps_no_secret(studio: Studio) -> None:
    link, secret = await studio.links.make(LEAD, "room-1", 60)
    assert await studio.links.of(secret) == link and await studio.links.of(secret + "x") is None
    studio.clock.ms += 60_000
    assert await studio.links.of(secret) is None
    link, secret = await studio.links.make(LEAD, "room-1", 60)
    with pytest.raises(NotFound):
        await studio.links.revoke(STRANGER, "room-1", link.id)
    with pytest.raises(NotFound):
        await studio.links.revoke(LEAD, "room-2", link.id)
    revoked = await studio.links.revoke(LEAD, "room-1", link.id)
    assert revoked.revoked_at == studio.clock.ms and await studio.links.of(secret) is None
    studio.clock.ms += 5
    assert await studio.links.revoke(LEAD, "room-1", link.id) == revoked
    assert [each.id == link.id for each in (await studio.links.listed(LEAD, "room-1")).links] == [True, False]
    assert secret.encode() not in (studio.database.path.read_bytes() + Path(f"{studio.database.path}-wal").read_bytes())


async def test_links_come_by_pages(studio: Studio) -> None:
    for n in range(5):
        studio.clock.ms += n % 2
        await studio.link()
    first = await studio.links.listed(LEAD, "room-1", limit=2)
    second = await studio.links.listed(LEAD, "room-1", cursor=first.next, limit=2)
    last = await studio.links.listed(LEAD, "room-1", cursor=second.next, limit=2)
    assert last.next is None
    assert first.links + second.links + last.links == (await studio.links.listed(LEAD, "room-1")).links


async def test_a_rule_cues_by_itself_once_it_was_right_often_enough(studio: Studio) -> None:
    await studio.earn(LIMIT - 1)
    await studio.rule_cues.learn()
    assert await studio.open("x") == "unearned"
    await studio.act(LEAD, alert_id("x"), VIOLATION)
    await studio.rule_cues.learn()
    assert await studio.open("y", room="room-2", text="另一句") == "sent_by_rule"
    (cue,) = await studio.cue_store.of_alert("local", alert_id("y"))
    assert cue.by == "rule:advertising.absolute_claim" and cue.say
    assert await studio.open("z", room="room-2", text="又一句", at=NOON + 900_000) == "too_soon"
    studio.clock.ms += cues.MOST_OFTEN_MS
    assert await studio.open("v", room="room-2", text="第三句", at=NOON + 1_800_000) == "sent_by_rule"
    await studio.organising.edit(ADMIN, [Edit(kind="cue_rule", id="advertising.absolute_claim",
                                              record=CueRule(automatic=False, reason="太吵"))])
    assert await studio.open("w", room="room-3", text="第四句") == "switched_off"


async def test_an_undone_decision_counts_no_more(studio: Studio) -> None:
    await studio.earn(LIMIT - 1)
    await studio.find(finding("x"))
    await studio.act(LEAD, alert_id("x"), VIOLATION)
    assert await studio.cue_store.earned() == {("local", "advertising.absolute_claim")}
    await studio.act(LEAD, alert_id("x"), Undo())
    assert await studio.cue_store.earned() == set()
    await studio.act(LEAD, alert_id("x"), VIOLATION)
    studio.clock.ms += 60_000
    await studio.act(LEAD, alert_id("x"), Reopen(note="doubt"))
    assert await studio.cue_store.earned() == set()


async def test_what_was_cued_is_not_cued_again_by_its_rule(studio: Studio) -> None:
    await studio.earn(LIMIT)
    await studio.rule_cues.learn()
    assert await studio.open("x") == "sent_by_rule"
    studio.clock.ms += cues.MOST_OFTEN_MS
    assert await studio.cueing.by_rule("local", alert_id("x")) == "not_told"  # as after a restart


@given(st.integers(0, 200), st.integers(0, 200))
def test_earned_means_thirty_decisions_and_nine_in_ten(violations: int, lawful: int) -> None:
    decisions = violations + lawful
    assert cues.earned(Track(violations, decisions)) == (decisions >= 30 and 10 * violations >= 9 * decisions)


async def test_care_and_comments_are_never_cued_by_a_rule(studio: Studio) -> None:
    await studio.find(finding("a", tier=Tier.CARE, category=[]), finding("b", lane=1, rule="other", event="e2"))
    for name in ("a", "b"):
        assert await studio.cueing.by_rule("local", alert_id(name)) == "not_told"


async def test_a_correction_is_noted_on_alert_and_cue_once(studio: Studio) -> None:
    await studio.find(finding("a"))
    cue = await studio.cueing.cue(WANG, alert_id("a"), Draft())
    heard = Corrected(at=studio.clock.ms + 20_000, after_s=20, event="e9", quote="刚才说错了")
    deed = (await studio.posts.rows("local", after=0, limit=1))[0].deed
    updates = await studio.cue_store.correct("local", alert_id("a"), heard, deed)
    assert [update.what for update in updates] == ["corrected"]
    case = (await studio.desk.history(WANG, alert_id("a"))).case
    assert case.kept.corrected == heard and case.kept.corrected.proposes == "corrected_on_air"
    assert (case.alert.state, case.alert.version) == ("open", 0)  # nothing is decided by it
    (told,) = await studio.cue_store.of_alert("local", alert_id("a"))
    assert told.corrected_at == heard.at and told.corrected_after_s == 20 and told.seq == cue.seq + 1
    assert await studio.cue_store.correct("local", alert_id("a"), heard, deed) == []
    assert await studio.cue_store.correct("local", "unknown", heard, deed) is None
    assert await studio.cue_store.correct("stranger", alert_id("a"), heard, deed) is None


async def test_a_repeat_after_a_cue_ranks_higher(studio: Studio) -> None:
    await studio.find(finding("a"))
    await studio.cueing.cue(WANG, alert_id("a"), Draft())
    await studio.act(WANG, alert_id("a"), VIOLATION)
    await studio.find(finding("b", at=NOON + 700_000, event="later"))
    assert (await studio.desk.history(WANG, alert_id("b"))).case.kept.factors.repeat == 2.0


def test_a_correction_mentions_the_words_or_follows_directly() -> None:
    def corrects(after_s: int, text: str, cued_s: int | None = None) -> bool:
        return cues.corrects(text, NOON + after_s * 1_000, said_at=NOON, words=["最好"],
                             cued_at=None if cued_s is None else NOON + cued_s * 1_000)

    assert corrects(40, "说错了") and not corrects(50, "说错了") and corrects(200, "最好这个词说错了")
    assert not corrects(301, "最好这个词说错了") and not corrects(-1, "说错了")
    assert corrects(210, "说错了", cued_s=200) and corrects(400, "最好说错了", cued_s=200)
    assert not corrects(100, "说错了", cued_s=200)  # the cue came later


async def test_a_room_record_names_channels_that_exist(studio: Studio) -> None:
    with pytest.raises(Exception, match="there is no channel 'wecom'"):
        await studio.organising.edit(ADMIN, [Edit(kind="room", id="room-1", record=Room(notify=("wecom",)))])


def test_what_shipped_rules_say_is_for_the_room_and_not_about_rules() -> None:
    shipped = load(Path(__file__).parents[2] / "rules")
    told = {rule.id: rule.advice.say for rule in (*shipped.rules, *shipped.correlations)}
    assert [name for name, say in told.items() if "规则命中" in say or "模型" in say] == []
