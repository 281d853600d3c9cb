"""Facts that monitor/engine/data/views.npz must hold, whatever made it.

Nothing is recomputed: Unicode data differs between Python versions, and the file does not.
"""

import json
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

DATA = Path(__file__).resolve().parents[2] / "monitor" / "engine" / "data"
FIRST_SYLLABLE = 0xE000
SKIPPED = "\ufffc"
KEPT = "\ufffd"
LAST_POINT = 131071

Tables = dict[str, NDArray[np.integer]]


@pytest.fixture(scope="module")
def tables() -> Tables:
    with np.load(DATA / "views.npz", allow_pickle=False) as archive:
        return {name: archive[name] for name in archive.files}


def plain(tables: Tables, text: str) -> str:
    """Fold a text as a reader does: clip, then one look-up per code point."""
    return "".join(chr(tables["plain"][min(ord(char), LAST_POINT)]) for char in text)


def syllables(tables: Tables) -> list[str]:
    return tables["syllables"].tobytes().decode("ascii").split("\n")


def sound(tables: Tables, text: str) -> list[str]:
    """Name the syllable of each unit, or the unit itself."""
    names = syllables(tables)
    codes = [int(tables["sound"][ord(char)]) for char in text]
    return [names[code - FIRST_SYLLABLE] if 0xE000 <= code < 0xF900 else chr(code) for code in codes]


def readings(tables: Tables, char: str) -> list[str]:
    """List the readings of a unit that has several; empty for any other."""
    units, offsets = tables["reading_units"], tables["reading_offsets"]
    place = int(np.searchsorted(units, ord(char)))
    if place == len(units) or units[place] != ord(char):
        return []
    names = syllables(tables)
    codes = tables["reading_codes"][offsets[place] : offsets[place + 1]]
    return [names[code - FIRST_SYLLABLE] for code in codes.tolist()]


def dropped(tables: Tables, text: str) -> list[bool]:
    return [bool(tables["skip"][ord(char)]) for char in text]


def listed(table: NDArray[np.integer], text: str) -> list[bool]:
    return [bool(np.isin(ord(char), table)) for char in text]


# --- Shape ---


def test_arrays_have_their_types_and_lengths(tables: Tables) -> None:
    assert {name: table.dtype.name for name, table in tables.items()} == {
        "plain": "uint16",
        "skip": "uint8",
        "sound": "uint16",
        "syllables": "uint8",
        "reading_units": "uint16",
        "reading_offsets": "uint32",
        "reading_codes": "uint16",
        "styled": "uint32",
        "traditional": "uint32",
        "meta": "uint8",
    }
    assert tables["plain"].shape == (131072,)
    assert tables["skip"].shape == (65536,)
    assert tables["sound"].shape == (65536,)
    assert len(tables["reading_offsets"]) == len(tables["reading_units"]) + 1
    assert (DATA / "views.npz").stat().st_size < 400_000


def test_meta_and_notice_name_the_same_sources(tables: Tables) -> None:
    meta = json.loads(tables["meta"].tobytes())
    notice = (DATA / "NOTICE.md").read_text(encoding="utf-8")
    assert meta["format"] == 1
    assert [(one["name"], one["licence"]) for one in meta["sources"]] == [
        ("OpenCC", "Apache-2.0"),
        ("Unicode Character Database", "Unicode-3.0"),
        ("pypinyin", "MIT"),
    ]
    assert meta["sources"][1]["version"] == meta["unicode"]
    rows = [line for line in notice.splitlines() if line.startswith("| [")]
    for source, row in zip(meta["sources"], rows, strict=True):
        assert f"[{source['name']}]" in row
        assert f"| {source['version']} | {source['licence']} |" in row


@pytest.mark.parametrize("name", ["styled", "traditional", "reading_units"])
def test_lists_are_sorted_without_repeats(tables: Tables, name: str) -> None:
    table = tables[name].astype(np.int64)
    assert len(table) > 1000
    assert (np.diff(table) > 0).all()


# --- plain ---


def test_folding_twice_changes_nothing(tables: Tables) -> None:
    table = tables["plain"]
    assert np.array_equal(table[table], table)


def test_units_are_neither_surrogates_nor_private(tables: Tables) -> None:
    table = tables["plain"]
    assert not ((table >= 0xD800) & (table < 0xF900)).any()


def test_only_a_line_feed_becomes_one(tables: Tables) -> None:
    assert np.flatnonzero(tables["plain"] == 0x0A).tolist() == [0x0A]


