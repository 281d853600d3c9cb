"""The metrics: the table, the exposition and docs/metrics.md say the same, and the code uses them as they are."""

import ast
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from monitor.adapters.telemetry import METRICS, MOST_SERIES, PREFIX, PrometheusTelemetry

ROOT = Path(__file__).parents[2]
METHOD = {"counter": "count", "histogram": "observe", "gauge": "gauge", "info": "gauge"}


def samples(telemetry: PrometheusTelemetry) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    families = text_string_to_metric_families(telemetry.render()[0].decode())
    return {(s.name, tuple(sorted(s.labels.items()))): s.value for family in families for s in family.samples}


def touched() -> PrometheusTelemetry:
    """With every metric used once."""
    telemetry = PrometheusTelemetry()
    for metric in METRICS:
        getattr(telemetry, METHOD[metric.kind])(metric.name, 1, **dict.fromkeys(metric.labels, "x"))
    return telemetry


def test_every_metric_is_exposed_with_its_kind_and_labels() -> None:
    text = touched().render()[0].decode()
    for metric in METRICS:
        kind = "gauge" if metric.kind == "info" else metric.kind
        assert f"# TYPE {PREFIX}{metric.name} {kind}\n" in text
        assert f"# HELP {PREFIX}{metric.name} {metric.help}\n" in text
    names = {f"{PREFIX}{m.name}" for m in METRICS}
    exposed = set(re.findall(rf"# TYPE ({PREFIX}\w+) ", text))
    assert exposed == names and len(names) == len(METRICS) > 20


def test_counts_observations_and_gauges_arrive() -> None:
    telemetry = PrometheusTelemetry()
    telemetry.count("ingest_events_total", 200, source="http", kind="comment")
    telemetry.count("ingest_events_total", source="http", kind="comment")
    telemetry.observe("batch_events", 64)
    telemetry.gauge("rooms_live", 5)
    telemetry.gauge("rooms_live", 4)
    found = samples(telemetry)
    assert found["redpost_ingest_events_total", (("kind", "comment"), ("source", "http"))] == 201
    assert found["redpost_batch_events_count", ()] == 1 and found["redpost_batch_events_sum", ()] == 64
    assert found["redpost_batch_events_bucket", (("le", "64.0"),)] == 1
    assert found["redpost_batch_events_bucket", (("le", "16.0"),)] == 0
    assert found["redpost_rooms_live", ()] == 4


def test_a_gauge_nobody_set_is_not_there() -> None:
    assert ("redpost_disk_free_bytes", ()) not in samples(PrometheusTelemetry())


def test_what_others_tell_from_now_on_is_not_shown() -> None:
    telemetry = PrometheusTelemetry()
    kept = dict.fromkeys(("rooms_live", "alerts_unrouted"), 3)
    for name, value in kept.items():
        telemetry.gauge(name, value)
    telemetry.gauge("reviewers_on_duty", 2, post="content")
    for _ in range(2):
        telemetry.forget("alerts_unrouted", "reviewers_on_duty")
        assert {name for name, _ in samples(telemetry)} & {
            "redpost_rooms_live", "redpost_alerts_unrouted", "redpost_reviewers_on_duty"} == {"redpost_rooms_live"}
    telemetry.gauge("alerts_unrouted", 4)
    telemetry.gauge("reviewers_on_duty", 1, post="content")
    assert samples(telemetry)["redpost_alerts_unrouted", ()] == 4
    assert samples(telemetry)["redpost_reviewers_on_duty", (("post", "content"),)] == 1


def test_a_new_version_replaces_the_old_one() -> None:
    telemetry = PrometheusTelemetry()
    for version in ("a", "b", "b", "a", "c"):
        telemetry.gauge("ruleset_info", 1, version=version)
    found = {key: value for key, value in samples(telemetry).items() if key[0] == "redpost_ruleset_info"}
    assert found == {("redpost_ruleset_info", (("version", "c"),)): 1}


