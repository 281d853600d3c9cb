"""Numbers that reach or name somebody: mobile and fixed lines, hotlines, identity cards, bank cards."""

import re
from collections.abc import Iterable, Iterator
from datetime import date
from functools import lru_cache
from typing import Final

from monitor.engine.detectors_digits import SIGN, Digit, Number, runs
from monitor.engine.detectors_periods import DATES
from monitor.engine.detectors_spans import Spans

Found = tuple[str, int, int]  # kind, start, end

_PHONE_SHAPES: Final = frozenset([
    (11,), (3, 4, 4), (3, 8), (7, 4), (3, 3, 5), (5, 6), (4, 4, 3), (3, 4, 2, 2), (6, 5), (3, 2, 2, 2, 2), (3, 3, 3, 2),
    (4, 3, 4), (4, 7), (2, 3, 3, 3), (3, 5, 3), (3, 2, 3, 3),
])
_HOTLINE_SHAPES: Final = frozenset([
    (10,), (3, 7), (3, 3, 4), (3, 4, 3), (4, 3, 3), (4, 6), (3, 3, 2, 2), (3, 2, 2, 3), (3, 2, 5),
])
_ONE_BY_ONE: Final = 8  # pieces
_MOSTLY_SPOKEN: Final = 6  # digits
_FEWEST: Final = 7  # digits

_PREFIXES: Final = ("", "0", "86", "0086")

_CUE: Final = re.compile(
    r"电话|手机|号码|号是|拨|打给|打这|联系|微信|薇信|[vw]x|v信|加v|加微|加我|\+v|\+我|热线|咨询|call|tel|私聊|找我|同号|同步|客服|座机"
    r"|短信"
)
_LINE: Final = re.compile(r"(?:座机|固话|固定电话|电话|致电|(?<![a-z])tel)(?:号码?|是|[: ]){0,3}$")
"""What a fixed line without its area code needs right before it."""
_ORDER: Final = re.compile(
    r"(?:订单|单号|运单|快递单|快递号|物流单|物流号|流水|工单|货号|款号|型号|编号|编码|条形?码|商品码|序列号|批号|批次|备案"
    r"|许可证|文号|案号|票号|凭证|取件码|提货码|券码|兑换码|激活码|验证码|校验码|防伪码|溯源码|追溯码|直播间|房间|尾号|快递柜|桌号|车次"
    r"|(?<![a-z])(?:isbn|sku|sn|no|order|ems|spu|ean))"
    r"(?:[号码是为的叫数尾后四位id]|[:#.,= \-]){0,5}$"
)
_FOR_EVER: Final = re.compile(r"(?:1314|520|521|999|888|666)+")  # 一生一世我爱你
_DATED: Final = re.compile(
    r"(?<![0-9])(?:19|20)[0-9]{2}[\-/.][01]?[0-9][\-/.][0-3]?[0-9](?![0-9])|[0-9]:[0-5][0-9](?![0-9])"
)
_MONEY_AFTER: Final = re.compile(r" ?(?:元|块|圆|万|亿|%|¥|rmb|人民币|美元|日元|韩元)")
_SERVICES: Final = ("400", "800")
_CENTURIES: Final = ("19", "20")
_ISSUER: Final = re.compile("62|9558|4|5[1-5]|35")
_ISSUED: Final = re.compile(r"62|9558[0-9]{15}$|4[0-9]{15}$|(?:5[1-5]|35)[0-9]{14}$")
_PAPERS: Final = re.compile(r"身份证|证件|证号|实名")
_CARD: Final = re.compile(r"卡号|银行卡|账号|帐号|账户|打款|转账|储蓄卡|信用卡|开户|[工农建中交招]行")
_GLUE_BEFORE: Final = re.compile(r"[a-z_]{1,12}$")
_GLUE_AFTER: Final = re.compile(r"[a-z_]{1,12}")
_WORDS: Final = frozenset([
    "v", "vx", "wx", "q", "qq", "tel", "wei", "dh", "sj", "mob", "phone", "call", "add", "jia", "x", "t",
])


@lru_cache(maxsize=4)
def numbers(text: str) -> tuple[Found, ...]:
    """All of them, left to right; none overlaps another. Several detectors ask for the same text in a row."""
    return tuple(found for run in runs(text, _FEWEST) for found in _in_run(run, text))


