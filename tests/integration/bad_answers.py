"""Bad and odd answers of servers, and the outcome and reason that each must get."""

import gzip
import socket
import zlib
from dataclasses import dataclass

import brotli

from storage.model import Outcome
from tests.integration.bad_server import Script, answer, drip, endless, reset_after, silence

PARAGRAPHS = (
    "The lighthouse keeper of Østerholm lit the lamp again on Sunday evening, eleven years after the harbour office "
    "had declared the tower superfluous and taken its lens away.",
    "A glazier from the next village had ground a new lens by hand; it took him four winters, and he was paid in "
    "smoked eel and in the promise that the light would be named after his mother.",
    "The office said that it would not object, “provided that nobody relies on it”, and that the chart would stay as "
    "it is until the next edition is printed in the spring.",
)


def page(paragraphs: tuple[str, ...] = PARAGRAPHS, *, head: str = "", lang: str = "en") -> str:
    """Return an article's page."""
    body = "".join(f"<p>{text}</p>\n" for text in paragraphs)
    return (
        f'<!doctype html><html lang="{lang}"><head>{head}<title>Lamp lit again</title></head><body>'
        f"<article><h1>Lamp lit again</h1>{body}</article></body></html>"
    )


GOOD = answer(page().encode(), content_type="text/html; charset=utf-8")
PAGE = page().encode()


@dataclass(frozen=True)
class Case:
    """What a server does, and what the page's row says of it. `keeps` tells whether the answer stays as evidence."""

    script: Script
    outcome: Outcome
    reason: str | None
    keeps: bool = False


def head(*lines: str, status: str = "200 OK") -> bytes:
    return "\r\n".join([f"HTTP/1.1 {status}", *lines, "", ""]).encode("latin-1")


def gzipped(body: bytes) -> bytes:
    return gzip.compress(body, mtime=0)


def redirect(target: str) -> bytes:
    return answer(b"", f"Location: {target}", status="302 Found")


def slowly(at_once: bytes, rest: bytes) -> Script:
    """Return a script whose headers come at once and whose body never ends."""
    dripping = drip(rest, every_seconds=0.05)

    def act(connection: socket.socket) -> None:
        connection.sendall(at_once)
        dripping(connection)

    return act


