"""Whether the service is well: what must keep moving, and what is wrong where it does not.

Everything is measured on a clock that nobody sets (`time.monotonic`), so that a wall clock set back or forth makes
nothing look stuck. It is asked from threads of its own (`scheduler.http`), because a loop that hangs answers nobody.
"""

import threading
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import StrEnum

import structlog

from storage.errors import DatabaseBusy, MorgueError

log = structlog.get_logger()

Job = Callable[[], Awaitable[object]]

LOOP_SECONDS = 10.0
"""So long may the event loop be silent; it beats once a second."""
WRITER_SECONDS = 60.0
"""So long may something wait to be written while nothing is."""
DATABASE_SECONDS = 30.0
"""So long may the database let a probe wait, or refuse it because others are writing."""
JOB_SECONDS = 600.0
"""So long may a job of the ticker run that has no other bound."""
FETCHING_SECONDS = 900.0
"""So long may pages be in hand, beyond the longest pause between two requests, while no attempt comes to its end."""


class Stage(StrEnum):
    """Where the service stands in its life."""

    STARTING = "starting"
    RUNNING = "running"
    STOPPING = "stopping"


@dataclass(frozen=True, kw_only=True)
class Problem:
    """What is wrong: a short code from a closed list, and one sentence for people."""

    code: str
    sentence: str

    def __str__(self) -> str:
        return self.sentence


PROBLEMS = {
    "loop_blocked": "The event loop has not moved for 10 seconds: nothing is fetched or planned.",
    "writer_stuck": "Something has waited for a minute to be written, and nothing was.",
    "writer_ended": "The thread that writes is no more.",
    "database_stuck": "The database has let a small transaction wait for 30 seconds.",
    "database_away": "The database refuses, or cannot be reached.",
    "job_stuck": "A job of the service runs longer than it may.",
    "fetching_stuck": "Pages are due and in hand, and none has come to an end for long.",
    "polls_stuck": "Polls are in hand, and none has come to an end for long.",
    "archive_failed": "The last capture could not be written to the archive.",
    "disk_full": "A disk is full.",
    "resources_short": "This machine is short of processes, threads, open files or memory: nothing is fetched.",
    "lock_lost": "Another service may have begun on the same database.",
}
"""Every code, and what it says; the list of docs/operating.md is written from it."""

MENDED_BY_RESTART = frozenset(
    {"loop_blocked", "writer_stuck", "writer_ended", "job_stuck", "fetching_stuck", "polls_stuck"}
)
"""What is wrong inside the process, so that a new one may do better; of the rest a supervisor can mend nothing."""

ILL_SECONDS = 60.0
"""So long may something be wrong that a restart would mend before the signs of life end."""

Check = Callable[[float], Problem | None]
"""Asked with the monotonic seconds of now; None where all is well."""


@dataclass
class _JobTimes:
    bound_seconds: float
    began_at: float | None = None


class Health:
    """Knows whether everything moves. Use from any thread.

    `stage` is no problem in itself: a service that starts or stops is not at work, and not ill. `clock` gives
    monotonic seconds.
    """

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._began_at = clock()
        self._beat_at: float | None = None
        self._jobs: dict[str, _JobTimes] = {}
        self._noted: dict[str, Problem] = {}
        self._checks: list[Check] = []
        self.stage = Stage.STARTING

    def enter(self, stage: Stage) -> None:
        """Go over to another stage; one that stops does nothing else any more."""
        if self.stage is not Stage.STOPPING:
            self.stage = stage

    def beat(self) -> None:
        """Say that the event loop moves; to be called on it about once a second, from the first moment to the last."""
        self._beat_at = self._clock()

    def add(self, check: Check) -> None:
        """Have something more checked whenever it is asked for problems; the check must answer at once."""
        with self._lock:
            self._checks.append(check)

    def note(self, code: str, sentence: str) -> None:
        """Note a problem that lasts until it is cleared. Raises `KeyError` for a code that is not in the list."""
        problem = problem_of(code, sentence)
        with self._lock:
            self._noted[code] = problem

    def clear(self, code: str) -> None:
        """Take a noted problem back."""
        with self._lock:
            self._noted.pop(code, None)

    def job(self, name: str, job: Job, *, bound_seconds: float = JOB_SECONDS) -> Job:
        """Return the job with its running time watched; a run longer than its bound is a problem."""
        times = _JobTimes(bound_seconds)
        with self._lock:
            self._jobs[name] = times

        async def watched() -> object:
            times.began_at = self._clock()
            try:
                return await job()
            finally:
                times.began_at = None

        return watched

    def seconds(self) -> float:
        """Return for how long this has been watched."""
        return self._clock() - self._began_at

    def beat_age(self) -> float:
        """Return how long ago the event loop moved last; 0 before its first beat."""
        return 0.0 if self._beat_at is None else max(0.0, self._clock() - self._beat_at)

    def problems(self, now: float | None = None) -> list[Problem]:
        """Return what is wrong at `now`, in monotonic seconds; nothing where all is well."""
        at = self._clock() if now is None else now
        with self._lock:
            noted, checks, jobs = list(self._noted.values()), list(self._checks), list(self._jobs.items())
        found = [self._loop_problem(at), *(_job_problem(name, times, at) for name, times in jobs)]
        found += [check(at) for check in checks]
        # A part may be watched in two ways; one problem of a kind is enough but for jobs, of which there are many.
        problems: dict[tuple[str, str], Problem] = {}
        for problem in (*noted, *(one for one in found if one is not None)):
            key = (problem.code, problem.sentence if problem.code == "job_stuck" else "")
            problems.setdefault(key, problem)
        return list(problems.values())

    def needs_restart(self, now: float | None = None) -> bool:
        """Whether something is wrong that starting the service again may mend: for a watchdog."""
        return any(problem.code in MENDED_BY_RESTART for problem in self.problems(now))

    def _loop_problem(self, at: float) -> Problem | None:
        if self._beat_at is None or at - self._beat_at <= LOOP_SECONDS:
            return None
        return problem_of("loop_blocked", f"the event loop has not moved for {at - self._beat_at:.0f} seconds")


