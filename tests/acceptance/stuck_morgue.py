"""`morgue` as a bug might leave it: `python stuck_morgue.py --config FILE run`.

On SIGUSR1 the event loop stands still for `STUCK_SECONDS`; on SIGUSR2 something is wrong, for good, that only another
process could mend. Both are said on standard output.
"""

import signal
import time

STUCK_SECONDS = 5.0
STUCK, ILL = "the loop stands still", "something is wrong for good"


def stand_still(*_: object) -> None:
    """Keep the main thread, in which the event loop runs, from going on."""
    print(STUCK, flush=True)
    time.sleep(STUCK_SECONDS)


def fall_ill(*_: object) -> None:
    """Let whoever asks be told that a restart is needed."""
    from scheduler.health import Health

    Health.needs_restart = lambda self, now=None: True
    print(ILL, flush=True)


if __name__ == "__main__":
    signal.signal(signal.SIGUSR1, stand_still)
    signal.signal(signal.SIGUSR2, fall_ill)
    from scheduler.cli import main

    main()
