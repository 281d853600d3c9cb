"""The packs that ship: what they cover, what each rule brings along, and that its cases hold."""

import re
from functools import cache

from monitor.adapters.rulefiles import load
from monitor.domain.correlations import CorrelationRule
from monitor.domain.events import Role
from monitor.domain.findings import Tier
from monitor.domain.rules import CATEGORIES, Rule
from monitor.domain.rulesets import RuleSet
from tests.functional.clikit import ROOT, redpost

EACH = 3
"""So many true and so many false cases a rule has at least."""


@cache
def shipped() -> RuleSet:
    return load(ROOT / "rules")


def judging() -> list[Rule | CorrelationRule]:
    """Those with cases: what rests on scores alone has none, for cases run without a model."""
    said = [rule for rule in shipped().rules if not all(selection.score for selection in rule.selections)]
    return [*said, *shipped().correlations]


def test_they_cover_the_taxonomy() -> None:
    rules = shipped().rules
    words = {term for rule in rules for selection in rule.selections if not selection.veto for term in selection.terms}
    assert len(judging()) > 600 and len(words) > 25_000
    assert {name for rule in judging() for name in rule.category} == set(CATEGORIES)


def test_each_has_three_true_and_three_false_cases() -> None:
    few = {}
    for rule in judging():
        true = sum(bool(case.expect) for case in rule.cases)
        if min(true, len(rule.cases) - true) < EACH:
            few[rule.id] = true, len(rule.cases) - true
    assert not few


def test_all_cases_hold() -> None:
    done = redpost("rules", "test", ROOT / "rules")
    assert done.code == 0, done.out


def silent() -> set[str]:
    """Rules that only serve others."""
    found: set[str] = set()
    for each in (rule.correlation for rule in shipped().correlations):
        found.update(each.unless, () if each.generate else each.rules)
    return found


def test_what_makes_findings_says_what_to_do_instead() -> None:
    assert not [rule.id for rule in judging() if rule.tier is not Tier.ORIENTATION
                and not rule.advice.say and rule.id not in silent()]


def graveness() -> dict[tuple[str, str], str]:
    """(category, finer label) → severity, by the table of rules/README.md."""
    lines = (ROOT / "rules/README.md").read_text("utf-8").splitlines()
    head = next(line for line in lines if line.startswith("| category |"))
    severities = [cell.strip() for cell in head.split("|")[2:-1]]
    found: dict[tuple[str, str], str] = {}
    for category, *cells in (line.split("|")[1:-1] for line in lines if line.startswith("| `") and line.count("|") > 4):
        for severity, cell in zip(severities, cells, strict=True):
            found |= {(category.strip(" `"), label): severity for label in re.findall("`(\\w+)`", cell)}
    return found


def test_each_is_as_grave_as_its_finer_label_or_says_why() -> None:
    table = graveness()
    assert {category for category, _ in table} == set(CATEGORIES) and len(table) > 100
    bare = []
    for rule in judging():
        text = shipped().sources[rule.path].decode()
        usual = "critical" if rule.tier is Tier.CARE else table.get((rule.category[0], rule.sub))
        if rule.tier is not Tier.ORIENTATION and rule.severity != usual and not re.search(
                r"(?m)^(severity: \w+ +# ?\S|notes:|description:)", text):
            bare.append(rule.id)
    assert not bare


def test_each_finer_label_has_a_rule() -> None:
    assert {(rule.category[0], rule.sub) for rule in judging() if rule.category} >= graveness().keys()


def unsayable() -> set[tuple[str, str]]:
    """(category, finer label) that have no lawful wording, by the table of rules/README.md."""
    table = (ROOT / "rules/README.md").read_text("utf-8").partition("| no lawful wording |")[2]
    return {(category, label) for category, labels in re.findall(r"\| `(\w+)` \| (`.+`) \|", table)
            for label in re.findall(r"`(\w+)`", labels)}


def heard_from_the_host_side(rule: Rule | CorrelationRule) -> bool:
    if isinstance(rule, CorrelationRule):
        return False  # what it is made of has its own
    roles = rule.applies.speakers
    return roles is None or bool(roles & {Role.HOST, Role.ASSISTANT, Role.OFFICIAL})


def test_what_has_a_lawful_wording_names_one() -> None:
    labels = {(rule.category[0], rule.sub) for rule in judging() if rule.category}
    assert len(unsayable()) > 20 and unsayable() <= labels
    assert not [rule.id for rule in judging() if heard_from_the_host_side(rule) and not rule.advice.rewrite
                and rule.tier not in (Tier.ORIENTATION, Tier.CARE) and rule.id not in silent()
                and (rule.category[0], rule.sub) not in unsayable()]


def test_a_rewrite_is_of_a_wording_or_of_a_selection_that_finds_something() -> None:
    for rule in shipped().rules:
        found = {selection.name for selection in rule.selections if not selection.veto and not selection.allow}
        named = {key for key in rule.advice.rewrite if re.fullmatch("[a-z_0-9]+", key)}
        assert named <= found, rule.id
        assert not any(re.search("删|撤下|撤回|×", instead) for instead in rule.advice.rewrite.values()), rule.id
