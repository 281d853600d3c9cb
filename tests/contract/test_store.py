"""What every store does, whatever it is made of."""

from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest
from msgspec.structs import replace

from monitor.adapters.storage.database import Database
from monitor.adapters.storage.store import SqlStore
from monitor.domain.alerts import AlertState, Join, Retraction, Withdrawal
from monitor.domain.broadcasts import Broadcast
from monitor.domain.errors import InputError, OwnershipLost
from monitor.domain.events import Kind, Role, Stage
from monitor.domain.findings import Advice, Evasion, Finding, Severity, Span, Tier
from monitor.domain.ids import alert_id
from monitor.domain.labels import Label, Withdrawn
from monitor.services.ports import Store
from monitor.services.records import (
    AlertFilter,
    Commit,
    ContextChunk,
    ContextLine,
    LabelFilter,
    Position,
    RoomSummary,
    Saved,
    Snapshot,
    Token,
    Update,
)
from tests.fakes.store import MemoryStore
from tests.parts.postgres import Cluster

NOON = 1_700_000_000_000


@pytest.fixture(params=["memory", "sqlite", "postgresql"])
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Store]:
    if request.param == "memory":
        yield MemoryStore()
        return
    cluster: Cluster | None = request.getfixturevalue("postgres") if request.param == "postgresql" else None
    place = await cluster.fresh() if cluster else tmp_path / "store.db"
    store = SqlStore(await Database.open(place))
    yield store
    await store.close()
    if cluster and isinstance(place, str):
        await cluster.drop(place)


def finding(name: str, *, by: str = "", at: int = NOON, event: str = "", revision: int = 1, **other: object) -> Finding:
    """A finding `name` that opens an alert, or belongs to that which `by` opened."""
    base = Finding(
        id=name, opened_by=by or name, tenant="local", source="douyin", event_id=event or f"e-{name}",
        event_ids=[event or f"e-{name}"], revision=revision, room="room-1", broadcast="b-1", lane=0,
        kind=Kind.TRANSCRIPT, stage=Stage.LIVE, role=Role.HOST, speaker="", at=at, offset_ms=5_000, accepted_at=at + 9,
        text="这就是全网最好 𝒶 ***", rule="advertising.absolute_claim", rule_version="v1", title="绝对化用语",
        category=["absolute_claim"], sub="", tier=Tier.REDLINE, severity=Severity.HIGH, clauses=["AD-09-3"],
        spans=[Span(3, 7, "全网最好", "claim", "plain")], evasive=None, asr_variant=False,
        advice=Advice("去掉绝对化用语", {"全网最好": "回购多的一款"}), scores={"absolute_claim": 0.75}, engine_set="s1",
    )  # fmt: skip
    return replace(base, **other)


def withdrawal(event: str, revision: int, *, reason: str = "revised", tenant: str = "local") -> Withdrawal:
    return Withdrawal(tenant, "douyin", event, revision, reason)


def broadcast(name: str = "b-1", *, room: str = "room-1", started: int = NOON, **other: object) -> Broadcast:
    base = Broadcast(id=name, tenant="local", room=room, started_at=started, last_at=started, named=True)
    return replace(base, **other)


async def rooms_of(store: Store, tenant: str = "local", *, live_since: int = 0) -> list[RoomSummary]:
    page = await store.rooms(tenant, live_since=live_since, cursor=None, limit=100)
    assert page.next is None
    return page.rooms


def line(name: str, at: int, *, lane: int = 0, room: str = "room-1", revision: int = 0) -> ContextLine:
    return ContextLine(
        tenant="local", room=room, source="douyin", event_id=name, revision=revision, lane=lane, broadcast="b-1",
        at=at, offset_ms=None if lane else 7, kind="comment", role="viewer", speaker="p-1", text=f"第 {name} 条",
    )  # fmt: skip


def chunk(lines: Sequence[ContextLine], *, first_seq: int = 1, tenant: str = "local") -> ContextChunk:
    return ContextChunk(
        tenant=tenant, room=lines[0].room, lane=lines[0].lane, first_seq=first_seq,
        from_at=min(each.at for each in lines), to_at=max(each.at for each in lines), lines=list(lines),
    )  # fmt: skip


class Writer:
    """Applies one commit after the other to a lane that it has claimed."""

    def __init__(self, store: Store, position: Position) -> None:
        self.store = store
        self.position = position

    @classmethod
    async def of(cls, store: Store, lane: int = 0) -> "Writer":
        return cls(store, await store.claim(lane))

    def commit(self, **what: object) -> Commit:
        """The next commit; counts as applied."""
        expected, self.position = self.position.seq, replace(self.position, seq=self.position.seq + 1)
        return Commit(position=self.position, expected=expected, now=NOON, **what)

    async def __call__(self, *findings: Finding, **what: object) -> list[Update]:
        return await self.store.apply([self.commit(findings=findings, **what)])


