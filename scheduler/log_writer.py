"""Writes the log without ever making anybody wait for it: a reader that reads no more, or has left, and a disk that is
full must not stop the service, nor its end."""

import errno
import io
import os
import select
import threading
from collections.abc import Callable, Iterable
from queue import Empty, SimpleQueue
from typing import TextIO

MOST_WAITING = 2_000
"""So many lines may wait to be written; what comes beyond is counted instead."""
LOOK_SECONDS = 1.0
"""How often it is looked whether something else is to be written."""


class LogWriter(io.TextIOBase):
    """Takes text at once and writes it in a thread of its own; what cannot be written is dropped and counted.

    Once it has caught up, `on_lost` is told how many lines were lost, in that thread; what it writes is written at
    once. `more` gives further lines that have become due, about once a second. Where `stream` is no file of the system
    (as in tests), it is written at once. Use from any thread, and from signal handlers.
    """

    def __init__(
        self,
        stream: TextIO,
        *,
        on_lost: Callable[[int], None],
        more: Callable[[], Iterable[str]] = lambda: (),
        clean: Callable[[str], str] = str,
    ) -> None:
        """`clean` gives what may be shown of a text that somebody writes to it as to any stream."""
        super().__init__()
        self._stream = stream
        self._on_lost = on_lost
        self._more = more
        self._clean = clean
        # A queue that a signal handler may put into while the same thread is doing so (Python, "queue", SimpleQueue).
        self._waiting: SimpleQueue[bytes | threading.Event] = SimpleQueue()
        self._counting = threading.RLock()
        self._lost = 0
        self._torn = False
        self._thread: threading.Thread | None = None
        self._descriptor = _descriptor_of(stream)
        self._encoding = getattr(stream, "encoding", None) or "utf-8"

    def write(self, text: str) -> int:
        """Have text written that was not made for the log, such as Python's own tracebacks. Never waits or fails."""
        self.take(self._clean(text))
        return len(text)

    def take(self, text: str) -> None:
        """Have text written as it is, whole lines of it. Never waits and never fails."""
        if self._descriptor is None:
            self._stream.write(text)
            return
        if not text:
            return
        if threading.current_thread() is self._thread:
            self._put(self._coded(text))
        elif self._waiting.qsize() >= MOST_WAITING:
            self._lose(text.count("\n") or 1)
        else:
            self._waiting.put(self._coded(text))
            self._begin()

    def _coded(self, text: str) -> bytes:
        return text.encode(self._encoding, errors="backslashreplace")

    def _begin(self) -> None:
        if self._thread is None:
            thread = threading.Thread(target=self._run, name="log", daemon=True)
            try:
                self._thread = thread
                thread.start()
            except RuntimeError:  # no thread can be had, or the interpreter ends: then now or never
                self._thread = None
                self._write_waiting()

    def writable(self) -> bool:
        """Whether it may be written: always."""
        return True

    def isatty(self) -> bool:
        """Whether a person reads it at once."""
        return self._stream.isatty()

    def fileno(self) -> int:
        """Return the descriptor that is written to. Raises `OSError` where there is none."""
        return self._stream.fileno()

    @property
    def encoding(self) -> str:  # type: ignore[override]  # the library's is an attribute of a stream
        """The encoding in which text is written."""
        return self._encoding

    def flush(self) -> None:
        """Do nothing, as nobody may have to wait; `wait_until_written` does."""

    def wait_until_written(self, seconds: float) -> bool:
        """Wait until all that was taken has been written or lost, so many seconds at most; returns whether it was."""
        if self._thread is None or not self._thread.is_alive():
            return True
        done = threading.Event()
        self._waiting.put(done)
        return done.wait(seconds)

    def _lose(self, lines: int) -> None:
        with self._counting:
            self._lost += lines

    def _run(self) -> None:
        while True:
            try:
                item = self._waiting.get(timeout=LOOK_SECONDS)
            except Empty:
                self._write_more()
            else:
                self._do(item)

    def _write_more(self) -> None:
        for line in self._more():
            self._put(self._coded(line))

    def _do(self, item: bytes | threading.Event) -> None:
        if isinstance(item, threading.Event):
            item.set()
        else:
            self._put(item)

    def _write_waiting(self) -> None:
        while not self._waiting.empty():
            self._do(self._waiting.get())

    def _put(self, data: bytes) -> None:
        if not self._write_out(data):
            self._lose(data.count(b"\n") or 1)
            return
        with self._counting:
            caught_up = self._lost and self._waiting.qsize() < MOST_WAITING // 2
            lost, self._lost = (self._lost, 0) if caught_up else (0, self._lost)
        if lost:
            self._on_lost(lost)
            if self._lost:  # not even that could be written
                self._lose(lost - 1)

    def _write_out(self, data: bytes) -> bool:
        """Write all of it, however long that takes; returns whether it could be. A torn line ends before the next."""
        descriptor = self._descriptor
        if descriptor is None:
            return False
        rest = memoryview(b"\n" + data if self._torn else data)
        whole = len(rest)
        while rest:
            try:
                rest = rest[os.write(descriptor, rest) :]
            except BlockingIOError:
                select.select([], [descriptor], [], LOOK_SECONDS)
            except InterruptedError:
                continue
            except OSError as problem:
                if len(rest) < whole:
                    self._torn = problem.errno != errno.EPIPE
                return False
        self._torn = False
        return True


def _descriptor_of(stream: TextIO) -> int | None:
    try:
        return stream.fileno()
    except (OSError, AttributeError, ValueError):
        return None
