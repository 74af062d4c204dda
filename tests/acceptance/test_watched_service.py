"""What a running service tells over HTTP agrees with what is in its database; PostgreSQL that goes away is told."""

import json
import re
import socket
import threading
import time
import urllib.error
import urllib.request
from itertools import groupby
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from storage.store import Store
from tests.invented_stories import publish
from tests.running_service import RunningService, configure, wait_until


@pytest.fixture
def backend() -> str:
    return "sqlite"


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


def ask(port: int, path: str) -> tuple[int, str]:
    """Return status and body; (0, "") while nobody listens."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=10) as response:
            return response.status, response.read().decode()
    except urllib.error.HTTPError as answer:
        return answer.code, answer.read().decode()
    except OSError:
        return 0, ""


def counted(port: int) -> dict[tuple[str, ...], float]:
    """Return what /metrics tells, by name and label values in the order of the labels' names."""
    return {
        (sample.name, *(sample.labels[name] for name in sorted(sample.labels))): sample.value
        for family in text_string_to_metric_families(ask(port, "/metrics")[1])
        for sample in family.samples
    }


@pytest.fixture
def start(newsroom, tmp_path):
    """Start a service on a database; it ends with the test."""
    services = []

    def start(database: str) -> int:
        port = free_port()
        configure(tmp_path, database, newsroom, http=f"127.0.0.1:{port}", recrawl="6h")
        services.append(RunningService(tmp_path))
        wait_until(lambda: ask(port, "/healthz")[0] == 200, "the service was at work")
        return port

    yield start
    for service in services:
        service.kill()


def test_the_metrics_agree_with_the_database(database_url, rows, newsroom, start):
    for number in range(6):
        publish(newsroom, number)
    port = start(database_url)
    wait_until(lambda: rows("SELECT count(*) FROM versions") == [(6,)], "the stories were fetched")
    # No poll begins any more, so that what is counted stands still.
    newsroom.respond("/feed.rss", status=503, headers={"Retry-After": "3600"}, times=1)
    refused = "SELECT count(*) FROM fetches WHERE outcome = 'rate_limited'"
    wait_until(lambda: rows(refused) == [(1,)], "the feed asked to be left alone")
    by_outcome = "SELECT kind, outcome, count(*) FROM fetches GROUP BY kind, outcome"
    wait_until(
        lambda: summed(counted(port), 2) == {(kind, outcome): count for kind, outcome, count in rows(by_outcome)},
        "every row of a fetch was counted once",
    )

    told = counted(port)
    received = sum(value for (name, *_), value in told.items() if name == "morgue_received_bytes_total")
    assert [(received,)] == rows("SELECT sum(bytes_received) FROM fetches")
    assert told["morgue_versions_total", "created", "courier"] == 6
    assert told["morgue_extraction_duration_seconds_count",] >= 6
    assert told["morgue_commit_duration_seconds_count",] >= 6
    assert told["morgue_healthy",] == 1
    assert told["morgue_sources", "watched"] == 1
    assert told["process_resident_memory_bytes",] > 0
    assert not [key for key in told if any("127.0.0.1" in part or "://" in part for part in key)]


def summed(told: dict[tuple[str, ...], float], labels: int) -> dict[tuple[str, ...], float]:
    """Return the attempts by their first labels in alphabetical order: kind and outcome, of all sources."""
    sums: dict[tuple[str, ...], float] = {}
    for (name, *values), value in told.items():
        if name == "morgue_fetches_total":
            key = tuple(values[:labels])
            sums[key] = sums.get(key, 0) + value
    return sums


def test_a_postgresql_that_went_away_is_told_until_it_is_back(postgres_of_its_own, start):
    Store.open(postgres_of_its_own.url, create=True).close()
    port = start(postgres_of_its_own.url)
    postgres_of_its_own.stop()
    wait_until(lambda: ask(port, "/healthz")[0] == 503, "its loss was told")
    wait_until(lambda: "database_away" in problems(port), "the reason was told")
    assert counted(port)["morgue_healthy",] == 0
    postgres_of_its_own.start()
    wait_until(lambda: ask(port, "/healthz")[0] == 200, "it was well again")


def problems(port: int) -> list[str]:
    """Return the codes of what is wrong."""
    return [problem["code"] for problem in json.loads(ask(port, "/healthz")[1])["problems"]]


class Asker:
    """Asks for health and metrics each 50 ms, from now until it is stopped."""

    def __init__(self, port: int) -> None:
        self.answers: list[tuple[int, str]] = []
        self._port = port
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        while not self._end.wait(0.05):
            for path in ("/healthz", "/metrics"):
                status, body = ask(self._port, path)
                if status:
                    self.answers.append((status, body))

    def stop(self) -> None:
        self._end.set()
        self._thread.join()

    def told(self) -> list[dict[str, Any]]:
        """Return what /healthz said."""
        return [json.loads(body) for _, body in self.answers if body.startswith("{")]


@pytest.mark.parametrize("backend", ["sqlite", "postgresql"])
def test_neither_a_start_nor_a_drain_is_an_illness(backend, database_url, rows, newsroom, tmp_path):
    publish(newsroom, 1)
    port = free_port()
    configure(tmp_path, database_url, newsroom, http=f"127.0.0.1:{port}", recrawl="6h")
    asker = Asker(port)
    service = RunningService(tmp_path)
    try:
        service.wait_for("version_recorded")
        wait_until(lambda: "pages in hand: 0" in asker.told()[-1]["doing"], "the first story was done")
        newsroom.respond("/news/story-2", delay=6)
        publish(newsroom, 2)
        wait_until(lambda: "pages in hand: 1" in asker.told()[-1]["doing"], "the second was in hand")
        time.sleep(1)  # it is asked for
        assert service.stop() == 0
    finally:
        service.kill()
        asker.stop()
    assert not service.end()["abandoned"]
    assert (newsroom.url("/news/story-2"),) in rows("SELECT url FROM fetches")
    told = asker.told()
    assert [one["problems"] for one in told if one["problems"]] == []
    assert [status for status, _ in groupby(one["status"] for one in told)] in (
        ["starting", "ok", "stopping"],
        ["ok", "stopping"],  # the start was quicker than the question
    )
    drain = [one["doing"] for one in told if one["status"] == "stopping"]
    assert all(doing.startswith("stopping: ") for doing in drain)
    assert len(drain) > 10, "it answered until the page was there"
    assert "pages in hand: 1" in drain[0]
    assert not [body for _, body in asker.answers if re.search(r"^morgue_problem\{.*\} 1", body, re.M)]