async def listed(store: Store, **where: object) -> list[str]:
    page = await store.alerts("local", AlertFilter(**where), cursor=None, limit=100)
    assert page.next is None
    return [alert.id for alert in page.alerts]


# --- ownership -------------------------------------------------------------------------------------------------------


async def test_a_claim_raises_the_epoch_and_keeps_the_position(store: Store) -> None:
    assert await store.claim(1) == Position(1, 0, 1)
    await store.apply([Commit(position=Position(1, 5, 1), expected=0)])
    assert await store.claim(1) == Position(1, 5, 2)
    assert await store.claim(0) == Position(0, 0, 1)
    assert await store.positions() == [Position(0, 0, 1), Position(1, 5, 2)]


@pytest.mark.parametrize(
    "position, expected",
    [(Position(0, 2, 1), 0), (Position(0, 1, 0), 0), (Position(0, 1, 2), 0), (Position(1, 1, 1), 0)],
    ids=["moved on", "older epoch", "newer epoch", "never claimed"],
)
async def test_a_position_that_is_not_as_expected_writes_nothing(
    store: Store, position: Position, expected: int
) -> None:
    write = await Writer.of(store)
    await write(finding("a"))
    before = await store.positions()
    commit = Commit(
        position=position, expected=expected, findings=[finding("b")], broadcasts=[broadcast()],
        context=[chunk([line("x", NOON)])],
    )  # fmt: skip
    with pytest.raises(OwnershipLost):
        await store.apply([commit])
    assert await store.positions() == before
    assert await listed(store) == [alert_id("a")]
    assert await rooms_of(store) == []
    assert await store.outbox_bounds("local") == (1, 1)


async def test_one_lost_lane_takes_the_whole_apply_with_it(store: Store) -> None:
    host, viewers = await Writer.of(store, 0), await Writer.of(store, 1)
    await store.claim(1)
    with pytest.raises(OwnershipLost):
        await store.apply([host.commit(findings=[finding("a")]), viewers.commit()])
    assert [position.seq for position in await store.positions()] == [0, 0]
    assert await listed(store) == []


async def test_commits_of_one_lane_follow_one_another(store: Store) -> None:
    write = await Writer.of(store)
    await store.apply([write.commit(findings=[finding("a")]), write.commit(findings=[finding("b", by="a")])])
    assert await store.positions() == [Position(0, 2, 1)]
    gap = [write.commit(), replace(write.commit(), expected=7)]
    with pytest.raises(OwnershipLost):
        await store.apply(gap)
    assert await store.positions() == [Position(0, 2, 1)]


async def test_nothing_to_apply(store: Store) -> None:
    assert await store.apply([]) == []


# --- findings and alerts ---------------------------------------------------------------------------------------------


async def test_a_finding_opens_an_alert_that_carries_it_whole(store: Store) -> None:
    write = await Writer.of(store)
    evasive = finding("a", evasive=Evasion.HOMOPHONE)
    (update,) = await write(evasive)
    alert = update.alert
    assert (update.seq, update.what, alert.id) == (1, "opened", alert_id("a"))
    assert (alert.recurrence, alert.state, alert.reason, alert.at, alert.last_at) == (
        1,
        AlertState.OPEN,
        "",
        NOON,
        NOON,
    )
    for field in ("spans", "advice", "evasive", "tier", "severity", "category", "text", "clauses", "event_ids"):
        assert getattr(alert, field) == getattr(evasive, field)
    found = await store.evidence("local", alert.id)
    assert found is not None
    assert found.findings == [evasive]
    assert found.alert == alert == (await store.alerts("local", AlertFilter(), cursor=None, limit=1)).alerts[0]


async def test_findings_join_the_alert_of_the_finding_that_opened_it(store: Store) -> None:
    write = await Writer.of(store)
    first = await write(finding("a"), finding("b", by="a", at=NOON + 5, evasive=Evasion.STYLED))
    then = await write(finding("c", by="a", at=NOON - 7))
    assert [(u.seq, u.what, u.alert.recurrence) for u in first + then] == [(1, "opened", 2), (2, "grown", 3)]
    alert = then[0].alert
    assert (alert.at, alert.last_at, alert.evasive) == (NOON, NOON + 5, None)
    found = await store.evidence("local", alert.id)
    assert found is not None
    assert [each.id for each in found.findings] == ["c", "a", "b"]


async def test_a_finding_follows_where_its_opener_was_stored(store: Store) -> None:
    """The first committed finding wins: `b` was stored as part of a's alert, whatever a re-read makes of it."""
    write = await Writer.of(store)
    await write(finding("a"), finding("b", by="a"))
    (update,) = await write(finding("b"), finding("c", by="b"))
    assert (update.what, update.alert.id, update.alert.recurrence) == ("grown", alert_id("a"), 3)
    assert await listed(store) == [alert_id("a")]