def of_kind(kind: str, text: str) -> Spans:
    return [(start, end) for what, start, end in numbers(text) if what == kind]


def _in_run(run: list[Digit], text: str) -> Iterator[Found]:
    digits = "".join([digit.value for digit in run])
    cards = _CARD.search(text) is not None
    first = done = 0
    while first < len(run):
        sizes = _sizes(digits, first, cards=cards) if run[first].free else ()
        if run[first].free and digits[first] > "1" and _is_told(Number(run, digits, first, first, done), text, _LINE):
            sizes += 8, 7
        found = _beginning_at(Number(run, digits, first, first, done), sizes, text) if sizes else None
        if found is None:
            first += 1
            continue
        kind, number, end = found
        yield kind, number.start, end
        first = done = number.last


def _sizes(digits: str, at: int, *, cards: bool) -> tuple[int, ...]:
    """How many digits the numbers may have that begin so, the longest first. `cards`: bank cards are spoken of."""
    first = digits[at]
    if first == "0":
        return 12, 11
    reached = 11 if first == "1" and digits[at + 1 : at + 2] >= "3" else 10 if digits[at : at + 3] in _SERVICES else 0
    if cards or _ISSUER.match(digits, at):
        return 19, 18, 17, 16, reached
    if digits[at + 6 : at + 8] in _CENTURIES:
        return 18, 17, reached
    return (reached,) if reached else ()


def _beginning_at(place: Number, sizes: Iterable[int], text: str) -> tuple[str, Number, int] | None:
    """(kind, number, end of its span)"""
    run, first = place.run, place.first
    for size in sizes:
        last = first + size
        if not first < last <= len(run) or not (last == len(run) or run[last].free):
            continue
        number = place._replace(last=last)
        check = _CHECK_X.match(text, number.end) if size == 17 and last == len(run) else None
        kind, end = _kind_of(number, text), number.end
        if check is not None and _is_id_card(number.digits + "x") and _is_joined(number, text, _PAPERS):
            kind, end = "id_card", check.end()
        if kind and _stands_alone(number, text, end):
            return kind, number, end
    return None


def _kind_of(number: Number, text: str) -> str:
    digits = number.digits
    match len(digits):
        case 18 if _is_id_card(digits) and _is_joined(number, text, _PAPERS):
            return "id_card"
        case 16 | 17 | 18 | 19:
            return "bank_card" if _is_bank_card(number, text) else ""
        case 11 if _is_phone(number, text):
            return "phone"
        case 12 if _is_prefixed(number) and _is_phone(number._replace(first=number.first + 1), text):
            return "phone"
        case 11 | 12 if _is_landline(number):
            return "landline"
        case 10 if _is_hotline(number, text):
            return "hotline"
        case 7 | 8 if number.last == len(number.run) and not any(day.match(text, number.start) for day in DATES):
            return "landline"
    return ""


def _stands_alone(number: Number, text: str, end: int) -> bool:
    """Not the number of an order, not an amount of money, not a part of a product's code."""
    start, whole = number.start, len(number.pieces) == 1
    head = number.stretch if whole else number.head
    if _ORDER.search(text, max(0, head - 16), head) or text[max(0, start - 1) : start] in ("¥", "$"):
        return False
    if _MONEY_AFTER.match(text, end):
        return False
    rest = number.run[number.last :]
    if whole and 0 < len(rest) <= 2 and rest[0].gap == ".":
        return False
    before, after = _GLUE_BEFORE.search(text, max(0, start - 12), start), _GLUE_AFTER.match(text, end)
    return not (before and _is_code(before[0])) and not (after and _is_code(after[0]))


def _is_code(word: str) -> bool:
    return len(word) <= 3 and word not in _WORDS


def _is_cued(number: Number, text: str) -> bool:
    return _is_told(number, text, _CUE) or bool(_CUE.search(text, number.end, number.end + 6))


