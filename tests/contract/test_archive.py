"""What every archive does, whatever it is made of."""

import random
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from pathlib import Path

import pytest

from monitor.adapters.storage.archive import ParquetArchive
from monitor.domain.events import HOST_SIDE, VIEWERS, Event, Kind, Speaker
from monitor.domain.frames import Frame, build
from monitor.services.ports import Archive
from monitor.services.records import ArchiveQuery, KeptEvent, Mask, Series, TallyQuery
from tests.fakes.archive import MemoryArchive

NOON = 1_700_000_000_000
DAY = 86_400_000


class Silent:
    def info(self, event: str, **facts: object) -> None: ...

    def warning(self, event: str, **facts: object) -> None: ...

    def error(self, event: str, **facts: object) -> None:
        raise AssertionError(event, facts)


async def memory(path: Path) -> Archive:
    return MemoryArchive()


async def parquet(path: Path) -> Archive:
    return await ParquetArchive.open(path, log=Silent())


@pytest.fixture(params=[memory, parquet], ids=lambda make: make.__name__)
async def archive(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Archive]:
    make: Callable[[Path], Awaitable[Archive]] = request.param
    archive = await make(tmp_path / "archive")
    yield archive
    await archive.close()


def event(name: str, at: int = NOON, *, text: str = "这个价格真不错", room: str = "room-1", **other: object) -> Event:
    fields = {"kind": Kind.COMMENT, "source": "douyin", "speaker": "v-1", **other}
    return Event(id=name, text=text, room=room, at=at, **fields)


def frame(*events: Event, tenant: str = "local", accepted_at: int = NOON, sample: int = 1) -> Frame:
    """A frame of one lane."""
    (made,) = build(
        events, tenant=tenant, accepted_at=accepted_at, pseudonym=lambda raw: f"p({raw})",
        revision_of=lambda e: 0 if e.revision is None else e.revision, sample=sample,
    )  # fmt: skip
    return made


async def kept(
    archive: Archive, seq: int, *events: Event, masks: Sequence[Mask] = (), lane: int = VIEWERS, **other: object
) -> None:
    made = frame(*events, **other)
    await archive.keep(lane, seq, made, [f"b-{n}" for n in range(len(made))], masks)


async def names(archive: Archive, tenant: str = "local", **query: object) -> list[str]:
    return [found.id for found in await archive.search(tenant, ArchiveQuery(**query))]


@pytest.mark.parametrize("flushed", [False, True])
async def test_events_of_some_rooms_alone(archive: Archive, flushed: bool) -> None:
    await kept(archive, 7, *(Event(id=f"e{n}", kind=Kind.COMMENT, text="好", room=f"r{n}", at=NOON + n)
                             for n in range(3)))
    if flushed:
        await archive.flush(VIEWERS)
    assert await names(archive, rooms=("r2", "r0", "r9")) == ["e2", "e0"]
    assert await names(archive, rooms=("r2", "r0"), room="r0") == ["e0"]
    assert await names(archive, rooms=("r2",), room="r0") == await names(archive, rooms=()) == []


@pytest.mark.parametrize("flushed", [False, True])
async def test_an_event_comes_back_whole(archive: Archive, flushed: bool) -> None:
    sent = [
        Event(id="e1", kind=Kind.TRANSCRIPT, text="两行\n文字 𝒶\u200b", source="asr", room="r", at=NOON, offset_ms=0,
              speaker=Speaker(role="host", id="主播"), revision=3, final=False),
        Event(id="e2", kind=Kind.PRODUCT, text="", source="shop", room="", at=NOON - 1, stage="preair"),
    ]  # fmt: skip
    await kept(archive, 7, *sent, lane=HOST_SIDE)
    if flushed:
        assert await archive.flush(HOST_SIDE) == 7
    assert await archive.search("local", ArchiveQuery()) == [
        KeptEvent(
            source="asr", id="e1", revision=3, room="r", broadcast="b-0", lane=HOST_SIDE, kind="transcript",
            stage="live", role="host", speaker="主播", at=NOON, offset_ms=0, text="两行\n文字 𝒶\u200b", masked=[],
            sampled_out=False,
        ),
        KeptEvent(
            source="shop", id="e2", revision=0, room="", broadcast="b-1", lane=HOST_SIDE, kind="product",
            stage="preair", role="official", speaker="", at=NOON - 1, offset_ms=None, text="", masked=[],
            sampled_out=False,
        ),
    ]  # fmt: skip


