"""One file of the rules with all that it needs of the others, so that it is checked and tried in a fraction of the time
that the whole takes."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Final

from msgspec import Struct

from monitor.domain.correlations import CorrelationRule
from monitor.domain.errors import Fault, InputError, RuleError
from monitor.domain.phrases import phrase
from monitor.domain.rules import AnyRule, Status
from monitor.domain.rulesets import RuleSet
from monitor.engine.engineset import EngineSet
from monitor.services.casework import Failure, run_cases

EVERY: Final = frozenset(Status)
MOST_TEXT: Final = 400_000
"""Code points of a file."""
_PATH: Final = re.compile(r"(?:[a-z0-9][a-z0-9_-]*/){0,2}[a-z0-9][a-z0-9_.-]*\.(?:yml|txt)")
_ID: Final = re.compile(r"(?m)^id:\s*['\"]?([a-z][a-z0-9_.]*)")
_NAMES: Final = re.compile(r"[a-z][a-z0-9_]*\.[a-z][a-z0-9_]*")
_LISTS: Final = re.compile(r"lists/[\w.-]+\.txt")

Parse = Callable[[Mapping[str, bytes]], RuleSet]
"""Reads and checks sources. Raises RuleError with all faults."""


class Part(Struct, frozen=True):
    """`ruleset`: the file and what it needs; `own`: ids of the rules that it changes."""

    ruleset: RuleSet
    own: frozenset[str]


def checked_path(path: str) -> str:
    """Raises InputError where no file of the rules can have this name."""
    if len(path) > 200 or not _PATH.fullmatch(path):
        raise InputError(phrase("{path} is no file of the rules", path=repr(path[:80])),
                         hint="such as shop/early_bird.yml, shop/lists/words.txt or clauses-shop.yml, in lower case")
    return path


def part(serving: RuleSet, path: str, text: str, parse: Parse) -> Part:
    """`text` in place of the file. Raises RuleError with the faults of all files that it has part in."""
    files = {**_needed(serving, path, text), path: text.encode()}
    ruleset = parse(files)
    of_pack = _is_list(path) or path.endswith("/pack.yml")
    own = {rule.id for rule in ruleset.all() if (_of_pack(rule, path) if of_pack else rule.path == path)}
    return Part(ruleset, frozenset(own | {rule.id for rule in _resting_on(ruleset, own)}))


def engine_of(part: Part, serving: EngineSet, statuses: frozenset[Status] = EVERY) -> EngineSet:
    """Judges as `serving` does, by the rules of the part that are of these statuses. Raises RuleError."""
    return EngineSet(
        part.ruleset, serving.tables, rooms=serving.rooms.values(), scorer=serving.scorer,
        own={tenant: one.scorer for tenant, one in serving.own.items() if one.scorer is not None},
        zone=serving.zone, statuses=statuses)


def cases_of(part: Part, serving: EngineSet) -> tuple[int, list[Failure]]:
    """(how many cases of the part's rules ran, those that failed)"""
    return run_cases(part.ruleset, serving.tables, serving.zone)


def faults_of(error: RuleError, path: str) -> list[Fault]:
    """Those of the file first; of others only where it has none."""
    return [fault for fault in error.faults if fault.path == path] or list(error.faults)


def _needed(serving: RuleSet, path: str, text: str) -> dict[str, bytes]:
    sources, known = serving.sources, {rule.id: rule for rule in serving.all()}
    if _whole(path):
        return dict(sources)
    taken = set(_rule_files(serving, known, path, text))
    packs = {each.partition("/")[0] for each in (path, *taken)}
    found = {name: data for name, data in sources.items() if "/" not in name}
    found |= {name: sources[name] for pack in packs if (name := f"{pack}/pack.yml") in sources}
    found |= {name: sources[name] for name in taken if name != path}
    for name in (path, *taken):
        said = text if name == path else sources[name].decode(errors="replace")
        lists = (f"{name.partition('/')[0]}/{inside}" for inside in _LISTS.findall(said))
        found |= {each: sources[each] for each in lists if each in sources}
    return found


def _rule_files(serving: RuleSet, known: Mapping[str, AnyRule], path: str, text: str) -> Iterator[str]:
    """Of the rules that a rule names or is named by; of a list, of those that use it."""
    if _is_list(path):
        pack, _, inside = path.partition("/")
        rules = [rule for rule in known.values() if rule.path.startswith(f"{pack}/")
                 and inside in serving.sources[rule.path].decode(errors="replace")]
    else:
        own = set(_ID.findall(text)) | {rule.id for rule in known.values() if rule.path == path}
        rules = [known[name] for name in own | set(_NAMES.findall(text)) if name in known]
        rules += _resting_on(serving, own)
    for rule in rules:
        yield rule.path
        if isinstance(rule, CorrelationRule):
            yield from (known[name].path for name in rule.correlation.refers if name in known)


def _resting_on(ruleset: RuleSet, rules: Iterable[str]) -> list[CorrelationRule]:
    some = set(rules)
    return [rule for rule in ruleset.correlations if not some.isdisjoint(rule.correlation.refers)]


def _of_pack(rule: AnyRule, path: str) -> bool:
    return rule.path.startswith(path.partition("/")[0] + "/")


def _is_list(path: str) -> bool:
    return "/lists/" in path


def _whole(path: str) -> bool:
    """Whether all rules may rest on the file: registers, contexts, what a pack says of its rules."""
    return "/" not in path or path.endswith("/pack.yml")
