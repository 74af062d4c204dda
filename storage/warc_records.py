"""HTTP exchanges as WARC 1.1 records, each its own gzip member, and read back from them. Touches no files."""

import hashlib
import re
import zlib
from base64 import b32encode
from collections.abc import Sequence
from datetime import UTC, datetime
from io import BytesIO
from urllib.parse import quote, urlsplit
from uuid import uuid4

from warcio.archiveiterator import ArchiveIterator
from warcio.exceptions import ArchiveLoadFailed
from warcio.recordloader import ArcWarcRecord
from warcio.statusandheaders import StatusAndHeaders
from warcio.warcwriter import WARCWriter

from storage.model import Capture, Headers, HttpExchange

FORMAT = "WARC File Format 1.1"
_SPECIFICATION = "http://iipc.github.io/warc-specifications/specifications/warc-format/warc-1.1/"

_SECRET = frozenset({"authorization", "proxy-authorization", "cookie"})
"""Request headers that are never archived: WARC files are made to be handed on."""

_NO_BODY = frozenset({204, 304})
"""Answers whose Content-Length, if they send one, does not count their own body."""

_BREAKS = re.compile(r"[\r\n\0]+")
_UNSAFE_IN_URL = re.compile(r"[\x00-\x20\x7f]")


class BrokenRecord(ValueError):
    """Bytes that should be a response's record are something else; the message says what."""


def new_record_id() -> str:
    """Return a fresh WARC record id."""
    return uuid4().urn


def warcinfo_member(*, record_id: str, filename: str, software: str, written_at: datetime) -> bytes:
    """Return the first member of a file: who wrote it, and in which format. `written_at` is aware."""
    fields = {"software": software, "format": FORMAT, "conformsTo": _SPECIFICATION}
    block = "".join(f"{name}: {_one_line(value)}\r\n" for name, value in fields.items()).encode()
    named = [
        ("WARC-Type", "warcinfo"),
        ("WARC-Record-ID", f"<{record_id}>"),
        ("WARC-Filename", filename),
        ("WARC-Date", _warc_date(written_at)),
    ]
    return _member(named, "application/warc-fields", block)


def response_member(exchange: HttpExchange, *, warcinfo_id: str) -> bytes:
    """Return the response as it was sent, but for its transfer coding, which is undone.

    The record's date is that of the request's start, which is what the standard asks for.
    """
    head = _head(_status_line(exchange), _with_true_length(exchange))
    named = [
        ("WARC-Type", "response"),
        ("WARC-Record-ID", f"<{exchange.record_id}>"),
        *_about(exchange, warcinfo_id),
        ("WARC-Payload-Digest", _digest(exchange.body)),
    ]
    return _member(named, "application/http; msgtype=response", head + exchange.body)


def request_member(exchange: HttpExchange, *, warcinfo_id: str) -> bytes:
    """Return the request, without what would let a reader of the file in somewhere as ourselves."""
    parts = urlsplit(exchange.url)
    target = quote(parts.path or "/", safe="%/:@!$&'()*+,;=~-._") + (
        "?" + quote(parts.query, safe="%/?:@!$&'()*+,;=~-._") if parts.query else ""
    )
    headers = [field for field in exchange.request_headers if field[0].lower() not in _SECRET]
    if not any(name.lower() == "host" for name, _ in headers):
        headers.insert(0, ("Host", parts.netloc.rpartition("@")[2]))
    head = _head(f"{exchange.method} {target} {_http_version(exchange)}", headers)
    named = [
        ("WARC-Type", "request"),
        ("WARC-Record-ID", f"<{new_record_id()}>"),
        ("WARC-Concurrent-To", f"<{exchange.record_id}>"),
        *_about(exchange, warcinfo_id),
        # warcio would digest the head as well, which is no payload.
        ("WARC-Payload-Digest", _digest(b"")),
    ]
    return _member(named, "application/http; msgtype=request", head)


def parse_response(member: bytes, capture: Capture) -> HttpExchange:
    """Return the response that `member` holds. Its request's headers are not part of it and are left empty.

    Raises `BrokenRecord` when the member is torn, holds another record than the capture's, or fails its digest.
    """
    decoder = zlib.decompressobj(31)
    try:
        plain = decoder.decompress(member)
    except zlib.error as problem:
        raise BrokenRecord(f"the gzip member is damaged ({problem})") from problem
    if not decoder.eof or decoder.unused_data:
        raise BrokenRecord("the gzip member does not end where it should")
    fields, block = _parse_record(plain)
    if fields.get_header("WARC-Record-ID") != f"<{capture.record_id}>":
        raise BrokenRecord(f"another record stands there: {fields.get_header('WARC-Record-ID')}")
    if fields.get_header("WARC-Type") != "response":
        raise BrokenRecord(f"a {fields.get_header('WARC-Type')} record stands there")
    if len(block) != int(fields.get_header("Content-Length", "-1")):
        raise BrokenRecord("the record is shorter than it says")
    if fields.get_header("WARC-Block-Digest") != _digest(block):
        raise BrokenRecord("the block digest does not match")
    return _parse_exchange(fields, block, capture)


