"""Contact data: built-in detectors. A wide pattern proposes, a check on the hit decides.

Everything works on the plain view, so full-width, circled and styled digits are digits already. Spoken forms are not
read here. What is found is masked in all that is derived.
"""

import re
from collections.abc import Callable
from datetime import date
from typing import Final, NamedTuple

_SEPARATED: Final = r"[ \-.,_*~/|·]{0,2}"
_RUN: Final = re.compile(rf"\d(?:{_SEPARATED}\d)*(?:{_SEPARATED}x)?")
_GROUP: Final = re.compile(r"\d+x?|x")

Spans = list[tuple[int, int]]


class Detector(NamedTuple):
    """`pattern` (pattern-engine syntax) proposes; `check(text, start, end)` gives the spans that are contact data."""

    name: str
    pattern: str
    check: Callable[[str, int, int], Spans]


def _is_digit(char: str) -> bool:
    return "0" <= char <= "9"


def _is_word(char: str) -> bool:
    return char.isascii() and (char.isalnum() or char == "_")


def _edges_free(text: str, start: int, end: int) -> bool:
    return not (start > 0 and _is_word(text[start - 1])) and not (end < len(text) and _is_word(text[end]))


def _numbers(text: str, start: int, is_one: Callable[[list[str]], bool], longest: int) -> Spans:
    """The numbers in the run of digits around `start` that `is_one` accepts, given as their written groups."""
    while start > 0 and _is_digit(text[start - 1]):
        start -= 1
    run = _RUN.match(text, start)
    groups = list(_GROUP.finditer(text, *run.span())) if run else []
    found: Spans = []
    i = 0
    while i < len(groups):
        for j in range(min(len(groups), i + longest), i, -1):
            if is_one([g.group() for g in groups[i:j]]):
                found.append((groups[i].start(), groups[j - 1].end()))
                i = j - 1
                break
        i += 1
    return found


_PHONE_GROUPS: Final = {(11,), (3, 4, 4), (3, 8), (7, 4), (3, 3, 5), (5, 6), (4, 4, 3), (3, 4, 2, 2), (6, 5)}


def _is_phone(groups: list[str]) -> bool:
    """Eleven digits in one piece, in groups that people use for phone numbers, or one by one (1-3-8-0-…)."""
    digits = "".join(groups)
    if len(digits) != 11 or not digits.isdigit() or digits[0] != "1" or digits[1] < "3":
        return False
    return tuple(map(len, groups)) in _PHONE_GROUPS or len(groups) >= 8


_ID_WEIGHTS: Final = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_ID_CHECK: Final = "10x98765432"


def _is_id_card(groups: list[str]) -> bool:
    """18 places with a real date of birth and the check digit of GB 11643."""
    places = "".join(groups)
    if len(places) != 18 or "x" in places[:17]:
        return False
    try:
        born = date(int(places[6:10]), int(places[10:12]), int(places[12:14]))
    except ValueError:
        return False
    check = _ID_CHECK[sum(int(d) * w for d, w in zip(places[:17], _ID_WEIGHTS, strict=True)) % 11]
    return check == places[17] and born.year >= 1900


def luhn(digits: str) -> bool:
    """The check digit of ISO/IEC 7812."""
    total = 0
    for i, char in enumerate(reversed(digits)):
        value = int(char) * (2 if i % 2 else 1)
        total += value - 9 if value > 9 else value
    return total % 10 == 0


def _is_bank_card(groups: list[str]) -> bool:
    """16 to 19 digits with a valid check digit, in one piece, in groups, or one by one."""
    digits = "".join(groups)
    if not digits.isdigit() or not 16 <= len(digits) <= 19 or digits[0] not in "3456" or len(set(digits)) < 3:
        return False
    return (all(len(g) in (4, 6) for g in groups[:-1]) or len(groups) >= 14) and luhn(digits)


_ADDRESS: Final = re.compile(r"[a-z0-9._%+\-]{1,64}@[a-z0-9\-]{1,63}(\.[a-z0-9\-]{1,63}){1,3}")


def _email(text: str, start: int, end: int) -> Spans:
    match = _ADDRESS.search(text, max(0, text.rfind("\n", 0, start) + 1, start - 64), end + 256)
    return [match.span()] if match and match.start() <= start < match.end() else []


_CUE: Final = r"(微信|薇信|威信|微x|vx|wx|v信|wechat|weixin|扣扣|企鹅|qq|q群|群号|加v|加微|加薇|加q|➕v|\+v|\+微)"
_LINK: Final = r"(号码|号|是|搜|为|我|群|[:：=,.。 \-]){0,4}"
_HANDLE: Final = r"([a-z][a-z0-9_\-]{5,19}|[1-9][0-9]{4,11})"
_CONTACT: Final = re.compile(f"{_CUE}{_LINK}{_HANDLE}")
_NO_HANDLE: Final = re.compile(r"^(weixin|wechat|douyin|taobao|kuaishou)$")


def _wechat(text: str, start: int, end: int) -> Spans:
    """A WeChat or QQ id after its cue word; the cue itself stays readable."""
    found = []
    for match in _CONTACT.finditer(text, start, end):
        a, b = match.span(3)
        while b < len(text) and _is_word(text[b]):
            b += 1
        if not _NO_HANDLE.match(text[a:b]) and b - a <= 20:
            found.append((a, b))
    return found


def _of_digits(is_one: Callable[[list[str]], bool], longest: int) -> Callable[[str, int, int], Spans]:
    def check(text: str, start: int, end: int) -> Spans:
        return _numbers(text, start, is_one, longest)

    return check


def _digits(count: int) -> str:
    return rf"(\d{_SEPARATED}){{{count}}}"


DETECTORS: Final = (
    Detector("phone", rf"{_digits(10)}\d", _of_digits(_is_phone, 11)),
    Detector("id_card", rf"{_digits(17)}[\dx]", _of_digits(_is_id_card, 18)),
    Detector("bank_card", rf"{_digits(15)}\d", _of_digits(_is_bank_card, 19)),
    Detector("email", r"[a-z0-9_%+\-]@[a-z0-9]", _email),
    Detector("wechat_id", f"{_CUE}{_LINK}{_HANDLE}", _wechat),
)
