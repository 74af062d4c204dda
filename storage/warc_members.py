"""The gzip members that a WARC file is made of, each of them checked to its end.

Readers of WARC files pass over a last record that is cut, and lose every record behind a damaged one. Here each member
is decompressed to its checksum, and behind damage the next whole record is looked for.
"""

import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

_MAGIC = b"\x1f\x8b\x08"
_RECORD = b"WARC/"
_PIECE = 1 << 18


@dataclass(frozen=True, kw_only=True)
class Member:
    """A stretch of a file, in bytes: one whole gzip member, or what stands between two of them or after the last."""

    offset: int
    length: int
    complete: bool

    @property
    def end(self) -> int:
        """The offset of the first byte behind it."""
        return self.offset + self.length


def scan_members(file: BinaryIO, *, size: int) -> Iterator[Member]:
    """Yield what the first `size` bytes of `file` hold, in order and without gaps; memory stays small.

    A stretch that is not complete reaches to the next whole member that holds a WARC record, or to `size`. (A torn
    record may contain a whole gzip member all the same: the page's own body.) Raises OSError when reading fails.
    """
    offset = 0
    while offset < size:
        length = _whole_length(file, offset, size)
        complete = length is not None
        if length is None:
            length = _next_record(file, offset + 1, size) - offset
        yield Member(offset=offset, length=length, complete=complete)
        offset += length


def end_of_last_whole(file: BinaryIO, *, size: int) -> int:
    """Return where the last whole member ends: what follows was never written to its end. 0 when there is none."""
    return max((member.end for member in scan_members(file, size=size) if member.complete), default=0)


def _whole_length(file: BinaryIO, offset: int, size: int, *, begins: bytes = b"") -> int | None:
    """Return the length of the gzip member at `offset`, or None if it is none, is damaged, or ends behind `size`.

    With `begins` only a member whose content begins so counts.
    """
    decoder = zlib.decompressobj(31)
    file.seek(offset)
    position = offset
    head = b""
    while not decoder.eof:
        piece = file.read(min(_PIECE, size - position))
        if not piece:
            return None
        position += len(piece)
        try:
            while piece and not decoder.eof:
                content = decoder.decompress(piece, _PIECE)
                piece = decoder.unconsumed_tail
                if len(head) < len(begins):
                    head += content[: len(begins) - len(head)]
                    if not begins.startswith(head):
                        return None
        except zlib.error:
            return None
    return position - len(decoder.unused_data) - offset if head == begins else None


def _next_record(file: BinaryIO, start: int, size: int) -> int:
    """Return the offset of the first whole member from `start` on that holds a WARC record, or `size`."""
    position = start
    while position < size:
        file.seek(position)
        window = file.read(min(_PIECE, size - position))
        found = window.find(_MAGIC)
        while found >= 0:
            if _whole_length(file, position + found, size, begins=_RECORD) is not None:
                return position + found
            found = window.find(_MAGIC, found + 1)
        if position + len(window) >= size or not window:
            return size
        # A magic number may lie across two windows.
        position += len(window) - len(_MAGIC) + 1
    return size
