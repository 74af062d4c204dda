"""Twisted's reactor on asyncio's loop: installed once a process and never stopped, so that crawls can follow."""

import asyncio
import sys
import threading
from collections.abc import Coroutine
from functools import partial
from typing import Any, TypeVar

from crawler.stray_failures import log_stray_failures

Result = TypeVar("Result")

_LOOP: list[asyncio.AbstractEventLoop] = []


def event_loop() -> asyncio.AbstractEventLoop:
    """Return the loop that the reactor runs on, installing both the first time."""
    if not _LOOP:
        if "twisted.internet.reactor" in sys.modules:
            raise RuntimeError("another Twisted reactor was installed first; import crawler.reactor before it")
        from twisted.internet import asyncioreactor  # noqa: PLC0415 - importing it decides which reactor runs

        loop = asyncio.new_event_loop()
        asyncio.set_event_loop(loop)
        asyncioreactor.install(loop)  # type: ignore[no-untyped-call]  # Twisted gives it no types
        from twisted.internet import reactor  # noqa: PLC0415 - exists only after the line above

        reactor.startRunning(installSignalHandlers=False)
        # The reactor's threads look up names. They would keep the process from ending, since nothing stops a reactor
        # that is never stopped, and they hold nothing that could be lost.
        reactor.getThreadPool().threadFactory = partial(threading.Thread, daemon=True)
        log_stray_failures(loop)
        _LOOP.append(loop)
    return _LOOP[0]


def run(main: Coroutine[Any, Any, Result]) -> Result:
    """Run a coroutine to its end on the reactor's loop and return its result."""
    return event_loop().run_until_complete(main)
