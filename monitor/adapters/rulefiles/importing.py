"""A table of norms into a rules folder: all of it, or nothing where anything is wrong."""

from collections.abc import Callable
from pathlib import Path

from msgspec import Struct, structs

from monitor.adapters.rulefiles.folder import load, load_sources
from monitor.adapters.rulefiles.normdrafts import Fate, drafted
from monitor.adapters.rulefiles.norms import read_norms
from monitor.domain.rulesets import RuleSet


class Imported(Struct, frozen=True):
    """`written`: paths in the rules folder. `kept`: ids of rules that were there already."""

    written: list[str]
    kept: list[str]
    fates: list[Fate]


def import_norms(
    file: Path, folder: Path, *, pack: str, issuer: str, document: str, check: Callable[[RuleSet], object]
) -> Imported:
    """Read the table, draft, and write if the folder then loads and `check` has nothing against the pack's rules.

    Raises RuleError with the faults of the table, or of the folder as it would be; InputError, OSError.
    """
    norms = read_norms(file)
    held = load(folder) if folder.is_dir() and any(folder.rglob("*.yml")) else None
    made = drafted(norms, file=file.name, pack=pack, issuer=issuer, document=document,
                   contexts=held.contexts if held else ())
    known = {rule.id for rule in held.all()} if held else set()
    drafts = {f"{pack}/{rule.partition('.')[2]}.yml": text for rule, text in made.rules.items() if rule not in known}
    if not (folder / pack / "pack.yml").exists():
        drafts[f"{pack}/pack.yml"] = made.pack
    new = made.registers | drafts
    found = load_sources((held.sources if held else {}) | {path: text.encode() for path, text in new.items()})
    check(structs.replace(found, rules=tuple(rule for rule in found.rules if rule.pack == pack), correlations=()))
    for path, text in new.items():  # registers first: rules rest on them
        place = folder / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text, encoding="utf-8")
    return Imported(list(new), sorted(known.intersection(made.rules)), made.fates)
