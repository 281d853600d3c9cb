"""Digits as people write and say them, and which of them stand together as one number.

Texts are plain views: full-width, circled and styled digits are digits already. Spoken ones are read (幺三八, 洞拐,
壹贰), repeated ones too (三个八), letters for digits where a word holds nothing else (138oo138ooo). Between two digits
of a run there may be a few signs and words of dictating (然后, 再, 后面); anything else ends it.
"""

import re
from collections.abc import Iterator
from typing import Final, NamedTuple

SAID: Final = {char: str(n) for n, chars in enumerate(
    ("零〇洞", "一幺壹", "二两贰", "三叁", "四肆", "五伍", "六陆", "七柒拐", "八捌", "九玖勾")) for char in chars}
SAID_CLASS: Final = "".join(SAID)
_LIKE: Final = {"o": "0", "l": "1", "i": "1"}
_HEARD: Final = "要腰妖夭么"  # what a recogniser writes for a spoken 幺
_VALUES: Final = {**SAID, **_LIKE, **{char: "1" for char in _HEARD}}

SIGN: Final = r"(?:[^\w\n¥$€£%‰°℃@]|[_\u115f\u1160\u3164\uffa0])"
_FILLER: Final = (
    r"(?:然后呢?|接下来|接着|再来|再|后面是?|后边是?|中间是?|前面是?|跟着|还有|完了|就是|嗯|啊|呃|额|哦|哈|那个|这个|来"
    r"|横杠|杠|空格|空|逗号|对)"
)
_GAP: Final = re.compile(rf"{SIGN}{{0,8}}(?:{_FILLER}{SIGN}{{0,8}}){{0,2}}")
_UNSEEN: Final = re.compile("[\u00ad\u180e\u200b-\u200f\u2060-\u2064\ufeff\ufe0e\ufe0f\u20e3]+")
_LONGEST_GAP: Final = 14
_LONGEST_CHAIN: Final = 30
_TIGHT: Final = re.compile(r"(?:[^\w,、。;:/+#&<>]|_)*")
_MEASURE: Final = (
    "下起个定样直般些点边共切旦会次种件块天年月日周款套瓶盒单条只家位遍句口双斤毛角折成倍分秒层楼米克"
)
_TOKEN: Final = re.compile(
    rf"(?P<times>[两二三四])个(?P<of>[0-9](?![0-9])|[{SAID_CLASS}])"
    r"|(?P<word>(?<![a-z0-9_])(?=[oli]{0,8}[0-9])[0-9oli]{2,40}(?![a-z0-9_]))|(?P<digit>[0-9])"
    rf"|(?P<like>(?<![a-z0-9_])[oli]{{1,4}}(?![a-z0-9_])|(?<![a-z0-9_])[oli]{{1,4}}(?=[{SAID_CLASS}])"
    rf"|(?<=[{SAID_CLASS}])[oli]{{1,4}}(?![a-z0-9_]))"
    rf"|(?P<heard>[{_HEARD}])(?=[{SAID_CLASS}])"
    rf"|(?<![十百千万亿])(?P<said>[{SAID_CLASS}])(?![十百千万亿])"
)
_AMBIGUOUS: Final = re.compile(rf"(?<=[第周唯统期拜])[一二三四五六七八九]|[一两二三四五六七八九](?=[{_MEASURE}](?!人))")


class Digit(NamedTuple):
    """One digit at [start, end). `gap`: what stands between it and the one before. `free`: a number may begin here,
    and one may end before it."""

    value: str
    start: int
    end: int
    gap: str
    free: bool
    spoken: bool
    letter: bool


