"""The commands that look after sources: add, check, import, export."""

import asyncio
import sys
import tempfile
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from crawler.cli import warn_without_contact
from storage.cli import console, print_json
from storage.command_line import CommandTable
from storage.errors import MorgueError, NotFound, UsageError
from storage.wording import counted

if TYPE_CHECKING:
    from crawler.checking import SourceCheck
    from crawler.runner import Crawling
    from crawler.source_finding import FoundSource
    from scheduler.cli import CommandContext
    from scheduler.source_blocks import SourceBlock
    from storage.settings import ArchiveSettings
    from storage.store import Store

app = CommandTable(
    no_args_is_help=True,
    help="Add, check, import, export and reload sources.",
    examples=["morgue sources add https://www.example.com/", "morgue sources check"],
)

Result = TypeVar("Result")


@app.example_command(
    examples=[
        "morgue sources add https://www.example.com/",
        "morgue sources add www.example.com --slug courier --print",
    ]
)
def add(
    ctx: typer.Context,
    url: Annotated[str, typer.Argument(metavar="URL", help="A home page, an article, a feed or a sitemap.")],
    slug: Annotated[str | None, typer.Option(metavar="SLUG", help="The source's name; by default its domain.")] = None,
    print_: Annotated[bool, typer.Option("--print", help="Print the block instead of writing it.")] = False,
) -> None:
    """Find a publisher's feeds and sitemaps, and write a [[source]].

    It goes into the configuration, which is begun if there is none.
    """
    from crawler.report import WAYS_OUT
    from crawler.source_finding import SourceFinder

    context: CommandContext = ctx.obj
    address = context.web_url(url)
    if slug is not None:
        _check_slug(context, slug)
    found = _with_crawling(context, lambda crawling: SourceFinder(crawling).find(address), in_passing=print_)
    if found.outcome is not None:
        why = f" ({found.reason})" if found.reason else ""
        remedy = WAYS_OUT.get(found.reason or "", "name another address of the publisher")
        raise NothingFound(address, f"could not be read: {found.outcome}{why}", remedy)
    block = _block(context, found, slug)
    _write(context, [block], print_=print_)


@app.example_command(examples=["morgue sources check", "morgue sources check courier --explain"])
def check(
    ctx: typer.Context,
    slugs: Annotated[
        list[str] | None, typer.Argument(metavar="SOURCE", help="Names (slugs) of sources; none means all.")
    ] = None,
    explain: Annotated[bool, typer.Option("--explain", help="Say of every link what it was taken for.")] = False,
    json_: Annotated[bool, typer.Option("--json", help="Print JSON for programs.")] = False,
) -> None:
    """Try sources: say what a crawl would get from them, and why.

    Stores no article. Exits with 1 if a source has no index that can be read.
    """
    from crawler.checking import SourceChecker
    from scheduler.source_reports import check_row, print_check

    context: CommandContext = ctx.obj

    async def check_all(crawling: "Crawling") -> "list[SourceCheck]":
        checker = SourceChecker(crawling)
        known = {stored.source.slug: stored for stored in await crawling.read(lambda tx: tx.sources.all())}
        configured = [slug for slug, stored in known.items() if stored.configured and not stored.paused]
        wanted = list(slugs or configured)
        for slug in wanted:
            if slug not in known:
                raise NotFound(slug, "is no source", f"known sources: {', '.join(sorted(known)) or 'none yet'}")
        if not wanted:
            raise UsageError("sources", "there is none yet", "`morgue sources add URL` writes one")
        return [await checker.check(known[slug]) for slug in wanted]

    checks = _with_crawling(context, check_all)
    if json_:
        print_json([check_row(one) for one in checks])
    else:
        for one in checks:
            print_check(console(), one, explain=explain)
    if any(not any(index.healthy for index in one.indexes) for one in checks):
        raise typer.Exit(1)


@app.example_command(
    "import", examples=["morgue sources import feeds.opml", "curl -s https://… | morgue sources import - --print"]
)
def import_(
    ctx: typer.Context,
    file: Annotated[str, typer.Argument(metavar="FILE|-", help="An OPML file, or - for standard input.")],
    print_: Annotated[bool, typer.Option("--print", help="Print the blocks instead of writing them.")] = False,
) -> None:
    """Write a [[source]] for each publisher of an OPML list."""
    from crawler.discovery.opml import InvalidOpml, read_opml
    from scheduler.source_blocks import blocks_of_feeds

    context: CommandContext = ctx.obj
    try:
        body = sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
    except OSError as problem:
        raise UsageError(file, f"cannot be read ({problem.strerror})", "name an OPML file, or -") from problem
    try:
        outlines = read_opml(body)
    except InvalidOpml as problem:
        raise UsageError(file, f"cannot be read as OPML: {problem}", "export the list of feeds again") from problem
    configured = {url for source in context.settings.source for url in source.feeds}
    blocks, skipped = blocks_of_feeds(outlines, configured=configured, taken=_slugs(context))
    for title, reason in skipped:
        console().print(f"skipped {title}: {reason}")
    if not blocks:
        console().print("No feed in it that is not configured already.")
        return
    _write(context, blocks, print_=print_)


