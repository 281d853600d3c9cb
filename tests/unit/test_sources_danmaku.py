"""Danmaku XML in the dialects of several recorders: whole, unclosed, cut off, broken, hostile."""

import io
import itertools
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.adapters.sources import Batch, SourceOptions, open_source
from monitor.adapters.sources.danmaku_xml import read, sniff
from monitor.domain.events import Event, Kind, Role, Speaker
from monitor.domain.rejections import Rejected

DATA = Path(__file__).parent.parent / "data" / "sources"
OPTIONS = SourceOptions(now_ms=1_800_000_000_000)
VIEWER = Role.VIEWER


def parsed(batches: "list[Batch]") -> tuple[list[Event], list[Rejected]]:
    return [e for batch in batches for e in batch.events], [r for batch in batches for r in batch.rejected]


def collected(data: str | bytes, options: SourceOptions = OPTIONS) -> tuple[list[Event], list[Rejected]]:
    return parsed(list(read(io.BytesIO(data.encode() if isinstance(data, str) else data), options)))


def fixture(name: str, options: SourceOptions = OPTIONS) -> tuple[list[Event], list[Rejected]]:
    return parsed(list(open_source(DATA / name, options)[1]))


def facts(events: list[Event]) -> list[tuple[str, str, str, int | None]]:
    return [
        (event.kind.value, event.text, event.speaker.id, event.offset_ms)
        for event in events if isinstance(event.speaker, Speaker)
    ]


def test_bililiverecorder() -> None:
    events, rejected = fixture("bililiverecorder.xml")
    assert rejected == []
    assert facts(events) == [
        ("comment", "来啦 <3 & 晚上好", "4410021", 3042),
        ("comment", "多少钱", "小**", 0),
        ("comment", "讲讲成分表", "阿岚", 12500),
        ("signal", "gift", "小鱼不吃鱼", 13250),
        ("signal", "gift", "阿岚", 14000),
        ("comment", "多少钱", "4410021", 15500),
        ("comment", "多少钱", "4410021", 15500),
    ]
    assert {event.speaker.role for event in events if isinstance(event.speaker, Speaker)} == {VIEWER}
    assert events[2].attributes == {"superchat": True, "price": 30}
    assert events[3].attributes == {"type": "gift", "gift_name": "小花花", "num": 10}
    assert events[4].attributes == {"type": "guard", "level": 3, "num": 1}
    assert len({event.id for event in events}) == 7
    assert all(event.at is None for event in events)


def test_blrec_while_it_still_writes() -> None:
    events, rejected = fixture("blrec_running.xml")
    assert facts(events) == [
        ("comment", "主播好", "4410021", 1250),
        ("signal", "gift", "4410023", 2000),
        ("signal", "gift", "4410022", 3000),
        ("signal", "gift", "4410022", 3001),
        ("comment", "孕妇能用吗", "4410022", 4000),
    ]
    assert [(r.line, r.reason) for r in rejected] == [(25, "the file ends in the middle of an item")]
    assert events[1].attributes == {"type": "gift", "gift_name": "辣条", "num": 5, "price": 100, "coin": "银瓜子"}
    assert events[3].attributes["type"] == "toast"


def test_biliup_places_its_payments_by_the_comments() -> None:
    events, rejected = fixture("biliup.xml")
    assert rejected == []
    assert facts(events) == [
        ("comment", "扣1", "4410021", 1002),
        ("comment", "能便宜点吗", "4410022", 2002),
        ("signal", "gift", "4410023", 3002),
        ("signal", "gift", "4410022", 4002),
        ("comment", "扣1", "", 2500),
    ]
    assert [event.attributes.get("type") for event in events] == [None, None, "gift", "guard", None]


def test_a_wall_clock_alone_is_the_time() -> None:
    data = '<i><s timestamp="1795435204" uid="7" price="30" type="super_chat">贵</s></i>'
    (event,), _ = collected(data)
    assert (event.at, event.offset_ms) == (1795435204000, None)
    (event,), _ = collected(data, SourceOptions(now_ms=OPTIONS.now_ms, started_at=1795435200000))
    assert (event.at, event.offset_ms) == (1795435204000, 4000)


