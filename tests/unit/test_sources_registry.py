"""Opening files: which format, which compression, which encoding, and what is said where none fits."""

import gzip
import io
import re
import zipfile
from pathlib import Path

import pytest
import zstandard

from monitor.adapters.sources import SOURCES, Batch, SourceOptions, open_source
from monitor.adapters.sources.columns import COLUMNS
from monitor.adapters.sources.json_items import MODES
from monitor.domain.errors import InputError
from monitor.domain.events import Event, Kind
from monitor.domain.rejections import Rejected

DATA = Path(__file__).parent.parent / "data" / "sources"
NOW = 1_800_000_000_000
OPTIONS = SourceOptions(now_ms=NOW, utc_offset=480)

FORMAT_OF = {
    "bililive_tools.xml": "danmaku_xml",
    "bililiverecorder.xml": "danmaku_xml",
    "biliup.xml": "danmaku_xml",
    "blrec_running.xml": "danmaku_xml",
    "site.xml": "danmaku_xml",
    "comments.csv": "csv",
    "comments_gb18030.csv": "csv",
    "speech_utf16.tsv": "csv",
    "danmaku2ass.ass": "ass",
    "danmaku_factory.ass": "ass",
    "speech.ass": "ass",
    "events.json": "ndjson",
    "events.ndjson": "ndjson",
    "funasr_2pass.jsonl": "funasr",
    "funasr_client_log.jsonl": "funasr",
    "funasr_offline.json": "funasr",
    "hls.vtt": "vtt",
    "speech.vtt": "vtt",
    "speech.srt": "srt",
    "speech_gb18030.srt": "srt",
    "speech_sloppy.srt": "srt",
}


def everything(batches: "list[Batch]") -> tuple[list[Event], list[int], list[Rejected], list[str]]:
    return (
        [event for batch in batches for event in batch.events],
        [line for batch in batches for line in batch.lines],
        [rejected for batch in batches for rejected in batch.rejected],
        [warning for batch in batches for warning in batch.warnings],
    )


def utf8(name: str) -> bytes:
    data = (DATA / name).read_bytes()
    encoding = "gb18030" if "gb18030" in name else "utf-16" if "utf16" in name else "utf-8"
    return data.decode(encoding).encode()


def test_every_fixture_has_its_format() -> None:
    assert {path.name for path in DATA.iterdir()} == set(FORMAT_OF)
    assert {source.NAME for source in SOURCES} == set(FORMAT_OF.values()) | {"script"}  # which no content shows


@pytest.mark.parametrize("name", sorted(FORMAT_OF))
def test_a_fixture_is_its_own_format_and_no_other(name: str) -> None:
    assert [source.NAME for source in SOURCES if source.sniff(utf8(name))] == [FORMAT_OF[name]]


@pytest.mark.parametrize("name", sorted(FORMAT_OF))
@pytest.mark.parametrize("size", [0, 1, 10, 40])
def test_a_short_head_is_never_two_formats(name: str, size: int) -> None:
    assert len([source.NAME for source in SOURCES if source.sniff(utf8(name)[:size])]) <= 1


@pytest.mark.parametrize("name", sorted(FORMAT_OF))
@pytest.mark.parametrize("packing", ["plain", "gzip", "zstd", "two gzip members", "two zstd frames", "path"])
def test_packing_changes_nothing(name: str, packing: str, tmp_path: Path) -> None:
    data = (DATA / name).read_bytes()
    expected = everything(list(open_source(DATA / name, OPTIONS)[1]))
    assert expected[0]
    zstd, half = zstandard.ZstdCompressor(), len(data) // 2
    packed = {
        "plain": data,
        "path": data,
        "gzip": gzip.compress(data),
        "zstd": zstd.compress(data),
        "two gzip members": gzip.compress(data[:half]) + gzip.compress(data[half:]),
        "two zstd frames": zstd.compress(data[:half]) + zstd.compress(data[half:]),
    }[packing]
    misleading = tmp_path / "a.exe"
    misleading.write_bytes(packed)
    found, batches = open_source(misleading if packing == "path" else io.BytesIO(packed), OPTIONS)
    assert found == FORMAT_OF[name]
    assert everything(list(batches)) == expected


class Dribble:
    """Gives a few bytes at a time, as a pipe may."""

    def __init__(self, data: bytes, step: int) -> None:
        self._file = io.BytesIO(data)
        self._step = step

    def read(self, size: int, /) -> bytes:
        return self._file.read(min(size, self._step))