def test_ascii_folds_by_case_only(tables: Tables) -> None:
    ascii_text = "".join(map(chr, range(128)))
    assert plain(tables, ascii_text) == ascii_text.lower()


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        ("最低价，全网第一！一二三壹〇々", "最低价,全网第一!一二三壹〇々"),
        ("絕對免費", "绝对免费"),
        ("髮發後后裡裏", "发发后后里里"),
        ("什么著名干杯还着", "什么著名干杯还着"),  # simplified text stays, though 著 may mean 着
        ("乾於徵", "干于征"),  # several targets: the first
        ("粧衞糭価薬満発", "妆卫粽价药满发"),  # Hong Kong, Japan
        ("芸缶予欠", "芸缶予欠"),  # Japanese for 藝罐豫缺, but words of their own in simplified Chinese
        ("靑戸値珎寳", "青户值珍宝"),
        ("ＶＸ１３８", "vx138"),
        ("𝐕𝐗 𝓿𝔁 Ⓥⓧ ⓥ", "vx vx vx v"),
        ("①❶➀➊⓵⑴⒈²₂𝟐🄋⓪⓿٣", "11111112220003"),
        ("㊕㊙㊗㈠🈚🉐", "特秘祝一无得"),
        ("🅐🅰🄰🆅ᴠ🇦🇨🇳", "aaavvacn"),
        ("⾦⾭⻢⺟㇐", "金青马母一"),
        ("ēÉøđł", "eeodl"),
        ("ǖǘǚǜüÜ", "vvvvvv"),
        ("ɡɑıİſK", "gaiisk"),
        ("＋➕﹢⁺₊✚", "++++++"),
        ("ｶﾅｰﾊ", "カナーハ"),
        ("⑩⑽㎏㍿ﬁ", "⑩⑽㎏㍿ﬁ"),  # more than one unit inside: left alone
        ("豈樂", "岂乐"),
    ],
)
def test_folds(tables: Tables, text: str, folded: str) -> None:
    assert plain(tables, text) == folded


def test_emoji_and_astral_marks_become_the_skipped_placeholder(tables: Tables) -> None:
    assert plain(tables, "😀🔥💰🈁🏻🎁") == SKIPPED * 6
    # Newer than the Unicode data that was read, where they are unassigned.
    assert plain(tables, "\U0001fa77\U0001fae8\U0001fadf") == SKIPPED * 3


def test_what_has_no_unit_becomes_the_kept_placeholder(tables: Tables) -> None:
    assert plain(tables, "\U00020000\U0002f800\U0010ffff\U0001ffff") == KEPT * 4
    assert plain(tables, "\U00010330") == KEPT  # a letter
    assert plain(tables, "\ue000\uf8ff\ud800\udfff") == KEPT * 4


# --- skip ---


def test_skeleton_drops_marks_spaces_and_what_is_invisible(tables: Tables) -> None:
    marks = ",.。，、！!?？-—~～·…*#@&%￥$=^|<>()（）《》【】「」_\"'`❤★○"
    blanks = " \t\r\x00\u00a0\u3000\u2028"
    invisible = "\u200b\u200c\u200d\u2060\ufeff\u00ad\u061c\u202e\ufe0f\ufe0e\u180b\u180e\u20e3\u0301\u034f"
    fillers = "\u3164\u115f\u1160\uffa0\u2800"
    text = marks + blanks + invisible + fillers + SKIPPED
    assert dict(zip(text, dropped(tables, text), strict=True)) == dict.fromkeys(text, True)


def test_skeleton_keeps_what_carries_a_word(tables: Tables) -> None:
    text = "+\nー々〇〆azAZ09⑩⑽½Ⅱ" + KEPT
    assert dict(zip(text, dropped(tables, text), strict=True)) == dict.fromkeys(text, False)


@pytest.mark.parametrize(
    ("first", "last"),
    [
        ("0", "9"),
        ("a", "z"),
        ("α", "ω"),
        ("а", "я"),
        ("ぁ", "ゖ"),
        ("ァ", "ヺ"),
        ("ㄅ", "ㄯ"),
        ("가", "힣"),
        ("\u3400", "\u4dbf"),
        ("\u4e00", "\u9ffc"),
        ("\ue000", "\uf8ff"),  # where the sound view puts syllables
    ],
)
def test_skeleton_keeps_letters_and_syllable_codes(tables: Tables, first: str, last: str) -> None:
    assert not tables["skip"][ord(first) : ord(last) + 1].any()


