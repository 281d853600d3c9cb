"""Past the tenant: of three tenants two have agreed; what crosses is a frozen copy, and what comes back is advice."""

from collections.abc import AsyncIterator

import msgspec
import pytest
from msgspec.structs import replace

from monitor.domain.audit import verify
from monitor.domain.errors import NotFound, Refused
from monitor.domain.ids import alert_id
from monitor.domain.links import AdviceGiven, Handed, HandTo, Link
from monitor.domain.moves import Claim, Decide, Outcome
from monitor.domain.people import Actor, Grant, Role
from monitor.services.linking import HandedPage, LinkDesk
from monitor.services.recordings import Edit
from monitor.services.records import ContextChunk, ContextLine, LabelFilter
from tests.contract.test_store import finding
from tests.unit.test_post_flow import LEAD, NOON, WANG, World, world  # noqa: F401

STREET = Actor(id="chen", tenant="street", grants=(Grant(Role.COORDINATOR),))
STRANGER = Actor(id="sun", tenant="other", grants=(Grant(Role.COORDINATOR), Grant(Role.LEAD)))
ASK = HandTo(to="street", note="请指导")
ADVICE = AdviceGiven(outcome=Outcome.VIOLATION, clause="AD-09-3", note="属绝对化用语")
ALERT = alert_id("a")


def line(name: str, speaker: str, text: str, at: int) -> ContextLine:
    return ContextLine(
        tenant="local", room="room-1", source="douyin", event_id=name, revision=0, lane=1, broadcast="b-1", at=at,
        offset_ms=None, kind="comment", role="viewer", speaker=speaker, text=text)


class Linked:
    """Alerts of `local`, which has agreed with `street`; `other` has agreed by itself only."""

    def __init__(self, world: World) -> None:  # noqa: F811
        self.world = world
        self.desk = LinkDesk(world.posts, world.desk, world.store.evidence, world.organising, world.told, world.clock)

    async def agree(self, tenant: str, other: str, link: Link | None = Link()) -> None:  # noqa: B008
        keeper = Actor(id="boss", tenant=tenant, grants=(Grant(Role.LEAD),))
        await self.world.organising.edit(keeper, [Edit(kind="link", id=other, record=link)])

    async def box(self, actor: Actor, *, received: bool = True) -> list[Handed]:
        page: HandedPage = await self.desk.handed(actor, received=received, answered=None, cursor=None, limit=10)
        return page.handed


@pytest.fixture
async def linked(world: World) -> AsyncIterator[Linked]:  # noqa: F811
    made = Linked(world)
    lines = [line("c1", "viewer-7f3a", "真的吗 ***", NOON + 1), line("c2", "viewer-99", "假的", NOON + 2),
             line("c3", "viewer-7f3a", "好吧", NOON + 3)]
    chunk = ContextChunk(tenant="local", room="room-1", lane=1, first_seq=1, from_at=NOON + 1, to_at=NOON + 3,
                         lines=lines)
    await world.find(finding("a"), context=[chunk])
    await made.agree("local", "street")
    await made.agree("street", "local")
    await made.agree("other", "local")
    yield made


async def test_a_copy_crosses_and_advice_comes_back(linked: Linked) -> None:
    world = linked.world  # noqa: F811
    await world.act(WANG, ALERT, Claim())
    sent = await linked.desk.hand(LEAD, ALERT, ASK)
    case = (await world.desk.history(LEAD, ALERT)).case
    assert (case.alert.state, case.alert.claimed_by, case.alert.reason) == ("escalated", "", "over_link")
    (got,) = await linked.box(STREET)
    assert (got.id, got.tenant, got.note, got.copy.text) == (sent.id, "local", "请指导", finding("a").text)
    await linked.desk.answer(STREET, got.id, ADVICE)
    case = (await world.desk.history(LEAD, ALERT)).case
    assert (case.alert.state, case.alert.outcome) == ("escalated", "")  # it decides nothing
    history = await world.desk.history(LEAD, ALERT)
    assert [(moved.move["move"], moved.by) for moved in history.moves] == [
        ("claim", "wang"), ("hand", "lin"), ("advice", "link:street")]
    (answered,) = await linked.box(LEAD, received=False)
    assert (answered.advice, answered.answered_by, answered.alert) == (ADVICE, "", ALERT)
    assert [update.what for update in world.told.updates] == ["moved"] * 3
    assert (await world.store.labels("local", LabelFilter(), cursor=None, limit=9)).labels == []
    for tenant, whats in (("local", ["alert.claim", "alert.hand", "alert.advice"]), ("street", ["handed.answer"])):
        rows = await world.posts.rows(tenant, after=0, limit=20)
        assert [row.deed.what for row in rows if row.deed.what != "link.put"] == whats and verify(rows) is None
    await world.act(WANG, ALERT, Decide(outcome=Outcome.NO_VIOLATION, reason="lawful_context"))


