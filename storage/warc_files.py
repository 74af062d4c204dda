"""The WARC files in the archive's folder: their names, their locks, and what a crash left of them.

A file that is being written is called `NAME.warc.gz.open` and is locked by its writer; closed, it loses the `.open`.
An unlocked `.open` file was left by a process that died.
"""

import errno
import fcntl
import os
import re
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

from storage.errors import ArchiveUnavailable
from storage.warc_members import end_of_last_whole

SUFFIX = ".warc.gz"
OPEN_SUFFIX = ".open"

_REMEDIES = {
    errno.ENOSPC: "free some space and start again; nothing was recorded that was not kept",
    errno.EDQUOT: "raise the quota or free some space and start again; nothing was recorded that was not kept",
    errno.EFBIG: "raise the limit on the size of files, or lower [archive] max_file_bytes",
    errno.EACCES: "make the folder writable for this user, or name another as [archive] directory",
    errno.EPERM: "make the folder writable for this user, or name another as [archive] directory",
    errno.EROFS: "mount the folder writable, or name another as [archive] directory",
    errno.ENOTDIR: "name a folder as [archive] directory",
    errno.EEXIST: "name a folder as [archive] directory",
    errno.ENOLCK: "use a file system that knows locks as [archive] directory",
}


@dataclass(frozen=True, kw_only=True)
class Recovered:
    """What was done to one file that a dead process left: the bytes kept in it and those cut from its end.

    `name` is the final name. A file of which nothing was whole is removed, and `kept_bytes` is 0. One that this user
    may not write is `left` as it is, with the cause: what is whole in it can be read all the same.
    """

    name: str
    kept_bytes: int = 0
    cut_bytes: int = 0
    left: str | None = None


def unavailable(folder: Path, problem: OSError, *, remedy: str | None = None) -> ArchiveUnavailable:
    """Return `problem` with the archive's folder in our terms."""
    remedy = remedy or _REMEDIES.get(problem.errno or 0, "check the disk and the folder")
    cause = str(problem.strerror or problem)
    if problem.filename is not None and Path(os.fsdecode(problem.filename)) != folder:
        name = os.fsdecode(problem.filename)
        cause += f" ({name})"
        if problem.errno in (errno.EACCES, errno.EPERM) and Path(name).is_file():
            remedy = f"make {name} writable for this user, or move it away"
    return ArchiveUnavailable(str(folder), f"the archive cannot be used: {cause}", remedy)


def file_stem(*, started_at: datetime, nonce: str) -> str:
    """Return the beginning of a writer's file names, which no other writer on any machine shares."""
    host = re.sub(r"[^A-Za-z0-9]+", "-", socket.gethostname()).strip("-")[:40] or "host"
    return f"morgue-{started_at.astimezone(UTC):%Y%m%d%H%M%S}-{host}-{os.getpid()}-{nonce}"


def final_name(path: Path) -> str:
    """Return the name that database rows hold for the file at `path`, whether it is closed or still written."""
    return path.name.removesuffix(OPEN_SUFFIX)


def warc_paths(folder: Path) -> list[Path]:
    """Return all WARC files in the folder, closed and still written, by name. A folder that is missing has none."""
    if not folder.is_dir():
        return []
    return sorted(path for path in folder.iterdir() if final_name(path).endswith(SUFFIX) and path.is_file())


@contextmanager
def opened_to_read(folder: Path, name: str) -> Iterator[BinaryIO]:
    """Open the file of that final name, also while it is still written. Raises OSError."""
    for candidate in (name, name + OPEN_SUFFIX, name):  # it may be renamed between the first two looks
        try:
            file = (folder / candidate).open("rb")
        except FileNotFoundError:
            continue
        with file:
            yield file
        return
    raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(folder / name))


def is_locked(file: BinaryIO) -> bool:
    """Whether a living process is writing this open file."""
    try:
        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    fcntl.flock(file, fcntl.LOCK_UN)
    return False


def lock(descriptor: int, path: Path) -> bool:
    """Lock the open file for writing until it is closed. False when another holds it or has taken it away."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return is_at(descriptor, path)


def is_at(descriptor: int, path: Path) -> bool:
    """Whether an open file stands under that name. Raises OSError."""
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except FileNotFoundError:
        return False


def folder_identity(folder: Path) -> tuple[int, int]:
    """Return what tells a folder from another one of the same name. Raises OSError."""
    found = folder.stat()
    return found.st_dev, found.st_ino


def sync_folder(folder: Path) -> None:
    """Make new and changed names in the folder durable."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def prepare_folder(folder: Path) -> None:
    """Create the folder where it is missing and see that it can be written to. Raises `ArchiveUnavailable`."""
    try:
        if not folder.is_dir():
            folder.mkdir(parents=True)
            sync_folder(folder.parent)
        probe = folder / f".writable-{os.getpid()}"
        probe.touch()
        probe.unlink(missing_ok=True)
    except OSError as problem:
        raise unavailable(folder, problem) from problem


def recover_folder(folder: Path) -> list[Recovered]:
    """Close every file that a dead process left open, cut behind its last whole gzip member.

    Files that a living process holds are left alone. Raises `ArchiveUnavailable`.
    """
    left_open = [path for path in warc_paths(folder) if path.name.endswith(OPEN_SUFFIX)]
    try:
        found = [_recovered(path) for path in left_open]
        if any(found):
            sync_folder(folder)
    except OSError as problem:
        raise unavailable(folder, problem) from problem
    return [recovered for recovered in found if recovered is not None]


def _recovered(path: Path) -> Recovered | None:
    try:
        return _recover_file(path)
    except PermissionError as problem:
        # Another user's, as after a crawl by root that was killed. Everybody writes files of their own beside it.
        return Recovered(name=final_name(path), left=problem.strerror or "not permitted")


def _recover_file(path: Path) -> Recovered | None:
    try:
        file = path.open("r+b")
    except FileNotFoundError:  # its writer has closed it in the meantime
        return None
    final = path.with_name(final_name(path))
    with file:
        if not lock(file.fileno(), path) or final.exists():
            return None
        size = os.fstat(file.fileno()).st_size
        kept = end_of_last_whole(file, size=size)
        if kept < size:
            file.truncate(kept)
        os.fsync(file.fileno())
        if kept:
            path.rename(final)
        else:
            path.unlink()
    return Recovered(name=final.name, kept_bytes=kept, cut_bytes=size - kept)
