"""SRT, WebVTT and ASS: times, markup, names, sloppy files, cut files."""

import io
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.adapters.sources import SOURCES, Batch, SourceOptions, ass, open_source, srt, vtt
from monitor.adapters.sources.cues import clock_ms
from monitor.adapters.sources.model import Source
from monitor.domain.decoding import Limits
from monitor.domain.events import Event, Kind, Role, Speaker
from monitor.domain.rejections import Rejected

DATA = Path(__file__).parent.parent / "data" / "sources"
OPTIONS = SourceOptions(now_ms=1_800_000_000_000)
HOST = Speaker(Role.HOST)


def parsed(batches: "list[Batch]") -> tuple[list[Event], list[Rejected]]:
    return [e for batch in batches for e in batch.events], [r for batch in batches for r in batch.rejected]


def collected(source: Source, data: str, options: SourceOptions = OPTIONS) -> tuple[list[Event], list[Rejected]]:
    return parsed(list(source.read(io.BytesIO(data.encode()), options)))


def fixture(name: str, options: SourceOptions = OPTIONS) -> tuple[list[Event], list[Rejected]]:
    return parsed(list(open_source(DATA / name, options)[1]))


def facts(events: list[Event]) -> list[tuple[str, int | None, int | None]]:
    return [(event.text, event.offset_ms, event.duration_ms) for event in events]


@pytest.mark.parametrize("name", ["speech.srt", "speech_gb18030.srt"])
def test_srt(name: str) -> None:
    events, rejected = fixture(name)
    assert rejected == []
    assert facts(events) == [
        ("姐妹们晚上好， 今天是护肤专场", 4100, 3200),
        ("价格<100元，3>2", 7500, 1500),
        ("库存还有 100", 9500, None),
    ]
    assert {(event.kind, event.speaker) for event in events} == {(Kind.TRANSCRIPT, HOST)}


def test_sloppy_srt() -> None:
    events, rejected = fixture("speech_sloppy.srt")
    assert facts(events) == [
        ("没有序号", 4100, 3200), ("中间有空行 还是这一句", 8000, 1000), ("短的毫秒", 13500, 500),
    ]
    assert [(r.line, r.field) for r in rejected] == [(8, "offset_ms")]


def test_a_number_is_an_index_only_right_above_the_times() -> None:
    data = "1\n00:01,0 --> 00:02,0\n只要\n100\n\n2\n00:03,0 --> 00:04,0\n200\n\n\n00:05,0 --> 00:06,0\n3"
    assert [event.text for event in collected(srt, data)[0]] == ["只要 100", "200", "3"]


@pytest.mark.parametrize(
    "markup",
    ["<i>话</i>", "<B>话</B>", '<font color="#fff">话</font>', "{\\an8}话", "{\\pos(1,2)\\b1}话", "<c.yellow>话</c>"],
)
def test_markup_of_srt_is_left_out(markup: str) -> None:
    assert [event.text for event in collected(srt, f"00:01,0 --> 00:02,0\n{markup}\n")[0]] == ["话"]


@pytest.mark.parametrize("text", ["a<b", "<3 你", "1<2>0", "{笑}", "<100元>", "<img>"])
def test_what_is_no_markup_stays(text: str) -> None:
    assert [event.text for event in collected(srt, f"00:01,0 --> 00:02,0\n{text}\n")[0]] == [text]


CUT = "1\n00:00:01,000 --> 00:00:02,000\n第一句\n\n2\n00:00:03,000 --> 00:00:04,000\n第二句"


@pytest.mark.parametrize("cut", range(CUT.index("\n\n") + 2, len(CUT)))
def test_wherever_an_srt_file_ends(cut: int) -> None:
    events, rejected = collected(srt, CUT[:cut])
    texts = [event.text for event in events]
    assert texts[0] == "第一句" and len(rejected) <= 1
    begun = CUT[:cut].index("一句") + 4 < cut
    whole = cut > CUT.index("第二句")
    assert len(texts) == 1 + whole
    assert [r.reason for r in rejected] == ["the file ends in the middle of an item"] * (begun and not whole)


def test_vtt() -> None:
    events, rejected = fixture("speech.vtt")
    assert rejected == []
    assert facts(events) == [
        ("姐妹们晚上好", 4100, 3200), ("画面很 清楚 <3", 4100, 3200), ("面霜很滋润", 3_607_500, 1500),
    ]
    assert [event.attributes for event in events] == [{"speaker_name": "安安"}, {"speaker_name": "小可"}, {}]
    assert {(event.kind, event.speaker) for event in events} == {(Kind.TRANSCRIPT, HOST)}


