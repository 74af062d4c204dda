"""The commands that fetch and read: crawl, extract."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Protocol

import typer

from crawler.settings import CrawlSettings
from storage.cli import console, print_json
from storage.command_line import EXAMPLE_URL, CommandTable, whole_number
from storage.errors import UsageError
from storage.settings import StorageContext

if TYPE_CHECKING:
    from storage.store import Store

app = CommandTable()

INTERRUPTED = 130
NO_CONTACT = "no contact is set, so publishers cannot write to you"
HOW_TO_SET_CONTACT = 'set user_agent under [crawl] in morgue.toml, as "example-archive/1 (+mailto:you@example.org)"'


class CrawlContext(StorageContext, Protocol):
    """What the crawling commands find as `ctx.obj`."""

    @property
    def crawl(self) -> CrawlSettings:
        """How to fetch."""

    @property
    def software(self) -> str:
        """Name and version, as WARC files carry them."""

    def open_store(self) -> "Store":
        """Open the database with the configured sources brought up to date."""

    def after_crawl(self, store: "Store") -> None:
        """Plan what has no plan."""


def warn_without_contact(settings: CrawlSettings) -> None:
    """Say on standard error that publishers see no contact, once somebody who has set none has asked them for pages."""
    if not settings.names_contact:
        console(error=True).print(f"morgue: {NO_CONTACT}; {HOW_TO_SET_CONTACT}")


@app.example_command(
    examples=[
        f"morgue crawl {EXAMPLE_URL}",
        "morgue crawl https://www.example.com/feed.rss --limit 10",
        "morgue crawl courier --recrawl",
        "morgue crawl",
    ]
)
def crawl(
    ctx: typer.Context,
    targets: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="TARGET",
            help="URLs of articles, feeds, sitemaps, sections or home pages, or names of sources; none: all sources.",
        ),
    ] = None,
    recrawl: Annotated[
        bool, typer.Option("--recrawl", help="Look again also at what is known and not yet due.")
    ] = False,
    limit: Annotated[
        int | None, typer.Option(parser=whole_number(1), metavar="N", help="Fetch at most so many pages.")
    ] = None,
    watch: Annotated[bool, typer.Option("--watch", help="Hand the named URLs to the service, for good.")] = False,
    json_: Annotated[bool, typer.Option("--json", help="Print the account as JSON.")] = False,
) -> None:
    """Crawl once: what is new or due, and every article that is named.

    Targets are URLs or names of sources; without any, all sources are crawled.
    """
    from crawler import reactor
    from crawler.crawl_account import CrawlRequest
    from crawler.crawl_session import run_crawl
    from crawler.progress import crawl_progress
    from crawler.report import print_report, report_row

    context: CrawlContext = ctx.obj
    request = CrawlRequest(targets=tuple(targets or ()), recrawl=recrawl, limit=limit, watch=watch)
    with context.open_store() as store:
        with crawl_progress() as progress:
            report = reactor.run(
                run_crawl(
                    store,
                    request,
                    crawl=context.crawl,
                    archive=context.archive,
                    software=context.software,
                    progress=progress,
                )
            )
        context.after_crawl(store)
    warn_without_contact(context.crawl)
    if json_:
        print_json(report_row(report))
    else:
        print_report(console(), report)
    if report.stopped:
        raise typer.Exit(INTERRUPTED)
    if report.failed_targets:
        raise typer.Exit(1)


@app.example_command(
    examples=[
        f"morgue extract page.html --url {EXAMPLE_URL}",
        f"morgue extract - --url {EXAMPLE_URL} < page.html",
        "morgue extract --batch manifest.jsonl --timezone Europe/London",
    ]
)
def extract(
    file: Annotated[str | None, typer.Argument(metavar="FILE|-", help="An HTML file, or - for standard input.")] = None,
    url: Annotated[str | None, typer.Option(metavar="URL", help="The address that the page was fetched from.")] = None,
    timezone: Annotated[
        str | None,
        typer.Option(metavar="ZONE", help="The zone of times that give none, as an IANA name such as Asia/Kolkata."),
    ] = None,
    batch: Annotated[
        Path | None,
        typer.Option(
            metavar="MANIFEST", help='Rows {"id","url","html_path"} as JSON Lines; rows of articles come out.'
        ),
    ] = None,
    json_: Annotated[bool, typer.Option("--json", help="Print JSON (it is printed in any case).")] = False,  # noqa: ARG001 - asked for where a program may read
) -> None:
    """Show what the extractor makes of local HTML, as JSON.

    Nothing is stored.
    """
    _check_timezone(timezone)
    if batch is not None:
        if file is not None or url is not None:
            raise UsageError("--batch", "takes no FILE and no --url", "the manifest names both")
        _extract_batch(batch, timezone)
        return
    if url is None:
        raise UsageError("--url", "is needed", "dates and links are read by the page's address")
    from crawler.extraction.command import extract_file
    from crawler.urls import InvalidUrl, clean_url
    from storage.clock import utc_now

    try:
        clean_url(url)
    except InvalidUrl as problem:
        raise UsageError(url, str(problem), "name the page's http or https address") from problem
    row = extract_file(_read_page(file or "-"), url=url, timezone=timezone, captured_at=utc_now())
    print_json(row)
    if row.get("outcome"):
        raise typer.Exit(1)


def _check_timezone(name: str | None) -> None:
    from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

    if name is None:
        return
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as problem:
        raise UsageError(name, "is no time zone", "use an IANA name such as Europe/Berlin") from problem


def _read_file(name: str) -> bytes:
    if name == "-":
        return sys.stdin.buffer.read()
    try:
        return Path(name).read_bytes()
    except OSError as problem:
        raise UsageError(
            name, f"cannot be read ({problem.strerror})", "name an HTML file, or - for standard input"
        ) from problem


def _read_page(name: str) -> bytes:
    from crawler.page_bodies import wrong_type

    body = _read_file(name)
    kind = wrong_type("text/html", body)
    if kind is not None:
        raise UsageError(name, f"is no HTML page ({kind})", "name an HTML file, or - for standard input")
    return body


def _extract_batch(manifest: Path, timezone: str | None) -> None:
    from crawler.extraction.command import extract_batch

    if not manifest.is_file():
        raise UsageError(str(manifest), "cannot be read", "name a file of JSON Lines")
    failed = False
    for row in extract_batch(manifest, timezone=timezone):
        failed = failed or "error" in row
        print_json(row, indent=None)
    if failed:
        raise typer.Exit(1)
