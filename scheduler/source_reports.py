"""What `morgue sources check` says: for programs, and for people."""

from dataclasses import asdict
from typing import Any

from rich.console import Console

from crawler.checking import IndexCheck, SourceCheck
from crawler.report import index_label
from storage.escaping import printable
from storage.rendering import instant
from storage.wording import counted

EXPLAINED = 5
"""Links of an index that are explained one by one where nobody asked for more."""


def check_row(check: SourceCheck) -> dict[str, Any]:
    """Return what trying a source showed, for programs."""
    return {
        "slug": check.slug,
        "problems": dict(check.problems),
        "not_tried": check.not_tried,
        "indexes": [asdict(index) | {"explained": [list(row) for row in index.explained]} for index in check.indexes],
        "samples": [
            {
                "url": sample.url,
                "outcome": sample.outcome,
                "reason": sample.reason,
                "headline": sample.headline,
                "words": sample.words,
                "published_at": instant(sample.published.instant) if sample.published else None,
                "published_local": sample.published and sample.published.local,
            }
            for sample in check.samples
        ],
    }


def print_check(out: Console, check: SourceCheck, *, explain: bool) -> None:
    """Print what trying a source showed; with `explain`, what each of its links was taken for."""
    out.print(printable(check.slug), style="bold")
    for index in check.indexes:
        _print_index(out, index, explain=explain)
    if check.not_tried:
        out.print(f"  and {counted(check.not_tried, 'further index', 'further indexes')} not tried")
    for sample in check.samples:
        if sample.headline is None:
            why = f" ({sample.reason})" if sample.reason else ""
            out.print(printable(f"  sample {sample.url}: {sample.outcome}{why}"))
        else:
            published = sample.published.local if sample.published else "no date"
            out.print(
                printable(f"  sample {sample.url}: “{sample.headline}”, {counted(sample.words, 'word')}, {published}")
            )
    for problem in check.problems.values():
        out.print(printable(f"  problem: {problem}"))


def _print_index(out: Console, index: IndexCheck, *, explain: bool) -> None:
    why = f" ({index.reason})" if index.reason else ""
    counts = [counted(index.articles, "article")]
    counts += [counted(index.indexes, "further index", "further indexes")] if index.indexes else []
    left_out = ", ".join(f"{count} {reason}" for reason, count in sorted(index.left_out.items()) if count)
    text = f"  {index_label(index.kind)} {index.url} ({index.found_by}): {index.outcome}{why}, {', '.join(counts)}"
    out.print(printable(text + (f"; left out: {left_out}" if left_out else "")))
    for url, verdict, reason in index.explained if explain else index.explained[:EXPLAINED]:
        out.print(printable(f"    {verdict:<9} {url} ({reason})"))
    if not explain and len(index.explained) > EXPLAINED:
        out.print(f"    … and {len(index.explained) - EXPLAINED} more (--explain)")
