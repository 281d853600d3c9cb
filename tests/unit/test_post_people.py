"""Who goes on with an alert: hand-overs, people who are gone, and clocks that outlive the process."""

from pathlib import Path

import pytest
from msgspec.structs import replace

from monitor.adapters.storage.database import Database
from monitor.adapters.storage.posts import SqlPosts
from monitor.adapters.storage.store import SqlStore
from monitor.domain.accounts import User
from monitor.domain.errors import Refused
from monitor.domain.ids import alert_id
from monitor.domain.moves import Claim, HandOver
from monitor.domain.organisation import Post
from monitor.domain.people import Actor, Grant, Role
from monitor.services.recordings import Edit
from monitor.services.records import LabelFilter
from monitor.services.review import ReviewDesk
from tests.contract.test_store import finding
from tests.unit.test_post_flow import LEAD, NOON, VIOLATION, WANG, ZHAO, World, world  # noqa: F401

A = alert_id("a")


class Staff:
    """Implements `Colleagues`."""

    def __init__(self, **grants: Role) -> None:
        self.known = [User(tenant="local", login=name, name=name, grants=(Grant(role),), created_at=1, joined=True)
                      for name, role in grants.items()]

    async def users(self, tenant: str) -> list[User]:
        return self.known if tenant == "local" else []


def staffed(world: World, staff: Staff) -> World:  # noqa: F811
    world.desk = ReviewDesk(world.posts, world.organising, world.told, world.clock, world.telemetry, colleagues=staff)
    return world


async def claimed(world: World) -> None:  # noqa: F811
    await world.find(finding("a"))
    await world.act(WANG, A, Claim())


async def post(world: World, *members: str) -> None:  # noqa: F811
    keeper = Actor(id="boss", tenant="local", grants=(Grant(Role.OPERATOR),))
    await world.organising.edit(keeper, [Edit(kind="post", id="content-review", record=Post(
        title="内容", members=members))])


@pytest.mark.parametrize(("to", "told"), [
    ("nobody", "nobody has no account"), ("auditor", "auditor has no account"), ("gone", "gone has no account")])
async def test_a_hand_over_goes_to_somebody_who_can_go_on(world: World, to: str, told: str) -> None:  # noqa: F811
    staff = Staff(wang=Role.REVIEWER, zhao=Role.REVIEWER, auditor=Role.AUDITOR, gone=Role.REVIEWER)
    staff.known[-1] = replace(staff.known[-1], disabled=True)
    await claimed(staffed(world, staff))
    with pytest.raises(Refused, match=told) as caught:
        await world.act(WANG, A, HandOver(to=to))
    assert caught.value.why == "member" and caught.value.hint == "one of wang, zhao"
    assert (await world.act(WANG, A, HandOver(to="zhao"))).alert.claimed_by == "zhao"


async def test_a_hand_over_stays_within_the_post_but_for_its_leads(world: World) -> None:  # noqa: F811
    staff = Staff(wang=Role.REVIEWER, zhao=Role.REVIEWER, lin=Role.LEAD, li=Role.REVIEWER)
    await post(staffed(world, staff), "wang", "li")
    await claimed(world)
    with pytest.raises(Refused, match="zhao is no member of content-review") as caught:
        await world.act(WANG, A, HandOver(to="zhao"))
    assert caught.value.hint == "one of wang, li"
    assert (await world.act(WANG, A, HandOver(to="lin"))).alert.claimed_by == "lin"


async def test_where_nobody_has_an_account_members_are_asked_for_alone(world: World) -> None:  # noqa: F811
    await post(world, "wang", "t1")
    await claimed(world)
    with pytest.raises(Refused, match="no member"):
        await world.act(WANG, A, HandOver(to="zhao"))
    assert (await world.act(WANG, A, HandOver(to="t1"))).alert.claimed_by == "t1"


async def test_a_claim_of_somebody_who_is_gone_ends_with_its_lease(world: World) -> None:  # noqa: F811
    await claimed(world)
    with pytest.raises(Refused, match="wang has claimed it"):
        await world.act(ZHAO, A, VIOLATION)
    assert (await world.act(LEAD, A, HandOver(to="zhao"))).alert.claimed_by == "zhao"  # or a lead takes it at once
    world.clock.ms += 120_000
    await world.desk.pass_time()
    assert (await world.act(WANG, A, VIOLATION)).alert.state == "violation"


async def test_clocks_and_leases_outlive_the_process(tmp_path: Path) -> None:
    database = await Database.open(tmp_path / "store.db")
    before = World(SqlStore(database), SqlPosts(database))
    await before.find(finding("a"), finding("b", room="room-2", event="x"))
    await before.act(WANG, A, Claim())
    await database.close()
    database = await Database.open(tmp_path / "store.db")
    after = World(SqlStore(database), SqlPosts(database))
    after.clock.ms = NOON + 99_999  # b is to be claimed within 100 s, the lease of a is 120 s
    assert await after.desk.pass_time() == 0
    after.clock.ms = NOON + 120_000
    assert await after.desk.pass_time() == 2
    cases = [await after.posts.case("local", alert_id(name)) for name in "ab"]
    assert [(case.alert.state, case.alert.reason) for case in cases] == [("open", ""), ("open", "claim_overdue")]
    assert [(each.post, each.unclaimed, each.undecided) for each in await after.store.open_alerts()] == [
        ("content-review", 1, 0)]
    await database.close()


async def test_findings_that_were_grouped_inherit_the_outcome_and_teach_nothing(world: World) -> None:  # noqa: F811
    await world.find(finding("a"), finding("a2", by="a", at=NOON + 9, event="e2"))
    await world.act(WANG, A, VIOLATION)
    (moved,) = (await world.desk.history(WANG, A)).moves
    assert moved.inherited == 1
    assert len((await world.store.labels("local", LabelFilter(), cursor=None, limit=9)).labels) == 1