@pytest.mark.parametrize("name", sorted(FORMAT_OF))
@pytest.mark.parametrize("step", [1, 3, 61])
def test_how_the_bytes_arrive_changes_nothing(name: str, step: int) -> None:
    data = utf8(name)
    source = next(source for source in SOURCES if FORMAT_OF[name] == source.NAME)
    whole = everything(list(source.read(io.BytesIO(data), OPTIONS)))
    assert whole[0]
    assert everything(list(source.read(Dribble(data, step), OPTIONS))) == whole
    assert everything(list(source.read(Dribble(b"\xef\xbb\xbf" + data, step), OPTIONS))) == whole


@pytest.mark.parametrize("name", sorted(FORMAT_OF))
def test_reading_twice_gives_the_same_ids(name: str) -> None:
    first, second = (everything(list(open_source(DATA / name, OPTIONS)[1]))[0] for _ in range(2))
    assert [event.id for event in first] == [event.id for event in second]
    finals = [event.id for event in first if event.final]
    assert len(finals) == len(set(finals))


@pytest.mark.parametrize("name", sorted(set(FORMAT_OF) - {"events.ndjson", "events.json"}))
def test_another_broadcast_gives_other_ids(name: str) -> None:
    one, other = (
        {event.id for event in everything(list(open_source(DATA / name, options)[1]))[0]}
        for options in (
            SourceOptions(now_ms=NOW, utc_offset=480, broadcast="b-1"),
            SourceOptions(now_ms=NOW, utc_offset=480, room="r", started_at=1_700_000_000_000),
        )
    )
    assert one and (not one & other or name == "comments.csv")


@pytest.mark.parametrize("name", sorted(set(FORMAT_OF) - {"events.ndjson", "events.json"}))
def test_a_speaker_is_an_object_so_that_no_nickname_is_a_role(name: str) -> None:
    for event in everything(list(open_source(DATA / name, OPTIONS)[1]))[0]:
        assert not isinstance(event.speaker, str) and event.speaker is not None


@pytest.mark.parametrize("data", [b"", b"\n \r\n\t", b"\xef\xbb\xbf", b"\xff\xfe", gzip.compress(b"")])
def test_an_empty_file_has_no_events(data: bytes) -> None:
    name, batches = open_source(io.BytesIO(data), OPTIONS)
    assert (name, list(batches)) == ("empty", [])


def test_marks_and_encodings() -> None:
    text = (DATA / "speech.srt").read_text(encoding="utf-8")
    expected = [event.text for event in everything(list(open_source(DATA / "speech.srt", OPTIONS)[1]))[0]]
    for encoding in ("utf-8-sig", "utf-16", "gb18030"):
        _, batches = open_source(io.BytesIO(text.encode(encoding)), OPTIONS)
        events, _, rejected, warnings = everything(list(batches))
        assert ([event.text for event in events], rejected) == (expected, [])
        assert bool(warnings) == (encoding == "gb18030")
    named = SourceOptions(now_ms=NOW, encoding="GBK")
    _, batches = open_source(io.BytesIO(text.encode("gb18030").replace(b"\n", b"\r\n")), named)
    assert [event.text for event in everything(list(batches))[0]] == expected
    named = SourceOptions(now_ms=NOW, encoding="Big5")
    _, batches = open_source(io.BytesIO("1\n00:00:01,000 --> 00:00:02,000\n絕對\n".encode("big5")), named)
    assert [event.text for event in everything(list(batches))[0]] == ["絕對"]


def test_the_encoding_is_decided_where_the_first_foreign_byte_stands() -> None:
    lead = b"".join(b"%d\n00:00:01,000 --> 00:00:02,000\nhello\n\n" % i for i in range(4000))
    assert len(lead) > 100_000
    _, batches = open_source(io.BytesIO(lead + "9\n00:00:01,000 --> 00:00:02,000\n你好\n".encode("gb18030")), OPTIONS)
    events, _, rejected, warnings = everything(list(batches))
    assert (len(events), events[-1].text, rejected, len(warnings)) == (4001, "你好", [], 1)


def test_damage_in_utf8_costs_its_line_only() -> None:
    lines = [f"00:00:{i:02},000 --> 00:00:59,000\n第{i}句话说得很清楚\n" for i in range(30)]
    damaged = "\n".join(lines).encode().replace("第7".encode(), b"\xe7\xac7")
    events, _, rejected, warnings = everything(list(open_source(io.BytesIO(damaged), OPTIONS)[1]))
    assert len(events) == 29
    assert [(r.line, r.reason) for r in rejected] == [(23, "the bytes are not valid UTF-8")]
    assert warnings == []


