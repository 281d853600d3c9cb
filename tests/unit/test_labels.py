"""Labels as they come in: read, checked, masked, given an id; and from and to files."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.adapters.ml.labelled import Columns, read_labels, write_labels
from monitor.domain.decoding import Limits
from monitor.domain.errors import InputError, StorageError
from monitor.domain.events import Kind, Role
from monitor.domain.labels import Label, decode_labels, fault_of, label_id, learnt_from
from monitor.domain.rules import CATEGORIES
from monitor.services.labelling import Labelling, every_label
from tests.fakes.store import MemoryStore
from tests.faults.inside import START, Clock
from tests.faults.streams import tables

NOW = START


def lines(*items: Any) -> bytes:
    return "\n".join(json.dumps(item, ensure_ascii=False) for item in items).encode()


GOOD = {"text": "全网最低", "labels": ["absolute_claim"]}


@pytest.mark.parametrize(
    "item, field, told",
    [
        ({"labels": []}, "text", "missing"),
        ({"text": "好"}, "labels", "missing"),
        ({"text": "", "labels": []}, "text", "length"),
        ({"text": " \n", "labels": []}, "text", "blank"),
        ({"text": "好" * 4_001, "labels": []}, "text", "4000"),
        ({"text": "好", "labels": ["care"]}, "labels", "no category 'care'"),
        ({"text": "好", "labels": [], "near": "bad"}, "near", "no category 'bad'"),
        ({"text": "好", "labels": ["minors"], "near": "minors"}, "near", "or comes near"),
        ({"text": "gift", "labels": [], "kind": "signal"}, "kind", "signal"),
        ({"text": "好", "labels": [], "at": 1_700_000_000}, "at", "2001"),
        ({"text": "好", "labels": [], "at": NOW + 10**9}, "at", "future"),
        ({"text": "好", "labels": [], "score": 3}, "score", "unknown field"),
        ({"text": "好", "labels": [], "weight": 0}, "weight", "> 0"),
    ],
)  # fmt: skip
def test_a_bad_item_is_told_with_its_line_and_the_good_ones_are_kept(item: Any, field: str, told: str) -> None:
    for body in (lines(GOOD, item, GOOD), json.dumps([GOOD, item, GOOD]).encode()):
        read = decode_labels(body, Limits(), now=NOW)
        assert [each.text for each in read.labels] == ["全网最低"] * 2
        (rejected,) = read.rejected
        assert (rejected.line, read.rejected_total) == (2, 1)
        assert told in rejected.reason and rejected.hint
        assert rejected.field == field or field in rejected.reason
        assert "events.md" not in rejected.hint and "attributes" not in rejected.hint


@pytest.mark.parametrize("body", [b"{", b"\xff\xfe", b"[" + b"[" * 5_000, b'[{"text": "x"', b"null\n3"])
def test_what_is_no_label_at_all(body: bytes) -> None:
    read = decode_labels(body, Limits(), now=NOW)
    assert read.labels == [] and read.rejected and read.rejected_total >= len(read.rejected)


def test_a_body_with_too_many_is_refused_whole_and_long_lines_are_passed_over() -> None:
    assert decode_labels(lines(*[GOOD] * 4), Limits(batch=3), now=NOW).labels == []
    read = decode_labels(lines(GOOD, {**GOOD, "reason": "x" * 500}), Limits(line_bytes=200), now=NOW)
    assert (len(read.labels), read.rejected[0].line) == (1, 2)


async def test_texts_are_masked_and_the_same_line_has_the_same_id() -> None:
    store, clock = MemoryStore(), Clock(NOW)
    labelling = Labelling(store, tables(), clock)
    said = {"text": "加微信 abc12345 便宜，电话13812345678", "labels": ["offsite_fraud"], "kind": "comment",
            "speaker": "viewer"}
    receipt = await labelling.take("local", lines(said, {**said, "text": "第二行\n电话13812345678"}), Limits(), by="t1")
    assert (receipt.added, receipt.rejected) == (2, [])
    clock.time += 1_000
    again = await labelling.take("local", lines(said), Limits(), by="t1")
    assert (again.added, again.changed, again.unchanged) == (0, 0, 1)
    first, second = sorted(await every_label(store, "local"), key=lambda label: label.text, reverse=True)
    assert "138" not in first.text + second.text and "abc" not in second.text
    assert len(second.text) == len(said["text"]) and second.text.startswith("加微信 ********")
    assert first.text == "第二行\n电话" + "*" * 11
    assert (second.by, second.at, second.id) == ("t1", NOW, label_id(second))


async def test_nothing_is_acknowledged_that_the_store_refuses() -> None:
    store = MemoryStore()
    store.fails = StorageError("the disk is full")
    with pytest.raises(StorageError):
        await Labelling(store, tables(), Clock(NOW)).take("local", lines(GOOD), Limits(), by="")
    assert await every_label(store, "local") == []


async def test_all_labels_are_read_however_many_pages_they_fill() -> None:
    store = MemoryStore()
    await store.save_labels("local", [Label(id=f"l{n}", text="好", labels=[], at=NOW + n) for n in range(2_345)])
    assert [label.at for label in await every_label(store, "local")] == [NOW + n for n in reversed(range(2_345))]


def test_a_dismissed_line_is_learnt_as_a_hard_negative() -> None:
    def type_of(**facts: Any) -> str:
        return learnt_from(Label(text="好", at=NOW, **facts)).type

    assert type_of(labels=["minors"]) == "V"
    assert type_of(labels=[], near="minors") == "N"
    assert type_of(labels=[]) == "O"
    assert learnt_from(Label(text="好", labels=[], at=NOW)).brief == "labels of 2027-01-15"


_words = st.text(st.characters(codec="utf-8", exclude_characters="\0\r"), max_size=20)
_labels = st.builds(
    Label, text=_words.filter(str.strip), labels=st.lists(st.sampled_from(CATEGORIES), unique=True, max_size=3),
    id=_words, kind=st.sampled_from([kind for kind in Kind if kind is not Kind.SIGNAL]),
    speaker=st.sampled_from(Role), vertical=_words, by=_words, source=_words, reason=_words, event=_words,
    at=st.integers(10**12, 2 * 10**12), weight=st.floats(0.001, 1e6))


@given(st.lists(_labels, min_size=1, max_size=5), st.sampled_from([".jsonl", ".csv", ".tsv"]))
def test_what_is_exported_is_imported_as_it_was(tmp_path_factory: Any, found: list[Label], suffix: str) -> None:
    path: Path = tmp_path_factory.mktemp("labels") / f"labels{suffix}"
    write_labels(path, found)
    assert [label for _, label in read_labels(path, Columns())] == found


def test_a_wrong_file_is_told_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "labels.csv"
    path.write_text("text,labels,at\n好,minors,1700000000000\n坏,,soon\n", encoding="utf-8")
    with pytest.raises(InputError, match=r"labels\.csv, line 3"):
        read_labels(path, Columns())


def test_a_sound_label_has_no_fault() -> None:
    assert fault_of(Label(text="好", labels=list(CATEGORIES), at=NOW), now=NOW) is None
    assert fault_of(Label(text="好", labels=[], near="care"), now=NOW) is None
