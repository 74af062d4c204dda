"""Statuses, redirects, and the time and size of answers."""

import brotli

from storage.outcomes import Outcome
from tests.hostile.case import Kept, page_case
from tests.integration.bad_answers import GOOD, PAGE, gzipped, head, redirect, slowly
from tests.integration.bad_server import answer, drip, endless, silence, then_silence

STATUSES = [
    page_case("400", "answers 400 with a page", answer(PAGE, status="400 Bad"), Outcome.HTTP_ERROR, "status_400"),
    page_case(
        "401", "asks for a password", answer(PAGE, status="401 No"), Outcome.BLOCKED_STATUS, "status_401", Kept.CAPTURE
    ),
    page_case("403", "forbids", answer(PAGE, status="403 No"), Outcome.BLOCKED_STATUS, "status_403", Kept.CAPTURE),
    page_case(
        "404", "answers 404 with a page", answer(PAGE, status="404 None"), Outcome.MISSING, "not_found", Kept.CAPTURE
    ),
    page_case(
        "404 of much text",
        "answers 404 with 70 kB",
        answer(b"x" * 70_000, status="404 None"),
        Outcome.MISSING,
        "not_found",
    ),
    page_case(
        "404 that is no gzip",
        "answers 404 and calls plain text gzip",
        answer(PAGE, "Content-Encoding: gzip", status="404 None"),
        Outcome.MISSING,
        "not_found",
    ),
    page_case("410", "says it is gone", answer(PAGE, status="410 Gone"), Outcome.MISSING, "gone", Kept.CAPTURE),
    page_case("418", "is a teapot", answer(PAGE, status="418 Teapot"), Outcome.HTTP_ERROR, "status_418"),
    page_case(
        "429",
        "asks for fewer requests",
        answer(PAGE, status="429 Slow"),
        Outcome.RATE_LIMITED,
        "status_429",
        Kept.CAPTURE,
        later=False,
    ),
    page_case(
        "451", "obeys a court", answer(PAGE, status="451 Odd"), Outcome.BLOCKED_STATUS, "status_451", Kept.CAPTURE
    ),
    page_case("500", "breaks down", answer(PAGE, status="500 Oops"), Outcome.HTTP_ERROR, "status_500"),
    page_case("502", "has a dead back end", answer(b"", status="502 Bad"), Outcome.HTTP_ERROR, "status_502"),
    page_case(
        "503",
        "is busy, `Retry-After: soon`",
        answer(PAGE, "Retry-After: soon", status="503 Busy"),
        Outcome.RATE_LIMITED,
        "status_503",
        Kept.CAPTURE,
        later=False,
    ),
    page_case("999", "answers 999", answer(PAGE, status="999 Denied"), Outcome.HTTP_ERROR, "status_999"),
    page_case("204", "answers 204", head("Connection: close", status="204 None"), Outcome.HTTP_ERROR, "status_204"),
    page_case("206", "sends a part unasked", answer(PAGE[:500], status="206 Part"), Outcome.HTTP_ERROR, "status_206"),
    page_case(
        "304 unasked",
        "answers 304 at once",
        head("Connection: close", status="304 Same"),
        Outcome.HTTP_ERROR,
        "status_304",
    ),
    page_case("300", "offers a choice", answer(PAGE, status="300 Choose"), Outcome.HTTP_ERROR, "status_300"),
]

