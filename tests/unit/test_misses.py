"""What no rule found: reported, masked, stored once, decided as any alert, learnt from."""

import pytest
from msgspec.structs import replace

from monitor.domain.errors import InputError, NotFound, Refused
from monitor.domain.events import Kind, Role, Stage
from monitor.domain.misses import Miss, Said, finding_for
from monitor.domain.moves import Undo
from monitor.domain.people import Actor, Grant
from monitor.domain.people import Role as PersonsRole
from monitor.services.misses import MissDesk
from monitor.services.records import ArchiveQuery, KeptEvent, LabelFilter
from tests.unit.test_post_flow import LAWFUL, NOON, VIOLATION, WANG, World, world  # noqa: F401

MISS = Miss(room="room-1", event="e1", source="douyin", at=NOON, category="absolute_claim", words="顶配里的顶配",
            clause="AD-09-3", note="没命中")
SAID = Said(tenant="local", revision=0, broadcast="b", kind=Kind.TRANSCRIPT, stage=Stage.LIVE, role=Role.HOST,
            speaker="", at=NOON, offset_ms=None, text="加微信 ***，顶配里的顶配")


def event(name: str, text: str, at: int = NOON, lane: int = 0, revision: int = 0) -> KeptEvent:
    return KeptEvent(source="douyin", id=name, revision=revision, room="room-1", broadcast="b-1", lane=lane,
                     kind="comment" if lane else "transcript", stage="live", role="viewer" if lane else "host",
                     speaker="", at=at, offset_ms=None, text=text, masked=[], sampled_out=False)


class Kept:
    """An archive of these events."""

    def __init__(self, *events: KeptEvent) -> None:
        self.events = events

    async def search(self, tenant: str, query: ArchiveQuery) -> list[KeptEvent]:
        return [found for found in self.events if tenant == "local" and query.room == found.room
                and query.since <= found.at < query.until]


def desk(world: World, *events: KeptEvent) -> MissDesk:  # noqa: F811
    said = events or (event("e1", SAID.text), event("e0", "欢迎", NOON - 30_000), event("c", "多少钱", NOON + 9, 1),
                      event("far", "下一个", NOON + 90_000))
    return MissDesk(world.posts, Kept(*said), world.dispatcher, world.organising, world.told, world.clock)


async def labels(world: World) -> list[tuple[str, list[str], bool]]:  # noqa: F811
    page = await world.store.labels("local", LabelFilter(), cursor=None, limit=10)
    return sorted((label.source, label.labels, label.withdrawn is None) for label in page.labels)


async def test_a_miss_is_an_alert_a_label_and_a_draft_case(world: World) -> None:  # noqa: F811
    opened = await desk(world).report(WANG, MISS)
    alert = opened.case.alert
    assert opened.new and (alert.source, alert.rule, alert.state) == ("manual", "manual.absolute_claim", "open")
    assert await world.cards() == [("content-review", "room-1", ["manual.absolute_claim"])]
    evidence = await world.store.evidence("local", alert.id)
    assert [line.event_id for line in evidence.context] == ["e0", "e1", "c"]
    assert [span.text for span in evidence.findings[0].spans] == ["顶配里的顶配"]
    assert await labels(world) == [("miss", ["absolute_claim"], True)]
    (draft,) = (await desk(world).drafts(WANG, cursor=None, limit=10)).cases
    assert (draft.text, draft.words, draft.by, draft.note) == (SAID.text, "顶配里的顶配", "wang", "没命中")
    history = await world.desk.history(WANG, alert.id)
    assert [(moved.move["move"], moved.by) for moved in history.moves] == [("miss", "wang")]
    assert [row.deed.what for row in await world.posts.rows("local", after=0, limit=9)] == ["alert.miss"]
    assert [update.what for update in world.told.updates] == ["opened"]


async def test_the_same_words_reported_again_change_nothing(world: World) -> None:  # noqa: F811
    first = await desk(world).report(WANG, MISS)
    again = await desk(world).report(WANG, replace(MISS, words="", start=8, end=14, note="again"))
    assert (again.new, again.case.alert.id, again.case.kept.reported.note) == (False, first.case.alert.id, "没命中")
    assert len(await world.posts.rows("local", after=0, limit=9)) == 1
    other = await desk(world).report(WANG, replace(MISS, words="顶配"))
    assert other.new and len(await world.cards()) == 1  # one moment


async def test_a_decision_takes_the_place_of_the_label(world: World) -> None:  # noqa: F811
    alert = (await desk(world).report(WANG, MISS)).case.alert.id
    await world.act(WANG, alert, VIOLATION)
    assert await labels(world) == [("miss", ["absolute_claim"], False), ("review", ["absolute_claim"], True)]
    await world.act(WANG, alert, Undo())
    world.clock.ms += 1
    await world.act(WANG, alert, LAWFUL)
    assert ("review", [], True) in await labels(world) and ("miss", ["absolute_claim"], True) not in await labels(world)
    assert (await desk(world).drafts(WANG, cursor=None, limit=10)).cases == []


async def test_the_latest_revision_is_meant(world: World) -> None:  # noqa: F811
    opened = await desk(world, event("e1", "顶配里的顶配，对吧", revision=2), event("e1", SAID.text)).report(WANG, MISS)
    assert opened.case.alert.text == "顶配里的顶配，对吧"


async def test_what_is_not_kept_or_not_theirs_is_not_found(world: World) -> None:  # noqa: F811
    elsewhere = Actor(id="li", tenant="local", grants=(Grant(PersonsRole.REVIEWER, "east"),))
    stranger = Actor(id="li", tenant="other", grants=(Grant(PersonsRole.REVIEWER),))
    told = set()
    for actor, miss in ((WANG, replace(MISS, event="x")), (elsewhere, MISS), (stranger, MISS)):
        with pytest.raises(NotFound) as caught:
            await desk(world).report(actor, miss)
        told.add(str(caught.value))
    assert len(told) == 1
    with pytest.raises(Refused, match="permission review"):
        await desk(world).report(Actor(id="au", tenant="local", grants=(Grant(PersonsRole.AUDITOR),)), MISS)
    assert await world.cards() == []


@pytest.mark.parametrize(("miss", "match"), [
    (replace(MISS, category="sports"), "no category"), (replace(MISS, words="顶配中的"), "do not stand"),
    (replace(MISS, start=9, end=9), "no span"), (replace(MISS, start=3, end=99), "no span"),
])
def test_what_cannot_be_meant_is_refused(miss: Miss, match: str) -> None:
    with pytest.raises(InputError, match=match) as caught:
        finding_for(miss, SAID, now=NOON)
    assert caught.value.hint


def test_without_words_the_whole_text_is_meant() -> None:
    assert finding_for(replace(MISS, words=""), SAID, now=NOON).spans[0].text == SAID.text
