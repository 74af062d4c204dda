"""Bodies: types, emptiness, codings, torn and malformed answers, and odd ones that are read all the same."""

import zlib

import brotli

from storage.outcomes import Outcome
from tests.hostile.case import Case, Kept, page_case
from tests.integration.bad_answers import GOOD, NOISE, PAGE, PDF, PNG, gzipped, head, page
from tests.integration.bad_server import Script, answer, reset_after, then_silence

NETWORK, NOTHING = Outcome.NETWORK_ERROR, Kept.NOTHING


def _typed(name: str, body: bytes, content_type: str, reason: str) -> Case:
    does = f"sends {name}"
    return page_case(name, does, answer(body, content_type=content_type), Outcome.WRONG_TYPE, reason)


TYPES = [
    _typed("PDF by label", PDF, "application/pdf", "pdf"),
    _typed("PDF called HTML", PDF, "text/html", "pdf"),
    _typed("image by label", b"??", "image/webp", "image"),
    _typed("image called HTML", PNG, "text/html", "image"),
    _typed("JSON", b'{"a": 1}', "application/json", "json"),
    _typed("video", b"\0\0\0\x18ftypmp42", "video/mp4", "media"),
    _typed("bytes of nothing known", NOISE, "application/octet-stream", "unknown"),
    _typed("noise called HTML", NOISE, "text/html", "binary"),
    _typed("a label of escapes", b"?", "a/b/\x1b[31m", "unknown"),
]


def _empty(name: str, script: Script, reason: str = "empty") -> Case:
    return page_case(name, f"sends {name}", script, Outcome.NOT_ARTICLE, reason)


EMPTY = [
    _empty("nothing", answer(b"")),
    _empty("nothing, gzipped", answer(gzipped(b""), "Content-Encoding: gzip")),
    _empty("white space", answer(b" \n\t \n" * 50)),
    _empty("a comment", answer(b"<!-- nothing yet -->")),
    _empty("a byte order mark", answer(b"\xef\xbb\xbf")),
    _empty("thirty thousand open elements", answer(b"<div>" * 30_000)),
    _empty("an XML document", answer(b"<a><b/></a>", content_type="text/xml")),
]


def _torn(name: str, does: str, script: Script, reason: str, kept: Kept = NOTHING) -> Case:
    return page_case(name, does, script, NETWORK, reason, kept)


CODINGS = [
    _torn(
        "no gzip at all", "calls plain text gzip", answer(PAGE, "Content-Encoding: gzip"), "bad_encoding", Kept.HEADERS
    ),
    _torn(
        "truncated gzip",
        "cuts gzip off",
        answer(gzipped(PAGE)[:-200], "Content-Encoding: gzip"),
        "truncated",
        Kept.HEADERS,
    ),
    _torn(
        "gzip without its end",
        "leaves out gzip's sum",
        answer(gzipped(PAGE)[:-8], "Content-Encoding: gzip"),
        "truncated",
        Kept.HEADERS,
    ),
    _torn(
        "gzip with a wrong sum",
        "sends gzip that does not add up",
        answer(gzipped(PAGE)[:-8] + bytes(8), "Content-Encoding: gzip"),
        "bad_encoding",
        Kept.HEADERS,
    ),
    _torn(
        "truncated deflate",
        "cuts deflate off",
        answer(zlib.compress(PAGE)[:-100], "Content-Encoding: deflate"),
        "truncated",
        Kept.HEADERS,
    ),
    _torn(
        "truncated brotli",
        "cuts brotli off",
        answer(brotli.compress(PAGE)[:-50], "Content-Encoding: br"),
        "truncated",
        Kept.HEADERS,
    ),
    _torn(
        "a coding nobody asked for",
        "sends compress",
        answer(PAGE, "Content-Encoding: compress"),
        "bad_encoding",
        Kept.HEADERS,
    ),
]