@app.example_command(examples=["morgue sources export feeds.opml", "morgue sources export"])
def export(
    ctx: typer.Context,
    file: Annotated[str, typer.Argument(metavar="FILE|-", help="Where to; - is standard output.")] = "-",
) -> None:
    """Write the feeds of all sources as OPML."""
    from crawler.discovery.opml import OpmlSource, write_opml
    from storage.clock import utc_now
    from storage.model import FeedKind

    context: CommandContext = ctx.obj
    feeds_of = (FeedKind.RSS, FeedKind.ATOM, FeedKind.JSON, FeedKind.UNKNOWN)
    outlines = []
    with context.open_store() as store, store.reading() as transaction:
        for stored in transaction.sources.all():
            if stored.paused or not stored.watched:
                continue
            outlines += [
                OpmlSource(
                    title=stored.source.name or stored.source.slug,
                    xml_url=feed.url,
                    html_url=stored.source.homepage,
                    slug=stored.source.slug,
                )
                for feed in transaction.feeds.for_sources({stored.source_id})
                if feed.kind in feeds_of
            ]
    text = write_opml(outlines, title="Sources of morgue", now=utc_now())
    if file == "-":
        sys.stdout.write(text.decode())
        sys.stdout.flush()
    else:
        Path(file).write_bytes(text)
        console().print(f"Wrote {counted(len(outlines), 'feed')} to {file}.")


class NothingFound(MorgueError):
    """A URL led to nothing that could be watched."""


@contextmanager
def _opened(context: "CommandContext", *, in_passing: bool) -> "Iterator[tuple[Store, ArchiveSettings]]":
    """Open the database, and say where the archive is. In passing neither is begun where there is none."""
    from storage.engine import parse_url, sqlite_file
    from storage.store import Store

    file = sqlite_file(parse_url(context.database.url))
    if not in_passing or file is None or file.exists():
        with context.open_store() as store:
            yield store, context.archive
        return
    with tempfile.TemporaryDirectory(prefix="morgue-") as folder:
        archive = context.archive.model_copy(update={"directory": Path(folder, "archive")})
        with Store.open(f"sqlite:///{folder}/morgue.db", create=True) as store:
            yield store, archive


def _with_crawling(
    context: "CommandContext", work: "Callable[[Crawling], Awaitable[Result]]", *, in_passing: bool = False
) -> Result:
    """Do something with the crawler open; Ctrl-C and SIGTERM end it."""
    from crawler import reactor
    from crawler.runner import open_crawling
    from crawler.stopping import stopped_by_signals

    async def main(store: "Store", archive: "ArchiveSettings") -> Result:
        async with open_crawling(store, crawl=context.crawl, archive=archive, software=context.software) as crawling:
            working = asyncio.ensure_future(work(crawling))
            with stopped_by_signals(on_stop=working.cancel, on_give_up=working.cancel):
                return await working

    with _opened(context, in_passing=in_passing) as (store, archive):
        try:
            done = reactor.run(main(store, archive))
        except asyncio.CancelledError as interrupted:
            raise typer.Abort from interrupted
    warn_without_contact(context.crawl)
    return done


def _slugs(context: "CommandContext") -> set[str]:
    return {source.slug for source in context.settings.source}


def _check_slug(context: "CommandContext", slug: str) -> None:
    from scheduler.source_blocks import is_slug

    if not is_slug(slug):
        wanted = "write lower-case letters, digits, dots, dashes and underscores, 63 at most"
        raise UsageError(slug, "cannot be the slug of a source", wanted)
    if slug in _slugs(context):
        raise UsageError(slug, "is the slug of a source already", "choose another with --slug")


def _block(context: "CommandContext", found: "FoundSource", slug: str | None) -> "SourceBlock":
    from scheduler.source_blocks import SourceBlock, slug_for

    taken = _slugs(context)
    for source in context.settings.source:
        same = found.homepage is not None and source.homepage == found.homepage
        if same or set(found.feeds) & set(source.feeds):
            raise UsageError(found.url, f"is watched already, as {source.slug}", "`morgue sources check` tries it")
    return SourceBlock(
        slug=slug or slug_for(found.homepage or found.url, taken),
        name=found.name,
        homepage=found.homepage,
        feeds=found.feeds,
        sitemaps=found.sitemaps,
    )


def _write(context: "CommandContext", blocks: "Sequence[SourceBlock]", *, print_: bool) -> None:
    from scheduler.sample_configuration import SAMPLE_CONFIGURATION
    from scheduler.source_blocks import append_blocks, toml_block

    text = "\n".join(map(toml_block, blocks))
    if print_:
        typer.echo(text, nl=False)
        return
    path = context.settings.file or Path("morgue.toml")
    append_blocks(path, blocks, start=SAMPLE_CONFIGURATION)
    typer.echo(text, nl=False)
    names = ", ".join(block.slug for block in blocks)
    console().print(f"Wrote {names} into {path}. Next: `morgue sources check`, then `morgue crawl`.")
