"""One scan per view for the terms and patterns of all rules together.

Literals are scanned as permuted two-byte units (see views.MIX), patterns and contact detectors as UTF-8 of the plain
view. A symbol-free term needs no plain scan: its plain hits are skeleton hits without a gap.
"""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from functools import cache
from typing import Final, NamedTuple

import hyperscan
import numpy as np

from monitor.domain.errors import Fault, RuleError
from monitor.domain.rules import View
from monitor.engine.compiled import CompiledRule
from monitor.engine.detectors import DETECTORS
from monitor.engine.terms import Form, fold_pattern
from monitor.engine.views import MIX, Index, Views, ViewTables, mixed

_PATTERN_FLAGS: Final = hyperscan.HS_FLAG_UTF8 | hyperscan.HS_FLAG_SOM_LEFTMOST | hyperscan.HS_FLAG_MULTILINE
_PLAIN, _SKELETON, _SOUND, _PATTERN = range(4)
VIEW_NAMES: Final = (View.PLAIN, View.SKELETON, View.SOUND, View.PLAIN)

Raw = tuple[int, int]  # (pattern or literal id, end offset)


class Use(NamedTuple):
    """A rule's selection that a literal, pattern or detector serves. `form` is None for patterns and detectors."""

    rule: int
    selection: int
    form: Form | None


class RawHit(NamedTuple):
    """`start`, `end`: code points of the joined text. `view` indexes VIEW_NAMES."""

    start: int
    end: int
    view: int
    use: Use


class ContactSpan(NamedTuple):
    """Contact data in event `event`; code points of that event's text."""

    event: int
    start: int
    end: int
    kind: str


class Scan(NamedTuple):
    """`by_rule`: (event, rule) → hits."""

    by_rule: dict[tuple[int, int], list[RawHit]]
    contacts: list[ContactSpan]


class _Literals:
    """The literals of one view in one database."""

    def __init__(self, forms: dict[tuple[int, ...], list[Use]]) -> None:
        self.uses = list(forms.values())
        self.sizes: Index = np.array([len(units) for units in forms] or [0], dtype=np.int64)
        self._db = _database([_hex(units) for units in forms], 0) if forms else None

    def scan(self, data: bytes) -> list[Raw]:
        """(literal, end) with `end` in units."""
        if self._db is None or not data:
            return []
        found: list[Raw] = []
        self._db.scan(data, match_event_handler=lambda n, start, end, flags, context: found.append((n, end)))
        return [(n, end >> 1) for n, end in found if not end & 1]  # an odd end lies between two units


def _hex(units: Sequence[int]) -> bytes:
    data = (np.array(units, dtype=np.uint16) * MIX).tobytes()
    return b"".join(b"\\x%02x" % byte for byte in data)


def _database(expressions: Sequence[bytes], flags: int) -> hyperscan.Database:
    db = hyperscan.Database(mode=hyperscan.HS_MODE_BLOCK)
    db.compile(expressions=list(expressions), ids=list(range(len(expressions))), elements=len(expressions),
               flags=[flags] * len(expressions))
    return db


def _longest(db: hyperscan.Database, data: bytes) -> dict[tuple[int, int], int]:
    """(pattern, start) → its longest end; byte offsets."""
    longest: dict[tuple[int, int], int] = {}

    def on_match(n: int, start: int, end: int, flags: int, context: object) -> None:
        key = (n, start)
        if end > longest.get(key, 0):
            longest[key] = end

    db.scan(data, match_event_handler=on_match)
    return longest


@cache
def _detectors() -> hyperscan.Database:
    return _database([d.pattern.encode() for d in DETECTORS], _PATTERN_FLAGS)


class Patterns:
    """The regular expressions of all rules, the terms that hold symbols, and the contact detectors."""

    def __init__(self, patterns: dict[str, list[Use]], detector_uses: dict[str, list[Use]]) -> None:
        self.uses = list(patterns.values())
        self.detector_uses = detector_uses
        self._db = _database([p.encode() for p in patterns], _PATTERN_FLAGS) if patterns else None

    def scan(self, views: Views) -> list[tuple[int, int, int]]:
        """(pattern, start, end) in code points of the joined text, the longest per start."""
        return self._run(self._db, views) if self._db is not None else []

    def contacts(self, views: Views, starts: list[int]) -> list[ContactSpan]:
        """Contact data, each place and kind once."""
        found: dict[ContactSpan, None] = {}
        for n, start, end in self._run(_detectors(), views):
            event = bisect_right(starts, start) - 1
            for a, b in DETECTORS[n].check(views.plain_text, start, end):
                found[ContactSpan(event, a - starts[event], b - starts[event], DETECTORS[n].name)] = None
        return list(found)

    def _run(self, db: hyperscan.Database, views: Views) -> list[tuple[int, int, int]]:
        data = views.plain_bytes
        longest = _longest(db, data)
        return self._placed(longest, data, views, db) if longest else []

    def _placed(
        self, longest: dict[tuple[int, int], int], data: bytes, views: Views, db: hyperscan.Database
    ) -> list[tuple[int, int, int]]:
        """From byte offsets to code points. A hit over a text's end means that a pattern matched the line feed: the
        texts under it are scanned again, each alone."""
        breaks = np.flatnonzero(np.frombuffer(data, dtype=np.uint8) == 10).tolist()
        begins = [0, *(b + 1 for b in views.breaks.tolist())]
        byte_begins = [0, *(b + 1 for b in breaks)]
        crossing: set[int] = set()
        found: list[tuple[int, int, int]] = []

        def place(text: int, n: int, start: int, end: int) -> None:
            base = byte_begins[text]
            a = begins[text] + len(data[base:start].decode())
            found.append((n, a, a + len(data[start:end].decode())))

        for (_, start), end in longest.items():
            first, last = bisect_right(byte_begins, start) - 1, bisect_right(byte_begins, end - 1) - 1
            if b"\n" in data[start:end]:
                crossing.update(range(first, last + 1))
        for (n, start), end in longest.items():
            text = bisect_right(byte_begins, start) - 1
            if text not in crossing and end > start:
                place(text, n, start, end)
        for text in crossing:
            base = byte_begins[text]
            for (n, a), b in _longest(db, data[base : (breaks[text] if text < len(breaks) else len(data))]).items():
                if b > a:
                    place(text, n, base + a, base + b)
        return found