_PLAIN = head("Content-Type: text/html")
TORN = [
    _torn("closed without a word", "hangs up", b"", "closed"),
    _torn("reset without a word", "resets the connection", reset_after(b""), "reset"),
    _torn("closed in the headers", "hangs up within the headers", b"HTTP/1.1 200 OK\r\nContent-Ty", "closed"),
    _torn("reset in the headers", "resets within the headers", reset_after(b"HTTP/1.1 200 OK\r\nContent-Ty"), "reset"),
    _torn("closed in the body", "sends less than its Content-Length", GOOD[:-300], "short_body"),
    _torn("reset in the body", "resets within the body", reset_after(GOOD[:-300]), "short_body"),
    _torn(
        "closed in a tag, no length",
        "gives no length and hangs up within a tag",
        _PLAIN + PAGE[: PAGE.index(b"h1>")],
        "short_body",
    ),
    _torn(
        "closed in a comment, no length",
        "gives no length and hangs up within a comment",
        _PLAIN + b"<p>Lamp</p><!-- it",
        "short_body",
    ),
    _torn(
        "reset in a text, no length",
        "gives no length and resets within the text",
        reset_after(_PLAIN + PAGE[:-200]),
        "short_body",
    ),
    _torn(
        "chunks without an end",
        "hangs up between two chunks",
        head("Transfer-Encoding: chunked") + b"ff\r\n" + PAGE[:255] + b"\r\n",
        "short_body",
    ),
    _torn(
        "malformed chunks",
        "counts chunks in letters",
        head("Transfer-Encoding: chunked") + b"zz\r\nhello\r\n",
        "malformed_response",
    ),
    _torn(
        "a transfer coding that is none",
        "sends `Transfer-Encoding: gzip`",
        head("Transfer-Encoding: gzip") + PAGE,
        "malformed_response",
    ),
    _torn("no HTTP", "speaks SSH", b"SSH-2.0-OpenSSH_9.2\r\n\r\n", "malformed_response"),
    _torn("no HTTP and no lines", "speaks noise", NOISE, "malformed_response"),
    _torn(
        "a status that is no number",
        "says `HTTP/1.1 fine thanks`",
        b"HTTP/1.1 fine thanks\r\n\r\n",
        "malformed_response",
    ),
    _torn(
        "two lengths",
        "gives two lengths",
        head("Content-Length: 5", "Content-Length: 7") + b"hello..",
        "malformed_response",
    ),
    _torn(
        "a length that is no number",
        "says `Content-Length: many`",
        head("Content-Length: many") + b"hello",
        "malformed_response",
    ),
    _torn(
        "a negative length", "says `Content-Length: -5`", head("Content-Length: -5") + b"hello", "malformed_response"
    ),
    _torn("a header line without a colon", "sends one", answer(PAGE, "no colon"), "malformed_response"),
    _torn("lengths that differ", "sends two", answer(PAGE, "Content-Length: 10"), "malformed_response"),
]


KEPT_OPEN = answer(PAGE).replace(b"Connection: close\r\n", b"")
CHUNKED = (
    b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nTransfer-Encoding: chunked\r\n\r\n"
    + b"%x\r\n%b\r\n0\r\n\r\n" % (len(PAGE), PAGE)
)


def _read(name: str, script: Script) -> Case:
    return page_case(f"read well: {name}", f"sends {name}", script, Outcome.CREATED, None, Kept.ARTICLE, later=False)


def _labelled(encoding: str, label: str) -> bytes:
    return answer(page().encode(encoding), content_type=f"text/html; charset={label}")


READ_WELL = [
    _read("UTF-8 called Latin-1", _labelled("utf-8", "iso-8859-1")),
    _read("a label that is no encoding", _labelled("utf-8", "klingon")),
    _read("a label of nothing", _labelled("utf-8", "")),
    _read("UTF-8 called Shift JIS by its markup", answer(page(head='<meta charset="shift_jis">').encode())),
    _read("UTF-16 with its mark", answer(page().encode("utf-16"))),
    _read("UTF-16 called UTF-8", _labelled("utf-16", "utf-8")),
    _read("UTF-8 with a mark", answer(page().encode("utf-8-sig"))),
    _read("cp1252 called UTF-8", _labelled("cp1252", "utf-8")),
    _read("cp1252 called Latin-1", _labelled("cp1252", "iso-8859-1")),
    _read("cp1252 by its header only", _labelled("cp1252", "windows-1252")),
    _read("gzip with rubbish behind", answer(gzipped(PAGE) + b"\0" * 100, "Content-Encoding: gzip")),
    _read("a coding that is none", answer(PAGE, "Content-Encoding: utf-8")),
    _read("raw deflate", answer(zlib.compress(PAGE)[2:-4], "Content-Encoding: deflate")),
    _read("no content type", head("Connection: close") + PAGE),
    _read("a content type of nonsense", answer(PAGE, content_type="hello there")),
    _read("headers of nonsense", answer(PAGE, "X: \xff\x01", "ETag: \xe9\xe9", "Set-Cookie: a=b; Path=\x7f", ": none")),
    _read("a header name that is none", answer(PAGE, "X-\xe9: 1", "X Y: 2", "X-Z : 3")),
    _read("its length twice", answer(PAGE, f"Content-Length: {len(PAGE)}")),
    _read("chunks and a length", CHUNKED.replace(b"\r\n\r\n", b"\r\nContent-Length: 5\r\n\r\n", 1)),
    _read("more than its chunks", CHUNKED + b"more"),
    _read("HTTP/1.0 without a length", b"HTTP/1.0 200 OK\r\nContent-Type: text/html\r\n\r\n" + PAGE),
    _read("no length and no </html>", _PLAIN + PAGE.replace(b"</body></html>", b"")),
    _read("a reset behind its end", reset_after(_PLAIN + PAGE)),
    _read(
        "more than its length, kept open", then_silence(answer(PAGE).replace(b"Connection: close\r\n", b"") + b"more")
    ),
    _read("more than its length", head("Content-Type: text/html", f"Content-Length: {len(PAGE)}") + PAGE + b"more"),
    _read("HTML as plain text", answer(PAGE, content_type="text/plain")),
    _read("HTML as XML", answer(PAGE, content_type="application/xml")),
    _read("NUL bytes", answer(PAGE.replace(b"<p>", b"<p>\0"))),
    _read("a status without a phrase", GOOD.replace(b" OK", b"", 1)),
    _read("100 KiB of headers", answer(PAGE, *(f"X-{number}: {'x' * 990}" for number in range(100)))),
    _read("an interim answer first", b"HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\n" + GOOD),
]
