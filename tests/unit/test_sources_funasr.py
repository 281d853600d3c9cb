"""FunASR messages: partial and final results of one utterance, whole recordings, what clients log."""

import io
import json
from pathlib import Path
from typing import Any

import pytest

from monitor.adapters.sources import Batch, SourceOptions, open_source
from monitor.adapters.sources.funasr import ONLINE_UTTERANCE, read
from monitor.domain.events import Event, Kind, Role, Speaker
from monitor.domain.rejections import Rejected

DATA = Path(__file__).parent.parent / "data" / "sources"
OPTIONS = SourceOptions(now_ms=1_800_000_000_000)


def parsed(batches: "list[Batch]") -> tuple[list[Event], list[Rejected]]:
    return [e for batch in batches for e in batch.events], [r for batch in batches for r in batch.rejected]


def collected(*messages: Any, options: SourceOptions = OPTIONS) -> tuple[list[Event], list[Rejected]]:
    lines = [one if isinstance(one, bytes) else json.dumps(one, ensure_ascii=False).encode() for one in messages]
    return parsed(list(read(io.BytesIO(b"\n".join(lines) + b"\n"), options)))


def said(mode: str, text: str, wav: str = "mic", **more: Any) -> dict[str, Any]:
    return {"mode": mode, "text": text, "wav_name": wav, "is_final": False, **more}


def fixture(name: str) -> tuple[list[Event], list[Rejected]]:
    return parsed(list(open_source(DATA / name, OPTIONS)[1]))


def test_two_passes() -> None:
    events, rejected = fixture("funasr_2pass.jsonl")
    assert rejected == []
    assert [(event.text, event.final, event.offset_ms, event.duration_ms) for event in events] == [
        ("姐妹们", False, None, None),
        ("姐妹们晚上", False, None, None),
        ("姐妹们，晚上好。", True, 430, 1960),
        ("今天", False, None, None),
        ("今天五折。", True, None, None),
    ]
    ids = [event.id for event in events]
    assert ids[0] == ids[1] == ids[2] != ids[3] == ids[4]
    assert all(event.revision is None for event in events)
    assert {(event.kind, event.speaker) for event in events} == {(Kind.TRANSCRIPT, Speaker(Role.HOST))}


def test_a_recording_is_cut_into_its_sentences() -> None:
    events, rejected = fixture("funasr_offline.json")
    assert rejected == []
    assert [(event.text, event.offset_ms, event.duration_ms) for event in events] == [
        ("这款面霜一百块，", 430, 1500), ("good 用。", 2000, 600), ("买它！", 2700, 400), ("二百块。", 10, 890),
    ]
    assert events[0].attributes == {"wav_name": "room1_20261123.wav"}
    assert events[3].attributes == {"wav_name": "room2.wav", "spk": 1}
    assert len({event.id for event in events}) == 4 and all(event.final for event in events)


def test_a_client_log_without_finals() -> None:
    events, _ = fixture("funasr_client_log.jsonl")
    assert [(event.text, event.final) for event in events] == [
        ("现在下单的", False), ("现在下单的姐妹送小样", False), ("现在下单的姐妹送小样", True),
    ]
    assert len({event.id for event in events}) == 1


def test_online_pieces_make_utterances() -> None:
    pieces = [said("online", "一二三四五六七八九十") for _ in range(13)]
    events, _ = collected(*pieces)
    finals = [event for event in events if event.final]
    assert [len(event.text) for event in finals] == [ONLINE_UTTERANCE, ONLINE_UTTERANCE, 10]
    assert len({event.id for event in events}) == 3
    assert "".join(event.text for event in finals) == "一二三四五六七八九十" * 13
    events, _ = collected(said("online", "你好。"), said("online", "再见"))
    assert [(event.text, event.final) for event in events] == [("你好。", True), ("再见", False), ("再见", True)]


def test_recordings_are_counted_by_themselves() -> None:
    events, _ = collected(
        said("2pass-online", "甲", "a"), said("2pass-online", "乙", "b"), said("2pass-offline", "甲。", "a"),
        said("2pass-offline", "乙。", "b"), said("2pass-offline", "丙。", "a"),
    )
    a, b, a_final, b_final, a_next = (event.id for event in events)
    assert a == a_final and b == b_final and len({a, b, a_next}) == 3


def test_an_empty_final_ends_the_utterance() -> None:
    events, _ = collected(said("2pass-online", "嗯"), said("2pass-offline", ""), said("2pass-offline", "好。"))
    assert [event.text for event in events] == ["嗯", "好。"]
    assert events[0].id != events[1].id
    events, _ = collected(said("2pass-offline", ""), said("2pass-offline", "好。"))
    first, _ = collected(said("2pass-offline", "好。"))
    assert [event.id for event in events] == [event.id for event in first]


def test_partials_alone_do_not_become_final() -> None:
    events, _ = collected(said("2pass-online", "还在"), said("2pass-online", "说"))
    assert [(event.text, event.final) for event in events] == [("还在", False), ("还在说", False)]


def test_an_utterance_without_end_keeps_its_end() -> None:
    events, rejected = collected(*[said("2pass-online", "一二三四五六七八九十")] * 2000)
    assert rejected == [] and len(events) == 2000
    assert max(len(event.text) for event in events) == 1000


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("<|zh|><|NEUTRAL|><|Speech|><|withitn|>好。", "好。"),
        ("<|zh|><|HAPPY|><|BGM|>", None),
        ("  ", None),
        ("a <| b |> c", "a  c"),
        ("1 <|", "1 <|"),
    ],
)
def test_tags_are_left_out(text: str, shown: str | None) -> None:
    events, _ = collected(said("offline", text))
    assert [event.text for event in events] == ([shown] if shown else [])


