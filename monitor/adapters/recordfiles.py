"""Records as YAML: what is shipped, and what a tenant exports and imports. By kind, then by id."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import msgspec
import yaml

from monitor.domain.errors import InputError
from monitor.domain.kinds import KINDS
from monitor.domain.record import Record


def read(text: str, where: str) -> dict[tuple[str, str], Record]:
    """By kind and id. Raises InputError with all faults, each with its record."""
    try:
        document = yaml.safe_load(text) or {}
    except yaml.YAMLError as error:
        raise InputError(f"{where}: {error}", hint="mend the YAML") from error
    if not isinstance(document, dict):
        raise InputError(f"{where}: records by kind and id are wanted", hint="as config/post/posts.yml has them")
    found: dict[tuple[str, str], Record] = {}
    faults: list[str] = []
    for kind, name, body in _entries(document, faults):
        try:
            found[kind, name] = msgspec.convert(body, KINDS[kind], strict=True)
        except msgspec.ValidationError as error:
            faults.append(f"{kind} {name}: {error}")
    if faults:
        raise InputError("\n".join(f"{where}: {fault}" for fault in faults), hint="docs/post.md has every key")
    return found


def _entries(document: Mapping[Any, Any], faults: list[str]) -> Iterable[tuple[str, str, Any]]:
    for kind, records in document.items():
        if kind not in KINDS:
            faults.append(f"there is no kind {str(kind)[:40]!r}; one of {', '.join(KINDS)}")
        elif not isinstance(records, dict):
            faults.append(f"{kind}: records by their ids are wanted")
        else:
            yield from ((kind, str(name), body) for name, body in records.items())


def read_folder(folder: Path) -> dict[tuple[str, str], Record]:
    """All of its files. Raises InputError."""
    found: dict[tuple[str, str], Record] = {}
    for path in sorted(folder.glob("*.yml")):
        found.update(read(path.read_text(encoding="utf-8"), path.name))
    return found


def write(records: Iterable[tuple[str, str, Record]]) -> str:
    """As `read` takes it, kinds in the order in which each can be made."""
    by_kind: dict[str, dict[str, Any]] = {}
    for kind, name, record in records:
        by_kind.setdefault(kind, {})[name] = msgspec.to_builtins(record)
    document = {kind: by_kind[kind] for kind in KINDS if kind in by_kind}
    return yaml.safe_dump(document, allow_unicode=True, sort_keys=False, width=100)