def test_labels_cannot_fill_the_memory() -> None:
    telemetry = PrometheusTelemetry()
    for number in range(MOST_SERIES + 50):
        telemetry.count("suppressed_total", reason=str(number))
    found = {key: value for key, value in samples(telemetry).items() if key[0] == "redpost_suppressed_total"}
    assert len(found) == MOST_SERIES + 1
    assert found["redpost_suppressed_total", (("reason", "other"),)] == 50


def test_mistakes_of_the_code_are_errors() -> None:
    telemetry = PrometheusTelemetry()
    mistakes: list[Callable[[], None]] = [
        lambda: telemetry.count("nonsense_total"),
        lambda: telemetry.count("rooms_live"),  # a gauge
        lambda: telemetry.gauge("reload_failures_total", 1),
        lambda: telemetry.observe("rooms_live", 1),
        lambda: telemetry.count("findings_total", category="x"),
        lambda: telemetry.count("findings_total", category="x", tier="y", room="z"),
        lambda: telemetry.count("reload_failures_total", room="z"),
    ]
    for call in mistakes:
        with pytest.raises(KeyError):
            call()


def test_the_process_is_watched_too_and_two_registries_do_not_meet() -> None:
    first, second = PrometheusTelemetry(), PrometheusTelemetry()
    first.count("reload_failures_total")
    assert samples(second)["redpost_reload_failures_total", ()] == 0
    names = {name for name, _ in samples(first)}
    assert {"process_resident_memory_bytes", "python_info", "python_gc_collections_total"} <= names
    assert not any(name.endswith("_created") for name in names)
    assert first.render()[1].startswith("text/plain; version=0.0.4")


def test_names_follow_the_conventions() -> None:
    forbidden = {"room", "viewer", "host", "text", "speaker", "tenant", "id", "broadcast"}
    for metric in METRICS:
        assert metric.name.endswith("_total") == (metric.kind == "counter"), metric.name
        assert metric.name.endswith("_info") == (metric.kind == "info"), metric.name
        assert not forbidden & set(metric.labels), metric.name
        assert bool(metric.buckets) == (metric.kind == "histogram"), metric.name
        assert list(metric.buckets) == sorted(set(metric.buckets))
        assert metric.help.endswith("."), metric.name


def test_the_documentation_has_exactly_these_metrics() -> None:
    text = (ROOT / "docs/metrics.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `(\w+)` \| (\w+) \|([^|]*)\| ([^|]+) \|$", text, re.MULTILINE)
    documented = {(name, kind, tuple(re.findall(r"`(\w+)`", labels))) for name, kind, labels, _ in rows}
    assert len(rows) == len(documented)
    assert documented == {(f"{PREFIX}{m.name}", m.kind, m.labels) for m in METRICS}
    assert set(re.findall(rf"\b{PREFIX}\w+", text)) <= {f"{PREFIX}{m.name}" for m in METRICS} | {
        f"{PREFIX}{m.name}_{end}" for m in METRICS if m.kind == "histogram" for end in ("bucket", "sum", "count")
    }


def calls() -> Iterator[tuple[str, str, str, tuple[str, ...]]]:
    """Every call of the telemetry in the package: place, method, metric, labels."""
    for path in sorted((ROOT / "monitor").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if (
                isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
                and node.func.attr in ("count", "observe", "gauge")
                and ast.unparse(node.func.value).endswith("telemetry")
            ):
                first = node.args[0]
                assert isinstance(first, ast.Constant), f"{path}:{node.lineno}: the metric is no literal"
                labels = tuple(sorted(k.arg for k in node.keywords if k.arg))
                yield f"{path.relative_to(ROOT)}:{node.lineno}", node.func.attr, str(first.value), labels


def test_the_code_calls_metrics_as_they_are() -> None:
    table = {m.name: (METHOD[m.kind], tuple(sorted(m.labels))) for m in METRICS}
    found = list(calls())
    assert len(found) > 5
    wrong = [call for call in found if table.get(call[2]) != (call[1], call[3])]
    assert wrong == []
