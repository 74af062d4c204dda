"""The archive: responses kept as WARC files, written so that no crash and no full disk costs one that was synced."""

import os
import secrets
from dataclasses import dataclass
from pathlib import Path

from storage.clock import steady_seconds, utc_now
from storage.errors import ArchiveUnavailable, CaptureUnreadable
from storage.model import Capture, HttpExchange
from storage.warc_files import (
    OPEN_SUFFIX,
    SUFFIX,
    Recovered,
    file_stem,
    final_name,
    folder_identity,
    is_at,
    lock,
    opened_to_read,
    prepare_folder,
    recover_folder,
    sync_folder,
    unavailable,
    warc_paths,
)
from storage.warc_records import (
    BrokenRecord,
    new_record_id,
    parse_response,
    request_member,
    response_member,
    warcinfo_member,
)


@dataclass(kw_only=True)
class _OpenFile:
    """The file that is being written. All but `end` bytes of it are whole members; `synced` of them are on the disk.

    `begun_at` is of the steady clock.
    """

    descriptor: int
    path: Path
    name: str
    warcinfo_id: str
    begun_at: float
    end: int = 0
    synced: int = 0
    responses: int = 0


class Archive:
    """WARC 1.1 files in one folder.

    One thread appends, syncs and closes; any thread may read. Every process writes files of its own, so any number of
    them may share the folder. Nothing is created or locked before the first `append`.
    """

    def __init__(self, directory: Path, *, max_file_bytes: int, software: str) -> None:
        """Use `directory`; begin a new file before one would grow beyond `max_file_bytes`.

        `software` names the program and its version in every file.
        """
        self.directory = directory
        self._max_file_bytes = max_file_bytes
        self._software = software
        self._stem = file_stem(started_at=utc_now(), nonce=secrets.token_hex(4))
        self._serial = 0
        self._current: _OpenFile | None = None
        self._identity: tuple[int, int] | None = None
        self._landmark: str | None = None

    def recover(self) -> list[Recovered]:
        """Make the folder ready and close what dead processes left in it; files still being written are left alone.

        From then on it must stay the same folder (`check_folder`). Raises `ArchiveUnavailable` when the folder cannot
        be made or written.
        """
        prepare_folder(self.directory)
        recovered = recover_folder(self.directory)
        self._identity = folder_identity(self.directory)
        self._landmark = next((final_name(path) for path in reversed(warc_paths(self.directory))), None)
        return recovered

    def check_folder(self) -> None:
        """See that the folder is still the one that was made ready: not removed, renamed, unmounted or replaced.

        What is mounted anew is the same where it holds the file that was there last. May be called from any thread.
        Raises `ArchiveUnavailable`.
        """
        if self._identity is None:
            return
        try:
            identity = folder_identity(self.directory)
        except OSError as problem:
            raise unavailable(self.directory, problem, remedy="put the folder back, or start again") from problem
        if identity == self._identity:
            return
        landmark = self._landmark
        if landmark is None or any((self.directory / f"{landmark}{end}").exists() for end in ("", OPEN_SUFFIX)):
            self._identity = identity
            return
        raise ArchiveUnavailable(
            str(self.directory),
            f"another folder is in its place, without {landmark}",
            "put the right one back, or start again to go on in this one",
        )

    def append(self, exchange: HttpExchange, *, body_digest: str) -> Capture:
        """Write the response and its request, and return where the response stands, once `sync` has succeeded.

        `body_digest` is that of the decoded body. `captured_at` is when the last byte had come; the record's own date
        is that of the request's start, as the standard asks for. Raises `ArchiveUnavailable`; nothing of the exchange
        is then left in the file, and the next call may succeed.
        """
        file = self._current or self._begin_file()
        response = response_member(exchange, warcinfo_id=file.warcinfo_id)
        request = request_member(exchange, warcinfo_id=file.warcinfo_id)
        if file.responses and file.end + len(response) + len(request) > self._max_file_bytes:
            self.close()
            return self.append(exchange, body_digest=body_digest)
        offset = file.end
        self._write(file, response + request)
        file.responses += 1
        return Capture(
            record_id=exchange.record_id,
            url=exchange.url,
            captured_at=exchange.finished_at,
            warc_file=file.name,
            offset=offset,
            length=len(response),
            body_digest=body_digest,
        )

    def sync(self) -> None:
        """Make everything that was appended durable.

        Raises `ArchiveUnavailable` when the disk did not take it: captures appended since the last `sync` are then
        lost and must not be recorded.
        """
        file = self._current
        if file is None or file.synced == file.end:
            return
        try:
            os.fsync(file.descriptor)
            if not is_at(file.descriptor, file.path):
                raise FileNotFoundError(2, "its file was removed or renamed while it was written", file.name)
        except OSError as problem:
            # After a failed fsync the system may have forgotten which pages it did not write: what is not known to be
            # on the disk is given up, and so is the file.
            self._give_up(file, keep=file.synced)
            raise unavailable(self.directory, problem) from problem
        file.synced = file.end

    def close(self) -> None:
        """Sync, and give the file its final name. A later `append` begins another. Raises `ArchiveUnavailable`."""
        file = self._current
        if file is None:
            return
        self.sync()
        self._current = None
        try:
            self._finish(file)
        except OSError as problem:
            raise unavailable(self.directory, problem) from problem

    def close_if_older(self, seconds: float) -> bool:
        """Close a file that has been open for longer than that, and say whether there was one.

        To be called by the thread that appends. Raises `ArchiveUnavailable`.
        """
        file = self._current
        if file is None or steady_seconds() - file.begun_at <= seconds:
            return False
        self.close()
        return True

    def read(self, capture: Capture) -> HttpExchange:
        """Return the response that was kept, its body coded as it was sent. Its request's headers are left empty.

        Raises `CaptureUnreadable` when the file is missing, or the record torn, damaged or another.
        """
        try:
            return parse_response(self._read_member(capture), capture)
        except BrokenRecord as problem:
            raise _unreadable(capture, str(problem)) from problem

    def _read_member(self, capture: Capture) -> bytes:
        if Path(capture.warc_file).name != capture.warc_file:
            raise _unreadable(capture, "the name of its file leads out of the archive's folder")
        try:
            with opened_to_read(self.directory, capture.warc_file) as file:
                file.seek(capture.offset)
                member = file.read(capture.length)
        except FileNotFoundError as problem:
            raise _unreadable(capture, f"its file is not in {self.directory}") from problem
        except OSError as problem:
            raise _unreadable(capture, f"its file cannot be read: {problem.strerror or problem}") from problem
        if len(member) < capture.length:
            raise _unreadable(capture, "the file ends before the record does")
        return member

    def _begin_file(self) -> _OpenFile:
        self.check_folder()
        prepare_folder(self.directory)
        try:
            file = self._create_file()
        except OSError as problem:
            raise unavailable(self.directory, problem) from problem
        self._current, self._landmark = file, file.name
        warcinfo = warcinfo_member(
            record_id=file.warcinfo_id, filename=file.name, software=self._software, written_at=utc_now()
        )
        try:
            self._write(file, warcinfo)
            sync_folder(self.directory)
        except (ArchiveUnavailable, OSError) as problem:
            self._give_up(file, keep=0)
            if isinstance(problem, OSError):
                raise unavailable(self.directory, problem) from problem
            raise
        return file

    def _create_file(self) -> _OpenFile:
        while True:
            self._serial += 1
            name = f"{self._stem}-{self._serial:05d}{SUFFIX}"
            path = self.directory / (name + OPEN_SUFFIX)
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o644)
            try:
                if lock(descriptor, path):
                    return _OpenFile(
                        descriptor=descriptor,
                        path=path,
                        name=name,
                        warcinfo_id=new_record_id(),
                        begun_at=steady_seconds(),
                    )
            except OSError:
                path.unlink(missing_ok=True)
                os.close(descriptor)
                raise
            # Between the creation and the lock another process took it for one left by the dead, and removes it.
            os.close(descriptor)

    def _write(self, file: _OpenFile, data: bytes) -> None:
        try:
            _write_all(file.descriptor, data, at=file.end)
        except OSError as problem:
            try:
                os.ftruncate(file.descriptor, file.end)
            except OSError:
                # The torn end stays in the file, which therefore must not be continued; recovery will cut it.
                self._abandon(file)
            raise unavailable(self.directory, problem) from problem
        file.end += len(data)

    def _give_up(self, file: _OpenFile, *, keep: int) -> None:
        """Close the file with its first `keep` bytes, or leave it to recovery if even that cannot be done."""
        self._current = None
        file.end = file.synced = keep
        try:
            os.ftruncate(file.descriptor, keep)
            self._finish(file)
        except OSError:
            self._abandon(file)

    def _finish(self, file: _OpenFile) -> None:
        """Give the file its final name while it is locked; one without responses is removed."""
        try:
            if file.responses and file.end:
                file.path.rename(file.path.with_name(file.name))
            else:
                file.path.unlink(missing_ok=True)
            sync_folder(self.directory)
        finally:
            self._abandon(file)

    def _abandon(self, file: _OpenFile) -> None:
        """Let go of the file, and with it of its lock."""
        if self._current is file:
            self._current = None
        if file.descriptor >= 0:
            descriptor, file.descriptor = file.descriptor, -1
            os.close(descriptor)


def _write_all(descriptor: int, data: bytes, *, at: int) -> None:
    """Write at the offset; a disk that is nearly full takes a part and refuses the rest."""
    rest = memoryview(data)
    while rest:
        written = os.pwrite(descriptor, rest, at)
        rest, at = rest[written:], at + written


def _unreadable(capture: Capture, problem: str) -> CaptureUnreadable:
    return CaptureUnreadable(
        f"{capture.url} in {capture.warc_file} at {capture.offset}",
        problem,
        "restore the file from a backup; `morgue verify` lists all damage",
    )