@pytest.mark.parametrize("flushed", [False, True])
@pytest.mark.parametrize("first", ["你好", "你\n好", "𝒶𝒷\n"])
async def test_contact_data_is_masked_one_for_one(archive: Archive, flushed: bool, first: str) -> None:
    masks = [Mask(2, 8, 19, "phone"), Mask(2, 2, 4, "wechat"), Mask(0, 0, 1, "qq"), Mask(1, 0, 99, "phone")]
    await kept(
        archive, 1, event("a", text=first), event("b", text="138"), event("c", text="加我微信吧 𝒶 13800138000 谢谢"),
        event("d", text="完"), masks=masks,
    )  # fmt: skip
    if flushed:
        await archive.flush(VIEWERS)
    found = {each.id: (each.text, each.masked) for each in await archive.search("local", ArchiveQuery())}
    assert found == {
        "a": ("*" + first[1:], ["qq"]),
        "b": ("***", ["phone"]),
        "c": ("加我**吧 𝒶 *********** 谢谢", ["wechat", "phone"]),
        "d": ("完", []),
    }
    assert await names(archive, text="138") == []


@pytest.mark.parametrize("flushed", [False, True])
async def test_events_between_the_sampled_ones_are_marked(archive: Archive, flushed: bool) -> None:
    await kept(archive, 1, *(event(f"e{n}", NOON - n) for n in range(7)), sample=3)
    await kept(archive, 2, event("all", NOON - 99))
    if flushed:
        await archive.flush(VIEWERS)
    found = await archive.search("local", ArchiveQuery())
    assert [each.id for each in found if not each.sampled_out] == ["e0", "e3", "e6", "all"]


async def filled(archive: Archive) -> None:
    """Two segments and a buffer; times overlap."""
    await kept(archive, 1, event("a", NOON + 1), event("b", NOON + 9, room="room-2"))
    await kept(archive, 3, event("c", NOON + 5, text="扫码加群"), tenant="local")
    await kept(archive, 4, event("x", NOON + 5, text="扫码加群"), tenant="other")
    await archive.flush(VIEWERS)
    await kept(archive, 2, event("h", NOON + 6, text="扫码领券", speaker=Speaker(role="host")), lane=HOST_SIDE)
    await archive.flush(HOST_SIDE)
    await kept(archive, 6, event("d", NOON + 2, text="不要扫码"), event("e", NOON + 7))


@pytest.mark.parametrize(
    "query, expected",
    [
        ({}, "behcda"),
        ({"room": "room-1"}, "ehcda"),
        ({"room": "room-2"}, "b"),
        ({"room": "nowhere"}, ""),
        ({"text": "扫码"}, "hcd"),
        ({"text": "扫码加"}, "c"),
        ({"text": "扫.加"}, ""),
        ({"text": ""}, "behcda"),
        ({"since": NOON + 5}, "behc"),
        ({"until": NOON + 5}, "da"),
        ({"since": NOON + 2, "until": NOON + 6}, "cd"),
        ({"room": "room-1", "text": "扫码", "since": NOON + 5, "until": NOON + 6}, "c"),
        ({"limit": 1}, "b"),
        ({"limit": 4}, "behc"),
        ({"limit": 0}, ""),
        ({"since": NOON + 50}, ""),
    ],
)
async def test_search(archive: Archive, query: dict[str, object], expected: str) -> None:
    await filled(archive)
    assert await names(archive, **query) == list(expected)


