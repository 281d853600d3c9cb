"""The norms of an agency or an association, clause by clause, from a table: see docs/norms.md."""

import re
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from itertools import zip_longest
from pathlib import Path
from typing import Final, TypeVar

from msgspec import Struct

from monitor.adapters.rulefiles.faults import TOP, Faults, Place, guess, raise_any, shown
from monitor.adapters.rulefiles.normsheets import Row, read_rows
from monitor.domain.correlations import LONGEST_MS, SHORTEST_EVERY_MS, SHORTEST_MS
from monitor.domain.findings import Severity, Tier
from monitor.domain.rulelint import term_fault
from monitor.domain.rules import PROCESS_DUTY
from monitor.engine.detectors_numerals import NUMERALS, number

T = TypeVar("T")

COLUMNS: Final[Mapping[str, tuple[str, ...]]] = {
    "number": ("编号", "序号", "条款号"),
    "tier": ("层级",),
    "text": ("条文", "内容"),
    "category": ("类别",),
    "severity": ("严重度",),
    "wording": ("要找的说法", "说法"),
    "exceptions": ("例外",),
    "statement": ("必须说的话",),
    "deadline": ("期限",),
    "source": ("出处",),
}
"""key → titles, the template's first. The key itself is a title, too."""
TIERS: Final[Mapping[str, Tier]] = {
    "红线": Tier.REDLINE, "禁止": Tier.REDLINE, "严禁": Tier.REDLINE, "标准": Tier.STANDARD, "规范": Tier.STANDARD,
    "倡导": Tier.ORIENTATION, "原则": Tier.ORIENTATION, "坚持": Tier.ORIENTATION,
    **{tier.value: tier for tier in (Tier.REDLINE, Tier.STANDARD, Tier.ORIENTATION)},
}
SEVERITIES: Final[Mapping[str, Severity]] = {
    **dict(zip(("提示", "低", "中", "高", "紧急"), Severity, strict=True)), **{each.value: each for each in Severity},
}
CATEGORY_NAMES: Final[Mapping[str, str]] = {
    "绝对化用语": "absolute_claim", "虚假宣传": "false_promotion", "价格与消费者权益": "price_consumer",
    "医疗宣称": "medical_claim", "功效宣称": "efficacy_claim", "收益承诺": "promise_return",
    "违禁品": "prohibited_trade", "未成年人": "minors", "个人信息": "personal_info", "站外引流与诈骗": "offsite_fraud",
    "低俗色情": "vulgar_sexual", "危险行为": "dangerous_conduct", "辱骂骚扰": "abuse_harassment",
    "假冒与质量": "counterfeit_quality", "刷量与垃圾信息": "spam_fakedata", "身份与AI标识": "identity_ai",
    "诱导打赏": "reward_inducement", "经营义务": PROCESS_DUTY,
}
"""The taxonomy as people name it, and the operator's duties. Whatever is none of these is not automated."""
_CATEGORIES: Final = {**CATEGORY_NAMES, **{name: name for name in CATEGORY_NAMES.values()}}

_MUST: Final = ("number", "tier", "text")
_LONGEST: Final = {"number": 20, "text": 2_000, "source": 200}
_LONGEST_CELL: Final = 10_000
_PARTED: Final = re.compile(r"[；;|\n]")
_NUMERALS: Final = re.compile(f"[{NUMERALS}]+")
_SLUG: Final = re.compile("[a-z]+|[0-9]+")
_LENGTH: Final = r"([1-9][0-9]{0,4}) ?(秒钟?|分钟?|个?小时|s|m|h)"
_DEADLINE: Final = re.compile(rf"(?:开播后?)?{_LENGTH}(?:之?内)?(?:[，,、 ]*每隔?{_LENGTH}(?:一次)?)?")
_UNITS: Final = {"秒": "s", "分": "m", "时": "h", "钟": "", "s": "s", "m": "m", "h": "h"}
_MS: Final = {"s": 1_000, "m": 60_000, "h": 3_600_000}


class Norm(Struct, frozen=True, kw_only=True):
    """One clause. `name`: its number as a part of ids; `category` "" is outside the subject. Times as rule files write
    them; "" where none is given."""

    row: int
    number: str
    name: str
    tier: Tier
    text: str
    category: str
    severity: Severity | None
    terms: tuple[str, ...]
    exceptions: tuple[str, ...]
    statement: tuple[str, ...]
    within: str
    every: str
    source: str


def read_norms(path: Path) -> list[Norm]:
    """In the table's order. Raises RuleError with all faults, at their rows and columns; OSError; InputError."""
    faults = Faults(path.name)
    rows = read_rows(path, faults)
    columns = _columns(rows[0], faults) if rows else {}
    if len(rows) < 2 and not faults.count:
        faults.add(TOP, "the table has no clauses", "write the titles in the first row, and a clause in each row below")
    norms = []
    for row in rows[1:] if columns else []:
        _note_untitled(row, rows[0], faults)
        norms.append(_norm(_Cells(row, columns, faults)))
    _note_repeated(norms, faults)
    raise_any([faults])
    return norms


def _columns(row: Row, faults: Faults) -> dict[str, int]:
    """key → column, from 1; empty where one that must be there is missing."""
    keys = {title: key for key, titles in COLUMNS.items() for title in (key, *titles)}
    found: dict[str, int] = {}
    for column, title in enumerate(row.cells, 1):
        key = keys.get(title.lower())
        if title and key is None:
            faults.add(Place(row.number, column), f"there is no column {shown(title)}",
                       guess(title, [titles[0] for titles in COLUMNS.values()]))
        elif key in found:
            faults.add(Place(row.number, column), f"the column {title} stands twice", "remove one")
        elif key:
            found[key] = column
    missing = [COLUMNS[key][0] for key in _MUST if key not in found]
    if missing:
        faults.add(Place(row.number), f"the first row names no column {', '.join(missing)}",
                   "take the titles from the template")
    return {} if missing else found


