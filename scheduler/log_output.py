"""The log as a whole: lines of key=value in a terminal, JSON otherwise, on standard error.

What a line holds comes from servers too: neither form lets it command the terminal or begin a line of its own. No line
has a password, a local variable or a text of an article; none is longer than a screen or two; what repeats is summed;
and nobody waits until one is written.
"""

import atexit
import logging
import sys
from collections.abc import Callable, Mapping, MutableMapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import structlog

from scheduler.log_failures import exception_of, failure_rows, failure_text
from scheduler.log_repeats import Repeats
from scheduler.log_writer import LogWriter
from storage.escaping import json_text, printable, printable_line
from storage.hidden import without_secrets

LONGEST_TEXT = 2_000
MOST_ITEMS = 100
LAST_WORDS_SECONDS = 1.0
"""So long the end of the process waits for a log that is read slowly."""
_OWN_WORDS = frozenset({"event", "level", "timestamp", "exception"})

Event = MutableMapping[str, Any]

log = structlog.get_logger()


@dataclass(frozen=True, kw_only=True)
class _End:
    """What is to be done at the end: the sums of what was not told, and a while to write them."""

    writer: LogWriter
    rest: Callable[[], list[str]]


_ends: list[_End] = []
"""The log that is in use, at most one."""


def configure_logging(*, level: int) -> LogWriter:
    """Send structured logs to standard error, and what libraries log; return what writes it."""
    readable = sys.stderr.isatty()
    repeats = Repeats()
    # The traceback is a text by then.
    console = structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)
    contents = [
        partial(_tell_failure, readable=readable),
        partial(_present, readable=readable),
        console if readable else structlog.processors.JSONRenderer(serializer=json_text),
    ]

    def line_of(event: Event) -> str:
        line: Any = event
        for processor in contents:
            line = processor(None, "", line)
        return f"{line}\n"

    def due() -> list[str]:
        return [line_of(event) for event in repeats.due()]

    def rest() -> list[str]:
        return [line_of(event) for event in repeats.rest()]

    writer = LogWriter(
        sys.stderr,
        on_lost=lambda lines: log.warning("log_lines_lost", lines=lines),
        more=due,
        clean=lambda text: printable(without_secrets(text)),
    )
    end_log()
    _ends[:] = [_End(writer=writer, rest=rest)]
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            repeats,
            *contents,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=lambda *_: _LineLogger(writer),
        cache_logger_on_first_use=False,
    )
    # Libraries speak only when something is wrong with them; a page's troubles are outcomes, not logs.
    logging.basicConfig(stream=writer, level=logging.CRITICAL, force=True)
    logging.raiseExceptions = False
    for handler in logging.getLogger().handlers:
        handler.setFormatter(_PlainFormatter(logging.BASIC_FORMAT))
    atexit.register(end_log)
    return writer


def end_log(*, seconds: float = LAST_WORDS_SECONDS) -> None:
    """Write what is left to be written, and wait for it, so many seconds at most; the log can still be used."""
    for end in _ends:
        for line in end.rest():
            end.writer.take(line)
        end.writer.wait_until_written(seconds)


def _tell_failure(_: Any, __: str, event: Event, *, readable: bool) -> Event:
    """Replace an exception by what is told of it."""
    problem = exception_of(event.pop("exc_info", None))
    if problem is not None:
        event["exception"] = failure_text(problem) if readable else failure_rows(problem)
    return event


def _present(_: Any, __: str, event: Event, *, readable: bool) -> Event:
    """Bound the values and take secrets out; for a terminal, make them printable. JSON escapes what is not."""
    return {name: value if name in _OWN_WORDS else _presented(value, readable) for name, value in event.items()}


def _presented(value: Any, readable: bool) -> Any:
    if isinstance(value, str):
        text = without_secrets(value)
        text = text if len(text) <= LONGEST_TEXT else text[:LONGEST_TEXT] + "…"
        return printable_line(text) if readable else text
    if isinstance(value, Mapping):
        shown = list(value.items())[:MOST_ITEMS]
        return {str(name): _presented(one, readable) for name, one in shown}
    if isinstance(value, list | tuple | set | frozenset):
        return [_presented(one, readable) for one in list(value)[:MOST_ITEMS]]
    if value is None or isinstance(value, bool | int | float):
        return value
    return _presented(str(value), readable)


class _LineLogger:
    """What structlog hands finished lines to."""

    def __init__(self, writer: LogWriter) -> None:
        self._writer = writer

    def msg(self, line: str) -> None:
        self._writer.take(f"{line}\n")

    debug = info = warning = error = critical = exception = fatal = log = msg


class _PlainFormatter(logging.Formatter):
    """Formats what libraries log: printable, without secrets, a failure in our words."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the record as text."""
        problem = exception_of(record.exc_info)
        said = logging.Formatter.formatMessage(self, _bare(record))
        text = printable(without_secrets(said)[:LONGEST_TEXT])
        return text if problem is None else f"{text}\n{failure_text(problem)}"


def _bare(record: logging.LogRecord) -> logging.LogRecord:
    record.message = record.getMessage()
    return record
