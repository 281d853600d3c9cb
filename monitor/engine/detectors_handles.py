"""Ids of WeChat and QQ and of groups, after the words that announce them. The announcing words stay readable."""

import re
from functools import lru_cache
from typing import Final, NamedTuple

from monitor.engine.detectors_cues import CUE
from monitor.engine.detectors_digits import SAID_CLASS, Number, runs
from monitor.engine.detectors_numbers import Found, numbers
from monitor.engine.detectors_periods import DATES
from monitor.engine.detectors_spans import Spans, apart

_LINK: Final = re.compile(
    r"(?:(?P<named>号码|号|账号|帐号|id(?![a-z0-9])|就?是|为|叫|搜索?|同步|(?P<mark>[:=]))|我|加|找|的|哦|呢|哈|个|一下|下"
    r"|[+#@](?=[a-z])|_|[^\w\n:=¥$%&+#@])"
)
_LINKS: Final = re.compile(rf"{_LINK.pattern}*")
_LONGEST_LINK: Final = 8

_ID: Final = re.compile(r"[a-z][a-z0-9_\-]{5,19}(?![a-z0-9_\-@])")
_CHAR: Final = rf"[a-z0-9_\-{SAID_CLASS}]"
_DICTATING: Final = r"(?: ?(?:字母|数字|小写的?|大写的?|再?加|下划线|横杠|杠) ?){1,2}"
_JOIN: Final = rf"(?:{_DICTATING}|(?<=[a-z0-9]{{2}})[ .·]{{1,2}}(?=[0-9{SAID_CLASS}]))"
_DICTATED: Final = re.compile(
    rf"(?:(?:字母|小写的?|大写的?) ?)?(?P<id>(?![_\-]){_CHAR}+(?:{_JOIN}{_CHAR}+){{0,9}})(?![a-z0-9_@])")
_SPACED: Final = re.compile(
    rf"(?P<id>[a-z0-9{SAID_CLASS}](?:(?:[^\w\n:=,¥$%@#。!?;]|_){{1,3}}[a-z0-9{SAID_CLASS}]){{5,19}})(?![a-z0-9_@])")
_NO_ID: Final = re.compile(
    r"(?:weixin|wechat|douyin|taobao|tmall|kuaishou|xiaohongshu|official|service|group|online|offline|please|thanks|follow)$"
    r"|(?:iphone|ipad|macbook|airpods|huawei|honor|vivo|oppo|redmi|xiaomi|galaxy|windows|android|harmony|version)[a-z0-9_\-]*$"
)
_BETWEEN_WORDS: Final = re.compile(r"[^a-z0-9_\-]")
_GOES_ON: Final = re.compile(
    r"[a-z0-9@]| ?(?:元|块|万|亿|%|人|名|位|个(?!人|微|v|号)|件|单|条|只|双|套|瓶|盒|箱|张|页|场|粉"
    r"|次|年|月|日|天|点|分|秒|折|米|码|克|斤|升|ml|kg|g(?![a-z])|w(?![a-z])|k(?![a-z])|\+)"
)
_SAID: Final = re.compile(rf"[0-9{SAID_CLASS}]")
_AT_DIGIT: Final = re.compile(rf"[0-9oli{SAID_CLASS}]")

_FEW: Final = 6
_LEAST: Final = 5
_CUED: Final = re.compile(r"(?<![a-z0-9_.\-¥$])[a-z0-9][a-z0-9_\-]{4,39}(?![a-z0-9_@])")
_CUE_INSIDE: Final = re.compile(r"(?:weixin|wechat|wei|vx|wx|qq|xin|[vwqx])[:_\-]*")
_SERVICE_LINE: Final = re.compile(r"[48]00[0-9]{7}|1[12][0-9]{3}|9[56][0-9]{3,4}|100[0-9]{2}")

_INVITATIONS: Final = (
    ("wechat_id", re.compile(
        r"(?<![a-z0-9.])(?:u\.wechat\.com|weixin\.qq\.com/[gr]|work\.weixin\.qq\.com/[a-z]+)/[a-z0-9_\-?=&/%]+")),
    ("qq_group", re.compile(r"(?<![a-z0-9.])(?:qm|jq)\.qq\.com/[a-z0-9_\-?=&/%.]+")),
)
"""Links that stand for a person or a group."""


class _Place(NamedTuple):
    """Where an id may stand. `named`: a word like 号 or 是 or a colon leads up to it. `called`: such a word."""

    start: int
    named: bool
    called: bool


