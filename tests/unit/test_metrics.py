"""What Prometheus is told: names by its conventions, few labels, and what happened counted once."""

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from prometheus_client.parser import text_string_to_metric_families

from scheduler.metrics import CATALOGUE, OTHER, Gauges, Metrics, change_of
from storage.model import FetchKind
from storage.outcomes import Outcome
from storage.records import Fetch, Recorded

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
UNITS = ("_seconds", "_bytes", "_total", "_info")
COUNTS = {
    "morgue_recorder_waiting",
    "morgue_due_pages",
    "morgue_due_feeds",
    "morgue_unplanned_pages",
    "morgue_hosts_held",
    "morgue_hosts_stuck",
    "morgue_sources",
    "morgue_source_warning",
    "morgue_service_warning",
    "morgue_healthy",
    "morgue_problem",
}
"""Gauges of plain numbers, which have no unit."""


@pytest.fixture
def metrics() -> Metrics:
    metrics = Metrics(version="1.2.3")
    metrics.know_sources(WATCHED)
    metrics.add_problems(lambda: ["loop_blocked"], lambda: False)
    return metrics


def fetch(number: int = 0, **values) -> Fetch:
    base = Fetch(
        record_id=f"urn:uuid:{number}",
        chain_id=str(number),
        hop=0,
        kind=FetchKind.PAGE,
        url=f"https://host{number}.example/story-{number}",
        source_id=1,
        started_at=NOW,
        finished_at=NOW + timedelta(seconds=2),
        outcome=Outcome.CREATED,
        status=200,
        bytes_received=1000,
    )
    return replace(base, **values)


WATCHED = {1: "courier", 2: "gazette"}
GAUGES = Gauges(
    at=NOW,
    due_pages=12,
    due_feeds=3,
    pages_lag_seconds=90.0,
    feeds_lag_seconds=5.0,
    unplanned_pages=1,
    held_hosts={"budget_spent": 2},
    sources={"watched": 2, "paused": 1},
    last_polls={"courier": NOW},
    last_articles={"courier": NOW, "gazette": NOW - timedelta(days=1)},
    source_warnings=frozenset({("gazette", "no_articles")}),
    service_warnings=frozenset({"disk_low"}),
)


def samples(metrics: Metrics) -> dict[tuple[str, ...], float]:
    """Return what is told: values by name and label values."""
    labels = {one.name: one.labels for one in CATALOGUE}
    return {
        (sample.name, *(sample.labels[label] for label in labels.get(sample.name, sorted(sample.labels)))): sample.value
        for family in text_string_to_metric_families(metrics.exposition().decode())
        for sample in family.samples
    }


def events(metrics: Metrics) -> None:
    """Have everything happen once that is counted."""
    metrics.fetch_recorded(fetch())
    metrics.version_recorded(1, Recorded(outcome=Outcome.UPDATED, change="headline"))
    metrics.committed(0.004)
    metrics.page_read(0.03, None)
    metrics.page_read(20.0, "timeout")
    metrics.pool_restarted()
    metrics.memory(main_bytes=1, workers_bytes=2)
    metrics.disk("archive", free_bytes=1, size_bytes=2)
    metrics.wal(4096)
    metrics.refreshed(GAUGES, seconds=0.1)


def test_names_types_and_labels_are_those_of_the_catalogue(metrics):
    events(metrics)
    ours = {}
    for family in text_string_to_metric_families(metrics.exposition().decode()):
        if not family.name.startswith("morgue_"):
            assert family.name.startswith(("process_", "python_gc_"))
            continue
        name = f"{family.name}_total" if family.type == "counter" else family.name
        labels = {label for sample in family.samples for label in sample.labels} - {"le"}
        ours[name] = (family.type, labels, family.documentation)
    assert set(ours) == {one.name for one in CATALOGUE}
    for one in CATALOGUE:
        assert ours[one.name] == (one.kind, set(one.labels), one.meaning)


def test_names_follow_the_conventions():
    for one in CATALOGUE:
        assert re.fullmatch(r"morgue(_[a-z]+)+", one.name)
        assert one.meaning[-1] == "."
        assert (one.kind == "counter") == one.name.endswith("_total")
        assert one.kind != "histogram" or one.name.endswith("_seconds")
        assert one.name.endswith(UNITS) != (one.name in COUNTS)
        assert not set(one.labels) & {"url", "host", "page", "article", "le", "quantile", "job", "instance"}


def test_labels_grow_with_sources_and_outcomes_never_with_addresses(metrics):
    for number in range(100):
        metrics.fetch_recorded(fetch(number, source_id=number))
        metrics.version_recorded(number, Recorded(outcome=Outcome.CREATED, change="created"))
    metrics.know_sources(WATCHED)
    few = len(samples(metrics))
    for number in range(100, 1000):
        metrics.fetch_recorded(fetch(number, source_id=number))
        metrics.version_recorded(number, Recorded(outcome=Outcome.UPDATED, change="body+headline"))
        metrics.version_recorded(number, Recorded(outcome=Outcome.UPDATED, change=f"{number}+{number}"))
    metrics.know_sources(WATCHED)
    assert len(samples(metrics)) == few + 1  # several fields changed
    assert "example" not in metrics.exposition().decode()


