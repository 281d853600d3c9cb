"""Records as YAML: what is shipped, and what a tenant exports and imports. By kind, then by id.

A time may be written as people do, `2026-11-27T20:00:00+08:00`, or as UTC milliseconds.
"""

from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, Final

import msgspec
import yaml

from monitor.domain.errors import InputError
from monitor.domain.kinds import KINDS
from monitor.domain.record import Record

_HINT: Final = "docs/post.md has every key; config/post/posts.yml and config/demo/organisation.yml are examples"
_TIMES: Final = frozenset(("starts", "ends", "begins"))
_LATEST_MS: Final = 253_402_300_799_000
"""The last time that has a year of four digits."""
_DEEPEST: Final = 64

Key = tuple[str, str]


class _Loader(yaml.SafeLoader):
    """Refuses what could make a small file a large one, or one without an end."""

    _depth = 0

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        event: Any = self.peek_event()  # type: ignore[no-untyped-call]
        mark: yaml.Mark = event.start_mark
        if isinstance(event, yaml.AliasEvent):
            raise yaml.MarkedYAMLError(problem=f"*{event.anchor}: write it out here", problem_mark=mark)
        if self._depth == _DEEPEST:
            raise yaml.MarkedYAMLError(problem=f"nested deeper than {_DEEPEST} levels", problem_mark=mark)
        self._depth += 1
        node = super().compose_node(parent, index)
        self._depth -= 1
        return node


class Parsed:
    """What a file says, the line of each record, and all that is wrong with it."""

    def __init__(self) -> None:
        self.records: dict[Key, Record] = {}
        self.lines: dict[Key, int] = {}
        self.faults: list[str] = []
        self.unread: set[Key] = set()


def parse(text: str, where: str) -> Parsed:
    """Never raises for what the file says."""
    found = Parsed()
    loader: _Loader | None = None
    try:
        loader = _Loader(text)
        root = loader.get_single_node()
        if root is not None:
            for kind, name, line, body in _entries(root, where, found):
                found.lines[kind, name] = line
                try:
                    record = msgspec.convert(_timed(loader.construct_document(body)), KINDS[kind], strict=True)
                    msgspec.json.encode(record)  # halves of characters are refused here, not when they are to be stored
                    found.records[kind, name] = record
                except (msgspec.ValidationError, ValueError, yaml.YAMLError) as error:
                    found.unread.add((kind, name))
                    found.faults.append(f"{where}:{line}: {kind} {name}: {error}")
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = mark.line + 1 if mark is not None else 1
        found.faults.append(f"{where}:{line}: this cannot be read: {getattr(error, 'problem', None) or error}")
    finally:
        if loader is not None:
            loader.dispose()
    return found


def read(text: str, where: str) -> dict[Key, Record]:
    """By kind and id. Raises InputError with all faults, each with its line and record."""
    found = parse(text, where)
    if found.faults:
        raise InputError("\n".join(found.faults), hint=_HINT)
    return found.records


def _entries(root: yaml.Node, where: str, found: Parsed) -> Iterator[tuple[str, str, int, yaml.Node]]:
    """(kind, id, line, node) of each record."""
    for kind, line, records in _pairs(root, where, "records by kind and id", found):
        if kind not in KINDS:
            found.faults.append(f"{where}:{line}: there is no kind {kind[:40]!r}; one of {', '.join(KINDS)}")
        else:
            for name, at, body in _pairs(records, where, f"{kind}: records by their ids", found):
                yield kind, name, at, body


def _pairs(node: yaml.Node, where: str, wanted: str, found: Parsed) -> Iterator[tuple[str, int, yaml.Node]]:
    if not isinstance(node, yaml.MappingNode):
        found.faults.append(f"{where}:{node.start_mark.line + 1}: {wanted} are wanted")
        return
    first: dict[str, int] = {}
    for key, value in node.value:
        name, line = str(key.value), key.start_mark.line + 1
        if not isinstance(key, yaml.ScalarNode):
            found.faults.append(f"{where}:{line}: a name is wanted here: {wanted}")
            continue
        if name in first:
            found.faults.append(f"{where}:{line}: {name[:80]!r} stands twice, first in line {first[name]}")
            continue
        first[name] = line
        yield name, line, value


def _timed(body: Any) -> Any:
    """Times as UTC ms. Raises ValueError for one without an offset."""
    if isinstance(body, datetime):
        if body.tzinfo is None:
            raise ValueError(f"the time {body} has no offset: write it as 2026-11-27T20:00:00+08:00")
        return round(body.timestamp() * 1000)
    if isinstance(body, date):
        raise ValueError(f"the day {body} is no time: write it as {body}T00:00:00+08:00")
    if isinstance(body, dict):
        return {key: _timed(value) for key, value in body.items()}
    return [_timed(value) for value in body] if isinstance(body, list) else body


def read_folder(folder: Path) -> dict[Key, Record]:
    """All of its files. Raises InputError."""
    found: dict[Key, Record] = {}
    for path in sorted(folder.glob("*.yml")):
        found.update(read(path.read_text(encoding="utf-8"), path.name))
    return found


def write(records: Iterable[tuple[str, str, Record]]) -> str:
    """As `read` takes it, kinds in the order in which each can be made; secrets are hidden."""
    by_kind: dict[str, dict[str, Any]] = {}
    for kind, name, record in records:
        by_kind.setdefault(kind, {})[name] = _readable(msgspec.to_builtins(record.shown()))
    document = {kind: by_kind[kind] for kind in KINDS if kind in by_kind}
    return yaml.safe_dump(document, allow_unicode=True, sort_keys=False, width=100)


def _readable(body: Any, key: str = "") -> Any:
    if isinstance(body, dict):
        return {name: _readable(value, name) for name, value in body.items()}
    if isinstance(body, list | tuple):
        return [_readable(value) for value in body]
    if key in _TIMES and type(body) is int and 0 <= body <= _LATEST_MS:
        return datetime.fromtimestamp(body // 1000, UTC).replace(microsecond=body % 1000 * 1000)
    return body
