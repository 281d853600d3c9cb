"""What pages: the alerts are right by promtool's own tests, name metrics that there are, and have a paragraph each."""

import re
import subprocess
from functools import cache
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from monitor.adapters.telemetry import METRICS, PREFIX
from tests.parts.running import script

ROOT: Final = Path(__file__).parents[2]
FOLDER: Final = ROOT / "deploy/prometheus"
PAGING: Final = frozenset((
    "FeedSilent", "Rejecting", "LagHigh", "ReloadFailed", "RedlineUnclaimed", "NobodyOnDuty", "Unrouted", "BreakerOpen",
    "SpeechShed", "DiskLow", "BackupStale", "AuditBroken", "DeadLetters", "NoFindingsWhileEventsFlow", "CanaryMissing",
))
_KEYWORDS: Final = frozenset(("job", "instance"))
_PARTS: Final = ("**Seen:**", "**Causes:**", "**Look:**", "**Mend:**", "**By itself:**")


@cache
def read(name: str) -> Any:
    return yaml.safe_load((FOLDER / name).read_text(encoding="utf-8"))


def rules() -> list[dict[str, Any]]:
    return [rule for group in read("alerts.yml")["groups"] for rule in group["rules"]]


def named(text: str) -> list[tuple[str, set[str]]]:
    """The metrics of an expression or a page, each with the labels that it is chosen by."""
    found = re.findall(rf"\b{PREFIX}(\w+)(?:\{{([^}}]*)\}})?", text)
    return [(name, set(re.findall(r'(\w+)(?:=|!=|=~|!~)"', chosen))) for name, chosen in found]


def wrong_in(text: str) -> list[str]:
    """Metrics that nothing emits, and labels that they do not have."""
    labels = {metric.name: set(metric.labels) for metric in METRICS}
    labels |= {f"{metric.name}_{end}": {*metric.labels, "le"} for metric in METRICS if metric.kind == "histogram"
               for end in ("bucket", "sum", "count")}
    return [f"{name} {sorted(chosen)}" for name, chosen in named(text)
            if name not in labels or not chosen <= labels[name] | _KEYWORDS]


def promtool(*words: str) -> str:
    done = subprocess.run([script("promtool.sh"), *words], cwd=FOLDER, capture_output=True, text=True, check=False)  # noqa: S603
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_rules_are_rules() -> None:
    assert f"{len(PAGING)} rules found" in promtool("check", "rules", "alerts.yml")


def test_they_fire_when_they_should_and_only_then() -> None:
    assert "SUCCESS" in promtool("test", "rules", "alerts_test.yml")


def test_each_is_tried_both_ways() -> None:
    tried = [(each["alertname"], bool(each.get("exp_alerts")))
             for test in read("alerts_test.yml")["tests"] for each in test["alert_rule_test"]]
    assert {name for name, fires in tried if fires} == {name for name, fires in tried if not fires} == PAGING


@pytest.mark.parametrize("rule", rules(), ids=lambda rule: rule["alert"])
def test_each_names_what_there_is(rule: dict[str, Any]) -> None:
    assert named(rule["expr"]) and wrong_in(rule["expr"]) == []
    assert rule["labels"]["severity"] in ("critical", "warning")
    assert set(rule["annotations"]) == {"summary", "description", "runbook"}
    page, _, anchor = rule["annotations"]["runbook"].partition("#")
    assert anchor == rule["alert"].lower()
    text = (ROOT / page).read_text(encoding="utf-8")
    paragraph = text.partition(f"\n## {rule['alert']}\n")[2].partition("\n## ")[0]
    assert [part for part in _PARTS if part not in paragraph] == []


def test_there_is_one_for_each_and_no_paragraph_without() -> None:
    assert [rule["alert"] for rule in rules()] == re.findall(
        r"^## (\w+)$", (ROOT / "docs/runbook.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert {rule["alert"] for rule in rules()} == PAGING


def test_the_runbook_looks_at_metrics_that_there_are() -> None:
    assert wrong_in((ROOT / "docs/runbook.md").read_text(encoding="utf-8")) == []


@pytest.mark.parametrize("text", ["redpost_nonsense > 0", 'redpost_rooms_live{post="x"}', "redpost_findings"])
def test_what_is_not_there_is_seen(text: str) -> None:
    assert wrong_in(text)