def test_damage_in_a_named_encoding_is_told() -> None:
    data = b"1\n00:00:01,000 --> 00:00:02,000\n\xff\xff ok\n"
    _, batches = open_source(io.BytesIO(data), SourceOptions(now_ms=NOW, encoding="gbk"))
    events, _, _, warnings = everything(list(batches))
    assert "\ufffd" in events[0].text and "U+FFFD" in warnings[0]


def zipped() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("a.xml", "<a/>")
    return out.getvalue()


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (zipped(), "Office document"),
        (gzip.compress(gzip.compress(b"x")), "compressed twice"),
        (b"\x00\x00\x00\x18ftypmp42", "recording"),
        (b"FLV\x01\x05", "recording"),
        (b"%PDF-1.7", "PDF"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "old Office document"),
        ("这款全网最低\n".encode("gb18030"), "begins with '这款全网最低'"),
        (b"<!DOCTYPE html><html>", "HTML"),
        (b"<rss><channel/></rss>", "its root is <i>"),
        (b'["a", "b"]', "JSON, but neither"),
        (b"a\0b", "not text"),
        ("今天天气不错".encode(), "begins with '今天天气不错'"),
        (b"name,age\nx,3\n", "begins with 'name,age'"),
    ],
)
def test_what_fits_no_format_is_described(data: bytes, says: str) -> None:
    with pytest.raises(InputError) as caught:
        open_source(io.BytesIO(data), OPTIONS)
    assert says in caught.value.message
    assert "danmaku_xml, vtt, ass, srt, funasr, ndjson, csv" in caught.value.hint


def test_a_missing_file_and_a_bad_encoding_are_input_errors(tmp_path: Path) -> None:
    for path in (tmp_path / "none.srt", tmp_path, "a\0b"):
        with pytest.raises(InputError, match="cannot open"):
            open_source(path, OPTIONS)
    for encoding in ("zlib", "klingon", "utf-7"):
        with pytest.raises(InputError, match="unknown encoding"):
            open_source(DATA / "speech.srt", SourceOptions(now_ms=NOW, encoding=encoding))


@pytest.mark.parametrize(
    "given",
    [{"room": "r" * 257}, {"source": ""}, {"kind": Kind.SIGNAL}, {"started_at": -1}],
)
def test_options_are_checked(given: dict[str, object]) -> None:
    with pytest.raises(InputError):
        SourceOptions(now_ms=NOW, **given)  # type: ignore[arg-type]


@pytest.mark.parametrize("name", sorted(FORMAT_OF))
def test_the_format_can_be_named(name: str) -> None:
    expected = everything(list(open_source(DATA / name, OPTIONS)[1]))
    found, batches = open_source(DATA / name, OPTIONS, form=FORMAT_OF[name])
    assert (found, everything(list(batches))) == (FORMAT_OF[name], expected)
    found, batches = open_source(io.BytesIO(b"no srt"), OPTIONS, form="srt")
    assert (found, list(batches)) == ("srt", [])
    assert open_source(io.BytesIO(b""), OPTIONS, form="srt")[0] == "empty"
    with pytest.raises(InputError, match="no source format 'doc'"):
        open_source(DATA / name, OPTIONS, form="doc")


class Pipe:
    """Gives one line at a time, and says when more than one was asked for."""

    def __init__(self, data: bytes) -> None:
        self._lines = data.splitlines(keepends=True)
        self.given = 0

    def read(self, size: int, /) -> bytes:
        assert size >= len(self._lines[self.given])
        self.given += 1
        return self._lines[self.given - 1]


@pytest.mark.parametrize(
    ("name", "lines"), [("events.ndjson", 1), ("funasr_2pass.jsonl", 1), ("comments.csv", 1), ("speech.vtt", 1),
                        ("danmaku2ass.ass", 1), ("bililive_tools.xml", 3), ("speech.srt", 2)]
)
def test_a_pipe_is_recognised_by_its_first_lines(name: str, lines: int) -> None:
    pipe = Pipe((DATA / name).read_bytes())
    assert open_source(pipe, OPTIONS)[0] == FORMAT_OF[name]
    assert pipe.given == lines


