"""The cases of rules as lines that a classifier learns from."""

from pathlib import Path

from monitor.cli.loading import engine_set, zone
from monitor.domain.events import Kind, Role
from monitor.services.caselines import case_lines

RULES = Path(__file__).parents[2] / "rules"
NOW = 1_795_000_000_000


def test_cases_have_the_categories_of_all_rules_that_hold_for_them() -> None:
    engine = engine_set(RULES, "", zone())
    lines = case_lines(engine, now=NOW)
    assert len(lines) > 4_000
    assert len({line.text for line in lines}) == len(lines)
    by_text = {line.text: line for line in lines}
    expected = {(case.text, name) for rule in engine.ruleset.rules if rule.category
                for case in rule.cases if case.expect for name in rule.category}
    assert len(expected) > 2_000 and all(name in by_text[text].labels for text, name in expected)
    assert all(bool(line.labels) == (line.type == "V") and bool(line.near) == (line.type == "N") for line in lines)
    assert any(len(line.labels) > 1 for line in lines)


def test_a_case_that_another_rule_finds_is_no_lawful_line() -> None:
    engine = engine_set(RULES, "", zone())
    lines = {line.text: line for line in case_lines(engine, now=NOW)}
    silent = [case.text for rule in engine.ruleset.rules if rule.category for case in rule.cases if not case.expect]
    assert any(text not in lines for text in silent)
    assert any(text in lines and not lines[text].labels for text in silent)


def test_who_speaks_is_filled_in() -> None:
    lines = case_lines(engine_set(RULES, "", zone()), now=NOW)
    assert Role.HOST in {line.speaker for line in lines if line.kind is Kind.TRANSCRIPT}
    assert all(line.brief.startswith("cases of ") for line in lines)


def test_what_a_rule_advises_to_say_is_lawful() -> None:
    engine = engine_set(RULES, "", zone())
    lines = {line.text: line for line in case_lines(engine, now=NOW)}
    advised = {text for rule in engine.ruleset.rules if rule.category for text in rule.advice.rewrite.values()}
    found = [lines[text] for text in advised if text in lines]  # not where another rule alone would find it
    assert len(found) > 0.95 * len(advised) > 500
    assert not any(line.labels for line in found)
