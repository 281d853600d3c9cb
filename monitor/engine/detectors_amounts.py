"""Prices, discounts, shares and plain spoken numbers: what rules compare, and what is never masked.

Each kind is a list of forms, tried in order; a later form takes no place that an earlier one has.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from decimal import Decimal
from functools import partial
from typing import Final

from monitor.engine.detectors_numerals import MEASURE, NUMBER, NUMERALS, ONE, SPOKEN, WRITTEN, number, number_starts
from monitor.engine.detectors_spans import Spans, apart

Value = Callable[[re.Match[str]], Decimal | None]
Form = tuple[re.Pattern[str] | None, re.Pattern[str], Value]
"""What ends where the number begins, the pattern that is tried there, with the span as its group "it", and how a match
reads. None: the pattern stands anywhere."""

AT_NUMBER: Final = re.compile("")
_LONGEST_LEAD: Final = 12


def _matches(forms: Sequence[Form], text: str) -> Iterator[tuple[Value, re.Match[str]]]:
    starts = number_starts(text)
    for lead, pattern, value in forms:
        if lead is None:
            for match in pattern.finditer(text):
                yield value, match
            continue
        for at in starts:
            if lead is AT_NUMBER or lead.search(text, max(0, at - _LONGEST_LEAD), at):
                at_number = pattern.match(text, at)
                if at_number is not None:
                    yield value, at_number


def found(forms: Sequence[Form], text: str) -> Spans:
    matches = _matches(forms, text)
    return apart((match.span("it") for value, match in matches if value(match) is not None), len(text))


def value_of(forms: Sequence[Form], text: str, before: str = "", after: str = "") -> Decimal | None:
    """The value of a text that is one hit as a whole, alone or between words that a form may ask for."""
    for whole, start in ((text, 0), (before + text + after, len(before))):
        for value, match in _matches(forms, whole):
            if match.span("it") == (start, start + len(text)) and (read := value(match)) is not None:
                return read
    return None


def _n(match: re.Match[str]) -> Decimal | None:
    return number(match["n"])


def _scaled(scale: str, match: re.Match[str]) -> Decimal | None:
    value = number(match["n"])
    return None if value is None else value * Decimal(scale)


# --- Prices ---

_NOT_MONEY: Final = (
    "肉布砖表地糖饼皂巧电屏板面石玉手蛋豆积香木姜冰煤金牌头儿状垫毯奶肥拼海区"
    "钢铁瓷玻翡琥披西牛猪鸡鱼排干薄小大整完毛腕斑疤印"
)
_NOT_YUAN: Final = "素旦宵件气帅老首器组化宇复宝神月凶音春朝谋凯"
_YUAN: Final = rf"(?:块(?:钱|大洋|(?![{_NOT_MONEY}]))|元(?![{_NOT_YUAN}])|圆整)"
_TAIL: Final = (
    rf"(?:零?(?P<a>[{ONE}])(?:毛|角)(?:(?P<b>[{ONE}])分?|钱)?"
    rf"|(?P<c>[{ONE}]{{1,2}})(?![{MEASURE}块元圆毛角%0-9.十百千万亿]|包(?!邮)))?"
)
_CURRENCY: Final = r"(?:rmb|cny|软妹币|人民币|大洋)"
_NAMED: Final = (
    r"(?:到手价?|券后价?|折后价?|原价|现价|售价|价格|卖价|单价|特价|秒杀价?|直播价|专柜价?|吊牌价?|市场价|日常价"
    r"|活动价|开价|均价|低至|团购价|标价|报价|门店价|官网价|拍下价?|只要|只需|仅需|仅售|只卖|才卖|就卖|卖你|给你们?)"
    r"(?:只要|才|就|是|都|要|价|到|[:¥ ,了的]){0,3}"
)
_LEAD: Final = re.compile(rf"{_NAMED}$")
_PAID: Final = re.compile(rf"(?:{_NAMED}|一共|付|花)$")
_NO_COUNT: Final = rf"(?![{MEASURE}{NUMERALS}0-9a-z.%多几来小时钟吨平里遍步度包袋块元圆毛钱])"
_TAKEN: Final = r"(?=包邮|到手(?!件)|秒杀|带走|拿走|拿下|带回家)"


def _yuan(match: re.Match[str]) -> Decimal | None:
    value = number(match["n"])
    if value is None or (match["n"] in ("一", "1") and match["it"] in ("一块", "1块")):
        return None  # 一块 is a piece, or together
    small = match["c"] or ""
    tens, ones = match["a"] or small[:1] or "零", match["b"] or small[1:] or "零"
    return value + (number(tens) or 0) / Decimal(10) + (number(ones) or 0) / Decimal(100)


def _jiao(match: re.Match[str]) -> Decimal | None:
    return ((number(match["n"]) or 0) * 10 + (number(match["b"] or "零") or 0)) / Decimal(100)


def _bare(match: re.Match[str]) -> Decimal | None:
    """Without a unit: no festival (618), no single spoken digit."""
    text = match["n"]
    spoken = not text[0].isascii()
    return None if text in ("二百五", "618", "1111", "1212") or (spoken and len(text) < 2) else number(text)


PRICES: Final = (
    (None, re.compile(rf"(?P<it>¥ ?(?P<n>{WRITTEN}(?: ?万)?))(?![a-z])"), _n),
    (AT_NUMBER, re.compile(rf"(?<![这那哪每第几数a-z])(?P<it>(?P<n>{NUMBER}) ?{_YUAN}{_TAIL})"), _yuan),
    (AT_NUMBER, re.compile(rf"(?P<it>(?P<n>{NUMBER}) ?{_CURRENCY})"), _n),
    (None, re.compile(rf"(?P<it>{_CURRENCY} ?(?P<n>{WRITTEN}))"), _n),
    (AT_NUMBER, re.compile(rf"(?P<it>(?P<n>[{ONE}])毛(?:钱|(?P<b>[{ONE}])分?)?)"
                           r"(?![衣巾线孔绒笔利病发豆茸领呢坯重肚血囊不裤衫尖蟹毛用])"), _jiao),
    (AT_NUMBER, re.compile(rf"(?P<it>(?P<n>[{ONE}])分钱)"), partial(_scaled, "0.01")),
    (_PAID, re.compile(rf"(?P<it>(?P<n>{NUMBER})米)(?![{NUMERALS}长宽高以外远深厚])"), _n),
    (AT_NUMBER, re.compile(rf"(?P<it>(?P<n>{NUMBER})米){_TAKEN}"), _n),
    (_LEAD, re.compile(rf"(?P<it>(?P<n>{NUMBER})){_NO_COUNT}"), _bare),
    (AT_NUMBER, re.compile(rf"(?<![满第双])(?P<it>(?P<n>{NUMBER})){_TAKEN}"), _bare),
    (AT_NUMBER, re.compile(rf"(?P<it>(?P<n>[0-9]+\.[0-9]{{1,2}}))(?= ?[一两二三四五六1-6](?:[{MEASURE}]|包))"), _n),
    (AT_NUMBER, re.compile(
        r"(?<![第满近超])(?P<it>(?P<n>[一两二三四五六七八九][千百万][一二三四五六七八九]))"
        rf"(?![{MEASURE}十百千万亿之里多几来小时钟吨平包块元圆毛步字遍]|[{NUMERALS}](?![{MEASURE}]))"), _bare),
)

# --- Discounts: the share of the price that is left ---

_UNFOLDED: Final = "叠伞页扇屏盖痕线寿射腾磨返算旧现合纸椅桌凳床断弯刀尺边缝"


def _fold(match: re.Match[str]) -> Decimal | None:
    """8.5折, 85折, 八五折, 八点五折; not 10折, 0折."""
    digits = [number(char) for char in match["n"] if char not in ".点"]
    share = sum((digit or 0) * Decimal(10) ** -place for place, digit in enumerate(digits, 1))
    odd = not share or (len(digits) > 1 and not digits[-1]) or "." in match["n"][2:]
    return None if odd else Decimal(share)


DISCOUNTS: Final = (
    (AT_NUMBER, re.compile(
        r"(?P<it>(?P<n>[0-9]{1,2}(?:\.[0-9]{1,2})?|[一二两三四五六七八九](?:点?[一二三四五六七八九])?) ?折)"
        rf"(?![{_UNFOLDED}])"), _fold),
    (None, re.compile(r"(?P<it>半价|(?:(?<=打)|(?<=打个)|(?<=打了))对折|(?<=打)半折|对折价)"),
     lambda match: Decimal("0.5")),
    (AT_NUMBER, re.compile(rf"(?P<it>(?P<n>{WRITTEN})% ?off)"),
     lambda match: 1 - Decimal(match["n"]) / 100 if Decimal(match["n"]) < 100 else None),
)

# --- Shares ---

_WHOLE_TENTH: Final = "员立本功团为不人品型都名交套双群长熟就效分语份像果绩衣年色化全亿千片块天了心"


def _tenths(match: re.Match[str]) -> Decimal | None:
    more = match["m"] or ""
    part = Decimal(5) if more == "半" else (number(more) or Decimal(0)) if more else Decimal(0)
    value = number(match["n"])
    return None if value is None or value > 10 else value / 10 + part / 100


SHARES: Final = (
    (AT_NUMBER, re.compile(rf"(?P<it>(?P<n>{WRITTEN}) ?%)(?! ?off)"), partial(_scaled, "0.01")),
    (AT_NUMBER, re.compile(
        rf"(?P<it>百分之 ?(?P<n>{WRITTEN}|[{NUMERALS}]{{1,16}}(?:点[零〇一二三四五六七八九]{{1,4}})?))(?!点?几)"),
     partial(_scaled, "0.01")),
    (AT_NUMBER, re.compile(rf"(?P<it>千分之 ?(?P<n>{NUMBER}))"), partial(_scaled, "0.001")),
    (AT_NUMBER, re.compile(rf"(?P<it>万分之 ?(?P<n>{NUMBER}))"), partial(_scaled, "0.0001")),
    (AT_NUMBER, re.compile(r"(?P<it>百分百|百分之百)"), lambda match: Decimal(1)),
    (AT_NUMBER, re.compile(r"(?<!完)(?P<it>(?P<n>[0-9]|[一二两三四五六七八九十])成(?P<m>[一二三四五六七八九半])?)"
                           rf"(?![{_WHOLE_TENTH}])"), _tenths),
)

# --- Spoken numbers ---

_COUNTING: Final = re.compile(r"(.)\1+(?:(.)\2+)?|[零一二三四五六七八九]{2}")
_ROW: Final = "零一二三四五六七八九十"


def _said(match: re.Match[str]) -> Decimal | None:
    """Not the idioms (千万别, 万一), not counting up or down, not 七八 and 六六六."""
    text = match["n"]
    if len(text) < 2 or text[0] in "百千万亿佰仟" or _COUNTING.fullmatch(text) or text in _ROW or text[::-1] in _ROW:
        return None
    return number(text)


NUMBERS: Final = ((AT_NUMBER, re.compile(rf"(?<!双)(?<!分之)(?P<it>(?P<n>{SPOKEN}))(?!分之|刻)"), _said),)