@lru_cache(maxsize=4)
def handles(text: str) -> tuple[Found, ...]:
    """Left to right. What is a phone number, too, is left to that detector."""
    found: dict[tuple[int, int], str] = {(start, end): "" for _, start, end in numbers(text)}
    found |= {match.span(): kind for kind, links in _INVITATIONS for match in links.finditer(text)}
    at = 0
    while (cue := CUE.search(text, at)) is not None:
        at, kind = cue.end(), str(cue.lastgroup)
        span = _id_at(text, _place(text, cue), kind)
        if span is not None:
            found.setdefault(span, _KINDS[kind])
            at = span[1]
    return tuple((found[span], *span) for span in apart(found, len(text)) if found[span])


_KINDS: Final = {"wechat": "wechat_id", "qq": "qq_id", "group": "qq_group"}


def of_kind(kind: str, text: str) -> Spans:
    return [(start, end) for what, start, end in handles(text) if what == kind]


def _place(text: str, cue: re.Match[str]) -> _Place:
    at, called = cue.end(), cue[0][-1] in "号式"
    named = called
    for _ in range(_LONGEST_LINK):
        link = _LINK.match(text, at)
        if link is None:
            break
        at, named = link.end(), named or link["named"] is not None
        called = called or (link["named"] is not None and link["mark"] is None)
    return _Place(at, named, called)


def _id_at(text: str, place: _Place, kind: str) -> tuple[int, int] | None:
    if kind == "wechat":
        written = _ID.match(text, place.start)
        if written is not None:
            return written.span() if _is_id(written[0], named=place.named) else None
    span = _number_at(text, place, 11 if kind != "wechat" else 12)
    return span or (_dictated_at(text, place.start) if kind == "wechat" else None)


def _is_id(word: str, *, named: bool) -> bool:
    """Letters alone are words, unless something says that an id follows."""
    return not _NO_ID.match(word) and (named or any(char.isdigit() for char in word))


def _number_at(text: str, place: _Place, longest: int) -> tuple[int, int] | None:
    """A number of five digits or more, in one piece, or said in several."""
    if not _AT_DIGIT.match(text, place.start):
        return None
    for run in runs(text[place.start : place.start + 80]):
        if run[0].start:
            break
        last = next((i for i, digit in enumerate(run) if i and digit.gap), len(run))
        if last < 5:
            last = len(run)
        while last > 5 and run[last - 1].free and run[last - 1].spoken and not run[last - 1].gap:
            last -= 1  # …七八 一下
        number = Number(run, "".join([digit.value for digit in run]), 0, last)
        if _is_number(number, text[place.start : place.start + 100], place, longest):
            return place.start, place.start + number.end
        break
    return None


def _is_number(number: Number, text: str, place: _Place, longest: int) -> bool:
    """`text` begins with the number."""
    digits = number.digits
    if not (5 if place.named else 6) <= len(digits) <= longest or digits[0] == "0" or _GOES_ON.match(text, number.end):
        return False
    return place.called or not any(pattern.match(text) for pattern in DATES)


def _dictated_at(text: str, start: int) -> tuple[int, int] | None:
    """Letters and digits said one after the other: abc一二三四, a b c 1 2 3, 字母abc加数字123."""
    for pattern in (_SPACED, _DICTATED):
        match = pattern.match(text, start)
        if match is None:
            continue
        letters = sum("a" <= char <= "z" for char in match["id"])
        digits = len(_SAID.findall(match["id"]))
        least = 1 if pattern is _SPACED else 3
        if letters and digits >= least and 6 <= letters + digits <= 20 and not _is_named_thing(text, match):
            return match.span("id")
    return None


def _is_named_thing(text: str, match: re.Match[str]) -> bool:
    """A product, or so many of something."""
    return bool(_NO_ID.match(_BETWEEN_WORDS.split(match["id"])[0]) or _GOES_ON.match(text, match.end()))


def after_cue(text: str, start: int, end: int) -> Spans:
    """The run of letters and digits that looks like an id, in or a few characters after a cue at [start, end)."""
    for run in _CUED.finditer(text, start, min(len(text), end + _FEW + 40)):
        if run.start() > end + _FEW:
            break
        inside = _CUE_INSIDE.match(run[0]) if run.start() < end else None
        at = run.start() + (inside.end() if inside else 0)
        word = text[at : run.end()]
        if word.isalpha() and (run.end() <= end or not _LINKS.fullmatch(text, end, max(end, run.start()))):
            continue  # the cue itself, or a word of the sentence
        if (len(word) >= _LEAST and not _NO_ID.match(word) and not _SERVICE_LINE.fullmatch(word)
                and not _GOES_ON.match(text, run.end()) and not any(date.match(text, at) for date in DATES)):
            return [(at, run.end())]
    return []
