"""SIGINT and SIGTERM while something is fetched once: it ends within seconds, whatever hangs, and keeps what it has.

The handlers are Python's own, so that they act also when the event loop does not move. The first signal begins the end:
nothing further is asked for; what has not ended a few seconds later is given up; and when even that does not bring the
process to its end, a thread ends it. Nothing that was recorded is lost by that, and what was not is still owed.
"""

import asyncio
import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import FrameType

FINISH_SECONDS = 5.0
"""So long what is in flight may take to finish."""
END_SECONDS = 15.0
"""So long after the first signal the process is ended at the latest."""
INTERRUPTED = 130
_SIGNALS = (signal.SIGINT, signal.SIGTERM)


@contextmanager
def stopped_by_signals(*, on_stop: Callable[[], object], on_give_up: Callable[[], object]) -> Iterator[None]:
    """Have `on_stop` called on the running loop at the first signal, and `on_give_up` when it has not ended soon after.

    A second signal ends the process at once. To be used in the main thread, in a command whose process ends with it:
    once a signal came, the thread that ends the process is not called off.
    """
    loop = asyncio.get_running_loop()

    def on_signal(_number: int, _frame: FrameType | None) -> None:
        for number in _SIGNALS:
            signal.signal(number, lambda *_: _end_now())
        ending = threading.Timer(END_SECONDS, _end_now)
        ending.daemon = True
        ending.start()
        loop.call_soon_threadsafe(on_stop)
        loop.call_soon_threadsafe(loop.call_later, FINISH_SECONDS, on_give_up)

    before = {number: signal.signal(number, on_signal) for number in _SIGNALS}
    try:
        yield
    finally:
        for number, handler in before.items():
            if signal.getsignal(number) is on_signal:
                signal.signal(number, handler)


def _end_now() -> None:
    with suppress(OSError):
        os.write(2, b"morgue: interrupted; what was fetched before is kept\n")
    os._exit(INTERRUPTED)