NOISE = bytes(byte for byte in range(256) if chr(byte) != "<") * 40
PDF = b"%PDF-1.7\n1 0 obj<</Type/Catalog>>endobj\n"
PNG = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR"
CASES = {
    # Statuses
    "400": Case(answer(PAGE, status="400 Bad Request"), Outcome.HTTP_ERROR, "status_400"),
    "401": Case(answer(PAGE, status="401 Unauthorized"), Outcome.BLOCKED_STATUS, "status_401", keeps=True),
    "403": Case(answer(PAGE, status="403 Forbidden"), Outcome.BLOCKED_STATUS, "status_403", keeps=True),
    "404": Case(answer(PAGE, status="404 Not Found"), Outcome.MISSING, "not_found", keeps=True),
    "410": Case(answer(PAGE, status="410 Gone"), Outcome.MISSING, "gone", keeps=True),
    "404 of much text": Case(answer(b"x" * 70_000, status="404 Not Found"), Outcome.MISSING, "not_found"),
    "404 that is no gzip": Case(
        answer(PAGE, "Content-Encoding: gzip", status="404 Not Found"), Outcome.MISSING, "not_found"
    ),
    "418": Case(answer(PAGE, status="418 I'm a teapot"), Outcome.HTTP_ERROR, "status_418"),
    "429": Case(answer(PAGE, status="429 Too Many Requests"), Outcome.RATE_LIMITED, "status_429", keeps=True),
    "451": Case(answer(PAGE, status="451 Odd"), Outcome.BLOCKED_STATUS, "status_451", keeps=True),
    "500": Case(answer(PAGE, status="500 Oops"), Outcome.HTTP_ERROR, "status_500"),
    "502": Case(answer(b"", status="502 Bad Gateway"), Outcome.HTTP_ERROR, "status_502"),
    "503": Case(answer(PAGE, "Retry-After: soon", status="503 Busy"), Outcome.RATE_LIMITED, "status_503", keeps=True),
    "999": Case(answer(PAGE, status="999 Denied"), Outcome.HTTP_ERROR, "status_999"),
    "204": Case(head("Connection: close", status="204 No Content"), Outcome.HTTP_ERROR, "status_204"),
    "206": Case(answer(PAGE[:500], status="206 Partial Content"), Outcome.HTTP_ERROR, "status_206"),
    "304 that nobody asked for": Case(
        head("Connection: close", status="304 Not Modified"), Outcome.HTTP_ERROR, "status_304"
    ),
    # Redirects
    "redirect to itself": Case(redirect("/page"), Outcome.HTTP_ERROR, "redirect_loop"),
    "redirect nowhere": Case(answer(b"", status="302 Found"), Outcome.HTTP_ERROR, "redirect_without_location"),
    "redirect to a file": Case(redirect("file:///etc/passwd"), Outcome.HTTP_ERROR, "redirect_scheme"),
    "redirect to a script": Case(redirect("javascript:alert(1)"), Outcome.HTTP_ERROR, "redirect_scheme"),
    "redirect to no host": Case(redirect("http://:80/"), Outcome.HTTP_ERROR, "redirect_malformed"),
    "redirect to a bad port": Case(redirect("http://127.0.0.1:99999/"), Outcome.HTTP_ERROR, "redirect_malformed"),
    "redirect to brackets": Case(redirect("http://[/"), Outcome.HTTP_ERROR, "redirect_malformed"),
    # Time
    "no answer": Case(silence, Outcome.TIMEOUT, "no_response_in_time"),
    "slow headers": Case(drip(GOOD, every_seconds=0.05), Outcome.TIMEOUT, "no_response_in_time"),
    "slow body": Case(slowly(head("Content-Type: text/html"), PAGE), Outcome.TIMEOUT, "no_response_in_time"),
    # Size
    "announced too large": Case(
        head("Content-Type: text/html", "Content-Length: 99999999") + PAGE, Outcome.TOO_LARGE, "body"
    ),
    "endless": Case(endless(head("Content-Type: text/html"), b"<p>more and more</p>" * 500), Outcome.TOO_LARGE, "body"),
    "endless chunks": Case(
        endless(head("Transfer-Encoding: chunked"), b"1000\r\n" + b"x" * 4096 + b"\r\n"), Outcome.TOO_LARGE, "body"
    ),
    "endless headers": Case(
        endless(b"HTTP/1.1 200 OK\r\n", b"X-More: and more\r\n"), Outcome.TOO_LARGE, "headers"
    ),
    "one endless header": Case(endless(b"HTTP/1.1 200 OK\r\nX: ", b"x" * 4096), Outcome.TOO_LARGE, "headers"),
    "gzip bomb": Case(answer(gzipped(b"0" * 50_000_000), "Content-Encoding: gzip"), Outcome.TOO_LARGE, "decoded_body"),
    "brotli bomb": Case(
        answer(brotli.compress(b"0" * 50_000_000), "Content-Encoding: br"), Outcome.TOO_LARGE, "decoded_body"
    ),
    "a bomb in a bomb": Case(
        answer(gzipped(gzipped(b"0" * 50_000_000)), "Content-Encoding: gzip, gzip"), Outcome.TOO_LARGE, "decoded_body"
    ),
    # Type
    "PDF by label": Case(answer(PDF, content_type="application/pdf"), Outcome.WRONG_TYPE, "pdf"),
    "PDF called HTML": Case(answer(PDF), Outcome.WRONG_TYPE, "pdf"),
    "image by label": Case(answer(b"??", content_type="image/webp"), Outcome.WRONG_TYPE, "image"),
    "image called HTML": Case(answer(PNG), Outcome.WRONG_TYPE, "image"),
    "JSON": Case(answer(b'{"a": 1}', content_type="application/json"), Outcome.WRONG_TYPE, "json"),
    "video": Case(answer(b"\0\0\0\x18ftypmp42", content_type="video/mp4"), Outcome.WRONG_TYPE, "media"),
    "bytes of nothing known": Case(
        answer(NOISE, content_type="application/octet-stream"), Outcome.WRONG_TYPE, "unknown"
    ),
    "noise called HTML": Case(answer(NOISE), Outcome.WRONG_TYPE, "binary"),
    "a label of nonsense": Case(answer(b"?", content_type="a/b/\x1b[31m"), Outcome.WRONG_TYPE, "unknown"),
    # Emptiness
    "empty": Case(answer(b""), Outcome.NOT_ARTICLE, "empty"),
    "empty and gzipped": Case(answer(gzipped(b""), "Content-Encoding: gzip"), Outcome.NOT_ARTICLE, "empty"),
    "white space": Case(answer(b" \n\t \n" * 50), Outcome.NOT_ARTICLE, "empty"),
    "only a comment": Case(answer(b"<!-- nothing yet -->"), Outcome.NOT_ARTICLE, "empty"),
    "only a byte order mark": Case(answer(b"\xef\xbb\xbf"), Outcome.NOT_ARTICLE, "empty"),
    "deep nesting": Case(answer(b"<div>" * 30_000), Outcome.NOT_ARTICLE, "empty"),
    "an XML document": Case(answer(b"<a><b/></a>", content_type="text/xml"), Outcome.NOT_ARTICLE, "empty"),
    # Content codings
    "no gzip at all": Case(answer(PAGE, "Content-Encoding: gzip"), Outcome.NETWORK_ERROR, "bad_encoding"),
    "truncated gzip": Case(answer(gzipped(PAGE)[:-200], "Content-Encoding: gzip"), Outcome.NETWORK_ERROR, "truncated"),
    "gzip without its end": Case(
        answer(gzipped(PAGE)[:-8], "Content-Encoding: gzip"), Outcome.NETWORK_ERROR, "truncated"
    ),
    "gzip with a wrong sum": Case(
        answer(gzipped(PAGE)[:-8] + bytes(8), "Content-Encoding: gzip"), Outcome.NETWORK_ERROR, "bad_encoding"
    ),
    "truncated deflate": Case(
        answer(zlib.compress(PAGE)[:-100], "Content-Encoding: deflate"), Outcome.NETWORK_ERROR, "truncated"
    ),
    "truncated brotli": Case(
        answer(brotli.compress(PAGE)[:-50], "Content-Encoding: br"), Outcome.NETWORK_ERROR, "truncated"
    ),
    "a coding nobody asked for": Case(answer(PAGE, "Content-Encoding: zstd"), Outcome.NETWORK_ERROR, "bad_encoding"),
    # Torn and malformed answers
    "closed without a word": Case(b"", Outcome.NETWORK_ERROR, "closed"),
    "reset without a word": Case(reset_after(b""), Outcome.NETWORK_ERROR, "reset"),
    "closed in the headers": Case(b"HTTP/1.1 200 OK\r\nContent-Ty", Outcome.NETWORK_ERROR, "closed"),
    "reset in the headers": Case(reset_after(b"HTTP/1.1 200 OK\r\nContent-Ty"), Outcome.NETWORK_ERROR, "reset"),
    "closed in the body": Case(GOOD[:-300], Outcome.NETWORK_ERROR, "short_body"),
    "reset in the body": Case(reset_after(GOOD[:-300]), Outcome.NETWORK_ERROR, "short_body"),
    "chunks without an end": Case(
        head("Transfer-Encoding: chunked") + b"ff\r\n" + PAGE[:255] + b"\r\n", Outcome.NETWORK_ERROR, "short_body"
    ),
    "malformed chunks": Case(
        head("Transfer-Encoding: chunked") + b"zz\r\nhello\r\n", Outcome.NETWORK_ERROR, "malformed_response"
    ),
    "no HTTP": Case(b"SSH-2.0-OpenSSH_9.2\r\n\r\n", Outcome.NETWORK_ERROR, "malformed_response"),
    "no HTTP and no lines": Case(NOISE, Outcome.NETWORK_ERROR, "malformed_response"),
    "a status that is no number": Case(b"HTTP/1.1 fine thanks\r\n\r\n", Outcome.NETWORK_ERROR, "malformed_response"),
    "two lengths": Case(
        head("Content-Length: 5", "Content-Length: 7") + b"hello..", Outcome.NETWORK_ERROR, "malformed_response"
    ),
    "a length that is no number": Case(
        head("Content-Length: many") + b"hello", Outcome.NETWORK_ERROR, "malformed_response"
    ),
    "a header name that is none": Case(answer(PAGE, "X-\xe9: 1"), Outcome.NETWORK_ERROR, "malformed_response"),
    "a negative length": Case(head("Content-Length: -5") + b"hello", Outcome.NETWORK_ERROR, "malformed_response"),
}
WELL_READ = {
    "a wrong label": answer(page().encode(), content_type="text/html; charset=iso-8859-1"),
    "a label that is no encoding": answer(page().encode(), content_type="text/html; charset=klingon"),
    "a label of nothing": answer(page().encode(), content_type="text/html; charset="),
    "a wrong label in the markup": answer(page(head='<meta charset="shift_jis">').encode()),
    "UTF-16 with its mark": answer(page().encode("utf-16")),
    "UTF-16 called UTF-8": answer(page().encode("utf-16"), content_type="text/html; charset=utf-8"),
    "UTF-8 with a mark": answer(page().encode("utf-8-sig")),
    "cp1252 called UTF-8": answer(page().encode("cp1252"), content_type="text/html; charset=utf-8"),
    "cp1252 called Latin-1": answer(page().encode("cp1252"), content_type="text/html; charset=iso-8859-1"),
    "cp1252 by its header only": answer(page().encode("cp1252"), content_type="text/html; charset=windows-1252"),
    "gzip with rubbish behind": answer(gzipped(PAGE) + b"\0" * 100, "Content-Encoding: gzip"),
    "a coding that is none": answer(PAGE, "Content-Encoding: utf-8"),
    "raw deflate": answer(zlib.compress(PAGE)[2:-4], "Content-Encoding: deflate"),
    "no content type": head("Connection: close") + PAGE,
    "a content type of nonsense": answer(PAGE, content_type="hello there"),
    "headers of nonsense": answer(PAGE, "X: \xff\x01", "ETag: \xe9\xe9", "Set-Cookie: a=b; Path=\x7f"),
    "HTTP/1.0 without a length": b"HTTP/1.0 200 OK\r\nContent-Type: text/html\r\n\r\n" + PAGE,
    "a length that is too short": head("Content-Type: text/html", f"Content-Length: {len(PAGE)}") + PAGE + b"more",
    "a plain-text label": answer(PAGE, content_type="text/plain"),
    "NUL bytes": answer(PAGE.replace(b"<p>", b"<p>\0")),
    "a status without a phrase": GOOD.replace(b" OK", b"", 1),
}
JAPANESE = (
    "小樽市の灯台守は日曜日の夜、十一年ぶりに灯をともした。港湾事務所が不要だとしてレンズを外してから、塔は暗いままだった。",
    "隣村の硝子職人が新しいレンズを手で磨き上げるのに四度の冬を要した。報酬は鰊の燻製と、灯に母の名を付けるという約束だった。",
    "事務所は反対しないとしたが、海図は来春に次の版が刷られるまで改めないという。漁師たちはもう灯を頼りに船を出している。",
)


def feed(*paths: str, end: str = "</channel></rss>") -> str:
    items = "".join(f"<item><title>t</title><link>{path}</link></item>" for path in paths)
    return f'<?xml version="1.0" encoding="utf-8"?><rss version="2.0"><channel><title>All</title>{items}{end}'


FEED_TYPE = "application/rss+xml"
