"""Folded views of a batch, laid out as arrays of code units, with the way back to the original code points.

plain     one unit per code point (width, case, styles, traditional → simplified)
skeleton  plain without symbols, spaces, marks and emoji
sound     skeleton with each Han character as one private unit per toneless syllable; spelled syllables merged

A batch is one text joined by line feeds; the feed is a unit that every view keeps, so no hit crosses two texts.
"""

import io
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property, lru_cache
from itertools import pairwise
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from monitor.engine.spellings import INITIALS, LOOKALIKES, NUMERALS, SIGN_BASE, SIGNS

Units = NDArray[np.uint16]
Index = NDArray[np.int64]

LF: Final = 10
SYLLABLE_BASE: Final = 0xE000
MIX: Final = np.uint16(40503)
"""Odd, so multiplying by it permutes the 16-bit units. Han units share their high byte, which makes Hyperscan's filter
fire on almost every position; the permutation spreads them."""

UNKNOWN_SIGN: Final = 0xFFFC
"""What all emoji and marks that have no unit of their own fold to."""
INVISIBLE: Final = (0xE0000, 0xE1000)
"""Tag characters and supplementary variation selectors, half-open."""
_LATIN = frozenset(range(ord("a"), ord("z") + 1))
_RUN: Final = frozenset("0123456789abcdefghijklmnopqrstuvwxyz")
_LONGEST_SYLLABLE: Final = 6
_LONGEST_RUN: Final = 60
_MEMO: Final = 50_000

Syllables = tuple[tuple[int, int, int], ...]
"""(offset, length, unit) of each syllable in a run of Latin letters"""


class ViewTables:
    """The fold tables, read from the bytes of views.npz (made by deploy/dev/build_view_tables.py)."""

    def __init__(self, data: bytes) -> None:
        with np.load(io.BytesIO(data), allow_pickle=False) as arrays:
            self.meta: dict[str, Any] = json.loads(arrays["meta"].tobytes())
            self.plain: Units = np.ascontiguousarray(arrays["plain"])
            self.skip: NDArray[np.bool_] = arrays["skip"].astype(bool)
            self.sound: Units = np.ascontiguousarray(arrays["sound"])
            self.styled = frozenset(map(chr, arrays["styled"].tolist()))
            names = arrays["syllables"].tobytes().decode("ascii").split("\n")
            units, offsets, codes = (arrays[f"reading_{k}"].tolist() for k in ("units", "offsets", "codes"))
        self.signs: Units = np.zeros(65536, dtype=np.uint16)  # unit of a sign → the word that it stands for, else 0
        signs = [(ord(sign), ord(word)) for word, signs in SIGNS.items() for sign in signs]
        for unit, (sign, word) in enumerate(signs, SIGN_BASE):
            if self.skip[self.plain[sign]]:
                self.plain[sign], self.signs[unit], self.skip[unit] = unit, word, True
        self.syllable_names = names
        self.syllables = {name: SYLLABLE_BASE + i for i, name in enumerate(names)}
        self.numerals = _mapped(NUMERALS)
        self.lookalikes = _mapped(LOOKALIKES)
        self.merged = self._confused()  # syllables that dialects and recognisers confuse → one of them
        self.readings = {u: tuple(codes[offsets[i] : offsets[i + 1]]) for i, u in enumerate(units)}
        self.keep: NDArray[np.bool_] = ~self.skip
        self.keep_point: NDArray[np.bool_] = self.keep[self.plain]
        latin = np.zeros(65536, dtype=bool)
        latin[list(_LATIN)] = True
        self.latin: NDArray[np.bool_] = latin
        self._spelled = lru_cache(_MEMO)(self._segment_at)  # several threads may ask

    def _confused(self) -> Units:
        table = np.arange(65536, dtype=np.uint16)
        first: dict[str, int] = {}
        for name, unit in self.syllables.items():
            initial = next((each for each in INITIALS if name.startswith(each)), "")
            key = INITIALS.get(initial, "") + name[len(initial):]
            table[unit] = first.setdefault(key.removesuffix("g") if key.endswith("ng") else key, unit)
        return table

    def fold(self, text: str) -> Units:
        """Plain units of `text`, one per code point."""
        return np.take(self.plain, code_points(text), mode="clip")

    def skeleton_text(self, text: str) -> str:
        """The skeleton view of one text."""
        points = code_points(text)
        return str(np.take(self.plain, points, mode="clip")[np.take(self.keep_point, points, mode="clip")]
                   .tobytes().decode("utf-16-le", "surrogatepass"))

    def spelled(self, run: bytes, gaps: Sequence[int] = ()) -> Syllables | None:
        """Segment a run of Latin letters into syllables: ((offset, length, unit), …), or None where it is no pinyin.

        Each syllable has two letters or more; the fewest syllables win, then the longest first. `gaps`: offsets where
        the writer left a gap; they bound syllables where that works (xi an), and are ignored where not (w ei).
        """
        return self._spelled(run.decode("ascii"), tuple(gaps))

    def _segment_at(self, run: str, gaps: tuple[int, ...]) -> Syllables | None:
        if not gaps:
            return self._segment(run)
        edges = [0, *gaps, len(run)]
        parts = [(a, self._segment(run[a:b])) for a, b in pairwise(edges)]
        split = tuple((a + o, n, unit) for a, part in parts for o, n, unit in part or ())
        if all(part is not None for _, part in parts):
            return split
        return self._segment(run) or split or None

    def _segment(self, run: str) -> Syllables | None:
        best: list[Syllables | None] = [None] * len(run) + [()]
        for i in range(len(run) - 2, -1, -1):
            for j in range(min(len(run), i + _LONGEST_SYLLABLE), i + 1, -1):
                unit, rest = self.syllables.get(run[i:j]), best[j]
                found = best[i]
                if unit is not None and rest is not None and (found is None or 1 + len(rest) < len(found)):
                    best[i] = ((i, j - i, unit), *rest)
        return best[0]


