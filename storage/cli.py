"""The commands that only read what is true, and those that look after it: list, show, history, diff, verify, db."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any, TextIO

import typer

from storage.command_line import EXAMPLE_URL, CommandTable, whole_number
from storage.errors import NotFound, UsageError
from storage.escaping import json_text
from storage.model import Article, Version
from storage.settings import StorageContext

if TYPE_CHECKING:
    from rich.console import Console

    from storage.store import Transaction

app = CommandTable()
db_app = CommandTable(
    no_args_is_help=True,
    help="The database: upgrade it, check it, count what is in it.",
    examples=["morgue db check", "morgue db stats --json"],
)
app.add_typer(db_app, name="db")

JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON for programs.")]
ArticleArgument = Annotated[
    str, typer.Argument(metavar="ARTICLE", help="The URL of an article, or its number in `morgue list`.")
]


def speaks_unicode(stream: TextIO) -> bool:
    """Whether a stream takes any character, which a terminal of an older character set does not."""
    return (stream.encoding or "ascii").lower().startswith("utf")


def print_json(value: Any, *, indent: int | None = 2) -> None:
    """Print a value as JSON on standard output, non-ASCII text readable where the output can show it."""
    typer.echo(json_text(value, ascii_only=not speaks_unicode(sys.stdout), indent=indent))


def console(*, error: bool = False) -> "Console":
    """Return the console for people: coloured in a terminal, plain and unwrapped in a file or a pipe."""
    from storage.rendering import PrintableConsole

    stream = sys.stderr if error else sys.stdout
    width = None if stream.isatty() else 1_000_000
    return PrintableConsole(
        file=stream, highlight=False, markup=False, emoji=False, width=width, soft_wrap=not stream.isatty()
    )


_LONGEST_ID = 18
"""Digits of the largest id that both databases can look for."""


@contextmanager
def _transaction(context: StorageContext) -> Iterator["Transaction"]:
    from storage.store import Store

    with Store.open(context.database.url) as store, store.reading() as transaction:
        yield transaction


def _find(context: StorageContext, transaction: "Transaction", name: str) -> Article:
    if name.isascii() and name.isdigit():
        article = transaction.versions.by_id(int(name)) if len(name) <= _LONGEST_ID else None
    else:
        article = transaction.versions.for_url_key(context.url_key(name))
    if article is None:
        raise NotFound(name, "no article answers to that", "`morgue list` shows what there is")
    return article


@app.example_command(
    "list", examples=["morgue list", "morgue list --source courier --changed", "morgue list --limit 1000 --json"]
)
def list_command(
    ctx: typer.Context,
    source: Annotated[str | None, typer.Option(metavar="SOURCE", help="Only articles of this source.")] = None,
    limit: Annotated[int, typer.Option(parser=whole_number(1), metavar="N", help="At most so many.")] = 50,
    offset: Annotated[int, typer.Option(parser=whole_number(0), metavar="N", help="Pass over so many first.")] = 0,
    changed: Annotated[bool, typer.Option("--changed", help="Only articles with more than one version.")] = False,
    json_: JsonOption = False,
) -> None:
    """List articles, the last one found first."""
    from storage.rendering import article_row, article_table

    with _transaction(ctx.obj) as transaction:
        if source is not None and transaction.sources.by_slug(source) is None:
            raise NotFound(source, "there is no such source", "`morgue status` lists the sources")
        articles = transaction.versions.articles(limit=limit, offset=offset, source=source, changed=changed)
    if json_:
        print_json([article_row(article) for article in articles])
    elif articles:
        console().print(article_table(articles))
    else:
        console(error=True).print("No articles yet. `morgue crawl URL` archives one.")


@app.example_command(examples=["morgue show 1", f"morgue show {EXAMPLE_URL} --version 1", "morgue show 1 --json"])
def show(
    ctx: typer.Context,
    article: ArticleArgument,
    version: Annotated[
        int | None,
        typer.Option(
            parser=whole_number(1), metavar="N", help="A version by its number; the current one if not given."
        ),
    ] = None,
    json_: JsonOption = False,
) -> None:
    """Show an article in full."""
    from storage.rendering import article_row, print_article, shown, version_row

    with _transaction(ctx.obj) as transaction:
        found = _find(ctx.obj, transaction, article)
        wanted = None if version is None else _version(transaction, found, version)
    if json_:
        print_json(article_row(found) if wanted is None else version_row(wanted))
        return
    header: dict[str, object] = {"url": found.url, "article": found.article_id, "source": found.source_slug}
    if wanted is None:
        header |= {"versions": found.version_count, "last checked": f"{shown(found.last_checked_at)} UTC"}
    else:
        header |= {
            "version": f"{wanted.number} of {found.version_count}",
            "captured": f"{shown(wanted.captured_at)} UTC",
        }
    print_article(console(), header, found.content if wanted is None else wanted.article)


def _version(transaction: "Transaction", article: Article, number: int) -> Version:
    version = transaction.versions.version(article.article_id, number)
    if version is None:
        raise NotFound(
            f"version {number} of article {article.article_id}", "does not exist", f"there are {article.version_count}"
        )
    return version


@app.example_command(examples=["morgue history 1", f"morgue history {EXAMPLE_URL} --json"])
def history(ctx: typer.Context, article: ArticleArgument, json_: JsonOption = False) -> None:
    """List every version of an article."""
    from storage.rendering import history_table, version_row

    with _transaction(ctx.obj) as transaction:
        versions = transaction.versions.history(_find(ctx.obj, transaction, article).article_id)
    if json_:
        print_json([version_row(version) for version in versions])
    else:
        console().print(history_table(versions))


@app.example_command(examples=["morgue diff 1", f"morgue diff {EXAMPLE_URL} 1 3"])
def diff(
    ctx: typer.Context,
    article: ArticleArgument,
    old: Annotated[
        int | None,
        typer.Argument(
            parser=whole_number(1), metavar="OLD", help="The older version's number; the last but one if not given."
        ),
    ] = None,
    new: Annotated[
        int | None,
        typer.Argument(
            parser=whole_number(1), metavar="NEW", help="The newer version's number; the current one if not given."
        ),
    ] = None,
    json_: JsonOption = False,
) -> None:
    """Show what changed between two versions, by words."""
    from storage.difference import article_difference
    from storage.rendering import print_difference, shown

    with _transaction(ctx.obj) as transaction:
        found = _find(ctx.obj, transaction, article)
        if found.version_count < 2 and old is None:
            raise UsageError(article, "has one version only", "there is nothing to compare yet")
        number = new if new is not None else (found.version_count if old is None or old < found.version_count else old)
        newer = _version(transaction, found, number)
        older = _version(transaction, found, old if old is not None else max(number - 1, 1))
    differences = article_difference(older.article, newer.article)
    if json_:
        print_json(
            {
                "article_id": found.article_id,
                "url": found.url,
                "old": older.number,
                "new": newer.number,
                "fields": [difference.as_row() for difference in differences],
            }
        )
        return
    out = console()
    out.print(f"{found.url}")
    out.print(f"v{older.number} ({shown(older.captured_at)}) → v{newer.number} ({shown(newer.captured_at)} UTC)\n")
    print_difference(out, differences)


@app.example_command(examples=["morgue verify", "morgue verify --json"])
def verify(ctx: typer.Context, json_: JsonOption = False) -> None:
    """Check every capture: each record whole, each digest right.

    Exits with 1 on damage.
    """
    from storage.archive import Archive
    from storage.store import Store
    from storage.verify import verify as verify_archive

    context: StorageContext = ctx.obj
    with Store.open(context.database.url) as store, store.reading() as transaction:
        report = verify_archive(
            Archive(context.archive.directory, max_file_bytes=context.archive.max_file_bytes, software="morgue"),
            transaction.captures.all(),
        )
    if json_:
        print_json(report.as_row())
    else:
        out = console()
        for damage in report.damage:
            out.print(f"damaged: {damage}")
        out.print(report.summary())
    if report.damage:
        raise typer.Exit(1)


@db_app.example_command(examples=["morgue db upgrade", "morgue --config /etc/morgue/morgue.toml db upgrade"])
def upgrade(ctx: typer.Context) -> None:
    """Bring the database to this version's schema, or make it.

    A SQLite database is copied before. No service may run on it meanwhile.
    """
    from storage.migrate import upgrade as upgrade_database

    revision = upgrade_database(ctx.obj.database.url)
    console().print(f"The database is at revision {revision}.")


@db_app.example_command(examples=["morgue db check", "morgue db check --json"])
def check(ctx: typer.Context, json_: JsonOption = False) -> None:
    """Check the database's schema and its inner consistency.

    Exits with 1 when something is wrong.
    """
    from storage.migrate import check as check_database

    report = check_database(ctx.obj.database.url)
    if json_:
        print_json(report.as_row())
    else:
        for line in report.lines():
            console().print(line)
    if not report.healthy:
        raise typer.Exit(1)


@db_app.example_command(examples=["morgue db stats", "morgue db stats --json"])
def stats(ctx: typer.Context, json_: JsonOption = False) -> None:
    """Count what the database holds."""
    from storage.migrate import stats as count_database

    counts = count_database(ctx.obj.database.url)
    if json_:
        print_json(counts)
        return
    width = max(map(len, counts))
    for name, count in counts.items():
        console().print(f"{name:<{width}}  {count}")
