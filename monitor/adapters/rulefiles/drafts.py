"""A rule file to begin with."""

from pathlib import Path
from typing import Final

from monitor.adapters.rulefiles.fields import NAME
from monitor.domain.errors import InputError
from monitor.domain.rules import CATEGORIES

PACK: Final = """\
id: {id}
title: {id}
version: '0.1'
"""
RULE: Final = """\
id: {id}
title: {title}
tier: redline
category: [{category}]
severity: medium          # info, low, medium, high, critical; say why in notes
status: draft             # active, once its cases hold
clauses: []               # ids of the clause register; at least one
applies: {{speakers: [host, assistant, official]}}
detection:
  claim: {{terms: [写上要找的话, 再写一种说法]}}
  meant: {{context: [negation, warning, quotation, correction, question], veto: all}}
  condition: claim
advice:
  say: 写一句给主播的话
  rewrite: {{}}
cases: []
#  - {{text: 一句违规的话, expect: [claim]}}
#  - {{text: 一句像违规却合规的话, expect: none}}
notes: 为什么是这个严重度，考虑过哪些误报
"""


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
            (folder / "pack.yml").write_text(PACK.format(id=folder.name), encoding="utf-8")
        with path.open("x", encoding="utf-8") as file:
            file.write(RULE.format(id=rule, title=title or name, category=category))
    except FileExistsError:
        raise InputError(f"{path} is there already", hint="choose another name") from None
    except OSError as error:
        raise InputError(f"{path} cannot be written: {error.strerror}", hint="check the folder and its owner") from None
    return path
