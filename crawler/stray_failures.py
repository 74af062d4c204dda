"""Failures that reach nobody who waits for them: in a task, a thread, a callback of a library, a finaliser.

asyncio, Twisted, `threading` and Python itself each print such a failure on standard error in a form of its own. Here
each becomes an event of the log like any other.
"""

import asyncio
import sys
import threading
import warnings
from types import TracebackType
from typing import Any

import structlog

log = structlog.get_logger()


def log_stray_failures(loop: asyncio.AbstractEventLoop) -> None:
    """Have whatever fails unseen in this process logged from now on; Twisted's reactor must be there already."""
    from twisted.logger import globalLogBeginner  # noqa: PLC0415 - what fetches nothing does without Twisted

    loop.set_exception_handler(_of_loop)
    observers: Any = [_of_twisted]
    globalLogBeginner.beginLoggingTo(observers, discardBuffer=True, redirectStandardIO=False)
    threading.excepthook = _of_thread
    sys.unraisablehook = _of_finaliser
    sys.excepthook = _of_process
    warnings.showwarning = _warning


def _of_loop(_: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    problem, said = context.get("exception"), str(context.get("message", ""))
    if problem is None:
        # What a library left open at the end, for example: it failed nothing.
        log.info("loop_noted", said=said)
    else:
        log.error("stray_failure", where="event loop", said=said, exc_info=problem)


def _of_twisted(event: Any) -> None:
    failure = event.get("log_failure")
    if failure is not None:
        said = str(event.get("log_text") or event.get("why") or event.get("log_format") or "")
        log.error("stray_failure", where="Twisted", said=said, exc_info=failure.value)


def _of_thread(failed: threading.ExceptHookArgs) -> None:
    if failed.exc_type is not SystemExit:
        name = "" if failed.thread is None else failed.thread.name
        log.error("stray_failure", where="thread", said=name, exc_info=failed.exc_value)


def _of_finaliser(failed: "sys.UnraisableHookArgs") -> None:
    said = failed.err_msg or f"ignored in {type(failed.object).__qualname__}"
    log.error("stray_failure", where="finaliser", said=said, exc_info=failed.exc_value)


def _of_process(kind: type[BaseException], problem: BaseException, trace: TracebackType | None) -> None:
    log.error("crashed", exc_info=(kind, problem, trace))


def _warning(
    message: Warning | str, category: type[Warning], filename: str, lineno: int, *_: object, **__: object
) -> None:
    log.info("library_warning", kind=category.__name__, said=str(message), place=f"{filename}:{lineno}")
