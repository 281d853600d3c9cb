"""Build monitor/engine/data/views.npz, the tables behind the three text views.

Run by hand when a source is updated: .venv/bin/python deploy/dev/build_view_tables.py
OpenCC, pypinyin and this Python's Unicode data are read here and nowhere else: the service loads arrays.
The same sources give the same bytes. After a change of versions, update NOTICE.md beside the file.

A "unit" is a folded BMP code point. One code point always becomes exactly one unit, so that an index
into the folded text is an index into the original.

| array            | dtype, length  | index or order | value                                           |
|------------------|----------------|----------------|-------------------------------------------------|
| plain            | uint16, 131072 | code point     | unit; the last entry stands for all above it    |
| skip             | uint8, 65536   | unit           | 1 where the skeleton view drops the unit        |
| sound            | uint16, 65536  | unit           | syllable code for Han and '+', else the unit    |
| syllables        | uint8          | code - 0xE000  | sorted ascii names joined by a line feed        |
| reading_units    | uint16, n      | sorted         | Han units with several readings                 |
| reading_offsets  | uint32, n + 1  | of units       | where a unit's readings start in reading_codes  |
| reading_codes    | uint16         | default first  | syllable codes                                  |
| styled           | uint32         | sorted         | code points whose fold hides a style (𝐕 ① ē)    |
| traditional      | uint32         | sorted         | code points folded from another form of Han     |
| meta             | uint8          |                | JSON: format, Unicode version, sources          |
"""

import json
import re
import sys
import unicodedata
from collections.abc import Callable, Mapping
from enum import StrEnum
from functools import cache
from importlib.metadata import version
from pathlib import Path

import numpy as np
import opencc
import pypinyin
from numpy.typing import NDArray

TARGET = Path(__file__).resolve().parents[2] / "monitor" / "engine" / "data" / "views.npz"

POINTS = 0x20000  # code points with an entry of their own; readers clip to the last one
UNITS = 0x10000
SKIPPED = 0xFFFC  # stands for an emoji or another astral mark: one unit, dropped by the skeleton
KEPT = 0xFFFD  # stands for what has no unit: astral letters, private use, surrogates; never dropped
FIRST_SYLLABLE = 0xE000  # private-use input folds to KEPT, so these codes are free

MARKS = "PSZCM"  # first letters of the Unicode categories that carry no word
PLUS = "+"  # kept by the skeleton: sellers write 加 as +
# Letters by category, blank on the screen: the usual filling between the characters of a banned word.
BLANK_LETTERS = "\u115f\u1160\u3164\uffa0"
# Blocks that Unicode reserves for pictographs. Unassigned code points in them are emoji newer than
# this Python's tables, which phones send years before we rebuild.
PICTOGRAPHS = (range(0x1F000, 0x1FB00), range(0x1FC00, 0x1FFFE))

# Unicode's EquivalentUnifiedIdeograph.txt for the two blocks whose characters have no compatibility
# mapping; one character per code point from the key on, '.' where it gives none or none in the BMP.
RADICALS = {
    0x2E80: ".厂乛乚乙亻冂.刀刂卜㔾小小兀尣尢.巳幺彑彐忄心扌攵.旡日月歺母民氵氺灬爫爫丬牛犭王.目示礻"
    ".糹纟罓罒㓁冗.羊..耂肀聿肉.艹艹艹虎衤覀西见角.讠贝.车辶辶辶邑钅長镸长门.阝雨青韦页风飞食.飠饣"
    ".马骨鬼鱼鸟卤麦黄黾斉齐歯齿竜龙龜亀龟",
    0x31CF: "乀一丨丿丿丶.乛...亅..乀.乚乙",
}
RADICAL_BLOCKS = (range(0x2E80, 0x2FE0), range(0x31C0, 0x31F0))

# What no Unicode property says: signs used for a plus, pinyin print letters, dotless letters, and two
# circled zeros whose nine sisters do have a digit value.
BY_HAND = {"➕": "+", "✚": "+", "ɑ": "a", "ɡ": "g", "ı": "i", "ȷ": "j", "🄋": "0", "🄌": "0"}