class Number(NamedTuple):
    """Consecutive digits of a run, of which a detector says whether they are one number. `done`: where the number
    before it in the run ended."""

    run: list[Digit]
    values: str  # of the whole run
    first: int
    last: int  # exclusive
    done: int = 0

    @property
    def digits(self) -> str:
        return self.values[self.first : self.last]

    @property
    def start(self) -> int:
        return self.run[self.first].start

    @property
    def end(self) -> int:
        return self.run[self.last - 1].end

    @property
    def spoken(self) -> int:
        return sum(d.spoken for d in self.run[self.first : self.last])

    @property
    def letters(self) -> int:
        return sum(d.letter for d in self.run[self.first : self.last])

    @property
    def repeated(self) -> bool:
        """Some of the digits are said as 三个零."""
        digits = self.run[self.first : self.last]
        return any(d.end - d.start > 1 for d in digits)

    @property
    def pieces(self) -> list[str]:
        """The digits as they are grouped by gaps."""
        found = [""]
        for i in range(self.first, self.last):
            if i > self.first and self.run[i].gap:
                found.append("")
            found[-1] += self.run[i].value
        return found

    @property
    def tight(self) -> bool:
        """Nothing between the digits that also parts the items of a list."""
        return all(_TIGHT.fullmatch(d.gap) for d in self.run[self.first + 1 : self.last])

    @property
    def is_thousands(self) -> bool:
        """1,299,000,000"""
        gaps = {d.gap for d in self.run[self.first + 1 : self.last] if d.gap}
        sizes = [len(piece) for piece in self.pieces]
        return gaps == {","} and sizes[0] <= 3 and set(sizes[1:]) == {3}

    @property
    def stretch(self) -> int:
        """Where the digits begin that stand before this number without any gap."""
        i = self.first
        while i > self.done and not self.run[i].gap:
            i -= 1
        return self.run[i].start

    @property
    def head(self) -> int:
        """Where the chain of pieces begins that runs into this number with nothing but signs in between."""
        return self.run[self._chain()].start

    @property
    def before(self) -> str:
        """The digits of that chain before this number."""
        return self.values[self._chain() : self.first]

    def _chain(self) -> int:
        i, farthest = self.first, max(self.done, self.first - _LONGEST_CHAIN)
        while i > farthest and (not self.run[i].gap or _TIGHT.fullmatch(self.run[i].gap)):
            i -= 1
        return i


def runs(text: str, least: int = 5) -> list[list[Digit]]:
    """All runs of `least` digits or more."""
    found: list[list[Digit]] = []
    run: list[Digit] = []
    at = 0
    while (token := _TOKEN.search(text, at)) is not None:
        gap = text[run[-1].end : token.start()] if run else ""
        if gap and (len(gap) > _LONGEST_GAP or not _GAP.fullmatch(gap)):
            found.append(run)
            run, gap = [], ""
        gap = _UNSEEN.sub("", gap)
        if token["times"] and not run:
            at = token.start("of")  # 两个 138…
            continue
        run += _digits_of(token, gap, run[-1] if run else None, text)
        at = token.end()
    found.append(run)
    return [_with_prefixes(run) for run in found if len(run) >= least]


def _digits_of(token: re.Match[str], gap: str, before: Digit | None, text: str) -> Iterator[Digit]:
    start, end = token.span()
    if token["times"]:
        free = bool(gap)
        for i in range(int(SAID[token["times"]])):
            yield Digit(_value(token["of"]), start, end, gap if i == 0 else "", free and i == 0, True, False)
        return
    spoken = bool(token["said"] or token["heard"])
    weak = bool(token["heard"]) or (spoken and _AMBIGUOUS.match(text, start) is not None)
    for i, char in enumerate(token[0]):
        changed = before is not None and i == 0 and before.spoken != spoken
        free = i == 0 and (before is None or bool(gap) or changed or weak or _is_weak(before, text))
        yield Digit(_value(char), start + i, start + i + 1, gap if i == 0 else "", free, spoken, char in _LIKE)


def _is_weak(digit: Digit, text: str) -> bool:
    return digit.spoken and (text[digit.start] in _HEARD or _AMBIGUOUS.match(text, digit.start) is not None)


def _value(char: str) -> str:
    return _VALUES.get(char, char)


def _with_prefixes(run: list[Digit]) -> list[Digit]:
    """A number may also begin after a country's prefix, and where a spoken one is said twice without a pause."""
    first = 0
    while first < len(run):
        last = first + 1
        while last < len(run) and not run[last].free:
            last += 1
        size = last - first
        places: tuple[int, ...] = ()
        if size in (13, 15) and "".join(d.value for d in run[first:last]).startswith(("86", "0086")):
            places = (first + size - 11,)
        elif size in (22, 33) and run[first].spoken:
            places = tuple(range(first + 11, last, 11))
        for place in places:
            run[place] = run[place]._replace(free=True)
        first = last
    return run
