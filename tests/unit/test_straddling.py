"""A term that two events of one speaker hold together."""

import msgspec
import pytest

from monitor.domain import frames
from monitor.domain.alerts import GroupingSettings
from monitor.domain.events import Event, Kind, Role, Speaker
from monitor.domain.findings import Finding
from monitor.services.lane import Admitted, Lane, LaneState
from tests.unit.rulekit import engine, rule, terms

HOST = Speaker(Role.HOST, "h")
ENGINE = engine(rule(terms("claim", "全网最低价"), name="t.lowest"), rule(terms("v", "加微信"), name="t.contact"))


def said(n: int, text: str, at: int, speaker: Speaker = HOST, kind: Kind = Kind.TRANSCRIPT, room: str = "a",
         final: bool = True, lasts: int | None = None) -> Event:
    return Event(id=f"e{n}", kind=kind, text=text, speaker=speaker, at=at, room=room, final=final, duration_ms=lasts)


def found(*events: Event, together: bool = True, restart: bool = False) -> list[Finding]:
    lane = Lane(0, ENGINE, GroupingSettings(), state=LaneState())
    out: list[Finding] = []
    for seq, some in enumerate([events] if together else [[event] for event in events], 1):
        built = frames.build(some, tenant="local", accepted_at=some[-1].at or 0, pseudonym=str, revision_of=lambda e: 1)
        for frame in built:
            out += lane.run([Admitted(seq, frame, ["b"] * len(frame))]).findings
        if restart:
            state = msgspec.msgpack.decode(msgspec.msgpack.encode(lane.snapshot()), type=LaneState)
            lane = Lane(0, ENGINE, GroupingSettings(), state=state)
    return out


@pytest.mark.parametrize(("together", "restart"), [(True, False), (False, False), (False, True)])
def test_a_term_straddles_two_segments_and_names_both(together: bool, restart: bool) -> None:
    two = said(1, "家人们今天全网最", 1_000), said(2, "低价给到大家", 3_000)
    (finding,) = found(*two, together=together, restart=restart)
    assert finding.event_ids == ["e1", "e2"] and finding.event_id == "e2"
    assert [(s.event, s.start, s.end, s.text) for s in finding.spans] == [("e1", 5, 8, "全网最"), (None, 0, 2, "低价")]


@pytest.mark.parametrize(
    "second",
    [
        said(2, "低价给到大家", 6_001),  # too late
        said(2, "低价给到大家", 1_000),  # no time between them: they came without times of their own
        said(2, "低价给到大家", 3_000, Speaker(Role.ASSISTANT, "x")),
        said(2, "低价给到大家", 3_000, room="b"),
        said(2, "低价给到大家", 3_000, final=False),
    ],
)
def test_what_does_not_follow_is_not_read_together(second: Event) -> None:
    assert not found(said(1, "家人们今天全网最", 1_000), second)


def test_time_counts_from_the_end_of_a_segment() -> None:
    first = said(1, "家人们今天全网最", 1_000, lasts=7_000)
    assert found(first, said(2, "低价给到大家", 13_000))
    assert not found(first, said(2, "低价给到大家", 13_001))


@pytest.mark.parametrize(("together", "restart"), [(True, False), (False, False), (False, True)])
def test_a_term_over_three_segments_names_them_all_and_is_told_once(together: bool, restart: bool) -> None:
    pieces = ["真的是全", "网", "最低价", "给到大家"]
    (finding,) = found(*(said(n, text, 2_000 * n) for n, text in enumerate(pieces, 1)), together=together,
                       restart=restart)
    assert finding.event_ids == ["e1", "e2", "e3"]
    assert [(s.event, s.start, s.end, s.text) for s in finding.spans] == [
        ("e1", 3, 4, "全"), ("e2", 0, 1, "网"), (None, 0, 3, "最低价")]


def test_what_was_said_long_before_is_not_read_again() -> None:
    filler = [said(n, "话" * 13, 1_000 * n) for n in range(2, 6)]
    assert not found(said(1, "全网", 1_000), *filler, said(6, "最低价", 6_000))


def test_rooms_and_speakers_are_told_apart_whatever_their_names() -> None:
    u, w = (Speaker(Role.VIEWER, name) for name in ("u", "x\x1f4\x1fu"))
    first = said(1, "想要的加", 1_000, u, Kind.COMMENT, room="a\x1f4\x1fx")
    assert not found(first, said(2, "微信", 2_000, w, Kind.COMMENT, room="a"))


def test_what_one_of_them_holds_alone_is_told_once() -> None:
    findings = found(said(1, "全网最低价", 1_000), said(2, "全网最低价", 2_000), said(3, "真的", 3_000))
    assert [f.event_ids for f in findings] == [["e1"], ["e2"]]


def test_short_comments_of_one_viewer() -> None:
    u, w = Speaker(Role.VIEWER, "u"), Speaker(Role.VIEWER, "w")
    (finding,) = found(said(1, "想要的加", 1_000, u, Kind.COMMENT), said(2, "微信", 2_000, u, Kind.COMMENT))
    assert finding.event_ids == ["e1", "e2"]
    assert not found(said(1, "想要的加", 1_000, u, Kind.COMMENT), said(2, "微信", 2_000, w, Kind.COMMENT))
    long = said(1, "想要这个好看的衣服的人可以一起加", 1_000, u, Kind.COMMENT)
    assert not found(long, said(2, "微信", 2_000, u, Kind.COMMENT))


def test_a_long_segment_counts_by_its_end() -> None:
    (finding,) = found(said(1, "话" * 100 + "全网最", 1_000), said(2, "低价" + "话" * 100, 2_000))
    assert [(s.event, s.start, s.end) for s in finding.spans] == [("e1", 100, 103), (None, 0, 2)]


def test_contact_data_stays_masked() -> None:
    (finding,) = found(said(1, "打13800138000全网最", 1_000), said(2, "低价", 2_000))
    assert "138" not in str(msgspec.to_builtins(finding))


@pytest.mark.parametrize("remember_only", [False, True])
@pytest.mark.parametrize("together", [True, False])
@pytest.mark.parametrize(("first", "second", "masked"), [
    ("13812", "345678 记一下", (0, 6)), ("我的号一三八", "幺二三四五六七八", (0, 8)),
    ("三号链接 13812", "还有六件", None), ("13812345678", "是我电话", None)])
def test_of_contact_data_over_two_the_part_that_completes_it_is_masked(
        first: str, second: str, masked: tuple[int, int] | None, together: bool, remember_only: bool) -> None:
    viewer = Speaker(Role.VIEWER, "v")
    events = [said(1, first, 1_000, viewer, Kind.COMMENT), said(2, second, 2_000, viewer, Kind.COMMENT)]
    lane = Lane(1, ENGINE, GroupingSettings(), state=LaneState())
    kept: list[tuple[str, int, int]] = []
    for seq, some in enumerate([events] if together else [[event] for event in events], 1):
        for frame in frames.build(some, tenant="local", accepted_at=2_000, pseudonym=str, revision_of=lambda e: 1):
            entry = Admitted(seq, frame, ["b"] * len(frame))
            for judged in lane.run([entry], remember_only=remember_only).judged:
                kept += [(frame.ids[mask.event], mask.start, mask.end) for mask in judged.masks]
    assert [each for each in kept if each[0] == "e2"] == ([("e2", *masked)] if masked else [])
