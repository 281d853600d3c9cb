"""Numbers as written (1,299.5 · 3万5) and as said (一千二百九十九点五 · 两千五 · 二零二六), and their value."""

import re
from decimal import Decimal
from functools import lru_cache
from typing import Final

_DIGITS: Final = {char: n for n, chars in enumerate(
    ("零〇", "一幺壹", "二两贰", "三叁", "四肆", "五伍", "六陆", "七柒", "八捌", "九玖")) for char in chars}
_UNITS: Final = {"十": 10, "拾": 10, "百": 100, "佰": 100, "千": 1000, "仟": 1000}
_LARGE: Final = (("亿", 10**8), ("万", 10**4))
_SCALE: Final = {**_UNITS, **dict(_LARGE), "w": 10**4, "k": 1000}

ONE: Final = "0-9一二两三四五六七八九壹贰叁肆伍陆柒捌玖"
"""Class of single digits above zero, and 0."""
NUMERALS: Final = "零〇一二两三四五六七八九十百千万亿壹贰叁肆伍陆柒捌玖拾佰仟"
WRITTEN: Final = r"(?<![0-9.])(?:[0-9]{1,3}(?:,[0-9]{3})+|[0-9]{1,12})(?:\.[0-9]{1,4})?(?![0-9])"
SPOKEN: Final = rf"(?<![{NUMERALS}点])[{NUMERALS}]{{1,16}}(?:点[零〇一二三四五六七八九]{{1,4}}[万亿]?)?(?![{NUMERALS}])"
NUMBER: Final = rf"(?:{WRITTEN}(?: ?(?:[万千百]|[wk](?![a-z]))(?:[1-9](?![0-9.]))?)?|{SPOKEN})"
MEASURE: Final = (
    "个件条盒瓶袋斤克只双套把支张片粒箱桶罐份单次天年月周日号米位人本台部对组种款公里毫升分秒点折成倍"
    "岁码寸层楼度页集代级口家场坛壶杯碗桌"
)
"""What makes the number before it a count."""

_RUN: Final = re.compile(f"[0-9][0-9.,]*|[{NUMERALS}][{NUMERALS}点]*|半")
_WRITTEN: Final = re.compile(r"(?:[0-9]{1,3}(?:,[0-9]{3})+|[0-9]+)(?:\.[0-9]+)?")
_MIXED: Final = re.compile(rf"({_WRITTEN.pattern}) ?([万千百亿wk])([1-9])?")


def number_starts(text: str) -> list[int]:
    """Where a number may begin."""
    return [run.start() for run in _RUN.finditer(text)]


@lru_cache(maxsize=4096)
def number(text: str) -> Decimal | None:
    """The value of a number that is the whole of `text`; None where it is none, or only about (七八十)."""
    text = text.strip()
    if _WRITTEN.fullmatch(text):
        return Decimal(text.replace(",", ""))
    mixed = _MIXED.fullmatch(text)
    if mixed:
        scale = _SCALE[mixed[2]]
        return Decimal(mixed[1].replace(",", "")) * scale + int(mixed[3] or 0) * scale // 10
    if text == "半":
        return Decimal("0.5")
    whole, point, part = text.partition("点")
    if not point:
        value = _whole(whole)
        return None if value is None else Decimal(value)
    return _with_part(whole, part)


def _with_part(whole: str, part: str) -> Decimal | None:
    """三点一四, 一点二万"""
    scale = 1
    if part[-1:] in ("万", "亿"):
        scale, part = _SCALE[part[-1]], part[:-1]
    value = _whole(whole)
    if value is None or not part or any(char not in _DIGITS for char in part):
        return None
    return Decimal(f"{value}." + "".join(str(_DIGITS[char]) for char in part)) * scale


def _whole(text: str) -> int | None:
    if len(text) > 1 and all(char in _DIGITS for char in text):
        digits = "".join(str(_DIGITS[char]) for char in text)  # digit by digit
        return int(digits) if len(text) > 2 or "0" in digits else None  # 两三, 七八 are about so many
    return _large(text)


def _large(text: str) -> int | None:
    for unit, size in _LARGE:
        if unit not in text:
            continue
        high, _, low = text.partition(unit)
        top, rest = _large(high), _large(low) if low else 0
        if top is None or rest is None or rest >= size:
            return None
        if len(low) == 1 and rest:
            rest *= size // 10  # 一万二
        return top * size + rest
    return _small(text)


def _small(text: str) -> int | None:
    """Below ten thousand."""
    total, last, zero = 0, 10_000, False
    digit: int | None = None
    for char in text:
        if char in _DIGITS:
            if digit is not None:
                return None
            digit, zero = (_DIGITS[char], zero) if _DIGITS[char] else (None, True)
            continue
        unit = _UNITS.get(char)
        if unit is None or unit >= last or (digit is None and (unit != 10 or total)):
            return None
        total, digit, last, zero = total + (digit or 1) * unit, None, unit, False
    if digit is None:
        return total if total or text in ("零", "〇") else None
    return total + digit * (last // 10 if 10 < last < 10_000 and not zero else 1)  # 一百二 is 120, 一百零二 is 102
