"""The table: every server, way of sending and size, and whether morgue and curl got the same."""

import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import astuple, dataclass
from pathlib import Path

from rich.table import Table

from storage.rendering import PrintableConsole
from tests.real_servers import pages
from tests.real_servers.comparing import (
    SERVERS,
    VALIDATED,
    Compared,
    Page,
    as_sent,
    compared,
    in_any_order,
    make_stage,
    pages_of,
)
from tests.real_servers.curl import Answer, CurlMissing
from tests.real_servers.server import ServerMissing

HEADINGS = ("server", "page", "size", "sent", "outcome", "bytes", "body", "header fields")


@dataclass(frozen=True)
class Line:
    """A line of the table. The last two cells say how what morgue kept compares with what curl got."""

    server: str
    page: str
    size: str
    sent: str
    outcome: str
    bytes: str
    body: str
    fields: str
    right: bool

    def cells(self) -> tuple[str, ...]:
        """Return what is shown."""
        return astuple(self)[:-1]


def lines_of(found: Compared) -> Iterator[Line]:
    """Yield the lines of a server."""
    kind = type(found.server.server)
    for page in pages_of(kind):
        yield _line(found, page)
    for page in pages_of(kind):
        if page.framing in VALIDATED:
            yield _second_look(found, page)


def _name(found: Compared) -> str:
    return f"{found.server.server.name} {found.server.server.version()}"


def _where(page: Page) -> str:
    return f"{page.framing.name}, {'TLS' if page.tls else 'plain'}"


def _line(found: Compared, page: Page) -> Line:
    url = found.url(page)
    asked = [row for row in found.crawled.rows if row.url == url]
    outcomes = [row.outcome for row in asked[-1:]]
    wanted = ["created"]
    if page.framing is pages.MOVED:
        url = found.server.url(page.path, tls=True)
        outcomes += [row.outcome for row in found.crawled.rows if row.url == url]
        wanted = ["redirected", "created"]
    reasons = [row.reason for row in asked[-1:] if row.reason]
    outcome = ", then ".join(outcomes) + (f" ({', '.join(reasons)})" if reasons else "") or "none: it hung"
    seen = found.seen[url]
    try:
        record = found.crawled.record(url)
    except LookupError:
        record = None
    if record is None or isinstance(seen, str):
        nothing = "–" if isinstance(seen, Answer) else str(seen)
        return Line(_name(found), _where(page), page.size, nothing, outcome, "–", "–", "–", right=False)
    same_body, same_fields = record.body == seen.body, in_any_order(record.fields) == in_any_order(seen.fields)
    as_it_was = as_sent(record.fields) == as_sent(seen.fields) and record.reason_phrase == seen.reason_phrase
    fields = "as sent" if as_it_was else "equal" if same_fields else "NOT EQUAL"
    return Line(
        server=_name(found),
        page=_where(page),
        size=page.size,
        sent=_how(seen),
        outcome=outcome,
        bytes=f"{len(record.body):,}",
        body="equal" if same_body else "NOT EQUAL",
        fields=fields,
        right=outcomes == wanted and same_body and same_fields,
    )


def _second_look(found: Compared, page: Page) -> Line:
    url = found.url(page)
    known = found.known[url]
    rows = [row for row in found.again.rows if row.url == url][-1:]
    outcome = rows[0].outcome if rows else "none: it hung"
    status = str(known.status) if isinstance(known, Answer) else known
    right = outcome == "not_modified" and status == str(rows[0].status) == "304"
    return Line(_name(found), f"{_where(page)}, again", page.size, status, outcome, "0", "–", "–", right=right)


def _how(seen: Answer) -> str:
    """Return in words how curl saw an answer end, and what it was coded by."""
    if (seen.header("Transfer-Encoding") or "").lower() == "chunked":
        end = "chunked"
    elif seen.header("Content-Length") is not None:
        end = "length"
    else:
        end = "to the end of the connection"
    coding = seen.header("Content-Encoding")
    interim = "".join(f", after {status}" for status in seen.interim)
    trailers = f", {len(seen.trailers)} trailers" if seen.trailers else ""
    return f"{seen.http_version} {seen.status} {end}{f', {coding}' if coding else ''}{interim}{trailers}"


def print_tables(tables: Sequence[tuple[str, Sequence[Line]]], *, markdown: bool) -> None:
    """Print the table of each server."""
    console = PrintableConsole(highlight=False, markup=False, emoji=False)
    for name, lines in tables:
        if markdown:
            rows = [HEADINGS, tuple("-" for _ in HEADINGS), *(line.cells() for line in lines)]
            print("\n".join(f"| {' | '.join(row)} |" for row in rows), end="\n\n")
            continue
        table = Table(*HEADINGS[1:], title=name, title_justify="left", box=None, pad_edge=False)
        for line in lines:
            table.add_row(*line.cells()[1:])
        console.print(table)
        console.print()


def report(*, markdown: bool) -> int:
    """Crawl all servers and print the table; returns 1 where one is missing or anything is unlike curl's, else 0."""
    tables: list[tuple[str, Sequence[Line]]] = []
    wrong: list[str] = []
    with tempfile.TemporaryDirectory(prefix="morgue-servers-") as folder:
        stage = make_stage(Path(folder))
        for server in SERVERS:
            try:
                with compared(server, stage) as found:
                    lines = list(lines_of(found))
            except (ServerMissing, CurlMissing, RuntimeError) as problem:
                wrong.append(str(problem))
                continue
            tables.append((f"{server.name} {server.version()}", lines))
            wrong += [f"unlike curl: {', '.join(line.cells())}" for line in lines if not line.right]
    print_tables(tables, markdown=markdown)
    print(
        f"{sum(len(lines) for _, lines in tables)} pages of {len(tables)} servers; {len(wrong)} unlike what curl gets"
    )
    for problem in wrong:
        print(problem, file=sys.stderr)
    return 1 if wrong else 0
