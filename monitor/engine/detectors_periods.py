"""Lengths of time in days, dates, and times of day."""

import re
from collections.abc import Iterable, Iterator
from datetime import date
from decimal import Decimal
from itertools import chain
from typing import Final

from monitor.engine.detectors_amounts import AT_NUMBER, found
from monitor.engine.detectors_numerals import NUMBER, NUMERALS, number, number_starts
from monitor.engine.detectors_spans import Spans, apart

_DAYS: Final = {
    "天": Decimal(1), "日": Decimal(1), "周": Decimal(7), "星期": Decimal(7), "礼拜": Decimal(7), "月": Decimal(30),
    "季度": Decimal(91), "年": Decimal(365),
}
_COUNT: Final = rf"(?P<n>半|{NUMBER})"
_LONGEST_YEARS: Final = 150


def _days(match: re.Match[str]) -> Decimal | None:
    value, unit = number(match["n"]), match["unit"]
    if value is None or (unit == "年" and value > _LONGEST_YEARS):
        return None  # 2026年
    return (value + (Decimal("0.5") if match["half"] else 0)) * _DAYS[unit]


def _hours(match: re.Match[str]) -> Decimal | None:
    value = number(match["n"])
    return None if value is None else value / 24


_AFTER_DAYS: Final = "猫然生才空气真花堂津河地桥平鹅赋蓝山涯岁边末围到身级货糕画轻代年天"

PERIODS: Final = (
    (AT_NUMBER, re.compile(rf"(?<![第0-9a-z])(?P<it>{_COUNT}个(?P<half>半)?(?P<unit>月|星期|礼拜|季度))"), _days),
    (AT_NUMBER, re.compile(rf"(?<!最后)(?<![第0-9a-z])(?P<it>{_COUNT}(?P<unit>天|周|星期|礼拜|年)(?P<half>半)?)"
                           rf"(?![{_AFTER_DAYS}]|两头|[{NUMERALS}0-9]{{1,2}}月)"), _days),
    (AT_NUMBER, re.compile(rf"(?<![第0-9a-z月])(?P<it>{_COUNT}(?P<unit>日)(?P<half>(?!))?)"
                           r"(?=内|之内|以内|无理由|达|见效|保|试用)"), _days),
    (AT_NUMBER, re.compile(rf"(?<![第0-9a-z])(?P<it>{_COUNT}个?(?:小时|钟头))"), _hours),
)
"""Months as 30 days, quarters as 91, years as 365."""

UNCERTAIN: Final = re.compile(
    rf"(?<![第0-9a-z])(?:半|{NUMBER})(?:到[{NUMERALS}0-9]{{1,2}})?个(?:大|小)?疗程"
    rf"|(?<![第{NUMERALS}])[一两二三四五六七八九]{{2}}(?:天|周|年|个(?:月|星期|礼拜|小时))(?![{_AFTER_DAYS}])"
)
"""Lengths of time without a number of days: how long a course is differs, and 两三天 is about so many."""

_FAIR: Final = "(?:大促|活动|当天|那天|狂欢|购物节|年中|预售|前夜|期间|开门红)"
_MONTH: Final = rf"(?:[0-9]{{1,2}}|[{NUMERALS}]{{1,2}})"
_DAY: Final = rf"(?:[0-9]{{1,2}}|[{NUMERALS}]{{1,3}})"
_YEAR: Final = r"(?:[0-9]{4}|[0-9]{2}|[零〇一二两三四五六七八九]{2,4})"
_PART: Final = "(?:凌晨|清晨|早上|早晨|上午|中午|下午|晚上|今晚|明晚|今早|明早|傍晚|半夜|夜里|(?:晚|早)(?!一点))"
_HOUR: Final = "(?:[0-9]{1,2}|[零一二两三四五六七八九十]{1,3})"

DATES: Final = (
    re.compile(rf"(?:(?P<y>{_YEAR})年 ?)?(?P<m>{_MONTH})月(?:份| ?(?P<d>{_DAY}) ?[日号]?)(?![0-9{NUMERALS}个])"),
    re.compile(rf"(?P<y>{_YEAR})年 ?(?P<m>{_MONTH})月"),
    re.compile(r"(?P<y>(?:19|20)[0-9]{2})([\-/.])(?P<m>[01]?[0-9])\2(?P<d>[0-3]?[0-9])(?![0-9])"),
    re.compile(r"(?P<y>(?:19|20)[0-9]{2})(?P<m>[01][0-9])(?P<d>[0-3][0-9])(?![0-9])"),
    re.compile(r"(?P<y>(?:19|20)[0-9]{2}|[一二][零〇九][零〇一二三四五六七八九]{2})年(?!代)"),
    re.compile(rf"(?:11\.11|12\.12|6\.18)(?![0-9.]| ?[元块折包])|(?:618|1111|1212)(?={_FAIR})|(?<=年中)618|六一八"
               r"|三八节|五一(?:假期|长假|劳动节)|十一(?:黄金周|长假|假期)"),
    re.compile(rf"(?<!第)(?P<d>{_DAY})[号日](?=早上|晚上|晚|上午|中午|下午|凌晨|当天|那天|之前|截止|开始|开播|零点)"),
)
_DOUBLE: Final = re.compile("双(?:十一|11|十二|12|旦)")

TIMES: Final = (
    re.compile(r"(?<!:)(?:[01]?[0-9]|2[0-4]):[0-5][0-9](?::[0-5][0-9])?(?![0-9:])"),
    re.compile(rf"[{NUMERALS}0-9]{{1,3}}点(?:半(?!点)|钟|整|[一三]刻"
               rf"|(?:[零十]?[{NUMERALS}]{{1,2}}|[0-5]?[0-9])分(?!钟|之)"
               r"|(?=准时|开播|开抢|开始|上架|下播|上车|见))"),
)
_OF_DAY: Final = re.compile(
    rf"{_PART} ?{_HOUR} ?点(?:半|钟|整|[一三]刻|{_HOUR}?[0-9{NUMERALS}]{{1,3}}分?)?(?![{NUMERALS}0-9点])"
)


def _at_numbers(patterns: Iterable[re.Pattern[str]], text: str) -> Iterator[re.Match[str]]:
    starts = number_starts(text)
    return (match for pattern in patterns for at in starts if (match := pattern.match(text, at)) is not None)


def dates(text: str) -> Spans:
    found_at = (match.span() for match in _at_numbers(DATES, text) if _exists(match.groupdict()))
    return apart(chain((match.span() for match in _DOUBLE.finditer(text)), found_at), len(text))


def times(text: str) -> Spans:
    return apart((m.span() for m in chain(_OF_DAY.finditer(text), _at_numbers(TIMES, text))), len(text))


def courses_and_periods(text: str) -> Spans:
    return apart([*found(PERIODS, text), *(m.span() for m in _at_numbers([UNCERTAIN], text))], len(text))


def _exists(parts: dict[str, str | None]) -> bool:
    """A month of twelve, a day of 31; a whole date must stand in the calendar."""
    month, day = _small(parts.get("m")), _small(parts.get("d"))
    if not 1 <= month <= 12 or not 1 <= day <= 31:
        return False
    year = parts.get("y") or ""
    if len(year) != 4 or not parts.get("m"):
        return True
    try:
        date(int(number(year) or 0), month, day)
    except ValueError:
        return False
    return True


def _small(text: str | None) -> int:
    return 1 if text is None else int(number(text) or 0)