def test_a_live_pipe_gives_its_events_as_they_come() -> None:
    for name in ("events.ndjson", "funasr_2pass.jsonl", "bililive_tools.xml"):
        pipe = Pipe((DATA / name).read_bytes())
        _, batches = open_source(pipe, OPTIONS)
        assert [len(next(batches).events) for _ in range(2)] == [1, 1]
        assert pipe.given <= 4


def test_many_formats_in_a_row_are_tried_at_growing_lengths() -> None:
    tried = []

    class Counting:
        def read(self, size: int, /) -> bytes:
            tried.append(size)
            return b"nothing known \n" if len(tried) < 3000 else b""

    with pytest.raises(InputError, match="no known format"):
        open_source(Counting(), OPTIONS)
    assert 1000 < len(tried) <= 3000


@pytest.mark.parametrize(
    ("line", "name"),
    [
        (b'{"attributes":{"mode":"online"},"id":"1","kind":"comment","text":"a"}\n', "ndjson"),
        (b'{"text":"\\"kind\\": x","mode":"offline"}\n', "funasr"),
        (b'[{"mode": "2pass-online", "text": "a"}]', "funasr"),
        (b"[]", "ndjson"),
        (b"{}", "ndjson"),
        (b"[", "ndjson"),
    ],
)
def test_json_is_told_apart_by_its_fields(line: bytes, name: str) -> None:
    assert open_source(io.BytesIO(line), OPTIONS)[0] == name


@pytest.mark.parametrize("read", [0, 1])
def test_a_file_is_closed_when_the_iterator_is_dropped(read: int, recwarn: pytest.WarningsRecorder) -> None:
    _, batches = open_source(DATA / "speech.srt", OPTIONS)
    for _ in range(read):
        next(batches)
    del batches
    assert [str(warning.message) for warning in recwarn] == []


def test_a_stream_stays_open() -> None:
    stream = io.BytesIO((DATA / "speech.srt").read_bytes())
    list(open_source(stream, OPTIONS)[1])
    assert not stream.closed


def test_options_fill_what_the_file_leaves_open() -> None:
    given = SourceOptions(
        now_ms=NOW, utc_offset=480, source="s", room="r", broadcast="b", started_at=1_700_000_000_000
    )
    for name in sorted(set(FORMAT_OF) - {"events.ndjson"}):
        events, *_ = everything(list(open_source(DATA / name, given)[1]))
        for event in events:
            assert (event.source, event.room, event.broadcast) == ("s", "r", "b")
            if event.offset_ms is not None and name != "comments.csv":
                assert event.at == 1_700_000_000_000 + event.offset_ms


def test_a_start_in_the_future_is_refused() -> None:
    late = SourceOptions(now_ms=NOW, started_at=NOW + 10**9)
    for name in ("speech.srt", "events.json"):
        events, _, rejected, _ = everything(list(open_source(DATA / name, late)[1]))
        assert {r.field for r in rejected} == {"at"}
        assert all(event.at is None for event in events)


def test_the_kind_can_be_named() -> None:
    given = SourceOptions(now_ms=NOW, kind=Kind.SCRIPT)
    for name in ("speech.srt", "bililiverecorder.xml", "events.ndjson"):
        kinds = {event.kind for event in everything(list(open_source(DATA / name, given)[1]))[0]}
        assert Kind.SCRIPT in kinds and kinds <= {Kind.SCRIPT, Kind.SIGNAL}


def test_the_docs_name_every_format_and_column() -> None:
    docs = (Path(__file__).parents[2] / "docs" / "sources.md").read_text(encoding="utf-8")
    words = set(re.findall(r"[\w.]+", docs))
    missing = {source.NAME for source in SOURCES} - words
    missing |= {name for field, aliases in COLUMNS.items() for name in (field, *aliases.split())} - words
    assert not missing
    assert all(word in docs for word in (*MODES, "sc", "gift", "guard", "toast"))


@pytest.mark.parametrize("name", ["script.txt", "SCRIPT.MD"])
def test_a_text_of_no_format_is_a_script_where_its_name_ends_like_one(name: str) -> None:
    text = "开场白\n\n  今天这款全网最低  \n".encode()
    found, batches = open_source(io.BytesIO(text), OPTIONS, name=name)
    events, lines, _, _ = everything(list(batches))
    assert found == "script"
    assert {(e.kind, e.stage) for e in events} == {("script", "preair")}
    assert [e.text for e in events] == ["开场白", "今天这款全网最低"]
    assert lines == [1, 3]
    with pytest.raises(InputError, match="no known format"):
        open_source(io.BytesIO(text), OPTIONS, name="script.log")


