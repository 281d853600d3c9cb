"""Metrics for Prometheus. `METRICS` is the single list of them; docs/metrics.md says the same and is tested against it.

Names are used without the prefix in the code and have it outside. Labels are small closed sets: never a room, a
viewer, a host or a text.
"""

from typing import Final, Literal, cast

from msgspec import Struct
from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    GCCollector,
    Histogram,
    PlatformCollector,
    ProcessCollector,
    disable_created_metrics,
    generate_latest,
)

PREFIX: Final = "redpost_"
CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"
MOST_SERIES: Final = 500
"""Label combinations of one metric; beyond them every label reads `other`, so that a slip cannot fill the memory."""

_FAST: Final = (0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5)
_REQUEST: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
_WAIT: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2, 3, 5, 10, 30, 60, 300)
_PEOPLE: Final = (5, 10, 20, 30, 60, 120, 300, 600, 1800, 3600, 14400)
_EVENTS: Final = (1, 4, 16, 64, 128, 256, 512, 1024, 2048, 4096, 8192)


class Metric(Struct, frozen=True):
    """`kind` info: a gauge of value 1 that has one combination of labels at a time."""

    name: str
    kind: Literal["counter", "gauge", "histogram", "info"]
    help: str
    labels: tuple[str, ...] = ()
    buckets: tuple[float, ...] = ()


METRICS: Final[tuple[Metric, ...]] = (
    # feed
    Metric("ingest_events_total", "counter", "Events accepted, by the kind of source adapter.", ("source", "kind")),
    Metric("ingest_rejected_total", "counter", "Events refused, by reason.", ("reason",)),
    Metric("source_last_event_timestamp_seconds", "gauge", "When a source last sent an event.", ("source",)),
    Metric("rooms_live", "gauge", "Rooms with a running broadcast."),
    Metric("rooms_expected_silent", "gauge", "Rooms that the plan expects on air and that are not."),
    Metric("asr_lag_seconds", "gauge", "From event time to ingest, of the latest transcript with a time."),
    Metric("shed_total", "counter", "Events not judged under overload, by kind.", ("kind",)),
    # engine
    Metric("log_oldest_unjudged_seconds", "gauge", "Age of the oldest accepted event that is not judged yet."),
    Metric("batch_events", "histogram", "Events in one batch of the engine.", (), _EVENTS),
    Metric("engine_seconds", "histogram", "Time of one batch in one phase of the engine.", ("phase",), _FAST),
    Metric("findings_total", "counter", "Findings, by first category and tier.", ("category", "tier")),
    Metric("suppressed_total", "counter", "Hits and findings that were not raised, by reason.", ("reason",)),
    Metric("rules_not_evaluated", "gauge", "Active rules that rest on something missing, by what is missing.",
           ("reason",)),
    Metric("ruleset_info", "info", "1 for the rule set that judges.", ("version",)),
    Metric("model_info", "info", "1 for the classifier that judges.", ("version",)),
    Metric("shadow_findings_total", "counter", "What rules in the shadow found.", ("category", "tier")),
    Metric("shadow_rules", "gauge", "Rules in the shadow, of those that were loaded last."),
    Metric("reload_last_success_timestamp_seconds", "gauge", "When rules were last loaded without a fault."),
    Metric("reload_failures_total", "counter", "Reloads that were refused; the old rules stayed in use."),
    Metric("canary_last_ok_timestamp_seconds", "gauge", "When rules were last seen to find their own words."),
    # classifier
    Metric("scores_total", "counter", "Scores of the classifier, by the bucket that they lie in.",
           ("category", "above")),
    Metric("grams_total", "counter", "N-grams of a sample of batches, by whether the classifier knows them.",
           ("known",)),
    Metric("shadow_events_total", "counter", "Events of a sample of batches, by what a shadow makes of them.",
           ("model", "result")),
    Metric("model_drift", "gauge", "How far scores lie from those that the classifier began with (stability index).",
           ("model",)),
    Metric("storm_breakers_open", "gauge", "Rules whose alerts are held since too many came at once."),
    # queue
    Metric("event_to_alert_seconds", "histogram", "From an event's acceptance to its alert's commit.", (), _WAIT),
    Metric("alerts_open", "gauge", "Alerts that somebody has to decide.", ("severity", "post")),
    Metric("sla_overdue", "gauge", "Of these, those for which a clock has run out.", ("clock", "severity", "post")),
    Metric("alerts_unrouted", "gauge", "Of these, those that no route answers."),
    Metric("alert_oldest_open_seconds", "gauge", "Age of the oldest open alert.", ("severity", "post")),
    Metric("claim_seconds", "histogram", "From an alert's acceptance to its claim.", (), _PEOPLE),
    Metric("decide_seconds", "histogram", "From an alert's acceptance to its decision.", (), _PEOPLE),
    Metric("reviewers_on_duty", "gauge", "People whose shift it is.", ("post",)),
    Metric("reviewers_connected", "gauge", "Of these, those that have a page open which hears of alerts.", ("post",)),
    Metric("decisions_total", "counter", "Decisions, by outcome and first category.", ("outcome", "category")),
    Metric("escalations_total", "counter", "Alerts that went to the post above since a clock ran out.", ("clock",)),
    Metric("sign_ins_total", "counter", "Tries to sign in, by what came of them.", ("result",)),
    Metric("cues_total", "counter", "Cues to rooms, and what came of them.", ("result",)),
    Metric("corrected_on_air_total", "counter", "Alerts whose words the host was heard to correct."),
    Metric("notifications_total", "counter", "Tries to send a message, by what came of them.", ("result",)),
    # house
    Metric("audit_chain_ok", "gauge", "1 while all rows of the trail that were looked at follow from one another."),
    Metric("expired_total", "counter", "What was dropped since it was kept long enough.", ("kind",)),
    Metric("backup_last_success_timestamp_seconds", "gauge", "When the data was last backed up; 0 for never."),
    Metric("disk_free_bytes", "gauge", "Free space where the data lies."),
    Metric("worker_partitions", "gauge", "Partitions of the topic of events that this worker judges."),
    Metric("partition_lag", "gauge", "Messages of the topic of events that are not judged, over this worker's "
           "partitions."),
    Metric("bridge_lag", "gauge", "Messages of third parties that are not in the log yet, over this bridge's "
           "partitions."),
    Metric("dead_letter_total", "counter", "Messages that nobody could read, by reason.", ("reason",)),
    Metric("watchdog_restarts_total", "counter", "Times that this process ended since it did nothing."),
    Metric("db_commit_seconds", "histogram", "Time of one commit of the store.", (), _FAST),
    # web
    Metric("http_requests_total", "counter", "Requests, by path template.", ("route", "method", "status")),
    Metric("http_request_seconds", "histogram", "Time of a request; streams are left out.", ("route",), _REQUEST),
    Metric("connections_refused_total", "counter", "Connections turned away since too many were open."),
    Metric("connections_slow_total", "counter", "Connections ended since no request came in time."),
    Metric("sse_clients", "gauge", "Clients that listen to the alert stream."),
    Metric("sse_dropped_total", "counter", "Clients that were cut off because they read too slowly."),
)

