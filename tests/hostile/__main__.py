"""Prints the report: every case, what came of it, and what was kept. `python -m tests.hostile [--markdown]`."""

import argparse
import sys


def main() -> int:
    """Print the report; exit 1 where a case did not end as the table says."""
    # The processes that read pages import this module again, and have no use for the table.
    from tests.hostile.report import report

    parser = argparse.ArgumentParser(prog="python -m tests.hostile", description=__doc__)
    parser.add_argument("--markdown", action="store_true", help="print tables of Markdown")
    return report(markdown=parser.parse_args().markdown)


if __name__ == "__main__":
    sys.exit(main())