def test_attempts_are_counted_by_source_kind_and_outcome(metrics):
    metrics.fetch_recorded(fetch())
    metrics.fetch_recorded(fetch(1))
    metrics.fetch_recorded(fetch(2, outcome=Outcome.TIMEOUT, status=None, bytes_received=0))
    metrics.fetch_recorded(fetch(3, source_id=None, kind=FetchKind.ROBOTS, outcome=Outcome.LISTED, bytes_received=50))
    metrics.fetch_recorded(fetch(4, source_id=77))
    metrics.know_sources(WATCHED)
    told = samples(metrics)
    assert told["morgue_fetches_total", "courier", "page", "created"] == 2
    assert told["morgue_fetches_total", "courier", "page", "timeout"] == 1
    assert told["morgue_fetches_total", OTHER, "robots", "listed"] == 1
    assert told["morgue_fetches_total", OTHER, "page", "created"] == 1
    assert told["morgue_received_bytes_total", "courier"] == 2000
    assert told["morgue_fetch_duration_seconds_count", "page"] == 3
    assert told["morgue_fetch_duration_seconds_sum", "page"] == 6
    assert metrics.pages_fetched == 4


def test_what_a_new_source_brings_before_its_name_is_known_is_counted_for_it(metrics):
    metrics.fetch_recorded(fetch(source_id=77))
    metrics.version_recorded(77, Recorded(outcome=Outcome.CREATED))
    metrics.fetch_recorded(fetch(1, source_id=78))
    metrics.know_sources(WATCHED | {77: "herald"})
    told = samples(metrics)
    assert told["morgue_fetches_total", "herald", "page", "created"] == 1
    assert told["morgue_received_bytes_total", "herald"] == 1000
    assert told["morgue_versions_total", "herald", "created"] == 1
    assert told["morgue_fetches_total", OTHER, "page", "created"] == 1


def test_what_waits_for_names_is_bounded_and_counted_all_the_same(metrics, monkeypatch):
    monkeypatch.setattr("scheduler.metrics.MOST_HELD", 2)
    for number in range(5):
        metrics.fetch_recorded(fetch(number, source_id=77))
    assert samples(metrics)["morgue_fetches_total", OTHER, "page", "created"] == 3
    for _ in range(2):
        metrics.know_sources(WATCHED | {77: "herald"})
    assert samples(metrics)["morgue_fetches_total", "herald", "page", "created"] == 2


def test_a_clock_that_went_back_during_a_fetch_takes_nothing_off(metrics):
    metrics.fetch_recorded(fetch(finished_at=NOW - timedelta(hours=1)))
    assert samples(metrics)["morgue_fetch_duration_seconds_sum", "page"] == 0


@pytest.mark.parametrize(
    ("outcome", "change", "counted"),
    [
        (Outcome.CREATED, "created", "created"),
        (Outcome.UPDATED, "headline", "headline"),
        (Outcome.UPDATED, "headline+body", "several"),
        (Outcome.REVERTED, "headline", "reverted"),
    ],
)
def test_versions_are_counted_by_what_changed(outcome, change, counted):
    assert change_of(Recorded(outcome=outcome, change=change)) == counted


def test_a_warning_that_ended_falls_to_nought(metrics):
    metrics.refreshed(GAUGES, seconds=0.1)
    assert samples(metrics)["morgue_source_warning", "gazette", "no_articles"] == 1
    assert samples(metrics)["morgue_service_warning", "disk_low"] == 1
    metrics.refreshed(replace(GAUGES, source_warnings=frozenset(), service_warnings=frozenset()), seconds=0.1)
    assert samples(metrics)["morgue_source_warning", "gazette", "no_articles"] == 0
    assert samples(metrics)["morgue_service_warning", "disk_low"] == 0


def test_what_is_no_more_is_told_no_more(metrics):
    metrics.refreshed(GAUGES, seconds=0.1)
    metrics.refreshed(replace(GAUGES, held_hosts={}, last_articles={"courier": NOW}), seconds=0.1)
    told = samples(metrics)
    assert ("morgue_hosts_held", "budget_spent") not in told
    assert ("morgue_source_last_article_timestamp_seconds", "gazette") not in told
    assert told["morgue_source_last_article_timestamp_seconds", "courier"] == NOW.timestamp()


def test_two_registries_live_side_by_side():
    first, second = Metrics(version="1"), Metrics(version="2")
    first.pool_restarted()
    assert samples(first)["morgue_extraction_pool_restarts_total",] == 1
    assert samples(second)["morgue_extraction_pool_restarts_total",] == 0


def test_problems_are_told_by_their_codes(metrics):
    told = samples(metrics)
    assert told["morgue_problem", "loop_blocked"] == 1
    assert told["morgue_healthy",] == 0