def _note_untitled(row: Row, titles: Row, faults: Faults) -> None:
    for column, (title, cell) in enumerate(zip_longest(titles.cells, row.cells, fillvalue=""), 1):
        if cell and not title:
            faults.add(Place(row.number, column), f"{shown(cell)} stands in a column without a title",
                       "give it a title of the template, or empty it")


class _Cells:
    """One row, read by the columns' keys."""

    def __init__(self, row: Row, columns: Mapping[str, int], faults: Faults) -> None:
        self.row, self._columns, self._faults = row, columns, faults

    def fault(self, key: str, message: str, hint: str) -> None:
        self._faults.add(Place(self.row.number, self._columns.get(key, 1)), message, hint)

    def text(self, key: str) -> str:
        """One line, "" where the cell is empty."""
        return " ".join(self._cell(key).split())

    def parts(self, key: str) -> tuple[str, ...]:
        """Texts that ； or line breaks part, each one that a rule can look for."""
        found: dict[str, None] = {}
        for part in filter(None, map(str.strip, _PARTED.split(self._cell(key)))):
            why = term_fault(part)
            if why:
                self.fault(key, f"{COLUMNS[key][0]}: {why[0]}", why[1])
            elif part in found:
                self.fault(key, f"{COLUMNS[key][0]}: {shown(part)} stands twice", "remove one")
            found[part] = None
        return tuple(found)

    def choice(self, key: str, known: Mapping[str, T]) -> T | None:
        word = self.text(key).lower()
        if word and word not in known:
            self.fault(key, f"{COLUMNS[key][0]}: there is no {shown(word)}", guess(word, list(known)))
        return known.get(word)

    def _cell(self, key: str) -> str:
        at, most = self._columns.get(key, 0), _LONGEST.get(key, _LONGEST_CELL)
        cell = self.row.cells[at - 1] if 0 < at <= len(self.row.cells) else ""
        if len(cell) > most:
            self.fault(key, f"{COLUMNS[key][0]} has {len(cell)} characters, at most {most} are taken", "shorten it")
        if not cell and key in _MUST:
            self.fault(key, f"{COLUMNS[key][0]} is empty", "fill it in, or remove the row")
        return cell[:most]


def _norm(cells: _Cells) -> Norm:
    tier = cells.choice("tier", TIERS) or Tier.ORIENTATION
    label = cells.text("number")
    name = _name(label)
    if label and not name:
        cells.fault("number", f"the number {shown(label)} has no digit and no Latin letter", "write such as 3 or 三")
    statement = cells.parts("statement")
    if statement and tier is not Tier.STANDARD:
        cells.fault("statement", "a statement that must be said is a standard", "make it one, or empty the cell")
    within, every = _times(cells)
    if within and not statement:
        cells.fault("deadline", "there is no statement for this deadline", "write what must be said, or empty the cell")
    return Norm(
        row=cells.row.number, number=label, name=name, tier=tier, text=cells.text("text"), category=_category(cells),
        severity=cells.choice("severity", SEVERITIES), terms=cells.parts("wording"),
        exceptions=cells.parts("exceptions"), statement=statement, within=within, every=every,
        source=cells.text("source"))


def _name(label: str) -> str:
    """第十六条 → 16, 3.2 → 3_2"""
    digits = _NUMERALS.sub(lambda found: f" {number(found[0]) or ''} ", label.lower())
    return "_".join(_SLUG.findall(digits))


def _category(cells: _Cells) -> str:
    """What sounds like a category is a slip; what does not is no business of redpost."""
    word = cells.text("category")
    near = get_close_matches(word, _CATEGORIES, n=1, cutoff=0.75) if word not in _CATEGORIES else []
    if near:
        cells.fault("category", f"there is no category {shown(word)}", f"did you mean {near[0]}?")
    return _CATEGORIES.get(word, "")


def _times(cells: _Cells) -> tuple[str, str]:
    text = cells.text("deadline")
    found = _DEADLINE.fullmatch(text)
    if text and found is None:
        cells.fault("deadline", f"{shown(text)} is no deadline", "write such as 5分钟, or 5分钟，每30分钟")
    if found is None:
        return "", ""
    lengths = [(count, _UNITS[unit[-1]] or _UNITS[unit[-2]]) for count, unit in zip(found.groups()[::2],
               found.groups()[1::2], strict=True) if count]
    for (count, unit), least in zip(lengths, (SHORTEST_MS, SHORTEST_EVERY_MS), strict=False):
        if not least <= int(count) * _MS[unit] <= LONGEST_MS:
            cells.fault("deadline", f"{count}{unit} is out of bounds", f"from {least // 1_000} s to 24 h")
    times = [count + unit for count, unit in lengths]
    return times[0], times[1] if len(times) > 1 else ""


def _note_repeated(norms: Sequence[Norm], faults: Faults) -> None:
    first: dict[tuple[Tier, str], Norm] = {}
    for norm in norms:
        known = first.setdefault((norm.tier, norm.name), norm)
        if known is not norm and norm.name:
            faults.add(Place(norm.row), f"the number {shown(norm.number)} stands twice, first in row {known.row}",
                       "number the clauses of a tier apart")
