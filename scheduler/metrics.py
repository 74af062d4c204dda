"""What Prometheus is told (https://prometheus.io/docs/practices/naming/): names, labels, and how they come about.

Counters and histograms are fed by events as they happen (`crawler.watching`), gauges by what `scheduler.watching` reads
now and then; a scrape reads nothing but memory. Labels are sources by their slugs, outcomes and other closed lists,
never an address: sources that are not configured or watched, and what belongs to none, are `_other`.
"""

import platform
import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    GCCollector,
    Histogram,
    ProcessCollector,
    disable_created_metrics,
    generate_latest,
)
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from storage.model import FetchKind
from storage.records import Fetch, Recorded

OTHER = "_other"
"""The source of what belongs to no source that is watched; no slug begins so."""
MOST_HELD = 1000
"""So many events at most wait for it to be known whether their sources are watched."""
SEVERAL = "several"
"""The change of a version in which more than one field changed."""

FETCH_SECONDS = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)
READ_SECONDS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 25.0, 60.0)
COMMIT_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.5, 1.0, 5.0, 30.0)


class Described(NamedTuple):
    """A metric as it is documented; counters end in `_total` where they are scraped."""

    name: str
    kind: str
    labels: tuple[str, ...]
    meaning: str


CATALOGUE = (
    Described(
        "morgue_fetches_total",
        "counter",
        ("source", "kind", "outcome"),
        "Attempts that were recorded, as in the view fetches_v1: hops and attempts each count.",
    ),
    Described(
        "morgue_received_bytes_total", "counter", ("source",), "Bytes of bodies that were received, coded as sent."
    ),
    Described("morgue_fetch_duration_seconds", "histogram", ("kind",), "How long hosts took to answer an attempt."),
    Described(
        "morgue_versions_total",
        "counter",
        ("source", "change"),
        "Versions that were written; change is created, reverted, the field that changed, or several.",
    ),
    Described(
        "morgue_extraction_duration_seconds",
        "histogram",
        (),
        "How long a page took to be read, from when it was handed to the extraction processes.",
    ),
    Described(
        "morgue_extraction_failures_total",
        "counter",
        ("reason",),
        "Pages that could not be read: timeout, crash or error.",
    ),
    Described(
        "morgue_extraction_pool_restarts_total",
        "counter",
        (),
        "Times that a worker process did not start, or ended while idle.",
    ),
    Described("morgue_commit_duration_seconds", "histogram", (), "How long the writing thread had a transaction open."),
    Described("morgue_recorder_waiting", "gauge", (), "Facts that wait to be written or are being written."),
    Described("morgue_recorder_stalled_seconds", "gauge", (), "How long facts have waited while none was written."),
    Described("morgue_due_pages", "gauge", (), "Pages that are due; the back catalogue is not counted."),
    Described("morgue_due_feeds", "gauge", (), "Feeds, sitemaps and sections that are due."),
    Described(
        "morgue_due_pages_lag_seconds",
        "gauge",
        (),
        "How long ago the longest due page came due, of hosts that may be asked.",
    ),
    Described("morgue_due_feeds_lag_seconds", "gauge", (), "How long ago the longest due feed came due."),
    Described("morgue_unplanned_pages", "gauge", (), "Pages that wait to be planned."),
    Described(
        "morgue_hosts_held",
        "gauge",
        ("reason",),
        "Hosts that are left alone: host_asked_to_wait, host_refuses or budget_spent.",
    ),
    Described(
        "morgue_hosts_stuck",
        "gauge",
        (),
        "Hosts that do not end their answers, as `/healthz` names them.",
    ),
    Described("morgue_sources", "gauge", ("state",), "Sources that are watched, and that are paused."),
    Described(
        "morgue_source_last_poll_timestamp_seconds",
        "gauge",
        ("source",),
        "When an index of the source was last polled well.",
    ),
    Described(
        "morgue_source_last_article_timestamp_seconds",
        "gauge",
        ("source",),
        "When the newest article of the source was first seen.",
    ),
    Described(
        "morgue_source_warning",
        "gauge",
        ("source", "kind"),
        "1 for each warning that stands, as `morgue status` explains it; 0 once it ended.",
    ),
    Described("morgue_service_warning", "gauge", ("kind",), "The same for warnings that are about no single source."),
    Described("morgue_healthy", "gauge", (), "1 while the service is at work and well, else 0, as /healthz says."),
    Described("morgue_problem", "gauge", ("code",), "1 for each problem that /healthz names."),
    Described("morgue_loop_lag_seconds", "gauge", (), "How much later than planned the event loop came by last."),
    Described("morgue_database_latency_seconds", "gauge", (), "How long an empty writing transaction took last."),
    Described("morgue_database_wal_bytes", "gauge", (), "The size of SQLite's write-ahead log; 0 with PostgreSQL."),
    Described(
        "morgue_disk_free_bytes",
        "gauge",
        ("volume",),
        "Room that is left to us where the archive is, and the database if it is SQLite.",
    ),
    Described("morgue_disk_size_bytes", "gauge", ("volume",), "The size of those file systems."),
    Described(
        "morgue_memory_bytes",
        "gauge",
        ("part",),
        "Memory as it counts for a limit (PSS): of the service itself, and of the extraction processes.",
    ),
    Described("morgue_refresh_duration_seconds", "gauge", (), "How long it took to read the gauges of the database."),
    Described("morgue_refresh_timestamp_seconds", "gauge", (), "When the gauges of the database were read last."),
    Described(
        "morgue_http_refused_total",
        "counter",
        (),
        "Connections for health and metrics that were closed because too many were open.",
    ),
    Described("morgue_build_info", "gauge", ("version", "python"), "1; what runs."),
)
"""Every metric of ours; the table of docs/metrics.md is written from it."""