@pytest.mark.parametrize("first", ["[开场] 晚上好", "[00:10] 晚上好", "<音乐起> 晚上好", "{主播}晚上好"])
@pytest.mark.parametrize("codec", ["utf-8", "utf-16", "utf-8-sig"])
def test_a_script_may_begin_with_brackets_and_be_utf_16(first: str, codec: str) -> None:
    found, batches = open_source(io.BytesIO(f"{first}\n今天这款全网最低\n".encode(codec)), OPTIONS, name="script.txt")
    assert found == "script"
    assert [e.text for e in everything(list(batches))[0]] == [first, "今天这款全网最低"]


def test_a_named_script_with_a_format_of_its_own_is_that() -> None:
    found, batches = open_source(io.BytesIO(b"1\n00:00:01,000 --> 00:00:02,000\nhi\n\n"), OPTIONS, name="cues.txt")
    list(batches)
    assert found == "srt"


def test_a_word_document_is_read_by_paragraph_and_row(tmp_path: Path) -> None:
    import docx

    document = docx.Document()
    document.add_paragraph("开场白")
    row = document.add_table(1, 2).rows[0]
    row.cells[0].text, row.cells[1].text = "话术", "销量第一"
    document.save(str(tmp_path / "a.docx"))
    _, batches = open_source(tmp_path / "a.docx", OPTIONS)
    assert [event.text for event in everything(list(batches))[0]] == ["开场白", "话术 销量第一"]
    with pytest.raises(InputError, match="no Word document"):
        open_source(io.BytesIO(b"PK\x03\x04 broken"), OPTIONS, name="a.docx")


def word(**parts: bytes) -> io.BytesIO:
    """A document with these parts changed (`document`, `styles`: their XML)."""
    import docx

    made, out = io.BytesIO(), io.BytesIO()
    docx.Document().save(made)
    with zipfile.ZipFile(made) as before, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as after:
        for info in before.infolist():
            name = info.filename.removeprefix("word/").removesuffix(".xml").strip("[]")
            after.writestr(info.filename, parts.get(name, before.read(info)))
    out.seek(0)
    return out


def body(inner: str) -> bytes:
    return (f'<w:document xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"><w:body>{inner}'
            "</w:body></w:document>").encode()


def said(text: str) -> str:
    return f"<w:p><w:r><w:t>{text}</w:t></w:r></w:p>"


def test_a_word_document_is_no_larger_than_its_file_says() -> None:
    """Cells that span two thousand million columns, and rows merged upwards without end."""
    cell = f'<w:tc><w:tcPr><w:gridSpan w:val="2000000000"/><w:vMerge/></w:tcPr>{said("销量第一")}</w:tc>'
    nested = f"<w:tbl><w:tr><w:tc>{said('内')}</w:tc></w:tr></w:tbl>"
    rows = f"<w:tr>{cell}<w:tc>{said('话术')}{nested}</w:tc></w:tr>" + f"<w:tr>{cell}</w:tr>" * 1_500
    _, batches = open_source(word(document=body(f"{said('开场白')}<w:tbl>{rows}</w:tbl>")), OPTIONS, name="a.docx")
    texts = [event.text for event in everything(list(batches))[0]]
    assert texts[:4] == ["开场白", "销量第一 话术", "内", "销量第一"] and len(texts) == 1_503


def test_a_word_document_reads_no_other_file() -> None:
    head = b"<!DOCTYPE l [<!ENTITY a SYSTEM 'file:///etc/passwd'><!ENTITY b 'bbbb'>]>"
    _, batches = open_source(word(document=head + body(said("好&a;&b;"))), OPTIONS, name="a.docx")
    assert [event.text for event in everything(list(batches))[0]] == ["好"]


@pytest.mark.parametrize("parts, told", [
    ({"document": body(said("a") + " " * 11_000_000)}, "10,000,000 bytes of text"),
    ({"styles": b" " * 11_000_000}, "10,000,000 bytes of text"), ({"document": b"<w:document"}, "no Word document"),
    ({"Content_Types": b"<x/>"}, "no Word document"), ({"document": body("<w:p><w:x></w:p>")}, "no Word document"),
])
def test_a_word_document_that_is_none_is_refused(parts: dict[str, bytes], told: str) -> None:
    with pytest.raises(InputError, match=told):
        open_source(word(**parts), OPTIONS, name="a.docx")