def problem_of(code: str, sentence: str) -> Problem:
    """Return a problem of the closed list. Raises `KeyError` for a code that is not in it."""
    if code not in PROBLEMS:
        raise KeyError(code)
    return Problem(code=code, sentence=sentence)


def _job_problem(name: str, times: _JobTimes, at: float) -> Problem | None:
    began_at = times.began_at
    if began_at is None or at - began_at <= times.bound_seconds:
        return None
    return problem_of("job_stuck", f"the job {name} has been running for {at - began_at:.0f} seconds")


class SignsOfLife:
    """Says when a watchdog is to be given its sign of life: four times in its time, and not once something has been
    wrong for a minute, or for half of its time if that is shorter. One bad sample withholds none."""

    def __init__(self, watchdog_seconds: float) -> None:
        self._every = watchdog_seconds / 4
        self._patience = min(ILL_SECONDS, watchdog_seconds / 2)
        self._given_at: float | None = None
        self._ill_since: float | None = None
        self.look_seconds = min(1.0, self._every)
        """How often it is to be asked."""

    def is_due(self, now: float, *, ill: bool) -> bool:
        """Say whether to give one now, in monotonic seconds; then it counts as given."""
        if not ill:
            self._ill_since = None
        elif self._ill_since is None:
            self._ill_since = now
        too_long = self._ill_since is not None and now - self._ill_since >= self._patience
        early = self._given_at is not None and now - self._given_at < self._every
        if too_long or early:
            return False
        self._given_at = now
        return True


class DatabaseProbe:
    """Asks the database now and then for a small transaction, in a thread of its own, and knows when it last had one.

    `probe` opens and ends a transaction that writes nothing; it raises `MorgueError` where that is refused. Only a
    transaction that could write shows a database that others hold.
    """

    def __init__(
        self, probe: Callable[[], None], *, every_seconds: float = 5.0, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._probe = probe
        self._every = every_seconds
        self._clock = clock
        self._answered_at = clock()
        self._problem: MorgueError | None = None
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._run, name="database-probe", daemon=True)
        self.latency_seconds = 0.0

    def start(self) -> None:
        """Begin to ask."""
        self._answered_at = self._clock()
        self._thread.start()

    def stop(self) -> None:
        """Ask no more; a question that is still open is left behind."""
        self._end.set()

    def _run(self) -> None:
        while not self._end.is_set():
            began_at = self._clock()
            try:
                self._probe()
            except DatabaseBusy:
                pass  # others were quicker, which is no problem unless it goes on
            except MorgueError as problem:
                self._problem = problem
            except Exception:
                # The thread's boundary: what has no answer is a problem soon enough, and it is asked again.
                log.exception("database_probe_failed")
            else:
                self._problem, self._answered_at = None, self._clock()
                self.latency_seconds = self._answered_at - began_at
            self._end.wait(self._every)

    def check(self, now: float) -> Problem | None:
        """Return what is wrong with the database."""
        problem, silence = self._problem, now - self._answered_at
        if problem is not None:
            return problem_of("database_away", str(problem))
        if silence > DATABASE_SECONDS + self._every:
            return problem_of("database_stuck", f"the database has not answered for {silence:.0f} seconds")
        return None