class Matcher:
    """Compiled over the rules of all units. Not safe for two threads at once: one engine, one thread."""

    def __init__(self, rules: Sequence[CompiledRule], tables: ViewTables) -> None:
        """Raises RuleError with all faults: terms that fold to nothing, patterns that do not compile."""
        skeleton: dict[tuple[int, ...], list[Use]] = {}
        sound: dict[tuple[int, ...], list[Use]] = {}
        patterns: dict[str, list[Use]] = {}
        detectors: dict[str, list[Use]] = {}
        faults: list[Fault] = []
        for rule in rules:
            for i, selection in enumerate(rule.rule.selections):
                if selection.detector:
                    detectors.setdefault(selection.detector, []).append(Use(rule.index, i, None))
                for pattern in selection.patterns:
                    folded = fold_pattern(pattern, tables)
                    wrong = pattern_fault(folded)
                    if wrong:
                        faults.append(_fault(rule, f"pattern {pattern!r}: {wrong}"))
                    else:
                        patterns.setdefault(folded, []).append(Use(rule.index, i, None))
                for term in (*selection.terms, *selection.allow):
                    try:
                        form = Form(term, tables, selection.views)
                    except ValueError as error:
                        faults.append(_fault(rule, f"term {term!r} in {selection.name}: {error}"))
                        continue
                    use = Use(rule.index, i, form)
                    for units in form.skeleton:
                        skeleton.setdefault(units, []).append(use)
                    for units in form.sound:
                        sound.setdefault(units, []).append(use)
                    if form.literal:
                        patterns.setdefault(form.literal, []).append(use)
        if faults:
            raise RuleError(faults)
        self._skeleton = _Literals(skeleton)
        self._sound = _Literals(sound)
        self._patterns = Patterns(patterns, detectors)

    def scan(self, views: Views, starts: Index) -> Scan:
        by_rule: dict[tuple[int, int], list[RawHit]] = {}
        begins = starts.tolist()
        skeleton, sound = self.scan_literals(views)
        if skeleton:
            self._collect(by_rule, starts, self._skeleton, skeleton, views, _SKELETON)
        if sound:
            self._collect(by_rule, starts, self._sound, sound, views, _SOUND)
        for n, start, end in self._patterns.scan(views):
            _add(by_rule, bisect_right(begins, start) - 1, start, end, _PATTERN, self._patterns.uses[n])
        contacts = self._patterns.contacts(views, begins)
        for contact in contacts:
            base = begins[contact.event]
            _add(by_rule, contact.event, base + contact.start, base + contact.end, _PATTERN,
                 self._patterns.detector_uses.get(contact.kind, ()))
        return Scan(by_rule, contacts)

    def scan_literals(self, views: Views) -> tuple[list[Raw], list[Raw]]:
        """Literal hits of the skeleton and of the sound view, in units of each."""
        return self._skeleton.scan(mixed(views.skeleton)), self._sound.scan(mixed(views.sound))

    def contacts(self, views: Views, starts: Index) -> list[ContactSpan]:
        return self._patterns.contacts(views, starts.tolist())

    @staticmethod
    def _collect(
        by_rule: dict[tuple[int, int], list[RawHit]], starts: Index, literals: _Literals, found: list[Raw],
        views: Views, view: int,
    ) -> None:
        hits = np.array(found, dtype=np.int64)
        ends = hits[:, 1]
        begins = ends - literals.sizes[hits[:, 0]]
        a, b = views.of_sound(begins, ends) if view == _SOUND else views.of_skeleton(begins, ends)
        events = np.searchsorted(starts, a, side="right") - 1
        uses = literals.uses
        for (n, _), event, start, end in zip(found, events.tolist(), a.tolist(), b.tolist(), strict=True):
            _add(by_rule, event, start, end, view, uses[n])


def _add(
    by_rule: dict[tuple[int, int], list[RawHit]], event: int, start: int, end: int, view: int, uses: Iterable[Use]
) -> None:
    for use in uses:
        hit = RawHit(start, end, view, use)
        known = by_rule.get((event, use.rule))
        if known is None:
            by_rule[event, use.rule] = [hit]
        else:
            known.append(hit)


def pattern_fault(pattern: str) -> str:
    """Why the pattern engine refuses this pattern; "" where it takes it. An empty match is refused, too."""
    try:
        _database([pattern.encode()], _PATTERN_FLAGS)
    except (hyperscan.CompilerError, hyperscan.HyperscanError) as error:
        return str(error)
    return ""


def _fault(rule: CompiledRule, message: str) -> Fault:
    return Fault(rule.rule.path, rule.rule.line, 1, message, "see docs/rules.md")