def test_fillers_are_dropped_after_folding(tables: Tables) -> None:
    assert all(dropped(tables, plain(tables, "\u3164\uffa0\u00a0\u3000\ufe0f😀")))


# --- sound ---


def test_syllables_are_sorted_ascii_words(tables: Tables) -> None:
    names = syllables(tables)
    assert 400 <= len(names) <= 425
    assert names == sorted(set(names))
    for name in names:
        assert name.isascii()
        assert name.islower()
        assert set(name) & set("aeiouv"), f"{name} is a hum, not a syllable"
    assert {"jia", "wei", "xin", "nv", "lve", "lv", "er", "zhuang"} <= set(names)
    assert not {"m", "n", "ng", "hm", "hng"} & set(names)


def test_homophones_share_a_code(tables: Tables) -> None:
    assert sound(tables, "微威薇") == ["wei"] * 3
    assert " ".join(sound(tables, "拳网最低加信绿女〇嗯")) == "quan wang zui di jia xin lv nv ling en"
    assert sound(tables, "先西") == ["xian", "xi"]
    assert sound(tables, "长佛似") == ["chang", "fo", "si"]


def test_plus_sounds_like_add(tables: Tables) -> None:
    assert sound(tables, "+") == sound(tables, "加")


def test_everything_but_han_and_plus_keeps_its_unit(tables: Tables) -> None:
    units = np.arange(65536)
    changed = units[tables["sound"] != units]
    han = ((changed >= 0x3400) & (changed < 0x4DC0)) | ((changed >= 0x4E00) & (changed < 0xA000))
    assert changed[~han].tolist() == [ord("+"), ord("〇")]


def test_codes_are_syllables(tables: Tables) -> None:
    last = FIRST_SYLLABLE + len(syllables(tables)) - 1
    codes = tables["sound"][np.arange(65536) != tables["sound"]]
    for table in (codes, tables["reading_codes"]):
        assert table.min() >= FIRST_SYLLABLE
        assert table.max() <= last


def test_nearly_all_of_the_first_20902_ideographs_have_a_reading(tables: Tables) -> None:
    units = np.arange(0x4E00, 0x9FA6)
    assert len(units) == 20902
    silent = units[tables["sound"][units] == units]
    assert "".join(map(chr, silent)) == "兙兡嗧桛烪瓧瓰瓱瓼甅"  # metric units coined in Japan


def test_lists_of_readings_start_with_the_default(tables: Tables) -> None:
    starts = tables["reading_offsets"][:-1]
    assert np.array_equal(tables["reading_codes"][starts], tables["sound"][tables["reading_units"]])
    assert tables["reading_offsets"][0] == 0
    assert tables["reading_offsets"][-1] == len(tables["reading_codes"])
    assert np.diff(tables["reading_offsets"].astype(np.int64)).min() >= 2


def test_readings_of_polyphones(tables: Tables) -> None:
    assert readings(tables, "长") == ["chang", "zhang"]
    assert readings(tables, "乐")[0] == "le"
    assert "yue" in readings(tables, "乐")
    assert {"hang", "xing"} <= set(readings(tables, "行"))
    assert readings(tables, "微") == []  # one only


# --- styled and traditional ---


def test_styled_lists_changes_beyond_case_width_and_script(tables: Tables) -> None:
    styled = "𝐕Ⓥ①❶⑴🅰🇦²ēü㊕ɡ➕⁺ſ🈚"
    usual = "ＶV絕⾦１a最＋価靑豈\u00a0\u3000，﹪😀⑩㎏\n"
    assert dict(zip(styled, listed(tables["styled"], styled), strict=True)) == dict.fromkeys(styled, True)
    assert dict(zip(usual, listed(tables["styled"], usual), strict=True)) == dict.fromkeys(usual, False)


def test_traditional_lists_other_forms_of_han(tables: Tables) -> None:
    others = "絕髮発粧靑⾦⻢㇐豈🈚"
    same = "绝发最著么ＶV①a\n"
    table = tables["traditional"]
    assert dict(zip(others, listed(table, others), strict=True)) == dict.fromkeys(others, True)
    assert dict(zip(same, listed(table, same), strict=True)) == dict.fromkeys(same, False)


def test_every_listed_code_point_folds(tables: Tables) -> None:
    for name in ("styled", "traditional"):
        points = tables[name]
        assert (tables["plain"][points] != points).all()
        assert not tables["skip"][tables["plain"][points]].any()