REDIRECTS = [
    page_case(
        "redirect",
        "leads on by a relative path",
        redirect("story"),
        Outcome.CREATED,
        None,
        Kept.ARTICLE,
        answers={"/story": GOOD},
        later=False,
    ),
    page_case("redirect to itself", "leads to itself", redirect("/page"), Outcome.HTTP_ERROR, "redirect_loop"),
    page_case(
        "redirect until a cookie comes",
        "sets a cookie and leads to itself until it is sent back",
        answer(b"", "Set-Cookie: seen=1; Path=/", "Location: /page", status="302 Found"),
        Outcome.HTTP_ERROR,
        "redirect_loop",
    ),
    page_case(
        "redirect in a circle",
        "leads from a to b and back",
        redirect("/b"),
        Outcome.HTTP_ERROR,
        "redirect_loop",
        answers={"/b": redirect("/page")},
    ),
    page_case(
        "too many redirects",
        "leads on and on",
        redirect("/1"),
        Outcome.HTTP_ERROR,
        "too_many_redirects",
        answers={f"/{number}": redirect(f"/{number + 1}") for number in range(1, 9)},
    ),
    page_case(
        "redirect nowhere",
        "gives no Location",
        answer(b"", status="302 Found"),
        Outcome.HTTP_ERROR,
        "redirect_without_location",
    ),
    page_case(
        "redirect to a file",
        "leads to file:///etc/passwd",
        redirect("file:///etc/passwd"),
        Outcome.HTTP_ERROR,
        "redirect_scheme",
    ),
    page_case(
        "redirect to FTP", "leads to ftp://", redirect("ftp://127.0.0.1/page"), Outcome.HTTP_ERROR, "redirect_scheme"
    ),
    page_case(
        "redirect to a script",
        "leads to javascript:",
        redirect("javascript:alert(1)"),
        Outcome.HTTP_ERROR,
        "redirect_scheme",
    ),
    page_case(
        "redirect to data",
        "leads to data:",
        redirect("data:text/html,<h1>Lamp</h1>"),
        Outcome.HTTP_ERROR,
        "redirect_scheme",
    ),
    page_case(
        "redirect to no host", "leads to http://:80/", redirect("http://:80/"), Outcome.HTTP_ERROR, "redirect_malformed"
    ),
    page_case(
        "redirect to port 99999",
        "leads to a port there is not",
        redirect("http://127.0.0.1:99999/"),
        Outcome.HTTP_ERROR,
        "redirect_malformed",
    ),
    page_case(
        "redirect to brackets", "leads to http://[/", redirect("http://[/"), Outcome.HTTP_ERROR, "redirect_malformed"
    ),
    page_case(
        "redirect with escapes",
        "leads to an address with terminal escapes",
        redirect("http://a\x1b]0;owned\x07/"),
        Outcome.HTTP_ERROR,
        "redirect_malformed",
    ),
    page_case(
        "redirect to a dead port",
        "leads where nobody listens",
        redirect("http://127.0.0.1:2/"),
        Outcome.NETWORK_ERROR,
        "refused",
        Kept.NOTHING,
    ),
    page_case(
        "redirect to a mail server",
        "leads to port 25",
        redirect("http://127.0.0.1:25/"),
        Outcome.BLOCKED_ADDRESS,
        "port",
        Kept.NOTHING,
    ),
    page_case(
        "Refresh header",
        "leads on by a Refresh header",
        answer(b"", "Refresh: 0; url=/story"),
        Outcome.CREATED,
        None,
        Kept.ARTICLE,
        answers={"/story": GOOD},
        later=False,
    ),
    page_case(
        "meta refresh",
        "leads on by markup",
        answer(b'<html><head><meta http-equiv="refresh" content="0; url=/story"></head></html>'),
        Outcome.CREATED,
        None,
        Kept.ARTICLE,
        answers={"/story": GOOD},
        later=False,
    ),
    page_case(
        "meta refresh to a file",
        "leads to file: by markup",
        answer(b'<html><head><meta http-equiv="refresh" content="0; url=file:///etc/passwd"></head></html>'),
        Outcome.HTTP_ERROR,
        "redirect_scheme",
    ),
    page_case(
        "meta refresh in a circle",
        "leads from a to b by markup and back by a Location",
        answer(b'<html><head><meta http-equiv="refresh" content="0; url=/b"></head></html>'),
        Outcome.HTTP_ERROR,
        "redirect_loop",
        answers={"/b": redirect("/page")},
    ),
]

