"""Says in the log which hosts fail, without saying so for every page: at once, and then in sum once an hour."""

import time
from collections import Counter, OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field

import structlog

from crawler.urls import InvalidUrl, host_key
from storage.outcomes import Trait, with_trait
from storage.records import Fetch

log = structlog.get_logger()

SUMMED_SECONDS = 3600.0
HOSTS = 1000
"""So many hosts are remembered; of more, those that failed longest ago are forgotten."""

FAILURES = with_trait(Trait.OF_HOST)


@dataclass
class _Failing:
    said_at: float
    since_then: Counter[str] = field(default_factory=Counter)
    well: int = 0


class FailingHosts:
    """Is told of every attempt, by one thread. `clock` gives monotonic seconds."""

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._hosts: OrderedDict[str, _Failing] = OrderedDict()

    def note(self, fetch: Fetch) -> None:
        """Take in an attempt, and say what there is to be said."""
        failed = fetch.outcome in FAILURES
        if not failed and not self._hosts:
            return
        try:
            host = host_key(fetch.url)
        except InvalidUrl:
            return
        failing = self._hosts.get(host)
        if failing is None:
            if failed:
                self._begin(host, fetch)
            return
        if failed:
            failing.since_then[_cause(fetch)] += 1
            self._hosts.move_to_end(host)
        else:
            failing.well += 1
        if self._clock() - failing.said_at >= SUMMED_SECONDS:
            self._sum_up(host, failing)

    def _begin(self, host: str, fetch: Fetch) -> None:
        self._hosts[host] = _Failing(said_at=self._clock())
        if len(self._hosts) > HOSTS:
            self._hosts.popitem(last=False)
        log.info("host_failing", host=host, failures=1, well=0, causes={_cause(fetch): 1}, url=fetch.url)

    def _sum_up(self, host: str, failing: _Failing) -> None:
        failures = failing.since_then.total()
        if not failures:
            del self._hosts[host]
            log.info("host_recovered", host=host, well=failing.well)
            return
        causes = dict(failing.since_then.most_common())
        log.info("host_failing", host=host, failures=failures, well=failing.well, causes=causes)
        self._hosts[host] = _Failing(said_at=self._clock())


def _cause(fetch: Fetch) -> str:
    outcome = "" if fetch.outcome is None else fetch.outcome.value
    return f"{outcome}:{fetch.reason}" if fetch.reason else outcome