async def test_the_copy_names_nobody_and_joins_with_nothing(linked: Linked) -> None:
    await linked.world.act(WANG, ALERT, Claim())
    await linked.desk.hand(LEAD, ALERT, ASK)
    (got,) = await linked.box(STREET)
    told = msgspec.json.encode(got).decode()
    for secret in ("viewer-7f3a", "viewer-99", "wang", "lin", ALERT, "c1", "e-a", "douyin", "content-review"):
        assert f'"{secret}"' not in told, secret
    assert [said.speaker for said in got.copy.lines] == [1, 2, 1]


async def test_the_copy_stays_as_it_was(linked: Linked) -> None:
    await linked.desk.hand(LEAD, ALERT, ASK)
    before = await linked.box(STREET)
    await linked.world.find(finding("b", by="a", at=NOON + 9, event="later"))
    assert await linked.box(STREET) == before


async def test_nothing_else_crosses(linked: Linked) -> None:
    """Neither to whom only one side has agreed with, nor to anybody who is not asked."""
    world = linked.world  # noqa: F811
    await linked.agree("local", "nobody")
    told = set()
    for to in ("other", "nobody"):  # other has agreed, local has not; nobody is not there
        with pytest.raises(Refused) as caught:
            await linked.desk.hand(LEAD, ALERT, HandTo(to=to, note="x"))
        assert caught.value.why == "link"
        told.add(caught.value.message.replace(to, "…"))
    assert len(told) == 1
    sent = await linked.desk.hand(LEAD, ALERT, ASK)
    assert await linked.box(STRANGER) == [] == await linked.box(STRANGER, received=False)
    for name in (sent.id, "h-none"):
        with pytest.raises(NotFound, match="nothing with this id"):
            await linked.desk.answer(STRANGER, name, ADVICE)
        with pytest.raises(NotFound, match="nothing with this id"):  # not even who sent it
            await linked.desk.answer(LEAD, name, ADVICE)
    for actor in (STREET, STRANGER):
        with pytest.raises(NotFound):
            await world.desk.history(actor, ALERT)
        with pytest.raises(NotFound):
            await linked.desk.hand(actor, ALERT, HandTo(to="local", note="x"))
        assert await world.cards(actor) == []


async def test_only_a_lead_hands_it_over_and_only_coordinators_see_it(linked: Linked) -> None:
    with pytest.raises(Refused, match="only its lead"):
        await linked.desk.hand(WANG, ALERT, ASK)
    sent = await linked.desk.hand(LEAD, ALERT, ASK)
    reviewer = Actor(id="x", tenant="street", grants=(Grant(Role.REVIEWER), Grant(Role.LEAD, "west")))
    for asked in (linked.box(reviewer), linked.desk.answer(reviewer, sent.id, ADVICE)):
        with pytest.raises(Refused, match="permission links"):
            await asked


async def test_nobody_answers_for_a_case_of_their_own(linked: Linked) -> None:
    sent = await linked.desk.hand(LEAD, ALERT, ASK)
    with pytest.raises(Refused) as caught:
        await linked.desk.answer(replace(STREET, homes=frozenset(("local",))), sent.id, ADVICE)
    assert caught.value.why == "own"
    assert (await linked.box(STREET))[0].advice is None


async def test_one_question_at_a_time_and_one_answer(linked: Linked) -> None:
    sent = await linked.desk.hand(LEAD, ALERT, ASK)
    with pytest.raises(Refused, match="has it already"):
        await linked.desk.hand(LEAD, ALERT, ASK)
    await linked.desk.answer(STREET, sent.id, ADVICE)
    with pytest.raises(Refused, match="answered already"):
        await linked.desk.answer(STREET, sent.id, ADVICE)
    assert len((await linked.world.desk.history(LEAD, ALERT)).moves) == 2
    again = await linked.desk.hand(LEAD, ALERT, ASK)
    assert again.id != sent.id and len(await linked.box(STREET)) == 2


async def test_where_one_side_ends_the_link_nothing_comes_back(linked: Linked) -> None:
    sent = await linked.desk.hand(LEAD, ALERT, ASK)
    await linked.agree("local", "street", None)
    with pytest.raises(Refused) as caught:
        await linked.desk.answer(STREET, sent.id, ADVICE)
    assert caught.value.why == "link"


async def test_what_is_decided_is_not_handed_over(linked: Linked) -> None:
    await linked.world.act(WANG, ALERT, Decide(outcome=Outcome.VIOLATION, reason="as_found"))
    with pytest.raises(Refused, match="cannot be handed over") as caught:
        await linked.desk.hand(LEAD, ALERT, ASK)
    assert "reopen" in caught.value.hint
