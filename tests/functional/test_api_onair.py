"""Rooms on air by the API: the wall, and one broadcast over its time."""

from pathlib import Path

from monitor.domain.broadcasts import Broadcast
from monitor.domain.organisation import Room, Unit
from monitor.domain.people import Grant, Role
from monitor.services.onair import MOST_BUCKETS, buckets_of
from monitor.services.recordings import Edit
from monitor.services.wall import MINUTES, MUTE_MS
from tests.functional.fakes import NOW, keep, kept, room, serving
from tests.functional.real import NOW as EIGHT
from tests.functional.real import evening

RULES = {"best": """
id: evening.best
title: 绝对化用语
tier: redline
severity: high
status: active
category: [absolute_claim]
clauses: [AD-09-3]
applies: {speakers: any}
detection:
  words: {terms: [全网最低]}
  taken_back: {context: [correction], veto: all}
  condition: words
advice: {say: 请改口}
cases:
  - {text: 全网最低, expect: [words]}
  - {text: 欢迎新来的朋友, expect: none}
"""}


async def test_a_broadcast_over_its_time(tmp_path: Path) -> None:
    async with evening(tmp_path, RULES) as post:
        await post.hear(("r1", "host", "大家好"), ("r1", "viewer", "好"), ("r2", "host", "全网最低"))
        post.clock.ms += 6_000
        await post.hear(("r1", "host", "今天全网最低"), ("r1", "viewer", "真的吗"), ("r1", "viewer", "全网最低？"))
        lead = await post.person("lead")
        (alert,) = [one for one in (await lead.get("alerts", room="r1"))["alerts"] if one["lane"] == 0]
        await lead.send(f"alerts/{alert['id']}/cue", {})
        post.clock.ms += 4_000
        await post.hear(("r1", "host", "刚才说错了，不是全网最低，更正一下"))

        line = await lead.get("rooms/r1/timeline")
        assert (line["broadcast"]["room"], line["since"], line["bucket_ms"]) == ("r1", EIGHT, 5_000)
        counts = {(one["kind"], one["lane"]): one["counts"] for one in line["series"]}
        assert counts == {("transcript", 0): [1, 1, 1], ("comment", 1): [1, 2, 0]}
        first = next(point for point in line["points"] if point["lane"] == 0)
        assert (first["alert"], first["event"], first["severity"]) == (alert["id"], "e4", "high")
        assert [first["text"][span["start"]:span["end"]] for span in first["spans"]] == ["全网最低"]
        assert first["corrected_at"] == line["cues"][0]["corrected_at"] == EIGHT + 10_000
        assert [cue["say"] for cue in line["cues"]] == ["请改口"]
        assert [each["id"] for each in line["others"]] == [line["broadcast"]["id"]]

        tail = await lead.get("rooms/r1/timeline", since=str(EIGHT + 9_000))
        assert (tail["since"], tail["broadcast"]) == (EIGHT + 5_000, line["broadcast"])
        assert [one["counts"] for one in tail["series"]] == [[2, 0], [1, 1]]
        assert all(point["at"] >= EIGHT + 5_000 for point in tail["points"])

        wall = await lead.get("rooms/live")
        assert [(one["room"], one["findings"][-1], one["worst"][-1], one["silent"]) for one in wall["rooms"]] == [
            ("r1", len(line["points"]), 4, False), ("r2", 1, 4, False)]
        assert all(len(one["findings"]) == MINUTES for one in wall["rooms"])
        post.clock.ms += 600_000
        assert [(one["silent"], one["mute"]) for one in (await lead.get("rooms/live"))["rooms"]] == [(True, False)] * 2

        stranger = await post.person("lead", "street")
        assert (await stranger.get("rooms/r1/timeline", 404))["error"]["hint"]
        assert (await stranger.get("rooms/live"))["rooms"] == []


