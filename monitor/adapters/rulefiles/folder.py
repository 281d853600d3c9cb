"""A rules folder: packs with their rules and lists, and the clause registers beside them."""

from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Final

from msgspec.structs import replace

from monitor.adapters.bundled import view_tables
from monitor.adapters.rulefiles.contexts import FILE, read_contexts
from monitor.adapters.rulefiles.correlating import check
from monitor.adapters.rulefiles.faults import TOP, Faults, raise_any
from monitor.adapters.rulefiles.nodes import MAX_LIST, MAX_YAML
from monitor.adapters.rulefiles.registers import Register, TermList, read_list
from monitor.adapters.rulefiles.rulefile import Known, Pack, hashed, read_pack, read_rule
from monitor.domain.correlations import CorrelationRule
from monitor.domain.errors import Fault, RuleError
from monitor.domain.ids import digest
from monitor.domain.phrases import phrase
from monitor.domain.rules import AnyRule, Context, Rule
from monitor.domain.rulesets import RuleSet
from monitor.engine.databases import Databases
from monitor.engine.looking import unfit
from monitor.engine.uncollected import uncollected

_DEEPEST: Final = 5
_WHICH: Final = "name the folder that holds the packs"
_REGISTERS: Final = ("clauses", "duties")


def load(
    folder: Path, over: Mapping[str, bytes] = MappingProxyType({}), databases: Databases | None = None,
) -> RuleSet:
    """Read and check a rules folder. `over`: what stands in place of its files, or beside them. `databases` keep what
    was read: the same files are not read and checked again.

    Paths in faults are relative to the folder. Raises RuleError with all faults of all files.
    """
    sources, unread = read(folder)
    return _loaded({**sources, **over}, [faults for faults in unread if faults.path not in over], databases)


def read(folder: Path) -> tuple[dict[str, bytes], list[Faults]]:
    """Contents by relative path, and the files that could not be read. Raises RuleError where there are none."""
    sources: dict[str, bytes] = {}
    unread: list[Faults] = []
    if not folder.is_dir():
        raise RuleError([Fault(str(folder), 1, 1, "there is no such folder", _WHICH)])
    for path in files(folder):
        name = path.relative_to(folder).as_posix()
        if place_of(name) is None:
            continue
        faults = Faults(name)
        try:
            if path.is_fifo() or path.is_char_device():
                faults.add(TOP, "is a pipe or device, which has no end", "remove it")
                unread.append(faults)
                continue
            with path.open("rb") as file:
                sources[name] = file.read(max(MAX_LIST, MAX_YAML) + 1)
        except OSError as error:
            faults.add(TOP, phrase("cannot be read: {why}", why=error.strerror), "check its permissions")
            unread.append(faults)
    if not sources and not unread:
        raise RuleError([Fault(str(folder), 1, 1, "the folder holds no rules", _WHICH)])
    return sources, unread


def load_sources(sources: Mapping[str, bytes], databases: Databases | None = None) -> RuleSet:
    """The same from relative paths and contents, such as `RuleSet.sources`. Raises RuleError."""
    return _loaded({path: data for path, data in sources.items() if place_of(path) is not None}, [], databases)


def place_of(path: str) -> str | None:
    """What a file is by its path: clauses, duties, contexts, pack, rule, list; stray: overlooked; None: not ours."""
    *folders, name = path.split("/")
    suffix = name.rpartition(".")[2].lower()
    if any(not part or part.startswith(".") for part in (*folders, name)):
        return None
    if name.startswith("clauses") and suffix == "csv":
        return "stray"
    if not folders and name.startswith(_REGISTERS) and name.endswith(".yml"):
        return next(kind for kind in _REGISTERS if name.startswith(kind))
    if suffix in ("yml", "yaml"):
        if path == FILE:
            return "contexts"
        if len(folders) not in (1, 2) or folders[1:] == ["lists"] or not name.endswith(".yml"):
            return "stray"
        if name != "pack.yml":
            return "rule"
        return "pack" if len(folders) == 1 else "stray"
    if suffix == "txt" and folders[1:2] == ["lists"]:
        return "list" if len(folders) == 2 else "stray"
    return None


def files(folder: Path, *, depth: int = _DEEPEST) -> Iterator[Path]:
    """Those that may be rules, in order. Raises OSError where one can't be listed, which Path.rglob passes over."""
    for path in sorted(folder.iterdir()):
        if path.name.startswith("."):
            continue
        if path.is_dir():
            if depth > 1:
                yield from files(path, depth=depth - 1)
        else:
            yield path