_BY_NAME = {one.name: one for one in CATALOGUE}


@dataclass(frozen=True, kw_only=True)
class Gauges:
    """What was read from the database for the gauges. Durations are in seconds; instants are aware."""

    at: datetime
    due_pages: int
    due_feeds: int
    pages_lag_seconds: float
    feeds_lag_seconds: float
    unplanned_pages: int
    held_hosts: Mapping[str, int]
    sources: Mapping[str, int]
    last_polls: Mapping[str, datetime]
    last_articles: Mapping[str, datetime]
    source_warnings: frozenset[tuple[str, str]] = frozenset()
    service_warnings: frozenset[str] = frozenset()


class ProblemsCollector(Collector):
    """Tells at each scrape whether the service is well, and what is wrong."""

    def __init__(self, problem_codes: Callable[[], Iterable[str]], is_healthy: Callable[[], bool]) -> None:
        self._problem_codes = problem_codes
        self._is_healthy = is_healthy

    def collect(self) -> Iterable[Metric]:
        """Give the two metrics."""
        healthy, problem = _BY_NAME["morgue_healthy"], _BY_NAME["morgue_problem"]
        yield GaugeMetricFamily(healthy.name, healthy.meaning, value=float(self._is_healthy()))
        family = GaugeMetricFamily(problem.name, problem.meaning, labels=problem.labels)
        for code in sorted(set(self._problem_codes())):
            family.add_metric([code], 1.0)
        yield family