async def test_a_finding_that_is_stored_changes_nothing(store: Store) -> None:
    write = await Writer.of(store)
    await write(finding("a"))
    assert await write(finding("a", text="other", at=NOON + 99)) == []
    assert await store.outbox_bounds("local") == (1, 1)
    found = await store.evidence("local", alert_id("a"))
    assert found is not None
    assert [each.text for each in found.findings] == [finding("a").text]


async def test_the_same_finding_twice_in_one_apply_counts_once(store: Store) -> None:
    write = await Writer.of(store)
    commits = [write.commit(findings=[finding("a"), finding("a")]), write.commit(findings=[finding("a", text="late")])]
    (update,) = await store.apply(commits)
    assert (update.alert.recurrence, update.alert.text) == (1, finding("a").text)


async def test_a_finding_whose_opener_is_missing_is_a_mistake(store: Store) -> None:
    write = await Writer.of(store)
    with pytest.raises(LookupError):
        await write(finding("a"), finding("b", by="nobody"))
    assert await listed(store) == []
    assert (await store.positions())[0].seq == 0


async def test_one_update_for_each_touched_alert_in_order(store: Store) -> None:
    write = await Writer.of(store)
    updates = await write(*(finding(name, rule=f"r.{name}") for name in "zyx"), finding("w", by="z"))
    assert [(u.seq, u.alert.rule, u.alert.recurrence) for u in updates] == [(1, "r.z", 2), (2, "r.y", 1), (3, "r.x", 1)]


async def test_more_findings_than_one_statement_takes(store: Store) -> None:
    write = await Writer.of(store)
    many = [finding(f"f{n}", by="f0", at=NOON + n) for n in range(1_100)]
    alone = [finding(f"g{n}") for n in range(1_100)]
    updates = await write(*many, *alone)
    assert len(updates) == 1_101
    assert updates[0].alert.recurrence == 1_100
    gone = await write(withdrawals=[withdrawal(f"e-g{n}", 2) for n in range(1_100)])
    assert [u.what for u in gone] == ["withdrawn"] * 1_100


# --- events that join a window ---------------------------------------------------------------------------------------


def window(name: str = "w", **other: object) -> Finding:
    return replace(finding(name), event_id="", event_ids=["e1", "e2"], **other)


def join(event: str, at: int, *, of: str = "w") -> Join:
    return Join("local", "room-1", of, event, at, at + 9)


async def test_an_alert_grows_by_what_joins_its_window(store: Store) -> None:
    write = await Writer.of(store)
    await write(window(), finding("other", at=NOON + 1))
    (update,) = await write(joins=[join("e3", NOON + 7), join("e4", NOON + 5)])
    alert = update.alert
    assert (update.what, alert.id, alert.joined, alert.last_at, alert.recurrence) == (
        "grown", alert_id("w"), 2, NOON + 7, 1)
    assert (await store.alerts("local", AlertFilter(), cursor=None, limit=9)).alerts[1] == alert
    found = await store.evidence("local", alert.id)
    assert found is not None and found.alert == alert
    assert [(each.event_ids, each.joined, each.at) for each in found.findings] == [(["e1", "e2"], ["e3", "e4"], NOON)]


async def test_an_event_joins_once_and_in_the_transaction_of_its_finding(store: Store) -> None:
    write = await Writer.of(store)
    (opened,) = await write(window(), joins=[join("e3", NOON + 7), join("e1", NOON + 9)])
    assert (opened.what, opened.alert.joined, opened.alert.last_at) == ("opened", 1, NOON + 7)
    assert await write(joins=[join("e3", NOON + 7), join("e2", NOON)]) == []


async def test_nothing_joins_what_is_not_known_or_does_not_stand(store: Store) -> None:
    write = await Writer.of(store)
    await write(window())
    assert await write(joins=[join("e3", NOON + 7, of="nobody")]) == []
    await write(joins=[join("e3", NOON + 7)])
    await write(retractions=[Retraction("local", "w", "revised")])
    assert await write(joins=[join("e4", NOON + 8)]) == []
    alert = (await store.alerts("local", AlertFilter(), cursor=None, limit=9)).alerts[0]
    assert (alert.state, alert.joined) == (AlertState.WITHDRAWN, 1)


async def test_what_joined_a_window_that_fell_counts_no_more(store: Store) -> None:
    write = await Writer.of(store)
    joins = [join("e3", NOON + 7), join("e4", NOON + 8, of="v")]
    await write(window(), window("v", opened_by="w"), joins=joins)
    (update,) = await write(retractions=[Retraction("local", "v", "revised")])
    assert (update.what, update.alert.joined, update.alert.last_at) == ("grown", 1, NOON + 7)


