"""The examples of the rule language are a folder that loads, whose cases hold, and which explains itself as written."""

import os
import re
from pathlib import Path
from typing import Final

import jsonschema
import pytest

from monitor.adapters.rulefiles import keys, load_sources
from monitor.adapters.rulefiles.schema import rule_schema
from monitor.domain.correlations import CorrelationType
from monitor.domain.rulesets import RuleSet
from monitor.services.casework import run_cases
from tests.functional.clikit import ROOT, redpost
from tests.unit.rulekit import ZONE, tables
from tests.unit.test_rule_schema import read

EXAMPLES: Final = (ROOT / "docs/rule-examples.md").read_text("utf-8")
FILES: Final = dict(re.findall(r"^```(?:yaml|text)\n# (\S+)\n(.*?)^```$", EXAMPLES, flags=re.M | re.S))
RULES: Final = {path: text for path, text in FILES.items() if path.endswith(".yml") and "id:" in text
                and not path.endswith("pack.yml")}
SESSION: Final = re.compile(
    r"^```console\n(\$ redpost (rules explain [^\n]*) --rules my-rules\n)(.*?)^```$", re.M | re.S)


@pytest.fixture(scope="module")
def ruleset() -> RuleSet:
    register = (ROOT / "rules/clauses.yml").read_bytes()
    return load_sources({path: text.encode() for path, text in FILES.items()} | {"clauses.yml": register})


def test_every_block_is_a_file_of_the_folder() -> None:
    assert len(re.findall(r"^```(yaml|text)$", EXAMPLES, flags=re.M)) == len(FILES)
    numbers = [int(number) for number in re.findall(r"^##+ (\d+)\. ", EXAMPLES, flags=re.M)]
    assert numbers == list(range(1, len(numbers) + 1))
    assert len(numbers) >= 25


def test_all_cases_hold(ruleset: RuleSet) -> None:
    assert len(ruleset.all()) == len(RULES) >= 30
    count, failures = run_cases(ruleset, tables(), ZONE)
    assert count > 75
    assert [str(failure) for failure in failures] == []


def test_every_means_of_the_language_is_shown(ruleset: RuleSet) -> None:
    used: set[str] = set()
    for text in RULES.values():
        for selection in read(text).get("detection", {}).values():
            used.update(selection if isinstance(selection, dict) else ["terms"] if isinstance(selection, list) else [])
    assert set(keys.FORMS) - {"score"} <= used
    reach = {"near", "ordered", "veto", "unless", "side", "within"}
    assert reach | {"also", "views", "times", "unproven", "listed"} <= used
    assert {rule.correlation.type for rule in ruleset.correlations} == set(CorrelationType)


def test_the_schema_for_editors_takes_them() -> None:
    validator = jsonschema.Draft202012Validator(rule_schema())
    for path, text in RULES.items():
        assert [f"{path}: {e.json_path}: {e.message}" for e in validator.iter_errors(read(text))] == []


def test_links_between_the_pages_lead_somewhere() -> None:
    pages = {name: (ROOT / "docs" / name).read_text("utf-8") for name in ("rules.md", "rule-examples.md")}
    anchors = {name: {_anchor(title) for title in re.findall(r"^#+ (.+)$", text, flags=re.M)}
               for name, text in pages.items()}
    found = 0
    for name, text in pages.items():
        for page, anchor in re.findall(r"\]\(([\w.-]*)#([^)]+)\)", text):
            if (page or name) in pages:
                assert anchor in anchors[page or name], (name, page, anchor)
                found += 1
    assert found > 30


def _anchor(title: str) -> str:
    return re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-")


def test_what_the_rules_explain_is_what_the_page_shows(tmp_path: Path) -> None:
    """REDPOST_WRITE_GOLDEN=1 writes the page instead."""
    for path, text in FILES.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text, encoding="utf-8")
    (tmp_path / "clauses.yml").write_bytes((ROOT / "rules/clauses.yml").read_bytes())
    page = ROOT / "docs/rules.md"
    old = page.read_text("utf-8")

    def said(session: re.Match[str]) -> str:
        done = redpost(*session[2].split(), "--rules", tmp_path)
        assert done.code in (0, 1), done.err
        return f"```console\n{session[1]}{done.out.strip()}\n```".replace("\n\n```", "\n```")

    new, count = SESSION.subn(said, old)
    assert count >= 3
    if os.environ.get("REDPOST_WRITE_GOLDEN") == "1":
        page.write_text(new, encoding="utf-8")
    assert page.read_text("utf-8") == new
