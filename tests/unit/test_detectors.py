"""Detectors in the pipeline: what is masked, what only serves rules, and what a batch must not change."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.domain.masking import mask_text
from monitor.domain.rules import DETECTORS as NAMES
from monitor.domain.rules import Selection
from monitor.engine.batch import EventBatch
from monitor.engine.detectors import DETECTORS, value
from monitor.engine.detectors_alphabet import codes_of, spelled, table_of
from monitor.engine.patterns import ContactSpan, contacts
from monitor.engine.pipeline import judge
from monitor.engine.repeats import REPEATS, repeats
from monitor.engine.views import Views
from tests.unit.rulekit import engine, event, matches, rule, tables, terms
from tests.unit.test_lane import Line, said

CONTACT = frozenset([
    "phone", "hotline", "id_card", "bank_card", "email", "wechat_id", "qq_id", "qq_group", "url",
])
"""Kinds by which somebody is reached or named; a price or a date is never one of them."""


def detect(text: str) -> list[ContactSpan]:
    views = Views(tables(), text)
    return contacts(views, [0])


def spans_of(text: str, *kinds: str) -> list[tuple[str, int, int]]:
    return sorted((c.kind, c.start, c.end) for c in detect(text) if c.kind in kinds)


def marked(line: str) -> tuple[str, list[tuple[int, int]]]:
    """A text and its spans, from a line that has each span between « and »."""
    spans, text = [], ""
    for i, part in enumerate(line.replace("»", "«").split("«")):
        if i % 2:
            spans.append((len(text), len(text) + len(part)))
        text += part
    return text, spans


def lines(block: str) -> list[str]:
    return [line.strip() for line in block.strip().splitlines() if line.strip()]


def judged(text: str) -> set[tuple[str, str]]:
    """Contact data of the second event of a batch."""
    batch = EventBatch([event("15400000000前一条", id="0"), event(text, id="1")])
    found = judge(engine(rule(terms("x", "不会出现的词"))), batch).contacts
    assert any(c.event == 0 for c in found)
    return {(text[c.start : c.end], c.kind) for c in found if c.event == 1 and c.kind in CONTACT}


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("打13800138000", {("13800138000", "phone")}),
        ("幺三八零零一三八零零零", {("幺三八零零一三八零零零", "phone")}),
        ("证号11010519491231002X", {("11010519491231002X", "id_card")}),
        ("卡6222 0212 3456 7890 128", {("6222 0212 3456 7890 128", "bank_card")}),
        ("写信a.b-c@example.com.cn呀", {("a.b-c@example.com.cn", "email")}),
        ("加VX：zhang123456", {("zhang123456", "wechat_id")}),
        ("qq 12345678", {("12345678", "qq_id")}),
        ("群号：123456789", {("123456789", "qq_group")}),
        ("订单20261111,价格12345678元", set()),
        ("单号SF1234567890123", set()),
        ("2026-11-23 20:00", set()),
    ],
)
def test_contacts_of_an_event_in_a_batch(text: str, found: set[tuple[str, str]]) -> None:
    assert judged(text) == found


def test_only_contact_data_is_masked() -> None:
    text = "晚上八点九块九，打五折，400-000-0001，15400001234"
    kept = mask_text(text, [(c.start, c.end) for c in detect(text) if c.masked])
    assert kept == "晚上八点九块九，打五折，400-000-0001，***********"
    assert len(kept) == len(text)


def test_a_price_is_kept_in_what_is_derived_and_a_number_is_not() -> None:
    outcome = Line().feed([said(1, "全网最低九块九，加QQ1000001，打400-000-0001")])
    assert [finding.text for finding in outcome.findings] == ["全网最低九块九，加QQ*******，打400-000-0001"]
    assert [(mask.start, mask.end, mask.kind) for mask in outcome.judged[0].masks] == [(11, 18, "qq_id")]


def test_a_fixed_line_is_masked_and_a_hotline_is_not() -> None:
    found = {(c.kind, c.masked) for c in detect("热线400-000-0001，座机0999-2000001")}
    assert found == {("hotline", False), ("hotline", True)}


def test_kinds_that_nobody_asks_for_are_not_looked_for_but_contact_data_always_is() -> None:
    views = Views(tables(), "九块九，打五折，15400001234，400-000-0001")
    assert {c.kind for c in contacts(views, [0], ())} == {"phone"}
    assert {c.kind for c in contacts(views, [0], {"price": []})} == {"phone", "price"}
    assert {c.kind for c in contacts(views, [0])} >= {"phone", "price", "discount", "hotline"}


def test_a_rule_may_ask_for_each_kind() -> None:
    samples = {
        "phone": "15400001234", "hotline": "400-000-0001", "id_card": "990000199003070021",
        "bank_card": "6200000000000005", "email": "a@example.com", "wechat_id": "微信abc_0001",
        "qq_id": "qq1000001", "qq_group": "群号1000001", "url": "example.com", "price": "九块九", "discount": "五折",
        "percent": "99%", "chinese_number": "一百零五", "quantity_days": "七天", "date": "11月11日", "time": "八点半",
        "repeats": "66666666",
    }
    assert set(samples) == set(NAMES)
    masked = {"phone", "id_card", "bank_card", "email", "wechat_id", "qq_id", "qq_group"}
    assert {kind for kind, text in samples.items() if any(c.masked and c.kind == kind for c in detect(text))} == masked
    for kind, text in samples.items():
        assert matches(rule(Selection(name="found", detector=kind)), text), kind


def test_rules_may_name_exactly_the_kinds_that_there_are() -> None:
    assert tuple(dict.fromkeys(NAMES)) == NAMES
    assert set(NAMES) == {*(d.name for d in DETECTORS), REPEATS}


def test_a_line_feed_keeps_texts_apart() -> None:
    for text in ("154\n00001234", "微信\nabc_0001", "九块\n九", "qq\n1000001", "幺五四零零零零\n一二三四", "99\n元"):
        views = Views(tables(), text)
        starts = [0, text.index("\n") + 1]
        assert [c for c in contacts(views, starts) if c.masked] == []
        alone = [c for c in detect(text.split("\n")[0]) if c.kind != "chinese_number"]
        assert [c for c in contacts(views, starts) if c.event == 0 and c.kind != "chinese_number"] == alone


@pytest.mark.parametrize("text", [
    "«66666666»", "«哈哈哈哈哈哈哈哈哈»", "«" + "asdf" * 8 + "»", "«。。。。。。。。»", "«" + "😂" * 12 + "»",
    "«" + "❤️" * 8 + "»",
    "«哈 哈 哈 哈 哈 哈 哈 哈 »", "主«" + "6" * 8 + "»", "«" + "冲" * 8 + "»啊啊", "«" + "加油！" * 9 + "»",
])
def test_one_unit_over_and_over(text: str) -> None:
    plain, (span,) = marked(text)
    assert spans_of(plain, REPEATS) == [(REPEATS, *span)]


@pytest.mark.parametrize("text", [
    "", "6666666", "哈哈哈哈哈哈哈", "asdf" * 7, "😂😁😀😃😄😁😆😅🤣", "冲冲冲冲冲冲冲冲啊啊啊",
    "这件衣服的颜色真好看66666666", "13800000000",
    "1234512345" * 9,
])
def test_what_is_said_otherwise_or_only_in_part_is_no_repeat(text: str) -> None:
    assert spans_of(text, REPEATS) == []


@given(st.lists(st.text("6哈\U0001f602 ", max_size=12), min_size=1, max_size=6))
def test_repeats_of_a_text_are_the_same_in_every_batch(texts: list[str]) -> None:
    starts = np.cumsum([0, *(len(text) + 1 for text in texts[:-1])]).tolist()
    alone = [(i, a, b) for i, text in enumerate(texts) for _, a, b in repeats(Views(tables(), text), [0])]
    assert repeats(Views(tables(), "\n".join(texts)), starts) == alone
    for i, start, end in alone:
        said = texts[i][start:end]
        assert any(said == (said[:unit] * len(said))[: len(said)] for unit in range(1, 5) if len(said) >= 8 * unit)
        assert len(said) * 5 >= len(texts[i]) * 4


def test_empty_texts() -> None:
    assert contacts(Views(tables(), ""), []) == []
    assert contacts(Views(tables(), ""), [0]) == []
    assert [c.event for c in contacts(Views(tables(), "\n\n15400001234\n"), [0, 1, 2, 14])] == [2]


def test_each_character_that_a_pattern_names_has_a_byte() -> None:
    patterns = [d.pattern for d in DETECTORS]
    codes = codes_of(patterns)
    assert 0 < max(codes.values()) < 256
    assert all(spelled(pattern, codes).isascii() for pattern in patterns)
    own = [code for code in set(codes.values()) if code >= 128]
    assert sorted(own) == list(range(128, 128 + len(own)))


def test_the_alphabet_keeps_ascii_and_reads_signs_as_spaces() -> None:
    table = table_of(codes_of(["微信0"]), tables().skip)
    text = "Ａ1一壹幺微薇信，🍎很\n"
    assert table[tables().fold(text)].tobytes() == b"a1111\x80\x80\x81," + b" \x01\n"
    assert table.dtype == np.uint8


@pytest.mark.parametrize("kind", ["phone", "url", "date", "time", "strange"])
def test_kinds_without_a_number_have_no_value(kind: str) -> None:
    assert value(kind, "15400001234") is None


def test_long_texts_take_time_in_proportion() -> None:
    for part in ("1 ", "九块", "1三", "微信a ", "a点", "99%", "a@", "1,", "三天", "哈", "asdf"):
        assert len(detect(part * 2_000)) < 10_000