def _parse_record(plain: bytes) -> tuple[StatusAndHeaders, bytes]:
    try:
        record = next(iter(ArchiveIterator(BytesIO(plain), no_record_parse=True)))
    except (ArchiveLoadFailed, StopIteration, EOFError) as problem:
        raise BrokenRecord("the gzip member holds no WARC record") from problem
    return record.rec_headers, record.raw_stream.read()


def _parse_exchange(fields: StatusAndHeaders, block: bytes, capture: Capture) -> HttpExchange:
    # warcio's own reading of HTTP headers guesses their charset; header bytes are Latin-1 here and in the crawler.
    head, _, body = block.partition(b"\r\n\r\n")
    status_line, *lines = head.decode("latin-1").split("\r\n")
    version, _, rest = status_line.partition(" ")
    code, _, reason = rest.partition(" ")
    if not code.isdecimal():
        raise BrokenRecord(f"the response has no status: {status_line[:80]!r}")
    return HttpExchange(
        record_id=capture.record_id,
        url=capture.url,
        method="GET",
        request_headers=(),
        status=int(code),
        reason_phrase=reason,
        http_version=version,
        response_headers=tuple((name, value.strip()) for name, _, value in (line.partition(":") for line in lines)),
        body=body,
        ip_address=fields.get_header("WARC-IP-Address"),
        started_at=datetime.fromisoformat(fields.get_header("WARC-Date")),
        finished_at=capture.captured_at,
    )


def _about(exchange: HttpExchange, warcinfo_id: str) -> list[tuple[str, str]]:
    """Return the named fields that a request and its response share."""
    target = _UNSAFE_IN_URL.sub(lambda found: f"%{ord(found.group()):02X}", exchange.url)
    fields = [("WARC-Target-URI", target), ("WARC-Date", _warc_date(exchange.started_at))]
    if exchange.ip_address:
        fields.append(("WARC-IP-Address", exchange.ip_address))
    if exchange.http_version.upper() not in {"HTTP/1.0", "HTTP/1.1"}:
        fields.append(("WARC-Protocol", exchange.http_version.lower()))
    return [*fields, ("WARC-Warcinfo-ID", f"<{warcinfo_id}>")]


def _member(named: list[tuple[str, str]], content_type: str, block: bytes) -> bytes:
    # The block is handed over whole: warcio would percent-encode header bytes that are not ASCII.
    headers = StatusAndHeaders("", named, protocol="WARC/1.1")
    kind = headers.get_header("WARC-Type")
    headers.add_header("WARC-Block-Digest", _digest(block))
    record = ArcWarcRecord("warc", kind, headers, BytesIO(block), None, content_type, len(block))
    written = BytesIO()
    WARCWriter(written, gzip=True, warc_version="1.1").write_record(record)
    return written.getvalue()


def _status_line(exchange: HttpExchange) -> str:
    return f"{_http_version(exchange)} {exchange.status} {exchange.reason_phrase}"


def _http_version(exchange: HttpExchange) -> str:
    """Return a version that readers of WARC files know: HTTP/2 has no textual form and is written as 1.1."""
    version = exchange.http_version.upper()
    return version if version in {"HTTP/1.0", "HTTP/1.1"} else "HTTP/1.1"


def _with_true_length(exchange: HttpExchange) -> Headers:
    """Return the response's headers for a body without transfer coding, whose length is known."""
    kept = [field for field in exchange.response_headers if field[0].lower() != "transfer-encoding"]
    if exchange.status in _NO_BODY and not exchange.body:
        return kept
    length = str(len(exchange.body))
    lengths = [at for at, (name, _) in enumerate(kept) if name.lower() == "content-length"]
    if not lengths:
        return [*kept, ("Content-Length", length)]
    first = lengths[0]
    kept[first] = (kept[first][0], length)
    return [field for at, field in enumerate(kept) if at == first or at not in lengths]


def _head(first_line: str, headers: Headers) -> bytes:
    lines: Sequence[str] = [first_line, *(f"{name}: {value}" for name, value in headers)]
    return b"".join(_header_bytes(_one_line(line)) + b"\r\n" for line in lines) + b"\r\n"


def _header_bytes(line: str) -> bytes:
    try:
        return line.encode("latin-1")
    except UnicodeEncodeError:
        return line.encode("utf-8", "replace")


def _one_line(text: str) -> str:
    """Return `text` without what would begin another line, and with it a header of somebody else's making."""
    return _BREAKS.sub(" ", text)


def _digest(data: bytes) -> str:
    """Return the digest in the form that other tools for WARC files expect: SHA-1 in base 32."""
    return "sha1:" + b32encode(hashlib.sha1(data, usedforsecurity=False).digest()).decode()


def _warc_date(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