def test_joined_segments_of_hls_follow_one_another() -> None:
    events, rejected = fixture("hls.vtt")
    assert (facts(events), rejected) == ([("第一段", 1000, 1000), ("第二段", 7000, 1500)], [])


@pytest.mark.parametrize(
    ("first", "second", "offset"),
    [
        (f"MPEGTS:{2**33 - 90_000},LOCAL:00:00:00.000", "MPEGTS:0,LOCAL:00:00:00.000", 2000),
        ("MPEGTS:900000,LOCAL:00:00:10.000", "MPEGTS:900000,LOCAL:00:00:10.000", 1000),
        ("MPEGTS:900000,LOCAL:00:00:00.000", "MPEGTS:0,LOCAL:00:00:00.000", 0),
        ("MPEGTS:x,LOCAL:00:00:00.000", "LOCAL:soon", 1000),
        ("MPEGTS: 900000\x1d,LOCAL:00:00:00.000", "MPEGTS:1800000 , LOCAL:00:00:00.000", 11_000),
        ("nothing", "MPEGTS:900000,LOCAL:00:00:00.000", 1000),
    ],
)
def test_timestamp_maps(first: str, second: str, offset: int) -> None:
    cue = "00:00:01.000 --> 00:00:02.000\n话\n\n"
    events, _ = collected(
        vtt, f"WEBVTT\nX-TIMESTAMP-MAP={first}\n\n{cue}WEBVTT\nX-TIMESTAMP-MAP={second}\n\n{cue}"
    )
    assert [event.offset_ms for event in events] == [1000, offset]


def test_text_that_belongs_to_no_cue_is_told() -> None:
    first, second = "00:01.000 --> 00:02.000\na", "00:03.000 --> 00:04.000\nb"
    events, rejected = collected(vtt, f"WEBVTT\n\n{first}\n\nlost\nlines\n\nid\n{second}\n")
    assert [event.text for event in events] == ["a", "b"]
    assert [(r.line, r.reason) for r in rejected] == [(6, "a block without times")]


def test_notes_may_hold_arrows_but_not_hide_cues() -> None:
    events, rejected = collected(
        vtt, "WEBVTT\n\nNOTE a --> b\nmore --> \n\nNOTES\n\nSTYLE\n::cue { a: --> }\n00:01.000 --> 00:02.000\na\n"
    )
    assert [event.text for event in events] == ["a"]
    assert [(r.line, r.reason) for r in rejected] == [(6, "a block without times")]


@pytest.mark.parametrize("tail", ["00:03.000 --> 00:04.000\n", "00:03.000 --> 00:04.000", "00:03.000 --", "2"])
def test_a_cut_vtt_file(tail: str) -> None:
    events, rejected = collected(vtt, "WEBVTT\n\n00:01.000 --> 00:02.000\na\n\n" + tail)
    assert [event.text for event in events] == ["a"]
    assert [r.reason for r in rejected] == ["the file ends in the middle of an item"]


def test_ass() -> None:
    events, rejected = fixture("speech.ass")
    assert rejected == []
    assert facts(events) == [("姐妹们 晚上好, 逗号 后面", 4100, 3200), ("画面很清楚", 60_000, 2000)]
    assert [event.attributes for event in events] == [{"speaker_name": "安安"}, {"speaker_name": "小可"}]
    assert {(event.kind, event.speaker) for event in events} == {(Kind.TRANSCRIPT, HOST)}


@pytest.mark.parametrize(
    ("name", "texts"), [("danmaku_factory.ass", ["多少钱", "多少钱", "置顶弹幕"]), ("danmaku2ass.ass", ["扣1"])]
)
def test_converted_danmaku_are_comments_of_nobody(name: str, texts: list[str]) -> None:
    events, rejected = fixture(name)
    assert ([event.text for event in events], rejected) == (texts, [])
    assert {(event.kind, event.speaker) for event in events} == {(Kind.COMMENT, Speaker(Role.VIEWER))}
    assert all(event.attributes == {} for event in events)
    assert len({event.id for event in events}) == len(events)


def test_speech_beside_danmaku_stays_speech() -> None:
    data = (DATA / "danmaku_factory.ass").read_text(encoding="utf-8")
    data += "Dialogue: 0,0:00:09.00,0:00:10.00,Default,安安,0,0,0,,价格是五十九\n"
    *_, last = collected(ass, data)[0]
    assert (last.kind, last.text, last.speaker) == (Kind.TRANSCRIPT, "价格是五十九", HOST)