def _mapped(pairs: Mapping[str, str]) -> Units:
    """A table that maps these characters, and every other one to itself."""
    table = np.arange(65536, dtype=np.uint16)
    for source, target in pairs.items():
        table[ord(source)] = ord(target)
    return table


def code_points(text: str) -> NDArray[np.uint32]:
    """uint32[N]. What is invisible reads as the skipped placeholder, since the tables end below it."""
    points = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype=np.uint32)
    if points.size and points.max() >= INVISIBLE[0]:
        points = np.where((points >= INVISIBLE[0]) & (points < INVISIBLE[1]), np.uint32(UNKNOWN_SIGN), points)
    return points


def runs_of(mask: NDArray[np.bool_]) -> tuple[Index, Index]:
    """Half-open runs of True."""
    edges = np.flatnonzero(mask[1:] != mask[:-1]) + 1
    if mask.size and mask[0]:
        edges = np.concatenate(([0], edges))
    if mask.size and mask[-1]:
        edges = np.concatenate((edges, [mask.size]))
    return edges[::2], edges[1::2]


def ranges(firsts: Index, counts: Index) -> tuple[Index, Index]:
    """Of ranges of whole numbers, one after the other: (which range, number) of each number in them."""
    which = np.repeat(np.arange(counts.size), counts)
    before = np.cumsum(counts) - counts
    return which, np.arange(which.size) + (firsts - before)[which]


def changes(numbers: Index) -> Index:
    """Where another number than the one before stands; the first one, too."""
    other = np.ones(numbers.size, dtype=bool)
    np.not_equal(numbers[1:], numbers[:-1], out=other[1:])
    return np.flatnonzero(other)


class Layer(NamedTuple):
    """Units that are scanned, and the way back. Unit i stands for `where[at[i]]` of the original, or for `where[i]`
    without `at`, which has one item more than there are units. `tight`: what was left out after a unit is not its own.
    """

    units: Units
    where: Index
    at: Index | None = None
    tight: bool = False

    @property
    def begins(self) -> Index:
        """int64[u]: where each unit begins in the original."""
        return self.where if self.at is None else self.where[self.at[:-1]]

    def place(self, begin: Index, end: Index) -> tuple[Index, Index]:
        """Original half-open spans of spans of units (int64[h] each)."""
        if self.at is None:
            return self.where[begin], self.where[end - 1] + 1
        last = self.at[end - 1] if self.tight else self.at[end] - 1
        return self.where[self.at[begin]], self.where[last] + 1