# Two encoded forms of one character, from and to; OpenCC leaves them, a reader hardly sees a difference.
TWINS = (
    "靑青淸清戸户吿告呉吴鄕乡硏研郞郎倂并姸妍塡填愼慎顚颠兪俞値值冐冒兎兔揷插囘回囬回寳宝氷冰汚污冝宜"
    "砲炮菓果靣面珎珍恠怪"
)
TWIN_OF = dict(zip(TWINS[::2], TWINS[1::2], strict=True))

# Defaults where pypinyin puts a rare or literary reading first; each is among its readings. The text
# side knows only the default, so it should be the one a writer of homophones has in mind.
COMMON_READING = {
    "长": "chang", "似": "si", "佛": "fo", "泊": "bo", "茄": "qie", "琢": "zhuo", "伺": "si", "勒": "le",
    "肋": "lei", "傀": "kui", "掺": "chan", "辗": "zhan", "卜": "bu",
}  # fmt: skip
HUM = "en"  # for 嗯 and its like, whose only readings (n, ng) are no syllables

LETTER_NAME = re.compile(
    r"(?:LATIN (?:CAPITAL|SMALL) LETTER|LATIN LETTER SMALL CAPITAL|REGIONAL INDICATOR SYMBOL LETTER"
    r"|.*(?:CIRCLED|SQUARED|PARENTHESIZED) LATIN (?:CAPITAL|SMALL) LETTER) ([A-Z])(?: WITH .+)?"
)
BRACKETED = re.compile(r"[(〔](\w)[)〕]|(\w)[.,]")


class Kind(StrEnum):
    """How a step of a fold changes a character."""

    WIDTH = "width"
    CASE = "case"
    STYLE = "style"
    RADICAL = "radical"
    VARIANT = "variant"


Step = tuple[str, Kind]


def is_han(char: str) -> bool:
    """Whether a character is a unified ideograph, or 〇, which is one in all but category."""
    point = ord(char)
    return char == "〇" or 0x3400 <= point < 0x4DC0 or 0x4E00 <= point < 0xA000 or 0x20000 <= point < 0x40000


def in_gb2312(char: str) -> bool:
    """Whether a character is written in simplified Chinese as it stands."""
    try:
        char.encode("gb2312")
    except UnicodeEncodeError:
        return False
    return True


# --- Folds: each gives the next character and the kind of change, or None to leave it alone ---


def hand_fold(char: str) -> Step | None:
    """Fold what only the list above knows."""
    return (BY_HAND[char], Kind.STYLE) if char in BY_HAND else None


def radical_fold(char: str) -> Step | None:
    """Fold a radical or a stroke to the character that looks the same."""
    for start, targets in RADICALS.items():
        place = ord(char) - start
        if 0 <= place < len(targets) and targets[place] != ".":
            return targets[place], Kind.RADICAL
    return None


def compatibility_fold(char: str) -> Step | None:
    """Fold by NFKC where it gives one character, or one in brackets (⑴) or before a stop (⒈).

    Mappings to more characters (㎏, ⑩) would move every later index, so those stay.
    """
    text = unicodedata.normalize("NFKC", char)
    if text == char:
        return None
    if len(text) > 1:
        found = BRACKETED.fullmatch(text)
        return (found[1] or found[2], Kind.STYLE) if found else None
    return text, compatibility_kind(char, text)


def compatibility_kind(char: str, target: str) -> Kind:
    """Name the change that NFKC made, from the tag of the character's decomposition."""
    decomposition = unicodedata.decomposition(char)
    if decomposition.startswith(("<wide>", "<narrow>")):
        return Kind.WIDTH
    if any(ord(char) in block for block in RADICAL_BLOCKS):
        return Kind.RADICAL
    if is_han(target) and not decomposition.startswith("<"):
        return Kind.VARIANT  # a compatibility ideograph: the same character from another standard
    return Kind.STYLE


def digit_fold(char: str) -> Step | None:
    """Fold circled and other scripts' digits to ASCII; numbers from ten on have no digit value."""
    value = unicodedata.digit(char, None)
    return None if value is None or char.isascii() else (str(value), Kind.STYLE)


