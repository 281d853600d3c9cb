"""Tables: titles and their aliases, quoting, times, and who speaks."""

import csv
import io
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.adapters.sources import SourceOptions, open_source
from monitor.adapters.sources.columns import COLUMNS, field_of
from monitor.adapters.sources.csv_tsv import read, sniff
from monitor.domain.errors import InputError
from monitor.domain.events import Event, Kind, Role, Speaker, Stage
from monitor.domain.rejections import Rejected

DATA = Path(__file__).parent.parent / "data" / "sources"
NOW = 1_800_000_000_000
OPTIONS = SourceOptions(now_ms=NOW)


def collected(data: str | bytes, options: SourceOptions = OPTIONS) -> tuple[list[Event], list[int], list[Rejected]]:
    data = data.encode() if isinstance(data, str) else data
    batches = list(read(io.BytesIO(data), options))
    return (
        [event for batch in batches for event in batch.events],
        [line for batch in batches for line in batch.lines],
        [rejected for batch in batches for rejected in batch.rejected],
    )


def one(data: str, options: SourceOptions = OPTIONS) -> Event:
    events, _, rejected = collected(data, options)
    assert rejected == []
    (event,) = events
    return event


def test_a_platform_export() -> None:
    _, batches = open_source(DATA / "comments.csv", OPTIONS)
    (batch,) = batches
    assert list(batch.lines) == [2, 3, 4, 6]
    assert [event.id for event in batch.events] == ["m1", "m2", "m3", "m4"]
    assert [event.text for event in batch.events] == ["主播,这个多少钱", "链接呢", "第一行\n第二行", '他说"好用"']
    assert {event.kind for event in batch.events} == {Kind.COMMENT}
    assert batch.events[1].speaker == Speaker(Role.VIEWER, "1002")
    assert [event.at for event in batch.events] == [1795435205000, 1795435207000, 1795435208123, 1795435209000]
    assert [event.offset_ms for event in batch.events] == [5000, 7000, 8123, 9000]
    assert batch.events[0].attributes == {"fans_level": "12"}
    assert batch.warnings == ("columns about a person are not kept: nickname",)


def test_chinese_titles_and_local_times() -> None:
    path = DATA / "comments_gb18030.csv"
    (batch,) = open_source(path, SourceOptions(now_ms=NOW, utc_offset=480))[1]
    assert [event.text for event in batch.events] == ["这个面霜过敏吗", "求链接", "已拍"]
    assert [event.speaker for event in batch.events] == [
        Speaker(Role.VIEWER, "小鱼"), Speaker(Role.VIEWER, "小鱼"), Speaker(Role.VIEWER, "host"),
    ]
    assert batch.events[0].at == 1795435205000
    assert "GB18030" in batch.warnings[0]
    (batch,) = open_source(path, OPTIONS)[1]
    assert [(r.line, r.field, r.reason) for r in batch.rejected] == [
        (line, "time", "the time has no offset") for line in (2, 3, 4)
    ]


def test_a_transcript_saved_by_a_spreadsheet() -> None:
    (batch,) = open_source(DATA / "speech_utf16.tsv", OPTIONS)[1]
    first, second = batch.events
    assert (first.kind, first.offset_ms, first.duration_ms) == (Kind.TRANSCRIPT, 4100, 3200)
    assert first.speaker == Speaker(Role.HOST, "安安")
    assert (second.text, second.speaker) == ('画面"很清楚', Speaker(Role.ASSISTANT, ""))


def test_every_field_of_the_schema_is_a_column() -> None:
    for field in Event.__struct_fields__:
        assert field in COLUMNS or field == "attributes"
    data = (
        "id,kind,text,source,room,broadcast,stage,at,offset_ms,duration_ms,speaker,confidence,final,revision,sku\n"
        "x,caption,hi,s,r,b,clip,1700000000000,5,6,official,0.5,false,3,A-1\n"
    )
    assert one(data) == Event(
        id="x", kind=Kind.CAPTION, text="hi", source="s", room="r", broadcast="b", stage=Stage.CLIP,
        at=1_700_000_000_000, offset_ms=5, duration_ms=6, speaker=Speaker(Role.OFFICIAL), confidence=0.5,
        final=False, revision=3, attributes={"sku": "A-1"},
    )


def test_no_alias_means_two_columns() -> None:
    names = [name for field, aliases in COLUMNS.items() for name in (field, *aliases.split())]
    assert len(names) == len(set(names))
    assert all(field_of(name.upper()) in COLUMNS for name in names)
    assert field_of(" Room-ID ") == "room"


@pytest.mark.parametrize("word", ["host", "assistant", "official", "guest"])
def test_a_nickname_is_never_a_role(word: str) -> None:
    assert one(f"text,speaker\nhi,{word}\n").speaker == Speaker(Role.VIEWER, word)
    assert one(f"text,user\nhi,{word}\n").speaker == Speaker(Role.VIEWER, word)
    assert one(f"kind,text,speaker\ntranscript,hi,{word}\n").speaker == Speaker(Role(word))
    assert one(f"kind,role,text,speaker\ntranscript,guest,hi,{word}\n").speaker == Speaker(Role.GUEST, word)


def test_who_speaks_where_nobody_says() -> None:
    assert one("text,x\nhi,1\n").speaker == Speaker(Role.UNKNOWN)
    assert one("text,duration\nhi,1\n").speaker == Speaker(Role.HOST)
    named = SourceOptions(now_ms=NOW, role=Role.GUEST, speaker="anna")
    assert one("text,duration\nhi,1\n", named).speaker == Speaker(Role.GUEST, "anna")


