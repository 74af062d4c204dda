"""The report: every case, what came of it, and what was kept."""

import logging
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import structlog
from rich.table import Table

from storage.escaping import printable_line
from storage.rendering import PrintableConsole
from tests.hostile.case import Case
from tests.hostile.cases import CASES, GROUPS
from tests.hostile.crawling import Found, Results, crawl_cases, differences

HEADINGS = ("case", "the server …", "outcome", "reason", "status", "kept")


def cells(case: Case, found: Found) -> tuple[str, ...]:
    """Return what the report says of a case."""
    versions = f" ({found.versions} versions)" if found.versions > 1 else ""
    reserved = f"; reserved: {', '.join(found.opt_outs)}" if found.opt_outs else ""
    status = str(found.status) if found.status else ""
    texts = (case.name, case.does, str(found.outcome), found.reason or "", status, f"{found.kept}{versions}{reserved}")
    return tuple(map(printable_line, texts))


def as_markdown(results: Results) -> str:
    """Return the report as tables of Markdown, one a group."""
    lines: list[str] = []
    for group, cases in GROUPS.items():
        lines += [f"### {group}", "", _row(HEADINGS), "|" + "-|" * len(HEADINGS)]
        lines += [_row(cells(case, results.found[case.name])) for case in cases]
        lines.append("")
    return "\n".join(lines)


def _row(texts: Sequence[str]) -> str:
    escaped = (text.replace("\\", "\\\\").replace("|", "\\|").replace("<", "&lt;") for text in texts)
    return "| " + " | ".join(escaped) + " |"


def print_tables(results: Results) -> None:
    """Print the report for a terminal."""
    console = PrintableConsole(highlight=False, markup=False, emoji=False)
    for group, cases in GROUPS.items():
        table = Table(*HEADINGS, title=group, title_justify="left", box=None, pad_edge=False)
        for case in cases:
            table.add_row(*cells(case, results.found[case.name]))
        console.print(table)
        console.print()


def problems(results: Results) -> list[str]:
    """Return a line for each case that did not end as the table says, or that cost the page something later."""
    lines = [
        f"{case.name}: {name} is {found!r}, not {wanted!r}"
        for case in CASES
        for name, (wanted, found) in differences(case, results.found[case.name]).items()
    ]
    lines += [f"{case.name}: not read later" for case in CASES if case.later and case.name not in results.read_later]
    return lines


def report(*, markdown: bool) -> int:
    """Crawl all cases and print the report; returns 1 where a case did not end as the table says, else 0."""
    logging.basicConfig(level=logging.CRITICAL)
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    with tempfile.TemporaryDirectory() as folder:
        results = crawl_cases(CASES, Path(folder))
    if markdown:
        print(as_markdown(results))
    else:
        print_tables(results)
    print(f"{len(CASES)} cases; outcomes reached: {', '.join(sorted(results.outcomes))}")
    wrong = problems(results)
    for line in wrong:
        print(f"not as the table says: {printable_line(line)}", file=sys.stderr)
    return 1 if wrong else 0
