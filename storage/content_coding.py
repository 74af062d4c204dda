"""HTTP content codings undone, within a bound, so that neither a bomb nor a torn body passes for a page."""

import zlib
from collections.abc import Callable, Iterator
from typing import Literal

import brotli

Reason = Literal["bad_encoding", "truncated", "too_large"]

_PIECE = 1 << 16
_GZIP, _ZLIB, _RAW_DEFLATE = 31, 15, -15
"""What zlib's `wbits` must be for the three framings."""

_UNREADABLE = frozenset({"zstd", "compress", "x-compress", "exi", "pack200-gzip", "aes128gcm", "dcb", "dcz"})
"""Registered codings that we neither ask for nor can undo."""


class BadContentCoding(ValueError):
    """A body is not what its Content-Encoding promises.

    `reason` is `bad_encoding` (other bytes), `truncated` (its end is missing) or `too_large` (it decodes to more than
    was allowed).
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
    for coding in reversed((content_encoding or "").lower().split(",")):
        decode = _DECODERS.get(coding.strip())
        if coding.strip() in _UNREADABLE:
            raise BadContentCoding("bad_encoding", coding.strip())
        if decode is not None and body:
            body = _bounded(decode(body), max_bytes, coding.strip())
    if len(body) > max_bytes:
        raise BadContentCoding("too_large", "identity")
    return body


def is_coded(content_encoding: str | None) -> bool:
    """Whether a body has a content coding that tells where it ends, so that a torn one is found when it is decoded."""
    return any(coding.strip() in _DECODERS for coding in (content_encoding or "").lower().split(","))


def _bounded(pieces: Iterator[bytes], max_bytes: int, coding: str) -> bytes:
    kept = bytearray()
    for piece in pieces:
        kept += piece
        if len(kept) > max_bytes:
            raise BadContentCoding("too_large", coding)
    return bytes(kept)


def _gunzip(body: bytes) -> Iterator[bytes]:
    """Decode one gzip member after another. What follows the last one and begins no other is passed over."""
    rest = body
    while rest:
        decoder = zlib.decompressobj(_GZIP)
        yield from _inflate(decoder, rest, "gzip")
        rest = decoder.unused_data
        if not rest.startswith(b"\x1f\x8b"):
            return


def _undeflate(body: bytes) -> Iterator[bytes]:
    """Decode `deflate`, which by RFC 9110 means zlib's framing, and which many servers send without it."""
    framed = body[0] & 0x0F == 8 and int.from_bytes(body[:2], "big") % 31 == 0
    if framed:
        yield from _inflate(zlib.decompressobj(_ZLIB), body, "deflate")
    else:
        yield from _inflate(zlib.decompressobj(_RAW_DEFLATE), body, "deflate")


def _inflate(decoder: "zlib._Decompress", body: bytes, coding: str) -> Iterator[bytes]:
    pending = body
    try:
        while not decoder.eof:
            piece = decoder.decompress(pending, _PIECE)
            pending = decoder.unconsumed_tail
            yield piece
            if not piece and not pending and not decoder.eof:
                raise BadContentCoding("truncated", coding)
    except zlib.error as problem:
        raise BadContentCoding("bad_encoding", coding) from problem


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


_DECODERS: dict[str, Callable[[bytes], Iterator[bytes]]] = {
    "gzip": _gunzip,
    "x-gzip": _gunzip,
    "deflate": _undeflate,
    "br": _unbrotli,
}
