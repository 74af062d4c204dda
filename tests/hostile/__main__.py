"""The report: every case, what came of it, and what was kept. `python -m tests.hostile [--markdown]`."""

import argparse
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
from tests.hostile.crawling import Found, Results, crawl_cases

HEADINGS = ("case", "the server …", "outcome", "reason", "status", "kept")


def cells(case: Case, found: Found) -> tuple[str, ...]:
    """Return what the report says of a case."""
    versions = f" ({found.versions} versions)" if found.versions > 1 else ""
    status = str(found.status) if found.status else ""
    texts = (case.name, case.does, str(found.outcome), found.reason or "", status, f"{found.kept}{versions}")
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


def differing(results: Results) -> list[str]:
    """Return the names of the cases that did not end as the table says."""
    return [
        case.name
        for case in CASES
        if (found := results.found[case.name])
        and (found.outcome, found.reason, found.kept) != (case.outcome, case.reason, case.kept)
    ]


def main() -> int:
    """Print the report; exit 1 where a case did not end as the table says."""
    parser = argparse.ArgumentParser(prog="python -m tests.hostile", description=__doc__)
    parser.add_argument("--markdown", action="store_true", help="print tables of Markdown")
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.CRITICAL)
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    with tempfile.TemporaryDirectory() as folder:
        results = crawl_cases(CASES, Path(folder))
    if arguments.markdown:
        print(as_markdown(results))
    else:
        print_tables(results)
    wrong = differing(results)
    outcomes = ", ".join(sorted(results.outcomes))
    print(f"{len(CASES)} cases; outcomes reached: {outcomes}")
    if wrong:
        print(f"not as the table says: {', '.join(wrong)}", file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
