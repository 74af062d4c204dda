"""SIGTERM, SIGINT and SIGHUP, from the first line of `morgue run` to its last.

The handlers are Python's own and not the event loop's: they act also while the loop is blocked, before it runs and
after it has ended. They do next to nothing, for they may come in the middle of anything: a note is left, and a thread
is begun that ends the process when the grace period is over, whatever the process is stuck in.
"""

import os
import signal
import threading
import time
from collections.abc import Callable
from types import FrameType

import structlog

from scheduler.log_output import end_log

log = structlog.get_logger()

STOPS = (signal.SIGTERM, signal.SIGINT)
SAME_STOP_SECONDS = 0.1
"""A second signal that comes sooner is the same wish by another way: Ctrl-C reaches a wrapper and us, for example."""
LEFT_SECONDS = 2.0
"""So long may the process still take once it has given up what is in flight: a thread may hang in the database."""
CLEAN, BROKEN = 0, 1


class StopSignals:
    """What was asked of this process by signals.

    While the service starts, a stop ends the start (`SystemExit`, with which everything begun is undone). Once
    `on_stop` and `on_reload` are set, they are called instead, from the signal handler: they must only leave a note.
    """

    def __init__(self) -> None:
        self.asked: str | None = None
        self.on_stop: Callable[[str], None] | None = None
        self.on_reload: Callable[[], None] | None = None
        self._asked_at = 0.0
        self._on_terminal = False
        self._reload_asked = False
        self._deadline: threading.Timer | None = None
        self._told = False
        self.grace_seconds = 25.0
        """How long a stop by a signal may take; to be set whenever the configuration was read."""
        self._exit_code = CLEAN

    def install(self) -> None:
        """Take the signals over; to be called in the main thread."""
        self._on_terminal = os.isatty(2)
        for number in STOPS:
            signal.signal(number, self._on_stop)
        signal.signal(signal.SIGHUP, self._on_hangup)

    def take_over(self, *, on_stop: Callable[[str], None], on_reload: Callable[[], None]) -> None:
        """Hand what is asked from now on to the running service, and what was asked while it started."""
        self.on_stop, self.on_reload = on_stop, on_reload
        if self.asked is not None:
            on_stop(self.asked)
        if self._reload_asked:
            self._reload_asked = False
            on_reload()

    @property
    def is_serving(self) -> bool:
        """Whether the service itself takes what is asked."""
        return self.on_stop is not None

    def begin_deadline(self, *, seconds: float | None = None, exit_code: int = CLEAN) -> None:
        """End the process with `exit_code` when so many seconds are over, if it has not ended by itself.

        Called again, nothing changes.
        """
        if self._deadline is None:
            self._exit_code = exit_code
            self._start_timer(self.grace_seconds if seconds is None else seconds)

    def told_of_end(self, *, abandoned: bool) -> None:
        """Note that the end was logged. Where something was `abandoned`, the process does not wait for it any more."""
        self._told = True
        if abandoned and self._deadline is not None:
            self._deadline.cancel()
            self._start_timer(LEFT_SECONDS)

    def _start_timer(self, seconds: float) -> None:
        self._deadline = threading.Timer(seconds, self._end_now)
        self._deadline.daemon = True
        self._deadline.start()

    def _on_stop(self, number: int, _frame: FrameType | None) -> None:
        now = time.monotonic()
        if self.asked is not None:
            if now - self._asked_at > SAME_STOP_SECONDS:
                # Once more: leave at once. Nothing recorded is lost by that, and what is not recorded is still owed.
                signal.signal(number, signal.SIG_DFL)
                os.kill(os.getpid(), number)
            return
        self.asked, self._asked_at = signal.Signals(number).name, now
        self.begin_deadline()
        if self.on_stop is not None:
            self.on_stop(self.asked)
        else:
            raise SystemExit(CLEAN)

    def _on_hangup(self, _number: int, _frame: FrameType | None) -> None:
        if self._on_terminal and not os.isatty(2):
            # The terminal that it ran in is gone, which is no wish to read a configuration again.
            os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
            self._on_stop(signal.SIGHUP, None)
        elif self.on_reload is not None:
            self.on_reload()
        else:
            self._reload_asked = True

    def _end_now(self) -> None:
        # What is in flight is owed, captures without a row are harmless, and transactions that are open are undone.
        try:
            if not self._told:
                log.warning("stopped", reason=self.asked, exit_code=self._exit_code, abandoned=True)
            end_log()
        finally:
            os._exit(self._exit_code)