def letter_fold(char: str) -> Step | None:
    """Fold a Latin letter in a box or with marks to its base, by its name; ü is v, as people type it."""
    found = LETTER_NAME.fullmatch(unicodedata.name(char, ""))
    if found is None or char.isascii():
        return None
    base = found[1].lower()
    diaeresis = "\u0308" in unicodedata.normalize("NFD", char)
    return "v" if base == "u" and diaeresis else base, Kind.STYLE


def case_fold(char: str) -> Step | None:
    """Fold to lower case where that is one character."""
    lower = char.lower()
    return (lower, Kind.CASE) if lower != char and len(lower) == 1 else None


def simplified_fold(char: str) -> Step | None:
    """Fold a traditional or variant ideograph to simplified, by character and not by context.

    Where OpenCC lists several targets it converts a lone character to the first (乾 to 干). A target
    outside the BMP is not taken: those are rare characters, and they have no unit.
    """
    if not is_han(char):
        return None
    target = converter("t2s").convert(char)
    if target == char and not in_gb2312(char):
        target = regional_variant(char)
    if target == char or len(target) != 1 or ord(target) >= UNITS:
        return None
    return target, Kind.VARIANT


def regional_variant(char: str) -> str:
    """Simplify a second form (靑), or what only Hong Kong, Taiwan or Japan writes (粧, 価).

    Only into GB 2312, from outside it: in simplified text 芸 is a plant and not the Japanese 藝.
    """
    simplify = converter("t2s").convert
    candidates = [
        TWIN_OF.get(char, char),
        converter("hk2s").convert(char),
        converter("tw2s").convert(char),
        simplify(converter("jp2t").convert(char)),
    ]
    return next((one for one in candidates if one != char and in_gb2312(one)), char)


@cache
def converter(config: str) -> opencc.OpenCC:
    """Open a conversion, without the dictionary of targets that most fonts lack."""
    return opencc.OpenCC(config, include_tofu_risk_dictionaries=False)


FOLDS: tuple[Callable[[str], Step | None], ...] = (
    hand_fold,
    radical_fold,
    compatibility_fold,
    digit_fold,
    letter_fold,
    case_fold,
    simplified_fold,
)


def fold(char: str) -> tuple[str, frozenset[Kind]]:
    """Fold until nothing changes, which makes a second fold do nothing; also name what changed."""
    kinds: set[Kind] = set()
    for _ in range(10):
        step = next((step for one in FOLDS if (step := one(char))), None)
        if step is None:
            return char, frozenset(kinds)
        char, kind = step
        kinds.add(kind)
    raise ValueError(f"the folds of U+{ord(char):04X} go round in a circle")


# --- Tables ---


def unit_of(point: int) -> tuple[int, frozenset[Kind]]:
    """Give the unit of a code point, with the kinds of change; none for the two placeholders."""
    char = chr(point)
    category = unicodedata.category(char)
    if category in ("Co", "Cs") or point == POINTS - 1:
        return KEPT, frozenset()
    target, kinds = fold(char)
    if ord(target) < UNITS:
        return ord(target), kinds
    return (point if point < UNITS else placeholder(point, category)), frozenset()


def placeholder(point: int, category: str) -> int:
    """Say what stands for an astral character that has no fold into the BMP."""
    if category == "Cn":
        return SKIPPED if any(point in block for block in PICTOGRAPHS) else KEPT
    return SKIPPED if category[0] in MARKS else KEPT


def skipped(unit: int) -> bool:
    """Say whether the skeleton view drops a unit."""
    char = chr(unit)
    if unit == SKIPPED or char in BLANK_LETTERS:
        return True
    if unit == KEPT or char in (PLUS, "\n"):
        return False
    category = unicodedata.category(char)
    return category[0] in MARKS and category not in ("Co", "Cs")