# --- withdrawals -----------------------------------------------------------------------------------------------------


async def test_an_alert_without_standing_findings_is_withdrawn_with_the_reason(store: Store) -> None:
    write = await Writer.of(store)
    await write(finding("a", at=NOON), finding("b", by="a", at=NOON + 5))
    (one,) = await write(withdrawals=[withdrawal("e-b", 2)])
    assert (one.what, one.alert.recurrence, one.alert.last_at, one.alert.reason) == ("grown", 1, NOON, "")
    (both,) = await write(withdrawals=[withdrawal("e-a", 2, reason="misheard")])
    assert (both.what, both.alert.recurrence, both.alert.state) == ("withdrawn", 0, AlertState.WITHDRAWN)
    assert (both.alert.reason, both.alert.last_at) == ("misheard", NOON)
    assert await listed(store, state="open") == []
    assert await listed(store, state="withdrawn") == [alert_id("a")]


async def test_evidence_of_a_withdrawn_alert_shows_what_it_had(store: Store) -> None:
    write = await Writer.of(store)
    await write(finding("a"), finding("b", by="a", at=NOON + 5))
    await write(withdrawals=[withdrawal("e-b", 2)])
    found = await store.evidence("local", alert_id("a"))
    assert found is not None and [each.id for each in found.findings] == ["a"]
    await write(withdrawals=[withdrawal("e-a", 2)])
    found = await store.evidence("local", alert_id("a"))
    assert found is not None and [each.id for each in found.findings] == ["a", "b"]


async def test_an_alert_whose_violation_stands_in_the_new_revision_stays_open(store: Store) -> None:
    write = await Writer.of(store)
    await write(finding("a", event="e", revision=1))
    (update,) = await write(finding("a2", by="a", event="e", revision=2), withdrawals=[withdrawal("e", 2)])
    assert (update.what, update.alert.state, update.alert.recurrence) == ("grown", AlertState.OPEN, 1)


async def test_a_withdrawal_spares_later_revisions_other_events_and_other_tenants(store: Store) -> None:
    write = await Writer.of(store)
    await write(
        finding("a", event="e", revision=3),
        finding("b", event="f", revision=1),
        finding("c", event="e", revision=1, tenant="other"),
        finding("d", event="e", revision=1, source="wechat"),
    )
    assert await write(withdrawals=[withdrawal("e", 3)]) == []
    assert await write(withdrawals=[withdrawal("nothing", 3)]) == []
    assert sorted(await listed(store, state="open")) == sorted(alert_id(name) for name in "abd")


async def test_a_withdrawn_finding_is_not_withdrawn_again_nor_brought_back(store: Store) -> None:
    write = await Writer.of(store)
    await write(finding("a"))
    await write(withdrawals=[withdrawal("e-a", 2)])
    assert await write(withdrawals=[withdrawal("e-a", 3, reason="again")]) == []
    assert await write(finding("a")) == []
    found = await store.evidence("local", alert_id("a"))
    assert found is not None and (found.alert.state, found.alert.reason) == (AlertState.WITHDRAWN, "revised")


async def test_a_withdrawn_alert_that_stands_again_is_opened_once_more(store: Store) -> None:
    write = await Writer.of(store)
    await write(finding("a"))
    await write(withdrawals=[withdrawal("e-a", 2)])
    (update,) = await write(finding("b", by="a", at=NOON + 5))
    assert (update.what, update.alert.state, update.alert.reason) == ("opened", AlertState.OPEN, "")
    assert (update.alert.recurrence, update.alert.last_at) == (1, NOON + 5)


async def test_what_comes_and_goes_in_one_apply_is_told_once(store: Store) -> None:
    write = await Writer.of(store)
    commits = [write.commit(findings=[finding("a")]), write.commit(withdrawals=[withdrawal("e-a", 2)])]
    (update,) = await store.apply(commits)
    assert (update.what, update.alert.recurrence, update.alert.reason) == ("withdrawn", 0, "revised")


# --- the list --------------------------------------------------------------------------------------------------------


async def filled(store: Store) -> None:
    write = await Writer.of(store)
    await write(
        finding("a", at=NOON + 1, room="room-1", broadcast="b-1", rule="r.one", category=["minors"]),
        finding("b", at=NOON + 2, room="room-2", broadcast="b-2", rule="r.one", severity=Severity.LOW),
        finding("c", at=NOON + 3, room="room-1", broadcast="b-3", rule="r.two", category=["minors", "spam_fakedata"]),
        finding("d", at=NOON + 3, room="room-1", broadcast="b-3", rule="r.two", tier=Tier.CARE),
        finding("x", at=NOON + 2, tenant="other"),
    )


