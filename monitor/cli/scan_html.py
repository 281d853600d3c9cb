"""`redpost scan --html`: the lines as they come, gathered for one page."""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

from monitor.cli.marking import whole
from monitor.cli.report_page import Line, Mark, Missing, Told, page
from monitor.cli.scan_text import moment
from monitor.cli.terminal import tell
from monitor.domain.errors import InputError
from monitor.domain.events import Kind, Role, role_and_id
from monitor.domain.findings import Finding, Remark, gathered
from monitor.domain.titles import KINDS, ROLES
from monitor.engine.engineset import EngineSet
from monitor.services.scanned import Scanned, distinct

CLEAN: Final = 20_000
FOUND: Final = 3_000
"""So many lines without findings, and remarks, are kept; what is above is counted."""
_BACK: Final = 2_000
"""What is before in a finding over several lines is marked within so many lines."""


class HtmlReport:
    """Memory is bounded: a page of more lines could not be read."""

    def __init__(self, path: Path, engine: EngineSet, zone: ZoneInfo, *, now: int, inputs: Sequence[str]) -> None:
        """`now`: UTC ms. Raises InputError where the page could not be written."""
        if path.is_dir() or not path.parent.is_dir():
            raise InputError(f"cannot write {path}: it is a folder, or its folder does not exist",
                             hint="name a file in a folder that exists, such as --html report.html")
        if any(path.absolute() == Path(name).absolute() for name in inputs if "\0" not in name):
            raise InputError(f"{path} is one of the files to scan", hint="name another file for the report")
        self._path, self._engine, self._zone, self._now = path, engine, zone, now
        self._lines: list[Line] = []
        self._recent: dict[tuple[str, str], tuple[str, list[Mark]]] = {}  # (source, id) → text and marks
        self._files: list[str] = []
        self._kinds: set[Kind] = set()
        self._omitted: dict[tuple[str, int], int] = {}
        self._found = self._more = self._total = self._clean = 0

    def add(self, scanned: Sequence[Scanned]) -> None:
        for item in scanned:
            path, line = item.place
            file = Path(path).name
            if file not in self._files:
                self._files.append(file)
            if item.event.kind is not Kind.SIGNAL:
                self._line(file, line, item)

    def _line(self, file: str, number: int, item: Scanned) -> None:
        event, remarks = item.event, sorted(gathered(distinct(item.findings)), key=_in_reading)
        self._total += 1
        self._kinds.add(event.kind)
        last = self._lines[-1] if self._lines else None
        if self._found + len(remarks) > FOUND:
            self._more += len(remarks)
            remarks = []
        if not remarks and self._clean >= CLEAN and last and last.file == file and not last.remarks:
            key = file, last.number
            self._omitted[key] = self._omitted.get(key, 0) + 1
            return
        self._clean += not remarks
        marks: list[Mark] = []
        self._recent[event.source, event.id] = item.masked, marks
        while len(self._recent) > _BACK:
            del self._recent[next(iter(self._recent))]
        numbered = dict(enumerate(remarks, self._found + 1))
        self._found += len(numbered)
        for n, remark in numbered.items():
            self._mark(n, remark)
        when = moment(item.at, event.offset_ms, self._zone)
        self._lines.append(Line(file, number, when, _who(item), item.masked, numbered, marks))

    def _mark(self, number: int, finding: Remark) -> None:
        by_event: dict[str, list[tuple[int, int]]] = {}
        for span in (span for each in finding.all for span in each.spans):
            by_event.setdefault(span.event or finding.under, []).append((span.start, span.end))
        for event, spans in by_event.items():
            text, marks = self._recent.get((finding.source, event), ("", []))
            marks += [Mark(start, end, number, finding.severity, event == finding.under)
                      for start, end in whole(text, spans)]

    def end(self, *, rejected: int, unread: Sequence[str], whole: bool, missing: Sequence[Finding] = ()) -> None:
        """Write the page. Raises InputError where it cannot be written. `whole`: the scan was not interrupted.
        `missing`: statements that were not heard."""
        notes = [f"未能读取：{'、'.join(unread)}"] if unread else []
        notes += [f"有 {rejected:,} 项未能读取，没有检查"] if rejected else []
        notes += [] if whole else ["检查被中断，以下不是全部内容"]
        notes += [f"另有 {self._more:,} 处问题未列出，可用 --json 查看"] if self._more else []
        checked = datetime.fromtimestamp(self._now / 1000, self._zone)
        facts = (f"{checked:%Y-%m-%d %H:%M} 检查 · 规则 {self._engine.judging:,} 条"
                 f" · 规则版本 {self._engine.ruleset.version}")
        told = Told("台本检查报告" if self._kinds == {Kind.SCRIPT} else "内容检查报告", self._files, facts, self._lines,
                    self._engine.ruleset.clauses, self._total, self._omitted, list(map(self._missing, missing)), notes)
        try:
            self._path.write_text(page(told), encoding="utf-8")
        except OSError as error:
            raise InputError(f"cannot write {self._path}: {error.strerror}",
                             hint="check the folder, its owner and the space on the disk") from error
        tell(f"wrote {self._path}")

    def _missing(self, finding: Finding) -> Missing:
        if self._kinds == {Kind.SCRIPT}:
            return Missing(finding, "台本里没有写")
        return Missing(finding, f"到 {moment(finding.at, finding.offset_ms, self._zone)} 还没有说")


def _in_reading(finding: Finding) -> tuple[int, str]:
    return min((span.start for span in finding.spans if span.event is None), default=0), finding.rule


def _who(item: Scanned) -> str:
    role = role_and_id(item.event)[0]
    return "" if role in (Role.HOST, Role.OFFICIAL) else f"{ROLES[role]}{KINDS[item.event.kind]}"
