"""Writes the tables of the manual that come from the code: `python -m tests.reference_pages`.

In a page a table stands between `<!-- NAME -->` and `<!-- /NAME -->`. `tests/unit/test_reference_pages.py` holds the
pages to what is written here.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from pathlib import Path

from scheduler.health import PROBLEMS
from scheduler.metrics import CATALOGUE
from storage.outcomes import OUTCOMES, OutcomeRow, Trait
from storage.views import VIEW_COLUMNS

DOCS = Path(__file__).parents[1] / "docs"


def table(heading: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table in Markdown."""
    lines = [heading, ["---"] * len(heading), *rows]
    return "".join(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in line)} |\n" for line in lines)


def outcomes() -> str:
    """Return what each fetch may come to."""
    heading = ("Outcome", "Meaning", "Capture kept", "Counts as a look", "Next request may be conditional")
    return table(heading, map(_outcome_cells, OUTCOMES))


def _outcome_cells(row: OutcomeRow) -> tuple[str, ...]:
    look, conditional = ("yes" if trait in row.traits else "no" for trait in (Trait.LOOK, Trait.GIVES_VALIDATORS))
    return f"`{row.outcome}`", row.meaning, row.kept, look, conditional


def metrics() -> str:
    """Return what `/metrics` tells."""
    labels = {one.name: ", ".join(f"`{label}`" for label in one.labels) for one in CATALOGUE}
    rows = ((f"`{one.name}`", one.kind, labels[one.name], one.meaning) for one in CATALOGUE)
    return table(("Metric", "Type", "Labels", "Meaning"), rows)


def problems() -> str:
    """Return what `/healthz` may say is wrong."""
    return table(("Problem", "Meaning"), ((f"`{name}`", meaning) for name, meaning in PROBLEMS.items()))


def view(name: str) -> str:
    """Return the columns of a view."""
    columns = ((f"`{column}`", meaning) for column, meaning in VIEW_COLUMNS[name].items())
    return table(("Column", "Meaning"), columns)


TABLES: dict[str, Callable[[], str]] = {
    "outcomes": outcomes,
    "metrics": metrics,
    "problems": problems,
    **{name: partial(view, name) for name in VIEW_COLUMNS},
}


def with_tables(text: str) -> str:
    """Return a page with its tables written anew. Raises `KeyError` for one that nobody writes."""
    return re.sub(
        r"(<!-- ([a-z0-9_]+) -->\n).*?(<!-- /\2 -->\n)",
        lambda found: f"{found[1]}\n{TABLES[found[2]]()}\n{found[3]}",
        text,
        flags=re.DOTALL,
    )


def main() -> None:
    """Write the pages."""
    for path in sorted(DOCS.glob("*.md")):
        text = path.read_text(encoding="utf-8")
        if (written := with_tables(text)) != text:
            path.write_text(written, encoding="utf-8")
            print(f"{path.name} is written anew")


if __name__ == "__main__":
    main()
