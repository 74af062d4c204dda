"""Whether everything that the database says was kept can be read back, and everything in the archive is whole."""

import hashlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass, field
from io import SEEK_END
from pathlib import Path
from typing import BinaryIO

from warcio.archiveiterator import ArchiveIterator
from warcio.exceptions import ArchiveLoadFailed
from warcio.limitreader import LimitReader
from warcio.utils import Digester

from storage.archive import Archive
from storage.content_coding import BadContentCoding, decode_body
from storage.errors import CaptureUnreadable
from storage.records import StoredCapture
from storage.warc_files import OPEN_SUFFIX, final_name, is_locked, opened_to_read, warc_paths
from storage.warc_members import Member, scan_members
from storage.wording import counted

MAX_BODY_BYTES = 1 << 30
"""No response that was kept decodes to more; what does is damage."""

Progress = Callable[[int, int], None]
"""Called with the bytes of WARC files that were checked, and those that there are."""


@dataclass(frozen=True, kw_only=True)
class Damage:
    """Something that was kept and is not whole any more.

    `file` is a final name without folder, `offset` and `length` are in its bytes; None where the file itself is
    missing or unreadable. `what` says what is wrong; `url` and `capture_id` name the capture where a row told of it.
    """

    file: str
    what: str
    offset: int | None = None
    length: int | None = None
    url: str | None = None
    capture_id: int | None = None

    def __str__(self) -> str:
        place = self.file if self.offset is None else f"{self.file} at {self.offset}"
        return f"{place}: {self.what}" + (f" ({self.url})" if self.url else "")


@dataclass(kw_only=True)
class VerifyReport:
    """What was checked and what was found.

    `orphans` are responses that no row names: what a crash leaves between the archive and the database, and no damage.
    `recoverable` are torn ends of files that a dead process left open: the next run cuts them. `being_written` counts
    files that a living process holds; their ends are not judged.
    """

    files: int = 0
    bytes: int = 0
    members: int = 0
    responses: int = 0
    captures: int = 0
    orphans: int = 0
    being_written: int = 0
    damage: list[Damage] = field(default_factory=list)
    recoverable: list[Damage] = field(default_factory=list)

    @property
    def healthy(self) -> bool:
        """Whether nothing that was kept is damaged."""
        return not self.damage

    def as_row(self) -> dict[str, object]:
        """Return the report as JSON takes it."""
        return {"healthy": self.healthy, **asdict(self)}

    def summary(self) -> str:
        """Return the report in a sentence or two."""
        files, members, captures = (self.files, "file"), (self.members, "record"), (self.captures, "capture")
        checked = f"{counted(*files)} with {counted(*members)} and {counted(*captures)} checked"
        found = f"{len(self.damage)} damaged" if self.damage else "all whole"
        notes = [
            (self.orphans, "response", "that no row names, which is harmless"),
            (len(self.recoverable), "torn end", "that the next run cuts"),
            (self.being_written, "file", "still being written"),
        ]
        extra = "; ".join(f"{counted(count, what)} {more}" for count, what, more in notes if count)
        return f"{checked}: {found}." + (f" {extra}." if extra else "")


def verify(archive: Archive, captures: Iterable[StoredCapture], *, progress: Progress | None = None) -> VerifyReport:
    """Check every record of every WARC file, then every capture that the database names.

    Each gzip member must be complete and hold a WARC record with its digest; each capture must read back from where
    its row says, and its decoded body must have the digest of its row. Nothing is changed; files may be written
    meanwhile. Memory stays small whatever the archive's size.
    """
    report = VerifyReport()
    paths = warc_paths(archive.directory)
    total = sum(_size(path) for path in paths)
    for path in paths:
        for done in _verify_file(archive.directory, path, report):
            if progress is not None:
                progress(report.bytes + done, total)
    found = 0
    for stored in captures:
        report.captures += 1
        found += _verify_capture(archive, stored, report)
    report.orphans = max(0, report.responses - found)
    return report


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:  # closed in the meantime; it is opened under its other name
        return 0


def _verify_file(directory: Path, path: Path, report: VerifyReport) -> Iterator[int]:
    """Check one file, yielding how far it was read."""
    name = final_name(path)
    try:
        with opened_to_read(directory, name) as file:
            left_open = path.name.endswith(OPEN_SUFFIX)
            held = left_open and is_locked(file)
            size = file.seek(0, SEEK_END)
            for member in scan_members(file, size=size):
                at_end = member.end == size and left_open
                if member.complete:
                    _verify_record(file, name, member, report)
                elif not at_end:
                    report.damage.append(_torn(name, member, "no whole record stands here"))
                elif not held:
                    report.recoverable.append(_torn(name, member, "the last record is torn"))
                yield member.end
    except OSError as problem:
        report.damage.append(Damage(file=name, what=f"cannot be read: {problem.strerror or problem}"))
        return
    report.files += 1
    report.bytes += size
    report.being_written += held


def _torn(name: str, member: Member, what: str) -> Damage:
    return Damage(file=name, what=what, offset=member.offset, length=member.length)


def _verify_record(file: BinaryIO, name: str, member: Member, report: VerifyReport) -> None:
    """Check that a whole member holds one WARC record, as long as it says and with its block's digest."""
    report.members += 1
    file.seek(member.offset)
    # Without parsing HTTP, which warcio does not survive in every record: the block holds its headers and its body.
    records = ArchiveIterator(LimitReader(file, member.length), no_record_parse=True)
    try:
        record = next(records)
        stated = str(record.rec_headers.get_header("WARC-Block-Digest") or "")
        digester = _digester(stated)
        while piece := record.raw_stream.read(1 << 16):
            digester.update(piece)
    except (ArchiveLoadFailed, StopIteration, EOFError) as problem:
        report.damage.append(_torn(name, member, f"the gzip member holds no WARC record {problem}".rstrip()))
        return
    report.responses += record.rec_type == "response"
    if record.raw_stream.limit > 0:
        report.damage.append(_torn(name, member, "the record is shorter than it says"))
    elif stated and str(digester) != stated:
        report.damage.append(_torn(name, member, f"the digest of the block is {digester} and not {stated}"))


def _digester(stated: str) -> Digester:
    """Return a digester of the algorithm of `stated`, or of the usual one: an unknown algorithm matches nothing."""
    algorithm = stated.partition(":")[0].lower()
    return Digester(algorithm if algorithm in {"md5", "sha1", "sha256", "sha512"} else "sha1")


def _verify_capture(archive: Archive, stored: StoredCapture, report: VerifyReport) -> bool:
    """Check one row of the database, and say whether its record is where the row says."""
    capture = stored.capture
    try:
        exchange = archive.read(capture)
    except CaptureUnreadable as problem:
        report.damage.append(_unread(stored, problem.problem))
        return False
    try:
        body = decode_body(exchange.body, exchange.header("content-encoding"), max_bytes=MAX_BODY_BYTES)
    except BadContentCoding as problem:
        # A body that could not be decoded when it came was digested as it was.
        body = exchange.body
        what = f"the body cannot be decoded ({problem.reason})"
    else:
        what = "the digest of the decoded body does not match"
    if "sha256:" + hashlib.sha256(body).hexdigest() != capture.body_digest:
        report.damage.append(_unread(stored, what))
    return True


def _unread(stored: StoredCapture, what: str) -> Damage:
    capture = stored.capture
    return Damage(
        file=capture.warc_file,
        what=what,
        offset=capture.offset,
        length=capture.length,
        url=capture.url,
        capture_id=stored.capture_id,
    )