@pytest.mark.parametrize(
    ("title", "cell", "at", "offset"),
    [
        ("at", "1700000000000", 1_700_000_000_000, None),
        ("at", "5", 5, None),
        ("time", "1700000000", 1_700_000_000_000, None),
        ("timestamp", "1700000000.25", 1_700_000_000_250, None),
        ("时间", "1700000000000", 1_700_000_000_000, None),
        ("time", "12.5", None, 12_500),
        ("time", "1:02:03", None, 3_723_000),
        ("start", "02:03.4", None, 123_400),
        ("start_ms", "77", None, 77),
        ("at", "2023-11-14T22:13:20Z", 1_700_000_000_000, None),
        ("at", "2023/11/15 06:13:20+08:00", 1_700_000_000_000, None),
    ],
)
def test_times(title: str, cell: str, at: int | None, offset: int | None) -> None:
    event = one(f"text,{title}\nhi,{cell}\n")
    assert (event.at, event.offset_ms) == (at, offset)


@pytest.mark.parametrize(
    ("titles", "cells", "field"),
    [
        ("text,at", "hi,yesterday", "at"),
        ("text,at", "hi,2023-11-14 22:13:20", "at"),
        ("text,at", "hi,1900000000000", "at"),
        ("text,at", "hi,-4", "at"),
        ("text,offset_ms", "hi,1.5", "offset_ms"),
        ("text,offset", "hi,99999999", "offset_ms"),
        ("text,duration", "hi,soon", "duration"),
        ("text,duration_ms", "hi,-1", "duration_ms"),
        ("text,end_ms,confidence", "hi,1,2", "confidence"),
        ("text,confidence", "hi,high", "confidence"),
        ("text,final", "hi,perhaps", "final"),
        ("text,revision", "hi,-1", "revision"),
        ("text,kind", "hi,poem", "kind"),
        ("text,kind", "hi,signal", "text"),
        ("text,role", "hi,king", "role"),
        ("text,stage", "hi,moon", "stage"),
        ("text,room", "hi," + "r" * 257, "room"),
        ("text,id", "hi," + "i" * 257, "id"),
        ("text,x", "h" * 10_001 + ",1", "text"),
        ("text,x", "hi,there,again", ""),
    ],
)
def test_a_faulty_row_is_named_and_the_rest_kept(titles: str, cells: str, field: str) -> None:
    events, lines, rejected = collected(f"{titles}\nok\n{cells}\nok\n")
    assert [(r.line, r.field) for r in rejected] == [(3, field)]
    assert rejected[0].reason and rejected[0].hint
    assert lines == [2, 4] and len(events) == 2


def test_a_stray_quote_costs_one_row() -> None:
    rows = "\n".join(f"{n},row {n}" for n in range(200))
    events, _, rejected = collected(f'offset,text\n1,"open\n{rows}\n3,a "quoted" word\n4,"x"y\n')
    assert [(r.line, r.field) for r in rejected] == [(2, "")]
    assert len(events) == 202
    assert [event.text for event in events[-2:]] == ['a "quoted" word', "xy"]


@pytest.mark.parametrize("tail", ["2", "2,", '2,"be', '2,"be\nfore'])
def test_a_cut_row_is_said_to_be_cut(tail: str) -> None:
    events, _, rejected = collected(f"offset,text,x\n1,a,b\n{tail}")
    assert len(events) == 1
    assert [(r.line, r.reason) for r in rejected] == [(3, "the file ends in the middle of an item")]


def test_short_rows_blank_rows_and_signs() -> None:
    events, lines, rejected = collected("sep=;\r\ntext;kind;sku\r\n\r\na\r\n;comment;\r\nb;;x;;\r\n")
    assert (lines, rejected) == ([4, 6], [])
    assert [event.text for event in events] == ["a", "b"]


def test_equal_rows_have_their_own_ids_and_keep_them() -> None:
    data = "text,offset\n666,1\n666,1\n666,2\n"
    first, second = (collected(data)[0] for _ in range(2))
    assert first == second
    assert len({event.id for event in first}) == 3
    assert [event.id for event in collected(data + "666,1\n")[0]][:3] == [event.id for event in first]


def test_a_gift_row_is_a_signal() -> None:
    event = one("kind,text,uid,price\nsignal,gift,7,30\n", SourceOptions(now_ms=NOW, kind=Kind.CAPTION))
    assert (event.kind, event.attributes) == (Kind.SIGNAL, {"price": "30"})


@pytest.mark.parametrize(
    "head", ["text\nhi\n", "a,b\n1,2\n", '{"text":1,"b":2}', "[text,b]", "<text,b>", "今天，内容\n"]
)
def test_what_is_no_table_with_texts(head: str) -> None:
    assert not sniff(head.encode())


def test_without_a_column_for_the_text_nothing_is_read() -> None:
    with pytest.raises(InputError, match="no column for the text"):
        collected("a,b\n1,2\n")


plain = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=12)


@settings(deadline=None)
@given(st.lists(st.tuples(plain, plain | st.just('a "b"\nc,d;e\tf')), max_size=6), st.sampled_from([",", ";", "\t"]))
def test_what_a_writer_of_tables_writes_is_read(rows: list[tuple[str, str]], delimiter: str) -> None:
    out = io.StringIO()
    writer = csv.writer(out, delimiter=delimiter, lineterminator="\r\n")
    writer.writerows([("text", "tag"), *rows])
    events, _, rejected = collected(out.getvalue())
    expected = [(text.strip(), tag.strip()) for text, tag in rows if text.strip()]
    assert rejected == []
    assert [(event.text, event.attributes.get("tag", "")) for event in events] == expected