def _loaded(sources: dict[str, bytes], unread: list[Faults], databases: Databases | None) -> RuleSet:
    """As `databases` keep it, or read from the files now."""
    key = digest("ruleset", hashed(sources))
    kept = databases.kept(key, RuleSet) if databases is not None and not unread else None
    if kept is not None:
        return replace(kept, sources=sources)
    found = _load(sources, unread, databases or Databases())
    if databases is not None:
        databases.keep(key, replace(found, sources={}))
    return found


class _Reading:
    """One load: the faults of each file, and the files by what they are."""

    def __init__(self, sources: Mapping[str, bytes]) -> None:
        self.sources = sources
        self.files: dict[str, Faults] = {}
        self.by_place: dict[str, list[str]] = {}
        for path in sorted(sources):
            self.by_place.setdefault(place_of(path) or "", []).append(path)

    def of(self, place: str) -> Iterator[tuple[str, bytes, Faults]]:
        for path in self.by_place.get(place, ()):
            yield path, self.sources[path], self.faults(path)

    def faults(self, path: str) -> Faults:
        return self.files.setdefault(path, Faults(path))


@uncollected()
def _load(sources: dict[str, bytes], unread: list[Faults], databases: Databases) -> RuleSet:
    reading = _Reading(sources)
    register = Register()
    register.complete = not any(place_of(faults.path) in _REGISTERS for faults in unread)
    for kind in _REGISTERS:
        for _, data, faults in reading.of(kind):
            register.add(data, faults, duties=kind == "duties")
    packs = _packs(reading)
    rules: list[Rule] = []
    correlations: list[CorrelationRule] = []
    contexts: dict[str, Context] = {}
    for path, data, faults in reading.of("contexts"):
        contexts = read_contexts(path, data, faults)
    known = Known(register, {}, contexts, sources.get(FILE, b""))
    for path, data, faults in reading.of("rule"):
        pack = packs.get(path.partition("/")[0])
        if pack is None:
            pack = Pack("", {})
            faults.add(TOP, "the folder has no pack.yml", "add pack.yml with id, title and version")
        rule = read_rule(path, data, pack, known, faults)
        if isinstance(rule, CorrelationRule):
            correlations.append(rule)
        elif rule is not None:
            rules.append(rule)
    check(correlations, rules, known.ids, known.correlating)
    _strays(reading)
    if not any(faults.count for faults in reading.files.values()):  # else a rule with a fault may use it
        _unused(reading, known.lists)
    found = RuleSet(tuple(sorted(rules, key=_id)), register.clauses, hashed(sources), sources, contexts,
                    tuple(sorted(correlations, key=_id)), register.duties)
    if any(faults.count for faults in [*reading.files.values(), *unread]):
        for fault in unfit(found, known.broken, view_tables(), databases):
            reading.faults(fault.path).add(fault, fault.message, fault.hint)
    raise_any([*reading.files.values(), *unread])
    return found


def _id(rule: AnyRule) -> str:
    return rule.id


def _packs(reading: _Reading) -> dict[str, Pack]:
    """By folder."""
    lists: dict[str, dict[str, TermList]] = {}
    for path, data, faults in reading.of("list"):
        folder, _, inside = path.partition("/")
        lists.setdefault(folder, {})[inside] = read_list(path, data, faults)
    packs: dict[str, Pack] = {}
    first: dict[str, str] = {}
    for path, data, faults in reading.of("pack"):
        folder = path.partition("/")[0]
        found, node, applies = read_pack(data, faults)
        if found and found in first:
            faults.add(node, phrase("the pack {found} stands twice, first in {first}", found=found, first=first[found]),
                       "rename one")
        first.setdefault(found, path)
        packs[folder] = Pack(found, lists.get(folder, {}), applies)
    return packs


def _unused(reading: _Reading, used: Collection[str]) -> None:
    for path, _, faults in reading.of("list"):
        if path not in used:
            inside = path.partition("/")[2]
            faults.add(TOP, "no rule of the pack uses this list",
                       phrase("name it in a rule as {list: {inside}}, or remove it", inside=inside))


def _strays(reading: _Reading) -> None:
    for path, _, faults in reading.of("stray"):
        if path.endswith(".yaml"):
            faults.add(TOP, "the file would be overlooked", "let its name end in .yml")
        elif path.endswith(".csv"):
            faults.add(TOP, "the file would be overlooked", "write it as clauses.yml at the top of the rules folder")
        elif path.endswith(".txt"):
            faults.add(TOP, "the file would be overlooked", "put it directly into the pack's folder lists/")
        else:
            faults.add(TOP, "the file would be overlooked", "put it into the folder of a pack, or one folder below")
