"""The evening's plan as a table, as an office program writes it: CSV or TSV with a line of headings."""

import csv
import re
from collections.abc import Iterable, Mapping
from datetime import date, datetime, timedelta, tzinfo
from typing import Final

from monitor.domain.errors import InputError
from monitor.domain.ids import digest
from monitor.domain.organisation import Host, Organisation, Product, Room, Slot
from monitor.domain.record import Record

_HEADINGS: Final[Mapping[str, str]] = {
    heading: name for name, headings in {
        "id": ("id", "编号"), "room": ("room", "直播间", "房间", "房间号"),
        "starts": ("starts", "start", "开播时间", "开始时间", "开始"),
        "ends": ("ends", "end", "结束时间", "下播时间", "结束"), "host": ("host", "主播"),
        "products": ("products", "product", "商品", "商品编号", "sku"), "note": ("note", "备注"),
    }.items() for heading in headings
}
_KINDS: Final[Mapping[str, type[Record]]] = {"room": Room, "host": Host, "product": Product}
_SEPARATOR: Final = re.compile(r"[;；、|/]")
_HINT: Final = ("headings: starts (开播时间), room (直播间), and if known ends (结束时间), host (主播), "
                "products (商品), note (备注); docs/post.md has an example")
_LONGEST: Final = 4_000


def decoded(data: bytes) -> str:
    """UTF-8, else GB 18030, which office programs write in China. Raises InputError."""
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise InputError("the plan is neither UTF-8 nor GB 18030", hint="save it as CSV UTF-8")


def read_table(
    data: bytes, where: str, organisation: Organisation, day: date | None, *, zone: tzinfo
) -> dict[str, Slot]:
    """As `read_plan`, of a file as it is."""
    return read_plan(decoded(data), where, organisation, zone=zone, day=day)


def read_plan(
    text: str, where: str, organisation: Organisation, *, zone: tzinfo, day: date | None = None,
) -> dict[str, Slot]:
    """By id, which is made of room and start where the table gives none: the same line sent again is the same slot.

    Rooms, hosts and products are named by id, or by a title or name that only one has. Times without an offset are of
    `zone`, those without a day of `day`. Raises InputError with all faults, each with its line.
    """
    lines = text.splitlines()
    delimiter = "\t" if lines and lines[0].count("\t") > lines[0].count(",") else ","
    reader = csv.reader(lines, delimiter=delimiter)
    try:
        columns, faults = _columns(next(reader, []), where)
        slots: dict[str, Slot] = {}
        first: dict[str, int] = {}
        line = _Line(organisation, zone, day)
        for cells in reader if not faults else ():
            if any(cell.strip() for cell in cells):
                said = {name: cells[i].strip() for name, i in columns.items() if i < len(cells)}
                name, slot, wrong = line.read(said)
                if slot is not None and name in first:
                    wrong = [f"this room and start stand in line {first[name]} already"]
                faults += [f"{where}:{reader.line_num}: {fault}" for fault in wrong]
                if slot is not None and not wrong:
                    slots[name], first[name] = slot, reader.line_num
    except csv.Error as error:
        raise InputError(f"{where}:{reader.line_num}: {error}", hint="save it as CSV again") from None
    if faults:
        raise InputError("\n".join(faults), hint=_HINT)
    return slots


def _columns(headings: Iterable[str], where: str) -> tuple[dict[str, int], list[str]]:
    found: dict[str, int] = {}
    faults = []
    for i, heading in enumerate(headings):
        name = _HEADINGS.get(heading.strip().lower())
        if name is None and heading.strip():
            faults.append(f"{where}:1: there is no heading {heading.strip()[:40]!r}")
        elif name in found:
            faults.append(f"{where}:1: two columns are {name}")
        elif name is not None:
            found[name] = i
    faults += [f"{where}:1: there is no column {name}" for name in ("starts", "room") if name not in found]
    return found, faults


class _Line:
    """Reads one line after the other."""

    def __init__(self, organisation: Organisation, zone: tzinfo, day: date | None) -> None:
        self._organisation, self._zone, self._day = organisation, zone, day
        self._named: dict[str, dict[str, list[str]]] = {}

    def read(self, said: Mapping[str, str]) -> tuple[str, Slot | None, list[str]]:
        """Its id and slot, or what is wrong with it."""
        wrong: list[str] = []
        room = self._found("room", said.get("room", ""), wrong)
        starts = self._time("starts", said.get("starts", ""), wrong)
        ends = self._time("ends", said["ends"], wrong) if said.get("ends") else None
        host = self._found("host", said["host"], wrong) if said.get("host") else ""
        products = tuple(self._found("product", each.strip(), wrong)
                         for each in _SEPARATOR.split(said.get("products", "")) if each.strip())
        if len(said.get("note", "")) > _LONGEST:
            wrong.append(f"the note has more than {_LONGEST} characters")
        if ends is not None and ends <= starts and not wrong:
            if len(said["ends"]) > len("23:59"):
                wrong.append("it ends before it starts")
            else:
                ends += round(timedelta(days=1).total_seconds() * 1000)  # 20:00 to 02:00
        if wrong:
            return "", None, wrong
        name = said.get("id", "")[:128] or digest("slot", room, starts)
        return name, Slot(room=room, starts=starts, ends=ends, host=host, products=products,
                          note=said.get("note", "")), []

    def _found(self, kind: str, said: str, wrong: list[str]) -> str:
        """The id; "" and a fault where there is none, or more than one."""
        if self._organisation.get(_KINDS[kind], said) is not None:
            return said
        if kind not in self._named:
            names = self._named[kind] = {}
            for name, record in self._organisation.every(_KINDS[kind]):
                title = getattr(record, "name", "") or getattr(record, "title", "")
                names.setdefault(title, []).append(name)
        found = self._named[kind].get(said, []) if said else []
        if len(found) != 1:
            wrong.append(f"no {kind} is named" if not said else f"there is no {kind} {said[:80]!r}" if not found else
                         f"several {kind}s are called {said[:80]!r}: write one of {', '.join(found[:5])}")
            return ""
        return found[0]

    def _time(self, name: str, said: str, wrong: list[str]) -> int:
        """UTC ms."""
        text = said.replace("/", "-")
        try:
            if re.fullmatch(r"\d{1,2}:\d\d", text):
                if self._day is None:
                    raise ValueError
                text = f"{self._day} {text:0>5}"
            moment = datetime.fromisoformat(_padded(text))
        except ValueError:
            wrong.append(f"{name}: {said[:40]!r} is no time; write 2026-11-27 20:00" + (
                ", or name the day for 20:00" if self._day is None else ", or 20:00"))
            return 0
        return round((moment if moment.tzinfo else moment.replace(tzinfo=self._zone)).timestamp() * 1000)


def _padded(text: str) -> str:
    """2026-1-5 9:00 as 2026-01-05 09:00."""
    return re.sub(r"(?<![\d.:+-])(\d)(?=[-:])|(?<=-)(\d)(?=[ T-]|$)", lambda match: f"0{match[0]}", text)