def test_bililive_tools_and_the_video_site() -> None:
    events, rejected = fixture("bililive_tools.xml")
    assert rejected == []
    assert facts(events) == [
        ("comment", "开播了", "98001", 0), ("comment", "链接在哪", "momo", 1204), ("signal", "gift", "98002", 2200),
    ]
    events, rejected = fixture("site.xml")
    assert rejected == []
    assert facts(events) == [("comment", "回放也来看看", "a16fe0dd", 490191), ("comment", "真的吗", "4fe08d3", 18773)]


def test_no_name_of_a_viewer_becomes_an_attribute() -> None:
    for path in DATA.glob("*.xml"):
        for event in fixture(path.name)[0]:
            for value in event.attributes.values():
                assert not any(name in str(value) for name in ("小鱼", "阿岚", "阿青", "momo", "44100"))


def test_what_is_within_other_elements_is_no_comment() -> None:
    assert b"not a comment" in (DATA / "bililiverecorder.xml").read_bytes()
    events, _ = collected('<i><meta><d p="1">no</d></meta><d p="1">yes<b>no</b>!</d></i>')
    assert [event.text for event in events] == ["yes!"]


@pytest.mark.parametrize("tag", ["sc", "gift", "guard", "toast"])
def test_payments_without_words_are_signals(tag: str) -> None:
    (event,), _ = collected(f'<i><{tag} ts="1" user="host" price="1.5" count="2"/></i>')
    assert (event.kind, event.text, event.speaker) == (Kind.SIGNAL, "gift", Speaker(VIEWER, "host"))
    assert event.attributes == {"type": "superchat" if tag == "sc" else tag, "price": 1.5, "num": 2}


def test_the_place_of_a_row_in_a_data_base_is_no_id() -> None:
    (one, two), _ = collected('<i><d p="1,1,25,0,0,0,7,99">a</d><d p="1,1,25,0,0,0,7,99">a</d></i>')
    assert one.id != two.id


BROKEN = [
    '<d p="2">a & b</d>',
    '<d p="2">1 < 2</d>',
    '<d p="2">&nbsp;</d>',
    '<d p="2" user=x>no quotes</d>',
    '<d p="2">not closed',
    '<d p="2"',
    '<d p="2" p="2">twice</d>',
    '<d p="2">a</b>',
    '<d p="x">a</d>',
    "<d>a</d>",
    '<gift user="a"/>',
    '<d p="99999999">a</d>',
    '<d p="nan">a</d>',
    '<d p="2">' + "x" * 10_001 + "</d>",
    "<a>" * 100,
    "<!DOCTYPE i>",
    '<?xml version="1.0"?>',
]


@pytest.mark.parametrize("broken", BROKEN)
def test_a_broken_item_costs_itself(broken: str) -> None:
    before = "".join(f'<d p="1">b{n}</d>\n' for n in range(3))
    after = "".join(f'<d p="3">a{n}</d>\n' for n in range(700))
    events, rejected = collected(f"<i>\n{before}{broken}\n{after}</i>")
    assert [event.text for event in events] == [*(f"b{n}" for n in range(3)), *(f"a{n}" for n in range(700))]
    assert [r.line for r in rejected] == ([] if broken.startswith("<?xml") else [5])


def test_many_broken_items_take_their_time_each() -> None:
    events, rejected = collected("<i>" + '<d p="1">not closed\n' * 20_000)
    assert (events, len(rejected)) == ([], 20_000)
    assert [r.line for r in rejected] == list(range(1, 20_001))


def test_a_recorder_that_was_restarted_appends_a_file() -> None:
    part = '<?xml version="1.0" encoding="UTF-8"?>\n<i>\n<d p="1">a</d>\n</i>\n'
    for join in (part * 3, part.replace("</i>\n", "") * 3):
        events, rejected = collected(join)
        assert ([event.text for event in events], rejected) == (["a"] * 3, [])


def test_items_after_the_end_of_the_root_count() -> None:
    events, rejected = collected('<i><d p="1">a</d></i>\n<d p="2">b</d><d p="3">c</d>')
    assert ([event.text for event in events], rejected) == (["a", "b", "c"], [])


