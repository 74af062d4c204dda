"""How much memory the service takes: the main process and everything that it started, as Linux counts it.

And how little of it is kept that nothing uses: with glibc each thread takes its memory from an arena of its own, which
gives back only what is free at its end, so a process of many threads grows for days without holding any more.
"""

import ctypes
from collections.abc import Callable
from dataclasses import dataclass

import psutil

_ARENA_MAX = -8
"""`M_ARENA_MAX` of glibc's malloc.h."""
_ARENAS = 2


@dataclass(frozen=True, kw_only=True)
class Memory:
    """Bytes of the main process and of its children together. Pages shared by several are counted once (PSS)."""

    main_bytes: int
    children_bytes: int

    @property
    def total_bytes(self) -> int:
        """All of it."""
        return self.main_bytes + self.children_bytes


def share_arenas() -> None:
    """Have all threads take their memory from two arenas; to be called before there are any. Without glibc: nothing."""
    if (mallopt := _of_the_c_library("mallopt")) is not None:
        mallopt(_ARENA_MAX, _ARENAS)


def give_back_memory() -> bool:
    """Give the system back what is free in between, which takes milliseconds, and return whether anything was.

    Without glibc nothing is.
    """
    trim = _of_the_c_library("malloc_trim")
    return trim is not None and bool(trim(0))


def _of_the_c_library(name: str) -> Callable[..., int] | None:
    return getattr(ctypes.CDLL(None), name, None)


def measure(pid: int) -> Memory | None:
    """Return what a process and all that it started take, or None where the system does not say (only Linux does)."""
    try:
        process = psutil.Process(pid)
        main = _pss(process)
        children = process.children(recursive=True)
    except psutil.NoSuchProcess:
        return None
    return None if main is None else Memory(main_bytes=main, children_bytes=sum(_pss(one) or 0 for one in children))


def _pss(process: psutil.Process) -> int | None:
    """Return the share of a process in the memory that it uses; None for one that has just ended, or is not ours."""
    try:
        pss: int | None = getattr(process.memory_full_info(), "pss", None)
    except psutil.Error:
        return None
    return pss
