"""Bounds the memory that bodies of answers take in this process, however many hosts send large ones at once.

While bodies come in, what goes beyond a common bound is written to a file; and of those that are whole few large ones
are in memory until they were read and recorded, while the others wait on disk.
"""

import asyncio
import contextlib
import os
import tempfile
import weakref
from collections import deque
from collections.abc import Callable
from typing import IO

LARGE_BYTES = 512 * 1024
"""What is smaller never waits for room."""
MAX_COMING_BYTES = 32 * 1024 * 1024
"""Of all bodies that are being received."""
MAX_WHOLE_BYTES = 32 * 1024 * 1024
"""Of all large bodies that wait to be read, or are. One that is larger by itself is let in alone."""
LONGEST_WAIT_SECONDS = 600.0
"""After so long a body is let in, whatever became of those before it."""
# Systems may keep /tmp in memory; /var/tmp they do not.
_FOLDER = "/var/tmp" if os.access("/var/tmp", os.W_OK | os.X_OK) else None  # noqa: S108 - the file has no name there


class ComingBytes:
    """How many bytes of bodies that are being received are in memory."""

    def __init__(self, most: int = MAX_COMING_BYTES) -> None:
        self.left = most


class ComingBody:
    """A body that is being received. Call `close` when it is no longer needed."""

    def __init__(self, coming: ComingBytes) -> None:
        self._coming = coming
        self._in_memory = bytearray()
        self._file: IO[bytes] | None = None
        self._length = 0

    def __len__(self) -> int:
        return self._length

    def append(self, part: bytes) -> None:
        """Add what came. Raises `OSError` where there is no room in memory and none on disk."""
        if self._file is None and self._coming.left < len(part):
            self._file = tempfile.TemporaryFile(dir=_FOLDER)  # noqa: SIM115 - `close` closes it
            self._file.write(self._in_memory)
            self._forget()
        if self._file is not None:
            self._file.write(part)
        else:
            self._in_memory += part
            self._coming.left -= len(part)
        self._length += len(part)

    def content(self) -> bytes:
        """Return all that came. Raises `OSError`."""
        return bytes(self._in_memory) if self._file is None else _content(self._file)

    def close(self) -> None:
        """Give its memory and its file back."""
        self._forget()
        if self._file is not None:
            _close(self._file)
            self._file = None

    def _forget(self) -> None:
        self._coming.left += len(self._in_memory)
        self._in_memory = bytearray()


class RoomForLarge:
    """Lets few bytes of large bodies be in memory at once, first come, first served. For one event loop."""

    def __init__(self, most: int = MAX_WHOLE_BYTES, *, longest_wait_seconds: float = LONGEST_WAIT_SECONDS) -> None:
        self._most = self._left = most
        self._longest_wait_seconds = longest_wait_seconds
        self._line: deque[tuple[asyncio.Future[None], int]] = deque()

    def is_there(self, size: int) -> bool:
        """Whether a body of so many bytes need not wait."""
        return size <= LARGE_BYTES or (not self._line and self._is_enough(size))

    async def wait(self, size: int) -> None:
        """Wait for room for a body of so many bytes, and take it. Nothing awaited may come before `keep`."""
        if self.is_there(size):
            self._left -= _counted(size)
            return
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._line.append((turn, size))
        try:
            async with asyncio.timeout(self._longest_wait_seconds):
                await turn
        except TimeoutError:
            if not _has_come(turn):
                self._left -= size
        except asyncio.CancelledError:
            if _has_come(turn):
                self._left += size
            raise
        finally:
            with contextlib.suppress(ValueError):
                self._line.remove((turn, size))
            self._serve()

    def keep(self, owner: object, size: int) -> None:
        """Keep the room that was taken for as long as the owner of the body lives."""
        if _counted(size):
            loop = asyncio.get_running_loop()
            weakref.finalize(owner, _tell, loop, self._give_back, size).atexit = False

    def _give_back(self, size: int) -> None:
        self._left += size
        self._serve()

    def _is_enough(self, size: int) -> bool:
        return size <= self._left or self._left == self._most

    def _serve(self) -> None:
        while self._line and self._is_enough(self._line[0][1]):
            turn, size = self._line.popleft()
            if not turn.done():
                self._left -= size
                turn.set_result(None)


def _counted(size: int) -> int:
    return size if size > LARGE_BYTES else 0


def _has_come(turn: asyncio.Future[None]) -> bool:
    return turn.done() and not turn.cancelled()


def _tell(loop: asyncio.AbstractEventLoop, act: Callable[[int], None], size: int) -> None:
    """Act on the loop: the thread that records pages may be the last that has one in hand."""
    with contextlib.suppress(RuntimeError):  # the loop is closed
        loop.call_soon_threadsafe(act, size)


class BodyOnDisk:
    """A whole body that waits on disk. Call `close` when it no longer does."""

    def __init__(self, content: bytes) -> None:
        """Write it. Raises `OSError`."""
        self._file = tempfile.TemporaryFile(dir=_FOLDER)  # noqa: SIM115 - `close` closes it
        try:
            self._file.write(content)
            self._file.flush()
        except OSError:
            self.close()
            raise

    def content(self) -> bytes:
        """Return the body. Raises `OSError`."""
        return _content(self._file)

    def close(self) -> None:
        """Remove it from disk."""
        _close(self._file)


def _content(file: IO[bytes]) -> bytes:
    file.seek(0)
    return file.read()


def _close(file: IO[bytes]) -> None:
    # What could not be written is of no interest any more.
    with contextlib.suppress(OSError):
        file.close()
