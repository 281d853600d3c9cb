"""A term that two events of one speaker hold together."""

from collections.abc import Sequence
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.domain import frames
from monitor.domain.alerts import GroupingSettings
from monitor.domain.events import Event, Kind, Role, Speaker
from monitor.domain.findings import Finding
from monitor.domain.masking import mask_text
from monitor.services.context import Ring, Windows
from monitor.services.lane import Admitted, Lane, LaneState
from monitor.services.records import FrameJudged, Mask
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


class Kept:
    """A lane with a ring, fed call by call; what the archive has in the end, and the room's lines."""

    def __init__(self, calls: Sequence[Sequence[Sequence[Event]]], *, remember_only: bool = False) -> None:
        """`calls`: of frames of events."""
        self.ring = Ring(1, max_bytes=10**6)
        self.findings: list[Finding] = []
        lane = Lane(1, ENGINE, GroupingSettings(), state=LaneState(), ring=self.ring)
        archive: dict[int, FrameJudged] = {}
        seq = 0
        for call in calls:
            admitted = []
            for events in call:
                seq += 1
                (frame,) = frames.build(events, tenant="local", accepted_at=events[-1].at or 0, pseudonym=str,
                                        revision_of=lambda e: 1)
                admitted.append(Admitted(seq, frame, ["b"] * len(frame)))
            outcome = lane.run(admitted, remember_only=remember_only)
            archive |= {judged.seq: judged for judged in outcome.judged}
            self.findings += outcome.findings
        self.archived = {judged.frame.ids[i]: mask_text(text, [(m.start, m.end) for m in judged.masks if m.event == i])
                         for judged in archive.values() for i, text in enumerate(judged.frame.text.split("\n"))}
        self.masks = [mask for judged in archive.values() for mask in judged.masks]

    def lines(self) -> dict[str, str]:
        return {line.event_id: line.text for line in self.ring.lines(("local", "a"), since=0, until=10**9)}


VIEWER = Speaker(Role.VIEWER, "v")


def comments(*texts: str) -> list[Event]:
    return [said(n, text, 1_000 * n, VIEWER, Kind.COMMENT) for n, text in enumerate(texts, 1)]


@pytest.mark.parametrize("remember_only", [False, True])
@pytest.mark.parametrize("cut", ["one frame", "one call", "apart"])
@pytest.mark.parametrize(("texts", "shown"), [
    (("加我 13812", "345678 记一下"), ("加我 *****", "****** 记一下")),
    (("我的号一三八", "幺二三四五六七八"), ("我的号***", "********")),
    (("138", "1234", "5678", "好的"), ("***", "****", "****", "好的")),
    (("三号链接 13812", "还有六件"), ("三号链接 13812", "还有六件")),
    (("13812345678", "是我电话"), ("***********", "是我电话"))])
def test_contact_data_over_several_is_masked_in_all_of_them(
        texts: Sequence[str], shown: Sequence[str], cut: str, remember_only: bool) -> None:
    events = comments(*texts)
    kept = Kept({"one frame": [[events]], "one call": [[[e] for e in events]], "apart": [[[e]] for e in events]}[cut],
                remember_only=remember_only)
    assert list(kept.archived.values()) == list(shown)
    assert kept.lines() == kept.archived
    assert len({(mask.start, mask.end, mask.kind) for mask in kept.masks}) <= len(kept.masks) <= len(texts)


@given(st.data())
def test_how_a_number_is_cut_does_not_matter(data: st.DataObject) -> None:
    """Into comments, these into frames, these into calls; nor what is said in between by somebody else."""
    number = "138" + "".join(data.draw(st.lists(st.sampled_from("0123456789"), min_size=8, max_size=8)))
    places = sorted(data.draw(st.sets(st.integers(1, 10), min_size=1, max_size=4)))
    parts = [number[a:b] for a, b in zip([0, *places], [*places, 11], strict=True)]
    events = comments(*parts)
    if data.draw(st.booleans()):
        other = Speaker(Role.VIEWER, "w")
        events.insert(1, said(90, "好看", 1_500, other, Kind.COMMENT))

    def grouped(items: list[Any]) -> list[list[Any]]:
        ends = [*sorted(data.draw(st.sets(st.integers(1, len(items) - 1)))), len(items)] if len(items) > 1 else [1]
        return [items[a:b] for a, b in zip([0, *ends], ends, strict=False)]

    kept = Kept(grouped(grouped(events)))
    assert not set("0123456789") & set("".join(kept.archived.values()))
    assert kept.lines() == kept.archived


def test_a_finding_that_was_told_stays_as_it_was() -> None:
    """However the two came: together or apart."""
    events = comments("加微信 13812", "345678")
    together, apart = Kept([[events]]), Kept([[[e]] for e in events])
    assert together.findings[0].text == apart.findings[0].text == "加微信 13812"
    assert together.archived == apart.archived == {"e1": "加微信 *****", "e2": "******"}


def test_what_has_left_the_ring_is_masked_no_more() -> None:
    kept = Kept([[comments("13812")]])
    assert kept.ring.mask(1, [Mask(0, 0, 5, "phone")]) is not None
    assert kept.ring.mask(1, [Mask(0, 0, 5, "phone")]) is None, "it is known"
    assert kept.ring.mask(2, [Mask(0, 0, 5, "phone")]) is None
    kept.ring.leave(now=10**6, windows=Windows())
    assert kept.ring.mask(1, [Mask(0, 0, 3, "phone")]) is None
