"""Prints the report: every case, what came of it, and what was kept. `python -m tests.hostile [--markdown]`.

`python -m tests.hostile --beside [NAME …]` instead runs the service for a good publisher with each hostile input beside
it, and says what that cost the good one.
"""

import argparse
import sys


def main() -> int:
    """Print a report; exit 1 where a case did not end as the table says, or cost a good publisher something."""
    # The processes that read pages import this module again, and have no use for the table.
    from tests.hostile.beside import report_beside
    from tests.hostile.report import report

    parser = argparse.ArgumentParser(prog="python -m tests.hostile", description=__doc__)
    parser.add_argument("--markdown", action="store_true", help="print tables of Markdown")
    parser.add_argument(
        "--beside", nargs="*", metavar="NAME", help="try inputs beside a good publisher, all if none is named"
    )
    arguments = parser.parse_args()
    return report(markdown=arguments.markdown) if arguments.beside is None else report_beside(arguments.beside)


if __name__ == "__main__":
    sys.exit(main())