def toneless_readings(char: str) -> list[str]:
    """List a Han character's syllables without tone, the default first; empty if none is known.

    ü is v. Readings without a vowel (n, hm) are sounds and not syllables; taken as such, every lone
    Latin m or n would be one.
    """
    found = pypinyin.pinyin(char, style=pypinyin.Style.NORMAL, heteronym=True, errors="ignore")
    if not found:
        return []
    readings = [one for one in found[0] if one.isascii() and one.isalpha() and set(one) & set("aeiouv")]
    default = COMMON_READING.get(char)
    if default is None:
        return readings or [HUM]
    if default not in readings:
        raise ValueError(f"pypinyin no longer reads {char} as {default}")
    return [default, *(one for one in readings if one != default)]


def all_readings() -> dict[int, list[str]]:
    """Collect the readings of every Han unit, sorted by unit."""
    han = (unit for unit in range(UNITS) if is_han(chr(unit)))
    return {unit: readings for unit in han if (readings := toneless_readings(chr(unit)))}


def fold_tables() -> dict[str, NDArray[np.generic]]:
    """Build plain, skip, styled and traditional.

    A fold into a skipped unit (﹪, a no-break space) is not styled: a mark for a mark hides no word.
    """
    units = [unit_of(point) for point in range(POINTS)]
    skip = [skipped(unit) for unit in range(UNITS)]
    styled = (point for point, (unit, kinds) in enumerate(units) if Kind.STYLE in kinds and not skip[unit])
    forms = {Kind.RADICAL, Kind.VARIANT}
    traditional = (point for point, (_, kinds) in enumerate(units) if kinds & forms)
    return {
        "plain": np.array([unit for unit, _ in units], dtype=np.uint16),
        "skip": np.array(skip, dtype=np.uint8),
        "styled": np.fromiter(styled, dtype=np.uint32),
        "traditional": np.fromiter(traditional, dtype=np.uint32),
    }


def sound_tables(readings: Mapping[int, list[str]]) -> dict[str, NDArray[np.generic]]:
    """Build sound, syllables and the lists of readings of the units that have several."""
    names = sorted({name for one in readings.values() for name in one})
    codes = {name: FIRST_SYLLABLE + place for place, name in enumerate(names)}
    sound = np.arange(UNITS, dtype=np.uint16)
    sound[ord(PLUS)] = codes["jia"]
    for unit, (default, *_) in readings.items():
        sound[unit] = codes[default]
    several = {unit: one for unit, one in readings.items() if len(one) > 1}
    return {
        "sound": sound,
        "syllables": packed("\n".join(names)),
        "reading_units": np.array(list(several), dtype=np.uint16),
        "reading_offsets": np.cumsum([0, *map(len, several.values())], dtype=np.uint32),
        "reading_codes": np.array([codes[name] for one in several.values() for name in one], dtype=np.uint16),
    }


def packed(text: str) -> NDArray[np.uint8]:
    """Pack text as UTF-8 bytes, which load without pickle."""
    return np.frombuffer(text.encode(), dtype=np.uint8)


def meta() -> str:
    """Name the sources, for NOTICE.md and for whoever finds the file alone."""
    unicode_version = unicodedata.unidata_version
    sources = [
        ("OpenCC", version("OpenCC"), "Apache-2.0"),
        ("Unicode Character Database", unicode_version, "Unicode-3.0"),
        ("pypinyin", version("pypinyin"), "MIT"),
    ]
    content = {
        "format": 1,
        "unicode": unicode_version,
        "sources": [{"name": name, "version": number, "licence": terms} for name, number, terms in sources],
    }
    return json.dumps(content, sort_keys=True)


def main() -> None:
    """Write the file and say what is in it."""
    tables = fold_tables() | sound_tables(all_readings()) | {"meta": packed(meta())}
    TARGET.parent.mkdir(parents=True, exist_ok=True)
    # allow_pickle is spelled out because mypy would otherwise match an array to it.
    np.savez_compressed(TARGET, allow_pickle=False, **tables)
    lines = [f"{name:16} {table.dtype!s:7} {table.size:7}" for name, table in tables.items()]
    lines.append(f"{TARGET}: {TARGET.stat().st_size} bytes")
    sys.stdout.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
