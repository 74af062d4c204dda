"""The progress bar of a crawl, on standard error and only where that is a terminal."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from crawler.crawl_account import CrawlReport


def _show_nothing(report: CrawlReport) -> None:
    """Nobody is watching."""


@contextmanager
def crawl_progress() -> Iterator[Callable[[CrawlReport], None]]:
    """Give a function that shows how far a crawl has come."""
    if not sys.stderr.isatty():
        yield _show_nothing
        return
    # Only people wait for it: programs are spared loading it.
    from rich.console import Console  # noqa: PLC0415 - see above
    from rich.progress import (  # noqa: PLC0415 - see above
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
    )

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bars:
        feeds = bars.add_task("feeds", total=None)
        pages = bars.add_task("pages", total=None)

        def show(report: CrawlReport) -> None:
            bars.update(feeds, completed=len(report.feeds))
            bars.update(pages, completed=report.fetched, total=report.to_fetch or None)

        yield show