@pytest.mark.parametrize(
    "where, names",
    [
        ({}, "cdba"),
        ({"room": "room-1"}, "cda"),
        ({"broadcast": "b-2"}, "b"),
        ({"rule": "r.two"}, "cd"),
        ({"category": "minors"}, "ca"),
        ({"category": "spam_fakedata"}, "c"),
        ({"category": "minors", "room": "room-1", "since": NOON + 2}, "c"),
        ({"tier": "care"}, "d"),
        ({"severity": "low"}, "b"),
        ({"state": "open"}, "cdba"),
        ({"state": "withdrawn"}, ""),
        ({"since": NOON + 2}, "cdb"),
        ({"until": NOON + 3}, "ba"),
        ({"since": NOON + 2, "until": NOON + 3}, "b"),
        ({"room": "nowhere"}, ""),
    ],
)
async def test_filters(store: Store, where: dict[str, object], names: str) -> None:
    await filled(store)
    expected = [alert_id(name) for name in names]
    assert sorted(await listed(store, **where)) == sorted(expected)


async def test_newest_first_then_by_id(store: Store) -> None:
    await filled(store)
    page = await store.alerts("local", AlertFilter(), cursor=None, limit=10)
    assert [(-a.at, a.id) for a in page.alerts] == sorted((-a.at, a.id) for a in page.alerts)
    assert len(page.alerts) == 4


