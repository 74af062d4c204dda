"""How much memory the service takes: the main process and everything that it started, as Linux counts it.

And how little of it is kept that nothing uses: with glibc each thread takes its memory from an arena of its own, which
gives back only what is free at its end, so a process of many threads grows for days without holding any more.
"""

import ctypes
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

_PROC = Path("/proc")
_UNITS = {"": 1, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30, "t": 1 << 40}
_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*([kmgt]?)(?:i?b)?", re.IGNORECASE)
_LEAST = 64 << 20
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


def parse_size(text: str) -> int | None:
    """Return a size such as `1500M` or `2G` in bytes (K, M, G are powers of 1024), and None for `none`.

    Raises `ValueError` for what is no size, and for one in which the service could not even start.
    """
    if text.strip().lower() == "none":
        return None
    found = _SIZE.fullmatch(text.strip())
    if found is None:
        raise ValueError("is no size; write 1500M or 2G, or none")
    size = int(float(found[1]) * _UNITS[found[2].lower()])
    if size < _LEAST:
        raise ValueError("must be 64M at least")
    return size


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


def measure(pid: int, *, proc: Path = _PROC) -> Memory | None:
    """Return what a process and its descendants take, or None where the system does not say (only Linux does)."""
    main = _pss(proc / str(pid))
    if main is None:
        return None
    children = sum(_pss(proc / str(child)) or 0 for child in descendants(pid, proc=proc))
    return Memory(main_bytes=main, children_bytes=children)


def descendants(pid: int, *, proc: Path = _PROC) -> set[int]:
    """Return the processes that a process started, and those that they did."""
    parents: dict[int, int] = {}
    for folder in proc.iterdir():
        if folder.name.isdecimal() and (parent := _parent(folder)) is not None:
            parents[int(folder.name)] = parent
    found: set[int] = set()
    newest = {pid}
    while newest:
        newest = {child for child, parent in parents.items() if parent in newest} - found
        found |= newest
    return found


def _parent(folder: Path) -> int | None:
    try:
        # The name of the program stands in brackets and may hold anything, brackets and blanks among it.
        fields = (folder / "stat").read_text(errors="replace").rpartition(")")[2].split()
        return int(fields[1])
    except (OSError, IndexError, ValueError):  # it has just ended
        return None


def _pss(folder: Path) -> int | None:
    try:
        for line in (folder / "smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) << 10
    except OSError:
        return None
    return None
