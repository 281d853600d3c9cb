"""A rule file to begin with."""

import json
import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Final

import yaml

from monitor.adapters.rulefiles.fields import NAME
from monitor.domain.errors import InputError
from monitor.domain.findings import Severity, Tier
from monitor.domain.rules import CATEGORIES

PACK: Final = """\
id: {id}
title: {title}
version: '0.1'
"""
RULE: Final = """\
id: {id}
title: {title}
tier: {tier}
category: [{category}]
severity: {severity:<15} # info, low, medium, high, critical; say why in notes
status: draft             # active, once its cases hold
{clauses:<25} # ids of the clause register; at least one before it is active
applies: {{{applies}}}
detection:
  claim: {{terms: {terms}}}
{vetoes}  condition: claim
advice:
  say: 写一句给主播的话
  rewrite: {{}}
# cases:
#   - {{text: 一句违规的话, expect: [claim]}}
#   - {{text: 一句像违规却合规的话, expect: none}}
notes: {notes}
"""
_WORD: Final = re.compile(r"[^\W\d_][\w.\-]*")
_RESOLVER: Final[Any] = yaml.resolver.Resolver()
_TEXT: Final = "tag:yaml.org,2002:str"
UNWORDED: Final = ("写上要找的话", "再写一种说法")
CONTEXTS: Final = ("negation", "warning", "quotation", "correction", "question")
UNEXPLAINED: Final = "为什么是这个严重度，考虑过哪些误报"


def write_draft(folder: Path, rule: str, *, category: str, title: str) -> Path:
    """Write a draft into the folder of a pack. Raises InputError where that cannot be."""
    subject, dot, name = rule.partition(".")
    if not dot or not NAME.fullmatch(subject) or not NAME.fullmatch(name):
        raise InputError(f"{rule[:80]!r} is no rule id", hint="write subject.name, each of small letters, digits and _")
    if category not in CATEGORIES:
        raise InputError(f"there is no category {category[:80]!r}", hint="one of " + ", ".join(CATEGORIES))
    path = folder / f"{name}.yml"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if not (folder / "pack.yml").exists():
            (folder / "pack.yml").write_text(PACK.format(id=folder.name, title=quoted(folder.name)), encoding="utf-8")
        with path.open("x", encoding="utf-8") as file:
            file.write(draft(rule, category=category, title=title or name))
    except FileExistsError:
        raise InputError(f"{path} is there already", hint="choose another name") from None
    except OSError as error:
        raise InputError(f"{path} cannot be written: {error.strerror}", hint="check the folder and its owner") from None
    return path


def draft(
    rule: str, *, category: str, title: str, tier: Tier = Tier.REDLINE, severity: Severity = Severity.MEDIUM,
    clauses: Sequence[str] = (), terms: Sequence[str] = (), allow: Sequence[str] = (),
    contexts: Iterable[str] = CONTEXTS, kinds: Iterable[str] = (), notes: str = UNEXPLAINED,
) -> str:
    """The text of a rule file; without `terms` with words that stand for those to be written."""
    vetoes = f"  lawful: {{allow: {listed(allow)}}}\n" if allow else ""
    if contexts:
        vetoes += f"  meant: {{context: {listed(contexts)}, veto: all}}\n"
    applies = (f"kinds: {listed(kinds)}, " if kinds else "") + "speakers: [host, assistant, official]"
    return RULE.format(
        id=rule, title=quoted(title), tier=tier, category=category, severity=severity,
        clauses=("clauses: " if clauses else "# clauses: ") + listed(clauses), applies=applies,
        terms=listed(terms or UNWORDED), vetoes=vetoes, notes=quoted(notes))


def quoted(text: str) -> str:
    """As a text that YAML takes for nothing else: JSON's strings are YAML's."""
    plain = _WORD.fullmatch(text) and _RESOLVER.resolve(yaml.ScalarNode, text, (True, False)) == _TEXT
    return text if plain else json.dumps(text, ensure_ascii=False)


def listed(words: Iterable[str]) -> str:
    return "[" + ", ".join(map(quoted, words)) + "]"