async def test_a_tenant_finds_its_own(archive: Archive) -> None:
    await filled(archive)
    assert await names(archive, tenant="other") == ["x"]
    assert await names(archive, tenant="nobody") == []


async def test_newest_first_where_segments_overlap(archive: Archive) -> None:
    """Whatever the limit, as many of the newest as there are, though times run through all segments."""
    dice = random.Random(7)
    times = {f"e{n}": NOON + dice.randrange(400) for n in range(300)}
    order = list(times)
    for seq in range(30):
        await kept(archive, seq + 1, *(event(name, times[name]) for name in order[seq * 10 : seq * 10 + 10]))
        if seq % 4 == 3:
            await archive.flush(VIEWERS)
    place = {name: n for n, name in enumerate(order)}
    expected = sorted(times, key=lambda name: (times[name], place[name]), reverse=True)
    for limit in (1, 5, 50, 299, 1_000):
        assert await names(archive, limit=limit) == expected[:limit]
        assert (
            await names(archive, limit=limit, until=NOON + 200)
            == [n for n in expected if times[n] < NOON + 200][:limit]
        )


async def test_an_event_that_was_sent_twice_is_found_once(archive: Archive) -> None:
    await kept(archive, 1, event("a", NOON), event("a", NOON), event("b", NOON + 1))
    await archive.flush(VIEWERS)
    await kept(archive, 2, event("a", NOON + 3), event("c", NOON + 2), event("a", NOON, revision=1))
    assert await names(archive) == ["a", "c", "b", "a"]
    assert await names(archive, limit=2) == ["a", "c"]
    await archive.flush(VIEWERS)
    assert await names(archive) == ["a", "c", "b", "a"]


async def test_twins_do_not_use_up_the_limit(archive: Archive) -> None:
    await kept(archive, 1, *(event("twin", NOON + 9) for _ in range(600)), event("other", NOON))
    await archive.flush(VIEWERS)
    assert await names(archive, limit=2) == ["twin", "other"]


async def test_the_position_is_what_is_flushed(archive: Archive) -> None:
    assert archive.position(VIEWERS) == 0
    assert await archive.flush(VIEWERS) == 0
    await kept(archive, 5, event("a"))
    await kept(archive, 9, event("b"))
    assert archive.position(VIEWERS) == 0
    assert await archive.flush(HOST_SIDE) == 0
    assert await archive.flush(VIEWERS) == 9
    assert (archive.position(VIEWERS), archive.position(HOST_SIDE)) == (9, 0)
    assert await archive.flush(VIEWERS) == 9


@pytest.mark.parametrize("flushed", [False, True])
async def test_writing_a_range_again_replaces_it(archive: Archive, flushed: bool) -> None:
    await kept(archive, 1, event("a", NOON + 1))
    await kept(archive, 2, event("b", NOON + 2, text="旧"), event("gone", NOON + 2))
    await kept(archive, 3, event("c", NOON + 3))
    if flushed:
        await archive.flush(VIEWERS)
    await kept(archive, 2, event("b", NOON + 2, text="新"))
    assert await archive.flush(VIEWERS) == 3
    found = await archive.search("local", ArchiveQuery())
    assert [each.id for each in found][-1] == "a"
    assert {each.id: each.text for each in found}["b"] == "新"
    assert await names(archive) == ["c", "b", "a"]