@pytest.mark.parametrize(
    ("line", "field"),
    [
        ("Dialogue: 0,0:00:01.00", "text"),
        ("Dialogue: 0,soon,0:00:01.00,Default,,0,0,0,,a", "offset_ms"),
        ("Dialogue: 0,0:00:01.00,later,Default,,0,0,0,,a", "offset_ms"),
    ],
)
def test_a_faulty_dialogue_is_named(line: str, field: str) -> None:
    good = "Dialogue: 0,0:00:01.00,0:00:02.00,Default,,0,0,0,,a\n"
    events, rejected = collected(ass, f"[Events]\n{good}{line}\n{good}")
    assert len(events) == 2
    assert [(r.line, r.field) for r in rejected] == [(3, field)]


@pytest.mark.parametrize("tail", ["Dia", "Dialogue: 0,0:00:03.00,0:0", "Dialogue: 0,0:00:03.00,0:00:04.00,Default"])
def test_a_cut_ass_file(tail: str) -> None:
    events, rejected = collected(ass, "[Events]\nDialogue: 0,0:00:01.00,0:00:02.00,Default,,0,0,0,,a\n" + tail)
    assert [event.text for event in events] == ["a"]
    assert [r.reason for r in rejected] == ["the file ends in the middle of an item"]


def test_ssa_and_other_columns() -> None:
    events, _ = collected(
        ass, "[Script Info]\r\n[V4 Styles]\r\n[Events]\r\nFormat: Marked, Start, End, Style, Actor, Text\r\n"
             "Dialogue: Marked=0,0:00:01.00,0:00:02.00,*Default,安安,a,b\\nc\r\n"
    )
    assert [(event.text, event.attributes) for event in events] == [("a,b c", {"speaker_name": "安安"})]


@pytest.mark.parametrize("name", ["speech.srt", "speech.vtt", "speech.ass"])
def test_kind_role_and_start_can_be_named(name: str) -> None:
    options = SourceOptions(
        now_ms=OPTIONS.now_ms, kind=Kind.SCRIPT, role=Role.ASSISTANT, speaker="a-1", started_at=1_700_000_000_000
    )
    events, _ = fixture(name, options)
    for event in events:
        assert (event.kind, event.speaker) == (Kind.SCRIPT, Speaker(Role.ASSISTANT, "a-1"))
        assert event.offset_ms is not None and event.at == 1_700_000_000_000 + event.offset_ms


@pytest.mark.parametrize("source", [srt, vtt])
def test_a_text_beyond_the_limit_is_refused_not_shortened(source: Source) -> None:
    small = SourceOptions(now_ms=OPTIONS.now_ms, limits=Limits(text=10))
    data = "WEBVTT\n\n00:01.000 --> 00:02.000\n" + "六个字的一行\n" * 1000 + "\n00:03.000 --> 00:04.000\nb\n"
    events, rejected = collected(source, data, small)
    assert [event.text for event in events] == ["b"]
    assert [(r.line, r.field) for r in rejected] == [(3, "text")]


@pytest.mark.parametrize(
    ("text", "ms"),
    [("1:02:03.4", 3_723_400), ("02:03,456", 123_456), ("0:00:01.5", 1500), ("100:00:00", 360_000_000),
     (" 00:01 ", 1000), ("00:00:01:500", 1500), ("1", None), ("a:b", None), ("", None), ("1:2:3:4:5", None)],
)
def test_clocks(text: str, ms: int | None) -> None:
    assert clock_ms(text) == ms


letters = st.characters(exclude_categories=["Cs", "Cc", "Zl", "Zp"], exclude_characters="<>&{}\\-")
said = st.text(letters, min_size=1, max_size=20)
times = st.tuples(st.integers(0, 10**7), st.integers(0, 10**5), said)


@settings(deadline=None)
@given(st.lists(times, max_size=6), st.sampled_from(["\n", "\r\n", "\r"]))
def test_cues_come_back_as_they_were(cues: list[tuple[int, int, str]], end: str) -> None:
    def clock(ms: int, mark: str) -> str:
        return f"{ms // 3_600_000:02}:{ms // 60_000 % 60:02}:{ms // 1000 % 60:02}{mark}{ms % 1000:03}"

    expected = [(" ".join(text.split()), start, length) for start, length, text in cues if text.split()]
    for source, head, mark in ((srt, "", ","), (vtt, "WEBVTT\n\n", ".")):
        blocks = [
            f"{n}\n{clock(start, mark)} --> {clock(start + length, mark)}\n{text}\n\n"
            for n, (start, length, text) in enumerate(cues, 1)
        ]
        events, rejected = collected(source, (head + "".join(blocks)).replace("\n", end))
        assert (facts(events), rejected) == (expected, [])


def test_the_three_are_registered() -> None:
    assert {srt, vtt, ass} <= set(SOURCES)