async def test_rooms_of_other_units_are_not_there() -> None:
    async with serving(loopback=False) as api:
        await keep(api, "agency", Edit(kind="unit", id="east", record=Unit(title="东")),
                   Edit(kind="room", id="mine", record=Room(unit="east", title="一号", platform="douyin")),
                   Edit(kind="room", id="theirs", record=Room()))
        api.store.room_list["agency"] = [room("mine"), room("theirs")]
        api.posts.aired = [Broadcast(id="b1", tenant="agency", room=name, started_at=NOW, last_at=NOW, named=True)
                           for name in ("mine", "theirs")]
        li = await api.person("li", Grant(Role.REVIEWER, "east"))
        async with api.client.get("/api/v1/rooms/live", headers=li) as response:
            (only,) = (await response.json())["rooms"]
        assert (only["room"], only["title"], only["platform"], only["unit"]) == ("mine", "一号", "douyin", "east")
        for name, status in (("mine", 200), ("theirs", 404), ("none", 404), ("mine?broadcast=other", 404)):
            path = name.replace("?", "/timeline?") if "?" in name else f"{name}/timeline"
            async with api.client.get(f"/api/v1/rooms/{path}", headers=li) as response:
                assert response.status == status, name


async def test_events_of_one_kind_are_searched() -> None:
    async with serving() as api:
        api.archive.events["local"] = [kept("好")]
        for kind, found in (("transcript", 1), ("comment", 0)):
            async with api.client.get(f"/api/v1/events?kind={kind}") as response:
                assert len((await response.json())["events"]) == found
        async with api.client.get("/api/v1/events?kind=song") as response:
            assert response.status == 400


def test_buckets_have_an_end() -> None:
    day = Broadcast(id="b", tenant="t", room="r", started_at=NOW, last_at=NOW + 24 * 3_600_000, named=True,
                    ended_at=NOW + 24 * 3_600_000)
    whole = buckets_of(day, None, 5_000, NOW + 10**9)
    assert (whole.bucket_ms, whole.since, whole.buckets) == (40_000, NOW, 2_161)
    assert whole.buckets <= MOST_BUCKETS
    assert day.last_at < whole.until <= day.last_at + whole.bucket_ms
    for since in (day.last_at, day.last_at + 10**9):
        tail = buckets_of(day, since, 5_000, NOW)
        assert (tail.buckets, tail.until) == (1, whole.until)
    assert buckets_of(day, NOW - 1, 5_000, NOW) == whole


def test_a_running_broadcast_goes_on_until_now_and_no_recording_until_today() -> None:
    runs = Broadcast(id="b", tenant="t", room="r", started_at=NOW, last_at=NOW, named=True)
    assert buckets_of(runs, None, 5_000, NOW + 7_000).buckets == 2
    assert buckets_of(runs, None, 5_000, NOW + 10**9).buckets == 61
    assert buckets_of(runs, None, 5_000, NOW - 10**9).buckets == 1


async def test_a_host_who_is_not_heard_while_comments_come_is_said_to_be_mute(tmp_path: Path) -> None:
    async with evening(tmp_path, RULES) as post:
        await post.hear(("r1", "host", "大家好"), ("r2", "host", "大家好"))
        lead = await post.person("lead")
        post.clock.ms += MUTE_MS
        await post.hear(("r1", "viewer", "怎么没声音"), ("r2", "host", "上链接"))
        wall = await lead.get("rooms/live")
        assert [(one["room"], one["mute"], one["silent"], one["heard_at"]) for one in wall["rooms"]] == [
            ("r1", True, False, EIGHT), ("r2", False, False, EIGHT + MUTE_MS)]
        assert [(await lead.get(f"rooms/{name}/timeline"))["mute"] for name in ("r1", "r2")] == [True, False]
        post.clock.ms += 10_000
        await post.hear(("r1", "host", "有声音了"))
        assert [one["mute"] for one in (await lead.get("rooms/live"))["rooms"]] == [False, False]