@pytest.mark.parametrize(
    "cuts", [[(1, 4), (4, 8)], [(3, 8)], [(1, 8)], [(5, 6)], [(2, 3), (3, 7), (7, 8)], [(6, 8), (2, 7)]]
)
async def test_a_re_read_may_cut_ranges_differently(archive: Archive, cuts: list[tuple[int, int]]) -> None:
    for seq in range(1, 8):
        await kept(archive, seq, event(f"e{seq}", NOON + seq))
        if seq in (3, 5, 7):
            await archive.flush(VIEWERS)
    for first, end in cuts:
        for seq in range(first, end):
            await kept(archive, seq, event(f"e{seq}", NOON + seq))
        assert await archive.flush(VIEWERS) == 7
        assert await names(archive) == [f"e{seq}" for seq in range(7, 0, -1)]


async def test_tidying_changes_nothing_that_is_seen(archive: Archive) -> None:
    for seq in range(1, 40):
        day = seq // 13 * DAY
        await kept(archive, seq, event(f"e{seq}", NOON + day + seq % 7, text=f"第 {seq} 条"), accepted_at=NOON + day)
        if seq != 39:
            await archive.flush(VIEWERS)
    middle = {"since": NOON + DAY, "until": NOON + DAY + 4}
    queries: list[dict[str, object]] = [{}, {"limit": 5}, {"text": "第 1"}, {**middle}]
    before = [await names(archive, **query) for query in queries]
    for _ in range(100):
        more = await archive.tidy(before=NOON + 9 * DAY)
        assert [await names(archive, **query) for query in queries] == before
        assert archive.position(VIEWERS) == 38
        if not more:
            break
    else:
        raise AssertionError("there was always something left to do")
    await kept(archive, 20, event("e20", NOON + DAY + 20 % 7, text="第 1 条，改"))
    assert await archive.flush(VIEWERS) == 39
    assert sorted(await names(archive)) == sorted(before[0])
    assert "e20" in await names(archive, text="第 1 条，改")
    await archive.expire(before=NOON + DAY)
    assert await names(archive) == [name for name in before[0] if int(name[1:]) >= 13]


async def test_old_segments_expire(archive: Archive) -> None:
    await kept(archive, 1, event("old", NOON), event("older", NOON - DAY))
    await archive.flush(VIEWERS)
    await kept(archive, 2, event("new", NOON + DAY), accepted_at=NOON + DAY)
    await archive.flush(VIEWERS)
    await kept(archive, 3, event("buffered", NOON), accepted_at=NOON + DAY)
    assert await archive.expire(before=NOON) == 0
    assert await archive.expire(before=NOON + 1) == 1
    assert await names(archive) == ["new", "buffered"]
    assert archive.position(VIEWERS) == 2
    assert await archive.flush(VIEWERS) == 3


@pytest.mark.parametrize("flushed", [False, True])
async def test_a_room_is_counted_by_kind_lane_and_time(archive: Archive, flushed: bool) -> None:
    await kept(archive, 7, *(event(f"e{n}", NOON + n * 1_000) for n in range(12)), event("other", room="room-2"))
    await kept(archive, 8, event("said", NOON + 5_000, kind=Kind.TRANSCRIPT), lane=HOST_SIDE)
    if flushed:
        await archive.flush(VIEWERS)
    await kept(archive, 9, event("late", NOON + 9_999), event("gone", NOON + 10_000))
    query = TallyQuery(room="room-1", since=NOON, bucket_ms=5_000, buckets=2)
    assert await archive.tally("local", query) == [
        Series(kind="comment", lane=VIEWERS, counts=[5, 6]), Series(kind="transcript", lane=HOST_SIDE, counts=[0, 1])]
    assert await archive.tally("stranger", query) == []


@pytest.mark.parametrize("flushed", [False, True])
async def test_events_of_one_kind_alone(archive: Archive, flushed: bool) -> None:
    await kept(archive, 7, event("c"))
    await kept(archive, 8, event("s", kind=Kind.SIGNAL, text="broadcast_started"), event("t", kind=Kind.TRANSCRIPT),
               lane=HOST_SIDE)
    if flushed:
        await archive.flush(HOST_SIDE)
    assert await names(archive, kind="signal") == ["s"]
    assert await names(archive, kind="script") == []