@pytest.mark.parametrize("where", [{}, {"category": "absolute_claim"}, {"room": "room-1"}])
@pytest.mark.parametrize("limit", [1, 2, 7])
async def test_pages_tell_every_alert_once(store: Store, where: dict[str, str], limit: int) -> None:
    write = await Writer.of(store)
    await write(*(finding(f"f{n}", at=NOON + n // 3) for n in range(20)))
    cursor, seen = None, []
    for number in range(30):
        page = await store.alerts("local", AlertFilter(**where), cursor=cursor, limit=limit)
        assert len(page.alerts) == limit or page.next is None
        seen += [alert.id for alert in page.alerts]
        if number == 1:
            await write(finding("new", at=NOON + 99))  # newer than what is paged through: not told
        cursor = page.next
        if cursor is None:
            break
    expected = sorted((-(NOON + n // 3), alert_id(f"f{n}")) for n in range(20))
    assert seen == [name for _, name in expected]


@pytest.mark.parametrize(
    "cursor", ["", "nonsense", "!!!", "bm9uc2Vuc2U", "WzEsMl0", "é", "W10=", "WzEwMDAwMDAwMDAwMDAwMDAwMDAwMCwieCJd"]
)
async def test_a_bad_cursor_is_the_callers_mistake(store: Store, cursor: str) -> None:
    await filled(store)
    with pytest.raises(InputError):
        await store.alerts("local", AlertFilter(), cursor=cursor, limit=10)


# --- evidence --------------------------------------------------------------------------------------------------------


async def test_evidence_is_the_tenants_own(store: Store) -> None:
    await filled(store)
    assert await store.evidence("other", alert_id("a")) is None
    assert await store.evidence("local", alert_id("x")) is None
    assert await store.evidence("local", "unknown") is None


async def test_evidence_holds_the_rooms_lines_from_a_minute_before_to_a_minute_after(store: Store) -> None:
    write = await Writer.of(store)
    near = [line("e1", NOON - 60_000), line("e2", NOON + 1), line("e3", NOON + 65_000)]
    far = [line("f1", NOON - 60_001), line("f2", NOON + 65_001)]
    comments = [line("c1", NOON, lane=1), line("c2", NOON + 1, lane=1)]
    elsewhere = [line("x1", NOON, room="room-2")]
    await write(
        finding("a", at=NOON),
        finding("b", by="a", at=NOON + 5_000),
        context=[chunk(near + far), chunk(comments), chunk(elsewhere), chunk(near, tenant="other", first_seq=9)],
    )
    found = await store.evidence("local", alert_id("a"))
    assert found is not None
    assert found.context == [near[0], comments[0], near[1], comments[1], near[2]]


async def test_lines_of_overlapping_chunks_are_told_once(store: Store) -> None:
    write = await Writer.of(store)
    lines = [line(f"e{n}", NOON + n) for n in range(6)]
    await write(finding("a"), context=[chunk(lines[:4], first_seq=3)])
    await write(context=[chunk(lines[:4], first_seq=3), chunk(lines[2:], first_seq=3), chunk(lines[1:3], first_seq=4)])
    revised = line("e0", NOON, revision=1)
    await write(context=[chunk([revised], first_seq=5)])
    found = await store.evidence("local", alert_id("a"))
    assert found is not None
    assert found.context == [lines[0], revised, *lines[1:]]


async def test_at_most_400_lines_of_each_lane_the_nearest(store: Store) -> None:
    write = await Writer.of(store)
    comments = [line(f"c{n:04d}", NOON - 1_000 + n, lane=1) for n in range(2_000)]
    speech = [line(f"s{n}", NOON + n * 1_000) for n in range(5)]
    await write(finding("a"), context=[chunk(comments[:900]), chunk(comments[900:], first_seq=2), chunk(speech)])
    found = await store.evidence("local", alert_id("a"))
    assert found is not None
    assert [each for each in found.context if each.lane == 0] == speech
    kept = [each.at for each in found.context if each.lane == 1]
    assert len(kept) == 400 and NOON in kept
    assert max(abs(at - NOON) for at in kept) <= 200
    assert [each.at for each in found.context] == sorted(each.at for each in found.context)


async def test_several_lines_of_one_moment(store: Store) -> None:
    """A chunk may begin within a frame, where its neighbour has the same position and the same time."""
    write = await Writer.of(store)
    lines = [line(f"e{n}", NOON) for n in range(4)]
    await write(finding("a"), context=[chunk(lines[:2], first_seq=1), chunk(lines[2:], first_seq=1)])
    found = await store.evidence("local", alert_id("a"))
    assert found is not None and found.context == lines


# --- rooms -----------------------------------------------------------------------------------------------------------


async def test_a_broadcast_never_moves_backwards_and_ends_as_told(store: Store) -> None:
    write = await Writer.of(store)
    await write(broadcasts=[broadcast(last_at=NOON + 50)])
    await write(broadcasts=[broadcast(last_at=NOON + 20)])
    (room,) = await rooms_of(store)
    assert (room.broadcast, room.started_at, room.last_at, room.ended_at) == ("b-1", NOON, NOON + 50, None)
    await write(broadcasts=[broadcast(last_at=NOON + 60, ended_at=NOON + 60, why_ended="signal")])
    (room,) = await rooms_of(store)
    assert (room.last_at, room.ended_at, room.why_ended) == (NOON + 60, NOON + 60, "signal")


async def test_two_rooms_may_name_their_broadcasts_alike(store: Store) -> None:
    write = await Writer.of(store)
    await write(finding("a", room="room-1", broadcast="1"),
                broadcasts=[broadcast("1", room="room-1"), broadcast("1", room="room-2", started=NOON + 5)])
    found = await rooms_of(store)
    assert [(r.room, r.started_at, r.alerts_open) for r in found] == [("room-1", NOON, 1), ("room-2", NOON + 5, 0)]


async def test_open_alerts_by_severity(store: Store) -> None:
    write = await Writer.of(store)
    assert await store.open_alerts() == []
    await write(finding("a", at=NOON + 5), finding("b", event="gone", at=NOON),
                finding("c", at=NOON + 3, tenant="other"),
                withdrawals=[withdrawal("gone", 2)])
    found = [(each.tenant, each.count, each.oldest_at) for each in await store.open_alerts()]
    assert found == [("local", 1, NOON + 5), ("other", 1, NOON + 3)]


async def test_rooms_show_their_latest_broadcast_if_it_is_live(store: Store) -> None:
    write = await Writer.of(store)
    await write(
        finding("a", room="room-1", broadcast="b-2"),
        finding("b", room="room-1", broadcast="b-2", event="gone"),
        finding("c", room="room-1", broadcast="b-1"),
        finding("d", room="room-2", broadcast="b-3", tenant="other"),
        withdrawals=[withdrawal("gone", 2)],
        broadcasts=[
            broadcast("b-1", started=NOON, last_at=NOON + 500),  # never ended, but not the latest
            broadcast("b-2", started=NOON + 10),
            broadcast("b-3", room="room-2", ended_at=NOON + 100, last_at=NOON + 100),
            broadcast("b-4", room="room-3", ended_at=NOON + 99, last_at=NOON + 99),
            broadcast("b-5", room="room-4", started=NOON - 9),
            replace(broadcast("b-5", room="room-4", started=NOON - 5), tenant="other"),
            broadcast("b-6", room="room-5", started=NOON, last_at=NOON + 900),
            broadcast("b-7", room="room-5", started=NOON + 1, ended_at=NOON + 2, last_at=NOON + 2),
        ],
    )
    rooms = await rooms_of(store, live_since=NOON + 100)
    assert [(room.room, room.broadcast, room.alerts_open) for room in rooms] == [
        ("room-1", "b-2", 1),
        ("room-2", "b-3", 0),
        ("room-4", "b-5", 0),
    ]
    others = await rooms_of(store, "other")
    assert [(room.room, room.started_at) for room in others] == [("room-4", NOON - 5)]


async def test_rooms_come_page_by_page(store: Store) -> None:
    names = [f"房{n}" for n in range(7)]
    write = await Writer.of(store)
    await write(broadcasts=[broadcast(f"b-{name}", room=name) for name in names])
    for limit in (1, 2, 3, 7, 8):
        seen: list[str] = []
        cursor = None
        while True:
            page = await store.rooms("local", live_since=0, cursor=cursor, limit=limit)
            assert 0 < len(page.rooms) <= limit
            seen += [room.room for room in page.rooms]
            if (cursor := page.next) is None:
                break
        assert seen == names


async def test_rooms_of_some_names_alone(store: Store) -> None:
    names = [f"r{n:04}" for n in range(2_100)]  # more than fit into one statement's list
    write = await Writer.of(store)
    await write(broadcasts=[broadcast(f"b-{name}", room=name) for name in names])
    only = [*names[1::2], "never"]
    page = await store.rooms("local", live_since=0, cursor=None, limit=1_020, only=only)
    assert [room.room for room in page.rooms] == names[1::2][:1_020]
    page = await store.rooms("local", live_since=0, cursor=page.next, limit=1_020, only=only)
    assert [room.room for room in page.rooms] == names[1::2][1_020:] and page.next is None
    assert (await store.rooms("local", live_since=0, cursor=None, limit=5, only=[])).rooms == []


async def test_alerts_of_units_and_before_posts(store: Store) -> None:
    write = await Writer.of(store)
    await write(finding("a"))
    for where, found in ((AlertFilter(units=()), 0), (AlertFilter(units=("east",)), 0),
                         (AlertFilter(units=("", "east")), 1), (AlertFilter(units=(), posts=("",)), 1),
                         (AlertFilter(units=("east",), posts=("desk",)), 0)):
        assert len((await store.alerts("local", where, cursor=None, limit=5)).alerts) == found, where


# --- outbox ----------------------------------------------------------------------------------------------------------


async def test_updates_come_in_order_with_the_alert_as_it_stands(store: Store) -> None:
    write = await Writer.of(store)
    assert await store.outbox_bounds("local") == (0, 0)
    assert await store.updates("local", after=0, limit=10) == []
    written = await write(finding("a")) + await write(finding("b")) + await write(finding("c", by="a"))
    told = await store.updates("local", after=0, limit=10)
    assert (
        [(u.seq, u.what) for u in told]
        == [(u.seq, u.what) for u in written]
        == [(1, "opened"), (2, "opened"), (3, "grown")]
    )
    assert [u.alert.recurrence for u in told] == [2, 1, 2]
    assert await store.updates("local", after=1, limit=1) == told[1:2]
    assert await store.updates("local", after=3, limit=10) == []


async def test_numbers_of_trimmed_updates_never_come_again(store: Store) -> None:
    write = await Writer.of(store)
    for n in range(5):
        await write(finding(f"f{n}"))
    assert await store.trim_outbox(keep=2) == 3
    assert await store.outbox_bounds("local") == (4, 5)
    assert await store.trim_outbox(keep=2) == 0
    assert await store.trim_outbox(keep=0) == 1  # the newest stays, as the highest number given
    assert await store.outbox_bounds("local") == (5, 5)
    (update,) = await write(finding("next"))
    assert update.seq == 6


async def test_each_tenant_has_its_own_numbers(store: Store) -> None:
    """So that nobody can tell from their gaps what others have, nor loses updates to them."""
    write = await Writer.of(store)
    told = []
    for n in range(4):
        told += await write(finding(f"f{n}"), finding(f"g{n}", tenant="other"), finding(f"h{n}", tenant="other"))
    assert [u.seq for u in told if u.alert.tenant == "local"] == [1, 2, 3, 4]
    assert [u.seq for u in told if u.alert.tenant == "other"] == [*range(1, 9)]
    assert [u.seq for u in await store.updates("other", after=5, limit=2)] == [6, 7]
    assert await store.updates("nobody", after=0, limit=2) == [] and await store.outbox_bounds("nobody") == (0, 0)
    assert await store.outbox_ends() == {"local": 4, "other": 8}
    assert await store.trim_outbox(keep=5) == 3
    assert (await store.outbox_bounds("local"), await store.outbox_bounds("other")) == ((1, 4), (4, 8))


# --- snapshots, rule sets, tokens ------------------------------------------------------------------------------------


async def test_snapshots(store: Store) -> None:
    write = await Writer.of(store)
    assert await store.snapshot(0) is None
    await write()
    await write()
    await store.save_snapshots([(Snapshot(0, 1, b"one" * 1_000), 1)])
    assert await store.snapshot(0) == Snapshot(0, 1, b"one" * 1_000)
    await store.save_snapshots([(Snapshot(0, 2, b""), 1)])
    assert await store.snapshot(0) == Snapshot(0, 2, b"")
    assert await store.snapshot(1) is None
    with pytest.raises(ValueError, match="beyond"):
        await store.save_snapshots([(Snapshot(0, 3, b"x"), 1)])
    with pytest.raises(OwnershipLost):
        await store.save_snapshots([(Snapshot(0, 1, b"x"), 2)])
    with pytest.raises(OwnershipLost):
        await store.save_snapshots([(Snapshot(1, 0, b"x"), 1)])
    assert await store.snapshot(0) == Snapshot(0, 2, b"")


async def test_a_rule_set_keeps_its_first_content(store: Store) -> None:
    assert await store.rule_set("v1") is None
    await store.save_rule_set("v1", b"\x00rules\xff")
    await store.save_rule_set("v1", b"other")
    assert await store.rule_set("v1") == b"\x00rules\xff"
    assert await store.rule_set("v2") is None


async def test_tokens_are_saved_and_revoked(store: Store) -> None:
    first = Token(id="t1", tenant="local", name="导播间", scopes=["ingest", "read"], sha256="a" * 64, created_at=NOON)
    second = Token(id="t2", tenant="local", name="", scopes=[], sha256="b" * 64, created_at=NOON - 1)
    await store.save_token(first)
    await store.save_token(second)
    assert await store.tokens() == [second, first]
    revoked = replace(first, revoked_at=NOON + 5)
    await store.save_token(revoked)
    assert await store.tokens() == [second, revoked]


# --- labels ----------------------------------------------------------------------------------------------------------


def label(name: str, *, at: int = NOON, **other: object) -> Label:
    base = Label(id=name, text=f"{name} 全网最低 ***", labels=["absolute_claim"], kind=Kind.COMMENT,
                 speaker=Role.VIEWER, at=at, by="张三", source="decided.csv", reason="听错", event="e1", weight=2.5)
    return replace(base, **other)


async def labels_of(store: Store, tenant: str = "local", **where: int) -> list[str]:
    page = await store.labels(tenant, LabelFilter(**where), cursor=None, limit=100)
    assert page.next is None
    return [each.id for each in page.labels]


async def test_labels_are_kept_once_and_changed_by_their_id(store: Store) -> None:
    assert await store.save_labels("local", [label("a"), label("b"), label("a")]) == Saved(2, 0, 1)
    assert await store.save_labels("local", [label("a", at=NOON + 9), label("b", labels=[])]) == Saved(0, 1, 1)
    page = await store.labels("local", LabelFilter(), cursor=None, limit=10)
    assert page.labels == [label("a"), label("b", labels=[])], "the first time stays where nothing else differs"


async def test_labels_of_one_body_that_share_an_id(store: Store) -> None:
    assert await store.save_labels("local", [label("a"), label("a", labels=[])]) == Saved(1, 1, 0)
    assert (await store.labels("local", LabelFilter(), cursor=None, limit=10)).labels == [label("a", labels=[])]


async def test_a_tenants_labels_are_its_own(store: Store) -> None:
    await store.save_labels("local", [label("a")])
    assert await store.save_labels("agency", [label("a", labels=["minors"])]) == Saved(1, 0, 0)
    assert (await store.labels("local", LabelFilter(), cursor=None, limit=10)).labels == [label("a")]
    assert await labels_of(store, "stranger") == []


async def test_a_withdrawn_label_stays_as_it_was_withdrawn_until_it_says_something_else(store: Store) -> None:
    await store.save_labels("local", [label("a"), label("b")])
    gone = Withdrawn(by="李四", at=NOON + 5, reason="听错")
    left = label("a", withdrawn=gone)
    assert await store.withdraw_label("local", "a", gone) == left
    assert await store.withdraw_label("local", "a", Withdrawn(by="x", at=1)) == left
    assert await store.withdraw_label("local", "z", gone) is None
    assert await store.withdraw_label("stranger", "b", gone) is None
    assert (await store.labels("local", LabelFilter(), cursor=None, limit=10)).labels == [left, label("b")]
    assert await store.save_labels("local", [label("a", by="王五", at=NOON + 9, reason="")]) == Saved(0, 0, 1)
    assert (await store.labels("local", LabelFilter(), cursor=None, limit=1)).labels == [left]
    assert await store.save_labels("local", [label("a", labels=[])]) == Saved(0, 1, 0)
    assert (await store.labels("local", LabelFilter(), cursor=None, limit=1)).labels == [label("a", labels=[])]


async def test_labels_page_by_page_newest_first(store: Store) -> None:
    await store.save_labels("local", [label(f"l{n}", at=NOON + n // 2) for n in range(7)])
    order = ["l6", "l4", "l5", "l2", "l3", "l0", "l1"]
    found: list[str] = []
    cursor = None
    for _ in range(4):
        page = await store.labels("local", LabelFilter(), cursor=cursor, limit=2)
        found += [each.id for each in page.labels]
        cursor = page.next
    assert (found, cursor) == (order, None)
    assert await labels_of(store, since=NOON + 1, until=NOON + 3) == ["l4", "l5", "l2", "l3"]
    with pytest.raises(InputError):
        await store.labels("local", LabelFilter(), cursor="nonsense", limit=2)
