"""The copy of a SQLite database that is made before it is upgraded."""

import filecmp
import os
import sqlite3
import stat
from contextlib import closing
from itertools import count
from pathlib import Path

from storage.errors import DatabaseUnavailable


def keep_copy(file: Path, *, name: str) -> Path:
    """Copy a database, its journal included, beside itself under `name`, or `name.2` and so on; return the copy.

    What has such a name already is never replaced; if it holds the same, it is the copy. The copy has the original's
    permissions and appears under its name only when it is whole. To be called by one process at a time.

    Raises `DatabaseUnavailable` when it cannot be made.
    """
    partial = file.with_name(f"{name}.partial")
    try:
        _copy(file, partial)
        return _settle(partial, file.with_name(name))
    except (sqlite3.Error, OSError) as problem:
        cause = problem.strerror if isinstance(problem, OSError) else str(problem)
        raise DatabaseUnavailable(
            str(file), f"the copy before its upgrade cannot be made: {cause}", "free some space beside it"
        ) from problem
    finally:
        partial.unlink(missing_ok=True)


def _copy(file: Path, copy: Path) -> None:
    copy.unlink(missing_ok=True)
    # Nobody else may read it before it has the permissions of the original.
    os.close(os.open(copy, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    with closing(sqlite3.connect(file)) as original, closing(sqlite3.connect(copy)) as target:
        original.backup(target)
    copy.chmod(stat.S_IMODE(file.stat().st_mode))
    _make_durable(copy)


def _settle(partial: Path, wanted: Path) -> Path:
    """Give a whole copy the first name that is free, unless one of those before holds the same."""
    for number in count(1):
        place = wanted if number == 1 else wanted.with_name(f"{wanted.name}.{number}")
        if place.is_file() and filecmp.cmp(partial, place, shallow=False):
            return place
        try:
            place.hardlink_to(partial)
        except FileExistsError:
            continue
        _make_durable(place.parent)
        return place
    raise AssertionError("numbers do not end")


def _make_durable(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
