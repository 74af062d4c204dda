"""Undoes gzip where a file was packed and nobody says so, within a bound. Pure.

Sitemaps are often gzip files by themselves, whatever their name and their Content-Type are, and now and then packed
twice. A file whose end is missing gives what could be read.
"""

import zlib
from dataclasses import dataclass

MAX_LAYERS = 3
MAX_MEMBERS = 10_000
"""Parts that one gzip file may consist of: programs that pack in blocks of 64 KiB make 800 of 50 MiB."""

_MAGIC = b"\x1f\x8b"
_GZIP = 31
_PIECE = 1 << 16
_PIECE_DECODED = 1 << 14


@dataclass(frozen=True, kw_only=True)
class Unpacked:
    """A body without its layers of gzip. `problem` is None, `too_large` where it was cut behind the most bytes that are
    wanted, `truncated` where its end is missing, or `malformed` where it is damaged."""

    body: bytes
    problem: str | None = None


def is_packed(body: bytes) -> bool:
    """Whether a body is a gzip file by its first bytes."""
    return body.startswith(_MAGIC)


def unpack(body: bytes, *, max_bytes: int) -> Unpacked:
    """Return the body with at most three layers of gzip undone, and at most `max_bytes` of it."""
    problem: str | None = None
    for _ in range(MAX_LAYERS):
        if not is_packed(body):
            break
        layer = _gunzip(body, max_bytes)
        body, problem = layer.body, problem or layer.problem
    if len(body) > max_bytes:
        return Unpacked(body=body[:max_bytes], problem=problem or "too_large")
    return Unpacked(body=body, problem=problem)


def _gunzip(body: bytes, max_bytes: int) -> Unpacked:
    """Undo one layer, member after member. What follows the last one and begins no other is passed over."""
    kept = bytearray()
    decoder = zlib.decompressobj(_GZIP)
    pending, at, members, may_hold_more = b"", 0, 1, False
    while True:
        if not pending and not may_hold_more:
            pending = body[at : at + _PIECE]
            at += _PIECE
            if not pending:
                return Unpacked(body=bytes(kept), problem=None if decoder.eof else "truncated")
        if decoder.eof:
            # The first bytes of the next member may stand at a piece's end.
            pending += body[at : at + 1]
            at += 1
            members += 1
            if not is_packed(pending) or members > MAX_MEMBERS:
                return Unpacked(body=bytes(kept), problem="malformed" if members > MAX_MEMBERS else None)
            decoder = zlib.decompressobj(_GZIP)
        try:
            # In small pieces, because one that is damaged is lost whole.
            piece = decoder.decompress(pending, _PIECE_DECODED)
        except zlib.error:
            return Unpacked(body=bytes(kept), problem="malformed")
        kept += piece
        if len(kept) > max_bytes:
            return Unpacked(body=bytes(kept[:max_bytes]), problem="too_large")
        pending = decoder.unused_data if decoder.eof else decoder.unconsumed_tail
        may_hold_more = not decoder.eof and len(piece) == _PIECE_DECODED