class Views:
    """The views of one joined text. Each is computed when it is first asked for.

    `text`: n texts joined by "\\n", with no other line feed inside. N = its length in code points.
    """

    def __init__(self, tables: ViewTables, text: str) -> None:
        self.tables = tables
        self.text = text
        points = code_points(text)
        self.plain: Units = np.take(tables.plain, points, mode="clip")  # uint16[N]
        self.kept: NDArray[np.bool_] = np.take(tables.keep_point, points, mode="clip")  # bool[N]
        self.where: Index = np.flatnonzero(self.kept)  # int64[S]: original position of each skeleton unit
        self.skeleton: Units = self.plain[self.where]  # uint16[S]
        self.skeleton_layer = Layer(self.skeleton, self.where)
        self.sound_layer = _sounding(tables, self.skeleton, self.where)

    @property
    def sound(self) -> Units:
        return self.sound_layer.units

    def without(self, gone: NDArray[np.bool_]) -> tuple[Layer, Layer]:
        """Skeleton and sound as they are where other marks stand in place of the code points that are `gone`
        (bool[N]), so that weixinabc123 sounds as weixin without its id."""
        kept = ~gone[self.where]
        skeleton, where = self.skeleton[kept], self.where[kept]
        return Layer(skeleton, where), _sounding(self.tables, skeleton, where)

    @cached_property
    def kept_before(self) -> memoryview:
        """int64[N + 1]: how many of the code points before each the skeleton keeps."""
        return np.concatenate(([0], np.cumsum(self.kept, dtype=np.int64))).data

    @cached_property
    def _kept_bytes(self) -> bytes:
        return self.kept.tobytes()

    @cached_property
    def plain_text(self) -> str:
        """The plain view as a string of N characters."""
        return self.plain.tobytes().decode("utf-16-le")

    @cached_property
    def skeleton_text(self) -> str:
        """The skeleton as a string."""
        return self.skeleton.tobytes().decode("utf-16-le")

    def whole_runs(self, spans: Iterable[tuple[int, int]]) -> Iterator[tuple[int, int]]:
        """Spans in order of place, each with the rest of the run of Latin letters and digits that either edge cuts:
        微信abc138, not 微信ab."""
        text, first, last = self.plain_text, 0, 0
        for start, end in spans:
            if first <= start and end <= last:
                continue  # the same run
            while end < len(text) and text[end] in _RUN and text[end - 1] in _RUN:
                end += 1
            while start and text[start - 1] in _RUN and text[start] in _RUN:
                start -= 1
            first, last = start, end
            yield start, end

    def skeleton_between(self, start: int, end: int) -> int:
        """Skeleton code points in [start, end) of the original."""
        return self._kept_bytes.count(1, start, end)


def _sounding(tables: ViewTables, skeleton: Units, where: Index) -> Layer:
    """`where`: the original position of each unit of the skeleton."""
    units: Units = np.take(tables.sound, skeleton)
    latin = np.take(tables.latin, skeleton)
    if not latin.any():
        return Layer(units, where)
    starts, ends = runs_of(latin)
    fit = (ends - starts >= 2) & (ends - starts <= _LONGEST_RUN)
    starts, ends = starts[fit], ends[fit]
    gaps = np.flatnonzero(np.diff(where) > 1) + 1
    first, last = np.searchsorted(gaps, starts, side="right").tolist(), np.searchsorted(gaps, ends).tolist()
    letters = skeleton.astype(np.uint8).tobytes()
    heads, lost = dict[int, int](), list[int]()
    for start, end, a, b in zip(starts.tolist(), ends.tolist(), first, last, strict=True):
        within = [gap - start for gap in gaps[a:b].tolist()] if a < b else ()
        for offset, length, unit in tables.spelled(letters[start:end], within) or ():
            heads[start + offset] = unit
            lost += range(start + offset + 1, start + offset + length)
    if not heads:
        return Layer(units, where)
    units[list(heads)] = list(heads.values())
    keep = np.ones(skeleton.size, dtype=bool)
    keep[lost] = False
    at = np.flatnonzero(keep)
    return Layer(units[at], where, np.concatenate((at, [skeleton.size])))


def span_of(event: int, begins: Sequence[int] | Index, views: Views) -> tuple[int, int]:
    """The event's place in the joined text."""
    return int(begins[event]), int(begins[event + 1]) - 1 if event + 1 < len(begins) else len(views.plain)


def mixed(units: Units) -> bytes:
    """Two bytes a unit, permuted: what the literal scan reads."""
    return (units * MIX).tobytes()


def without_breaks(text: str) -> str:
    """A line feed inside a text folds to a space, one for one."""
    return text.replace("\n", " ") if "\n" in text else text