WHOLE = '<?xml version="1.0"?>\n<i>\n<d p="1" user="x">一</d>\n<sc ts="2" price="3">二</sc>\n</i>\n'


@pytest.mark.parametrize("cut", range(len(WHOLE.encode()) + 1))
def test_wherever_the_file_ends(cut: int) -> None:
    data = WHOLE.encode()[:cut]
    events, rejected = collected(data)
    ends = [data.find(b"</d>") >= 0, data.find(b"</sc>") >= 0]
    assert [event.text for event in events] == [text for text, end in zip("一二", ends, strict=True) if end]
    assert len(rejected) <= 1 and all("middle of an item" in r.reason for r in rejected)
    begun = data.count(b"<d ") + data.count(b"<sc ") - sum(ends)
    assert len(rejected) >= begun


def test_bytes_that_no_xml_may_hold_are_left_out() -> None:
    text = "a\x00b\x08c\x1fd\ufffe\uffffe"
    data = f'<i><d p="1" user="\x07u">{text}&#x1F;&#0;&#27;&#xFFFF;f\tg</d></i>'.encode()
    events, rejected = collected(data.replace(b"abc", b"ab\xffc"))
    assert (facts(events), rejected) == ([("comment", "abcdef\tg", "u", 1000)], [])
    events, rejected = collected(b'<i><d p="1">a\xff\xe4\xbd</d></i>')
    assert ([event.text for event in events], rejected) == (["a\ufffd\ufffd"], [])


def laughs() -> str:
    lines = ["<!ENTITY l0 'ha'>", *(f"<!ENTITY l{n} '{f'&l{n - 1};' * 10}'>" for n in range(1, 12))]
    return f'<?xml version="1.0"?><!DOCTYPE i [{"".join(lines)}]><i><d p="1">&l11;</d></i>'


@pytest.mark.parametrize(
    "data",
    [
        laughs(),
        '<!DOCTYPE i SYSTEM "file:///etc/passwd"><i><d p="1">a</d></i>',
        '<!DOCTYPE i [<!ENTITY x SYSTEM "file:///etc/passwd">]><i><d p="1">&x;</d></i>',
    ],
)
def test_declarations_are_refused(data: str) -> None:
    events, rejected = collected(data)
    assert events == []
    assert [r.reason for r in rejected] == ["the file declares a document type or entities"]


def test_an_endless_stream_after_a_declaration_is_not_read() -> None:
    class Endless:
        reads = 0

        def read(self, size: int, /) -> bytes:
            self.reads += 1
            return b"<!DOCTYPE i><i>" if self.reads == 1 else b'<d p="1">a</d>'

    stream = Endless()
    assert len(list(itertools.islice(read(stream, OPTIONS), 10))) == 1
    assert stream.reads == 1


PIECES = [
    "<i>", "</i>", "<d", ' p="1"', ">", "</d>", "/>", "a", "&", "&amp;", "<!--", "-->", "<![CDATA[", "]]>", '"', "<?x",
    "?>", "<s ", "\n", '<d p="2">ok</d>', "<gift ts='1'/>", "<!DOCTYPE i>", "\x00",
]


@settings(deadline=None)
@given(st.lists(st.sampled_from(PIECES), max_size=30), st.integers(1, 40))
def test_any_tags_in_any_order(pieces: list[str], step: int) -> None:
    data = "<i>\n" + "".join(pieces)
    stream = io.BytesIO(data.encode())

    class Slow:
        def read(self, size: int, /) -> bytes:
            return stream.read(min(step, size))

    assert parsed(list(read(Slow(), OPTIONS))) == collected(data)


@pytest.mark.parametrize(
    ("head", "fits"),
    [
        (b"<i>", True),
        (b'\xef\xbb\xbf<?xml version="1.0"?>\n<!-- > -->\n<?x ?><i/>', True),
        (b'<d p="1.5,1">x</d>', True),
        (b'<d user="a" p="1.5,1">x</d>', True),
        (b"<info><i></i></info>", False),
        (b"<image/>", False),
        (b'{"a":"<i>"}', False),
        (b"<d><d>", False),
    ],
)
def test_what_is_danmaku(head: bytes, fits: bool) -> None:
    assert sniff(head) is fits
