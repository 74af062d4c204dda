"""The log is written beside the work: who logs never waits, and what cannot be written is counted."""

import errno
import io
import os
import resource
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import TextIO

import pytest

from scheduler.log_writer import MOST_WAITING, LogWriter

LINE = "x" * 1_000 + "\n"


@pytest.fixture
def pipe() -> Iterator[tuple[int, TextIO]]:
    """A pipe's reading end, and its writing end as a stream."""
    reading, writing = os.pipe()
    with open(writing, "w", closefd=False, encoding="utf-8") as stream:
        yield reading, stream
    for descriptor in (reading, writing):
        with suppress(OSError):
            os.close(descriptor)


def eventually(condition: Callable[[], bool]) -> bool:
    until = time.monotonic() + 30
    while time.monotonic() < until:
        if condition():
            return True
        time.sleep(0.01)
    return False


def read_all(descriptor: int, wanted: Callable[[bytes], bool]) -> bytes:
    """Read until what came is what is wanted."""
    os.set_blocking(descriptor, False)
    found = b""
    until = time.monotonic() + 30
    while not wanted(found):
        assert time.monotonic() < until, found[-200:]
        try:
            found += os.read(descriptor, 1 << 16)
        except BlockingIOError:
            time.sleep(0.01)
    return found


def test_lines_are_written_in_their_order(pipe):
    reading, stream = pipe
    writer = LogWriter(stream, on_lost=lambda _: None)
    for number in range(100):
        writer.write(f"line {number}\n")
    assert writer.wait_until_written(30)
    assert os.read(reading, 1 << 16).decode().splitlines() == [f"line {number}" for number in range(100)]


def test_nobody_waits_for_a_pipe_that_is_full_and_what_was_lost_is_told_later(pipe):
    reading, stream = pipe
    lost: list[int] = []

    def tell(lines: int) -> None:
        lost.append(lines)
        writer.write(f"lost {lines}\n")

    writer = LogWriter(stream, on_lost=tell)
    began = time.monotonic()
    for _ in range(MOST_WAITING + 500):
        writer.write(LINE)
    assert not writer.wait_until_written(0.2)
    assert time.monotonic() - began < 20
    text = read_all(reading, lambda found: b"lost" in found and found.endswith(b"\n")).decode()
    assert f"lost {lost[0]}" in text.splitlines()
    # Every line came, or was counted.
    read_all(reading, lambda found: (text + found.decode()).count(LINE) + sum(lost) >= MOST_WAITING + 500)


def test_a_reader_that_left_breaks_nothing(pipe):
    reading, stream = pipe
    os.close(reading)
    writer = LogWriter(stream, on_lost=lambda _: None)
    for _ in range(10):
        writer.write(LINE)
    assert writer.wait_until_written(30)


def test_a_disk_that_is_full_for_a_while(tmp_path: Path):
    """A limit on the size of files stands for the disk; what is said afterwards begins on a line of its own."""
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    lost: list[int] = []
    with (tmp_path / "log").open("a", encoding="utf-8") as stream:
        writer = LogWriter(stream, on_lost=lost.append)
        try:
            resource.setrlimit(resource.RLIMIT_FSIZE, (1_500, hard))
            for _ in range(3):
                writer.write(LINE)
            assert writer.wait_until_written(30)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
            signal.signal(signal.SIGXFSZ, handler)
        writer.write("after\n")
        assert writer.wait_until_written(30)
    assert lost == [2]
    lines = (tmp_path / "log").read_text().splitlines()
    assert (lines[0], lines[-1]) == (LINE.rstrip(), "after")


def test_a_descriptor_that_never_blocks(pipe):
    """Whoever shares a terminal with us may have put it into that mode."""
    reading, stream = pipe
    os.set_blocking(stream.fileno(), False)
    writer = LogWriter(stream, on_lost=lambda _: None)
    for _ in range(200):
        writer.write(LINE)
    assert len(read_all(reading, lambda found: len(found) >= 200 * len(LINE))) == 200 * len(LINE)


def test_a_stream_that_is_no_file_is_written_at_once():
    stream = io.StringIO()
    LogWriter(stream, on_lost=lambda _: None).write("said\n")
    assert stream.getvalue() == "said\n"


def test_what_has_become_due_is_written_while_nothing_else_is_said(pipe):
    reading, stream = pipe
    waiting = ["due\n"]
    writer = LogWriter(stream, on_lost=lambda _: None, more=lambda: [waiting.pop()] if waiting else [])
    writer.write("first\n")
    assert read_all(reading, lambda found: found == b"first\ndue\n")
    assert errno.EPIPE  # the pipe is still open