@pytest.mark.parametrize(
    ("more", "times"),
    [
        ({"timestamp": "[[100,200],[200,500]]"}, (100, 400)),
        ({"timestamp": [[100, 200], [200, 500]]}, (100, 400)),
        ({"server_timestamp": "[[7,9]]"}, (7, 2)),
        ({"timestamp": ""}, (None, None)),
        ({"timestamp": "[]"}, (None, None)),
        ({"timestamp": "[[1]]"}, (None, None)),
        ({"timestamp": "[" * 3000}, (None, None)),
        ({"timestamp": "[[-5,10]]"}, (None, None)),
        ({"timestamp": "[[10,5]]"}, (10, 0)),
        ({"timestamp": 7, "stamp_sents": [{"start": 3, "end": 9}]}, (3, 6)),
        ({"stamp_sents": "", "sentence_info": [{"start": 3, "end": 9, "text": "x"}]}, (3, 6)),
        ({"stamp_sents": [{"start": "x"}]}, (None, None)),
    ],
)
def test_times(more: dict[str, Any], times: tuple[int | None, int | None]) -> None:
    (event,), rejected = collected(said("2pass-offline", "好。", **more))
    assert ((event.offset_ms, event.duration_ms), rejected) == (times, [])


def sentence(text: str, punc: str, start: int) -> dict[str, Any]:
    return {"text_seg": text, "punc": punc, "start": start, "end": start + 100}


def test_sentences_without_their_marks_in_the_text_are_put_together() -> None:
    marks = [sentence("今 天 is good", "，", 0), sentence("一 百 块", "。", 200), sentence("", "", 300)]
    events, _ = collected(said("offline", "今天 is good 100块", stamp_sents=marks))
    assert [event.text for event in events] == ["今天is good，", "一百块。"]


def test_marks_without_words_leave_the_text_whole() -> None:
    events, _ = collected(said("offline", "今天", stamp_sents=[sentence("", "", 5)]))
    assert [(event.text, event.offset_ms) for event in events] == [("今天", 5)]


def test_the_sentences_of_two_readings_have_the_same_ids() -> None:
    message = said("offline", "a。b。", stamp_sents=[sentence("a", "。", 0), sentence("b", "。", 9)])
    assert [e.id for e in collected(message)[0]] == [e.id for e in collected(message)[0]]
    again = collected(message, message)[0]
    assert len({event.id for event in again}) == 4


def test_many_sentences_come_in_small_batches() -> None:
    message = said("offline", "x", stamp_sents=[sentence("a", "。", n * 100) for n in range(3000)])
    batches = list(read(io.BytesIO(json.dumps(message).encode()), OPTIONS))
    assert [len(batch.events) for batch in batches] == [1024, 1024, 952]


def test_what_is_no_result_is_passed_over() -> None:
    events, rejected = collected(
        {"mode": "2pass", "wav_name": "a", "is_speaking": True, "chunk_size": [5, 10, 5]}, {"is_speaking": False},
        {"is_end": True, "is_final": True}, {}, said("offline", "好。"),
    )
    assert ([event.text for event in events], rejected) == (["好。"], [])


@pytest.mark.parametrize(
    ("message", "field"),
    [
        (said("poem", "a"), "mode"),
        ({"text": "a"}, "mode"),
        ({"mode": "offline", "text": 7}, "text"),
        (b"[1]", ""),
        (b"{", ""),
        (b'{"mode":"offline","text":"\xff"}', ""),
        (b'{"mode":"offline","timestamp":' + b"[" * 50_000 + b"]" * 50_000 + b"}", ""),
        (said("offline", "x" * 10_001), "text"),
    ],
)
def test_a_faulty_message_is_named_and_the_rest_kept(message: Any, field: str) -> None:
    events, rejected = collected(said("offline", "a"), message, said("offline", "b"))
    assert [event.text for event in events] == ["a", "b"]
    assert [(r.line, r.field) for r in rejected] == [(2, field)]
    assert rejected[0].reason and rejected[0].hint


def test_a_cut_message_is_said_to_be_cut() -> None:
    whole = json.dumps(said("offline", "好")).encode()
    for form, cut in ((b"", 5), (b"", len(whole) - 1), (b"[", 30)):
        data = form + whole + (b"," if form else b"\n") + whole[:cut]
        events, rejected = parsed(list(read(io.BytesIO(data), OPTIONS)))
        assert [event.text for event in events] == ["好"]
        assert [(r.line, r.reason) for r in rejected] == [(2, "the file ends in the middle of an item")]


def test_options() -> None:
    options = SourceOptions(
        now_ms=OPTIONS.now_ms, kind=Kind.SCRIPT, role=Role.GUEST, speaker="g", started_at=1_700_000_000_000, room="r"
    )
    (event,), _ = collected(said("offline", "好", timestamp="[[100,200]]"), options=options)
    assert (event.kind, event.speaker, event.at, event.room) == (
        Kind.SCRIPT, Speaker(Role.GUEST, "g"), 1_700_000_000_100, "r")
