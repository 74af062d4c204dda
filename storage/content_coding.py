"""HTTP content codings undone, within a bound, so that neither a bomb nor a torn body passes for a page."""

import sys
import zlib
from collections.abc import Callable, Generator, Iterator
from typing import Literal

import brotli

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

Reason = Literal["bad_encoding", "truncated", "too_large", "too_many_codings"]

MAX_CODINGS = 5
"""Codings one upon the other that are undone; a server that packs what is packed already makes two."""
MAX_LABEL = 1_000
"""Characters of a Content-Encoding."""

_PIECE = 1 << 16
_FED_AT_ONCE = 16 * 1024
_GZIP, _ZLIB, _RAW_DEFLATE = 31, 15, -15
"""What zlib's `wbits` must be for the three framings."""
_ZSTD_FRAME = b"\x28\xb5\x2f\xfd"
_ZSTD_OPTIONS = {int(zstd.DecompressionParameter.window_log_max): 23}
"""RFC 9659: what is sent over HTTP needs no window of more than 8 MiB, and a decoder need not take more."""

_UNREADABLE = frozenset({"compress", "x-compress", "exi", "pack200-gzip", "aes128gcm", "dcb", "dcz"})
"""Registered codings that we neither ask for nor can undo."""


class BadContentCoding(ValueError):
    """A body is not what its Content-Encoding promises.

    `reason` is `bad_encoding` (other bytes), `truncated` (its end is missing), `too_large` (it decodes to more than was
    allowed) or `too_many_codings` (no server means so many, and each takes as long as the body is).
    """

    def __init__(self, reason: Reason, coding: str) -> None:
        super().__init__(f"{reason}: {coding}")
        self.reason = reason
        self.coding = coding


def decode_body(body: bytes, content_encoding: str | None, *, max_bytes: int) -> bytes:
    """Return `body` with its content codings undone, the last one applied first.

    Words that name no coding (`none`, `utf-8`: servers send both) are passed over, as browsers do. An empty body is
    empty in every coding. Raises `BadContentCoding`; memory stays near `max_bytes` whatever the body promises.
    """
    codings = _codings(content_encoding)
    if len(content_encoding or "") > MAX_LABEL or sum(coding in _DECODERS for coding in codings) > MAX_CODINGS:
        raise BadContentCoding("too_many_codings", f"{len(codings)} codings")
    for coding in reversed(codings):
        decode = _DECODERS.get(coding)
        if coding in _UNREADABLE:
            raise BadContentCoding("bad_encoding", coding)
        if decode is not None and body:
            body = _bounded(decode(body), max_bytes, coding)
    if len(body) > max_bytes:
        raise BadContentCoding("too_large", "identity")
    return body


def is_coded(content_encoding: str | None) -> bool:
    """Whether a body has a content coding that tells where it ends, so that a torn one is found when it is decoded."""
    return any(coding in _DECODERS for coding in _codings(content_encoding))


def _codings(content_encoding: str | None) -> list[str]:
    return [coding.strip() for coding in (content_encoding or "")[:MAX_LABEL].lower().split(",")]


def _bounded(pieces: Iterator[bytes], max_bytes: int, coding: str) -> bytes:
    kept = bytearray()
    for piece in pieces:
        kept += piece
        if len(kept) > max_bytes:
            raise BadContentCoding("too_large", coding)
    return bytes(kept)


def _gunzip(body: bytes) -> Iterator[bytes]:
    """Decode one gzip member after another. What follows the last one and begins no other is passed over."""
    end = 0
    while end == 0 or body.startswith(b"\x1f\x8b", end):
        end = yield from _inflate(zlib.decompressobj(_GZIP), body, "gzip", start=end)


def _undeflate(body: bytes) -> Iterator[bytes]:
    """Decode `deflate`, which by RFC 9110 means zlib's framing, and which many servers send without it."""
    framed = body[0] & 0x0F == 8 and int.from_bytes(body[:2], "big") % 31 == 0
    if framed:
        yield from _inflate(zlib.decompressobj(_ZLIB), body, "deflate")
    else:
        yield from _inflate(zlib.decompressobj(_RAW_DEFLATE), body, "deflate")


def _inflate(decoder: "zlib._Decompress", body: bytes, coding: str, *, start: int = 0) -> Generator[bytes, None, int]:
    """Decode the stream that begins at `start`, and return where it ends.

    The decoder is fed bit by bit: what it leaves over it copies, which for a body of very many members would take the
    square of their number.
    """
    fed, pending = start, b""
    try:
        while not decoder.eof:
            if not pending:
                pending = body[fed : fed + _FED_AT_ONCE]
                fed += len(pending)
            is_end = not pending
            piece = decoder.decompress(pending, _PIECE)
            pending = decoder.unconsumed_tail
            yield piece
            # Output may still be held back behind the last of the input.
            if is_end and not piece and not decoder.eof:
                raise BadContentCoding("truncated", coding)
    except zlib.error as problem:
        raise BadContentCoding("bad_encoding", coding) from problem
    return fed - len(decoder.unused_data)


def _unbrotli(body: bytes) -> Iterator[bytes]:
    decoder = brotli.Decompressor()
    pending = body
    try:
        while not decoder.is_finished():
            piece = decoder.process(pending, output_buffer_limit=_PIECE)
            pending = b""
            yield piece
            if not piece and not decoder.is_finished():
                raise BadContentCoding("truncated", "br")
    except brotli.error as problem:
        raise BadContentCoding("bad_encoding", "br") from problem


_MOST_FRAMES = 100_000
"""A frame costs ten microseconds or so even where nothing is in it; a server begins one where it flushes at most."""


def _unzstd(body: bytes) -> Iterator[bytes]:
    """Decode one frame after another (RFC 8878, 3.1). What follows the last one and begins no other is passed over."""
    end = frames = 0
    while end == 0 or body.startswith(_ZSTD_FRAME, end):
        if (frames := frames + 1) > _MOST_FRAMES:
            raise BadContentCoding("bad_encoding", "zstd")
        end = yield from _unzstd_frame(body, start=end)


def _unzstd_frame(body: bytes, *, start: int) -> Generator[bytes, None, int]:
    """Decode the frame that begins at `start`, and return where it ends."""
    decoder = zstd.ZstdDecompressor(options=_ZSTD_OPTIONS)
    fed, pending = start, b""
    try:
        while not decoder.eof:
            if decoder.needs_input:
                pending = body[fed : fed + _FED_AT_ONCE]
                fed += len(pending)
                if not pending:
                    raise BadContentCoding("truncated", "zstd")
            yield decoder.decompress(pending, _PIECE)
            pending = b""
    except zstd.ZstdError as problem:
        raise BadContentCoding("bad_encoding", "zstd") from problem
    return fed - len(decoder.unused_data)


_DECODERS: dict[str, Callable[[bytes], Iterator[bytes]]] = {
    "gzip": _gunzip,
    "x-gzip": _gunzip,
    "deflate": _undeflate,
    "br": _unbrotli,
    "zstd": _unzstd,
}