_Series = Counter | Gauge | Histogram


class _Family:
    """One metric with its series, found by label values without asking the library again."""

    def __init__(self, metric: Metric, registry: CollectorRegistry) -> None:
        self.metric = metric
        self._labels = frozenset(metric.labels)
        self._series: dict[tuple[str, ...], _Series] = {}
        name = PREFIX + metric.name
        self._root: _Series
        if metric.kind == "counter":
            self._root = Counter(name, metric.help, metric.labels, registry=registry)
        elif metric.kind == "histogram":
            self._root = Histogram(name, metric.help, metric.labels, registry=registry, buckets=metric.buckets)
        else:
            # without labels it would read 0 before anybody knows: it appears when it is first set
            self._root = Gauge(name, metric.help, metric.labels, registry=registry if metric.labels else None)
        self._registry = registry

    def series(self, labels: dict[str, str]) -> _Series:
        """Raises KeyError where `labels` are not exactly those of the table."""
        if labels.keys() != self._labels:
            raise KeyError(f"{self.metric.name} has the labels {self.metric.labels}, not {tuple(labels)}")
        key = tuple([labels[name] for name in self.metric.labels])
        found = self._series.get(key)
        return self._new(key) if found is None else found

    def clear(self) -> None:
        """As if nobody had set it yet."""
        if self.metric.labels:
            self._root.clear()
        elif self._series:
            self._registry.unregister(self._root)
        self._series.clear()

    def _new(self, key: tuple[str, ...]) -> _Series:
        if not key:
            self._series[key] = self._root
            if self.metric.kind == "gauge":
                self._registry.register(self._root)
            return self._root
        if self.metric.kind == "info":
            self._root.clear()
            self._series.clear()
        elif len(self._series) >= MOST_SERIES:
            key = ("other",) * len(key)
        child: _Series = self._root.labels(*key)
        self._series[key] = child
        return child


class PrometheusTelemetry:
    """Implements ports.Telemetry over a registry of its own. Every call raises KeyError for a name, kind or label
    that is not in the table: a mistake in the code, which tests show."""

    def __init__(self) -> None:
        disable_created_metrics()  # type: ignore[no-untyped-call]
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        PlatformCollector(registry=self.registry)
        GCCollector(registry=self.registry)
        families = [_Family(metric, self.registry) for metric in METRICS]
        self._by_kind = {
            kinds[0]: {f.metric.name: f for f in families if f.metric.kind in kinds}
            for kinds in (("counter",), ("histogram",), ("gauge", "info"))
        }

    def count(self, metric: str, amount: float = 1, /, **labels: str) -> None:
        series = cast(Counter, self._by_kind["counter"][metric].series(labels))
        series.inc(amount)

    def observe(self, metric: str, value: float, /, **labels: str) -> None:
        series = cast(Histogram, self._by_kind["histogram"][metric].series(labels))
        series.observe(value)

    def gauge(self, metric: str, value: float, /, **labels: str) -> None:
        """Set a gauge; of an info metric, the combination of labels that was there before goes."""
        series = cast(Gauge, self._by_kind["gauge"][metric].series(labels))
        series.set(value)

    def forget(self, *metrics: str) -> None:
        """Gauges that others tell from now on: what was set last is not shown any more."""
        for metric in metrics:
            self._by_kind["gauge"][metric].clear()

    def render(self) -> tuple[bytes, str]:
        """The exposition and its content type."""
        return generate_latest(self.registry), CONTENT_TYPE
