"""A host that fails is in the log at once and then in sum, however many of its pages fail."""

from dataclasses import replace

import pytest
from structlog.testing import capture_logs

from scheduler import failing_hosts
from scheduler.failing_hosts import FailingHosts
from storage.outcomes import Outcome
from tests.unit.test_metrics import fetch

FAILED = fetch(outcome=Outcome.TIMEOUT, reason=None, status=None, url="https://www.slow.example/a")
REFUSED = replace(FAILED, outcome=Outcome.BLOCKED_STATUS, reason="status_403")
WELL = replace(FAILED, outcome=Outcome.UNCHANGED)


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def hosts(clock) -> FailingHosts:
    return FailingHosts(clock=clock)


def test_a_thousand_failures_are_two_lines(hosts, clock):
    with capture_logs() as lines:
        for second in range(3601):
            clock.now = second
            hosts.note(FAILED if second % 2 else REFUSED)
            hosts.note(WELL)
    assert lines == [
        {
            "event": "host_failing",
            "log_level": "info",
            "host": "slow.example",
            "failures": 1,
            "well": 0,
            "causes": {"blocked_status:status_403": 1},
            "url": FAILED.url,
        },
        {
            "event": "host_failing",
            "log_level": "info",
            "host": "slow.example",
            "failures": 3600,
            "well": 3600,
            "causes": {"timeout": 1800, "blocked_status:status_403": 1800},
        },
    ]


def test_a_host_that_works_for_an_hour_has_recovered(hosts, clock):
    with capture_logs() as lines:
        hosts.note(FAILED)
        clock.now = 1800
        hosts.note(WELL)
        clock.now = 3600
        hosts.note(WELL)
        clock.now = 9000
        hosts.note(WELL)
    assert [line["event"] for line in lines] == ["host_failing", "host_recovered"]


def test_what_pages_come_to_is_no_failure_of_their_host(hosts):
    with capture_logs() as lines:
        for outcome in (Outcome.MISSING, Outcome.GONE, Outcome.NOT_ARTICLE, Outcome.PAYWALLED, Outcome.BLOCKED_ROBOTS):
            hosts.note(replace(FAILED, outcome=outcome))
    assert lines == []


def test_memory_is_bounded(hosts, monkeypatch):
    monkeypatch.setattr(failing_hosts, "HOSTS", 10)
    with capture_logs():
        for number in range(100):
            hosts.note(replace(FAILED, url=f"https://host{number}.example/"))
    assert len(hosts._hosts) == 10