class Metrics:
    """Everything that is measured, in a registry of its own; a `crawler.watching.Watcher`. Use from any thread.

    `on_fetch` is told of each attempt too.
    """

    def __init__(self, *, version: str, on_fetch: Callable[[Fetch], None] = lambda _: None) -> None:
        self._on_fetch = on_fetch
        # A second series for each counter, which nobody reads.
        disable_created_metrics()  # type: ignore[no-untyped-call]  # the library types a part of its API
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        GCCollector(registry=self.registry)
        self._slugs: Mapping[int, str] = {}
        self._held: list[tuple[int, Callable[[str], object]]] = []
        self._lock = threading.Lock()
        self._fetches = self._counter("morgue_fetches_total")
        self._received = self._counter("morgue_received_bytes_total")
        self._fetch_duration = self._histogram("morgue_fetch_duration_seconds", FETCH_SECONDS)
        self._versions = self._counter("morgue_versions_total")
        self._read_duration = self._histogram("morgue_extraction_duration_seconds", READ_SECONDS)
        self._read_failures = self._counter("morgue_extraction_failures_total")
        self._pool_restarts = self._counter("morgue_extraction_pool_restarts_total")
        self._http_refused = self._counter("morgue_http_refused_total")
        self._commit_duration = self._histogram("morgue_commit_duration_seconds", COMMIT_SECONDS)
        own = ("morgue_healthy", "morgue_problem")
        self._gauges = {
            one.name: Gauge(one.name, one.meaning, one.labels, registry=self.registry)
            for one in CATALOGUE
            if one.kind == "gauge" and one.name not in own
        }
        self._gauges["morgue_build_info"].labels(version, platform.python_version()).set(1)
        for reason in ("timeout", "crash", "error"):
            self._read_failures.labels(reason)
        self.pages_fetched = self.others_fetched = 0
        self._shown: dict[str, frozenset[str]] = {}
        self._warned: set[tuple[str, str]] = set()
        self._warned_of_service: set[str] = set()

    def _counter(self, name: str) -> Counter:
        described = _BY_NAME[name]
        return Counter(name, described.meaning, described.labels, registry=self.registry)

    def _histogram(self, name: str, buckets: tuple[float, ...]) -> Histogram:
        described = _BY_NAME[name]
        return Histogram(name, described.meaning, described.labels, buckets=buckets, registry=self.registry)

    def exposition(self) -> bytes:
        """Return everything in Prometheus' text format."""
        text: bytes = generate_latest(self.registry)
        return text

    # Events

    def know_sources(self, slugs: Mapping[int, str]) -> None:
        """Take the slugs of the sources that are watched, by their ids, and count what waited for them."""
        with self._lock:
            self._slugs = dict(slugs)
            held, self._held = self._held, []
        for source_id, count in held:
            count(slugs.get(source_id, OTHER))

    def _count(self, source_id: int | None, count: Callable[[str], object]) -> None:
        """Count an event for its source. One that came into watching just now is not known by name yet; it waits."""
        with self._lock:
            slug = OTHER if source_id is None else self._slugs.get(source_id)
            if slug is None and source_id is not None and len(self._held) < MOST_HELD:
                self._held.append((source_id, count))
                return
        count(slug or OTHER)

    def fetch_recorded(self, fetch: Fetch) -> None:
        """Count an attempt, and how long the host took where it answered."""
        self._on_fetch(fetch)
        # By the one thread that writes.
        if fetch.kind is FetchKind.PAGE:
            self.pages_fetched += 1
        else:
            self.others_fetched += 1
        outcome = "" if fetch.outcome is None else fetch.outcome.value
        answered = fetch.status is not None

        def count(source: str) -> None:
            self._fetches.labels(source, fetch.kind.value, outcome).inc()
            if answered:
                self._received.labels(source).inc(fetch.bytes_received)

        self._count(fetch.source_id, count)
        if answered:
            seconds = (fetch.finished_at - fetch.started_at).total_seconds()
            self._fetch_duration.labels(fetch.kind.value).observe(max(0.0, seconds))

    def version_recorded(self, source_id: int | None, recorded: Recorded) -> None:
        """Count a version by what changed."""
        change = change_of(recorded)
        self._count(source_id, lambda source: self._versions.labels(source, change).inc())

    def committed(self, seconds: float) -> None:
        """Observe a transaction of the writing thread."""
        self._commit_duration.observe(seconds)

    def page_read(self, seconds: float, failure: str | None) -> None:
        """Observe a page that was read, or could not be."""
        self._read_duration.observe(seconds)
        if failure is not None:
            self._read_failures.labels(failure).inc()

    def http_refused(self) -> None:
        """Count a connection that was closed because too many were open."""
        self._http_refused.inc()

    def pool_restarted(self) -> None:
        """Count a new pool."""
        self._pool_restarts.inc()

    # Gauges

    def measure(self, name: str, function: Callable[[], float]) -> None:
        """Have a gauge without labels asked for at each scrape; the function must answer at once, from memory."""
        self._gauges[name].set_function(function)

    def add_problems(self, codes: Callable[[], Iterable[str]], is_healthy: Callable[[], bool]) -> None:
        """Have it asked at each scrape what is wrong, and whether the service is well."""
        self.registry.register(ProblemsCollector(codes, is_healthy))

    def wal(self, size_bytes: int) -> None:
        """Take the size of the write-ahead log."""
        self._gauges["morgue_database_wal_bytes"].set(size_bytes)

    def memory(self, *, main_bytes: int, workers_bytes: int) -> None:
        """Take how much memory the service has, and its extraction processes together."""
        self._gauges["morgue_memory_bytes"].labels("service").set(main_bytes)
        self._gauges["morgue_memory_bytes"].labels("extraction").set(workers_bytes)

    def disk(self, volume: str, *, free_bytes: int, size_bytes: int) -> None:
        """Take how much room a file system has: `archive` or `database`."""
        self._gauges["morgue_disk_free_bytes"].labels(volume).set(free_bytes)
        self._gauges["morgue_disk_size_bytes"].labels(volume).set(size_bytes)

    def refreshed(self, gauges: Gauges, *, seconds: float) -> None:
        """Take what was read from the database, and how long that took."""
        plain = {
            "morgue_due_pages": gauges.due_pages,
            "morgue_due_feeds": gauges.due_feeds,
            "morgue_due_pages_lag_seconds": gauges.pages_lag_seconds,
            "morgue_due_feeds_lag_seconds": gauges.feeds_lag_seconds,
            "morgue_unplanned_pages": gauges.unplanned_pages,
            "morgue_refresh_duration_seconds": seconds,
            "morgue_refresh_timestamp_seconds": gauges.at.timestamp(),
        }
        for name, value in plain.items():
            self._gauges[name].set(value)
        self._replace("morgue_hosts_held", gauges.held_hosts)
        self._replace("morgue_sources", gauges.sources)
        self._replace("morgue_source_last_poll_timestamp_seconds", _timestamps(gauges.last_polls))
        self._replace("morgue_source_last_article_timestamp_seconds", _timestamps(gauges.last_articles))
        # One that ended falls to 0, so that an alert ends at once instead of when the series is stale.
        self._warned |= gauges.source_warnings
        for source, kind in self._warned:
            value = (source, kind) in gauges.source_warnings
            self._gauges["morgue_source_warning"].labels(source, kind).set(value)
        self._warned_of_service |= gauges.service_warnings
        for kind in self._warned_of_service:
            self._gauges["morgue_service_warning"].labels(kind).set(kind in gauges.service_warnings)

    def _replace(self, name: str, values: Mapping[str, float]) -> None:
        """Set a gauge of one label, and drop the series of what is no more."""
        gauge = self._gauges[name]
        for label in self._shown.get(name, frozenset()) - values.keys():
            gauge.remove(label)
        self._shown[name] = frozenset(values)
        for label, value in values.items():
            gauge.labels(label).set(value)


def change_of(recorded: Recorded) -> str:
    """Return what a version is counted as: a field, `created`, `reverted`, or `several`."""
    if recorded.outcome.value == "reverted":
        return "reverted"
    change = recorded.change or "created"
    return SEVERAL if "+" in change else change


def _timestamps(instants: Mapping[str, datetime]) -> dict[str, float]:
    return {name: at.timestamp() for name, at in instants.items()}