def _is_grouped(number: Number, text: str, shapes: frozenset[tuple[int, ...]]) -> bool:
    """Said, written in the groups that people use, one by one (1-3-8-0-…), or named as what it is.

    Digits between commas may as well be a list of prices, in which no item begins with a zero.
    """
    if number.is_thousands:
        return False
    if number.spoken >= _MOSTLY_SPOKEN or number.repeated or _is_cued(number, text):
        return True
    pieces = number.pieces
    if tuple(map(len, pieces)) not in shapes and len(pieces) < _ONE_BY_ONE:
        return False
    if pieces == list(number.digits) and len(pieces) == len(number.run):
        return True
    if len(pieces) > 1 and (number.before not in _PREFIXES or _DATED.search(text, number.start, number.end)):
        return False  # goes on from a list, or holds a date or a time
    return number.tight or any(piece[0] == "0" for piece in pieces[1:])


def _is_joined(number: Number, text: str, cue: re.Pattern[str]) -> bool:
    """A long number, not the digits of several amounts and dates."""
    if len(number.pieces) == 1 or number.spoken >= _MOSTLY_SPOKEN or _is_told(number, text, cue):
        return True
    return number.tight and not _DATED.search(text, number.start, number.end)


def _is_told(number: Number, text: str, cue: re.Pattern[str]) -> bool:
    return bool(cue.search(text, max(0, number.head - 12), number.start))


def _is_phone(number: Number, text: str) -> bool:
    digits = number.digits
    if digits[0] != "1" or digits[1] < "3" or len(set(digits[1:])) == 1 or number.letters > 7:
        return False
    if _FOR_EVER.fullmatch(digits) and not _is_cued(number, text):
        return False
    return _is_grouped(number, text, _PHONE_SHAPES)


def _is_prefixed(number: Number) -> bool:
    """With the 0 that calls to another city once began with."""
    return number.digits[0] == "0" and (len(number.pieces) == 1 or number.last == len(number.run))


def _is_hotline(number: Number, text: str) -> bool:
    pieces = number.pieces
    if number.digits[:3] not in _SERVICES:
        return False
    if len(pieces) > 1 and all(p[-1] == "0" != p[0] for p in pieces):
        return False  # 400 800 1200, prices
    return _is_grouped(number, text, _HOTLINE_SHAPES)


_LANDLINE: Final = re.compile(r"(0(?:10|2[0-9]))[2-9][0-9]{7}|(0[3-9][0-9]{2})[2-9][0-9]{6,7}")


def _is_landline(number: Number) -> bool:
    """A fixed line with its area code, which stands apart where anything does."""
    match = _LANDLINE.fullmatch(number.digits)
    pieces = number.pieces
    if match is None:
        return False
    return len(pieces) in (1, *range(_ONE_BY_ONE, 13)) or number.spoken >= _MOSTLY_SPOKEN or pieces[0] in match.groups()


_ID_WEIGHTS: Final = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_ID_CHECK: Final = "10x98765432"
_CHECK_X: Final = re.compile(rf"{SIGN}{{0,2}}(?:x(?![a-z0-9])|×|叉|艾克斯|埃克斯)")


def _is_id_card(places: str) -> bool:
    """18 places with a real date of birth and the check digit of GB 11643."""
    if places[6:8] not in _CENTURIES:
        return False
    try:
        date(int(places[6:10]), int(places[10:12]), int(places[12:14]))
    except ValueError:
        return False
    check = _ID_CHECK[sum(int(d) * w for d, w in zip(places[:17], _ID_WEIGHTS, strict=True)) % 11]
    return check == places[17]


def luhn(digits: str) -> bool:
    """The check digit of ISO/IEC 7812."""
    total = 0
    for i, char in enumerate(reversed(digits)):
        value = int(char) * (2 if i % 2 else 1)
        total += value - 9 if value > 9 else value
    return total % 10 == 0


def _is_bank_card(number: Number, text: str) -> bool:
    """16 to 19 digits with a valid check digit, in one piece, in groups, one by one, or said."""
    digits = number.digits
    if len(set(digits)) < 3 or not luhn(digits):
        return False
    if not (_ISSUED.match(digits) or _is_told(number, text, _CARD)) or not _is_joined(number, text, _CARD):
        return False
    pieces = number.pieces
    return all(len(p) in (4, 6) for p in pieces[:-1]) or len(pieces) >= 14 or number.spoken >= _MOSTLY_SPOKEN