TIMES = [
    page_case("no answer", "takes the request and says nothing", silence, Outcome.TIMEOUT, "idle", Kept.NOTHING),
    page_case(
        "silence in the headers",
        "stops within the headers",
        then_silence(b"HTTP/1.1 200 OK\r\nContent-"),
        Outcome.TIMEOUT,
        "idle",
        Kept.NOTHING,
    ),
    page_case(
        "silence in the body", "stops within the body", then_silence(GOOD[:-100]), Outcome.TIMEOUT, "idle", Kept.NOTHING
    ),
    page_case(
        "silence instead of an end",
        "sends a page without a length and does not hang up",
        then_silence(head("Content-Type: text/html") + PAGE),
        Outcome.TIMEOUT,
        "idle",
        Kept.NOTHING,
    ),
    page_case(
        "slow headers",
        "sends a byte every 50 ms",
        drip(GOOD, every_seconds=0.05),
        Outcome.TIMEOUT,
        "no_response_in_time",
        Kept.NOTHING,
    ),
    page_case(
        "slow body",
        "sends headers, then a byte every 50 ms",
        slowly(head("Content-Type: text/html"), PAGE),
        Outcome.TIMEOUT,
        "no_response_in_time",
        Kept.NOTHING,
    ),
]

SIZES = [
    page_case(
        "announced too large",
        "announces 100 MB",
        head("Content-Type: text/html", "Content-Length: 99999999") + PAGE,
        Outcome.TOO_LARGE,
        "body",
        Kept.NOTHING,
    ),
    page_case(
        "endless body",
        "sends without end",
        endless(head("Content-Type: text/html"), b"<p>more and more</p>" * 500),
        Outcome.TOO_LARGE,
        "body",
        Kept.NOTHING,
    ),
    page_case(
        "endless chunks",
        "sends chunks without end",
        endless(head("Transfer-Encoding: chunked"), b"1000\r\n" + b"x" * 4096 + b"\r\n"),
        Outcome.TOO_LARGE,
        "body",
        Kept.NOTHING,
    ),
    page_case(
        "endless headers",
        "sends header fields without end",
        endless(b"HTTP/1.1 200 OK\r\n", b"X-More: and more\r\n"),
        Outcome.TOO_LARGE,
        "headers",
        Kept.NOTHING,
    ),
    page_case(
        "one endless header",
        "sends one field without end",
        endless(b"HTTP/1.1 200 OK\r\nX: ", b"x" * 4096),
        Outcome.TOO_LARGE,
        "headers",
        Kept.NOTHING,
    ),
    page_case(
        "endless folded header",
        "goes on with one field line by line",
        endless(b"HTTP/1.1 200 OK\r\nX: y\r\n", b" and more\r\n"),
        Outcome.TOO_LARGE,
        "headers",
        Kept.NOTHING,
    ),
    page_case(
        "endless 100 Continue",
        "says Continue for ever",
        endless(b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
        Outcome.TOO_LARGE,
        "headers",
        Kept.NOTHING,
    ),
    page_case(
        "gzip bomb",
        "sends 50 MB in 50 kB",
        answer(gzipped(b"0" * 50_000_000), "Content-Encoding: gzip"),
        Outcome.TOO_LARGE,
        "decoded_body",
    ),
    page_case(
        "brotli bomb",
        "sends 50 MB in 9 kB",
        answer(brotli.compress(b"0" * 50_000_000, quality=1), "Content-Encoding: br"),
        Outcome.TOO_LARGE,
        "decoded_body",
    ),
    page_case(
        "a bomb in a bomb",
        "sends gzip in gzip",
        answer(gzipped(gzipped(b"0" * 50_000_000)), "Content-Encoding: gzip, gzip"),
        Outcome.TOO_LARGE,
        "decoded_body",
    ),
]
