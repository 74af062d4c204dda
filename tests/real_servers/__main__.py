"""Prints what real servers send, and whether morgue kept it as curl gets it: `python -m tests.real_servers`."""

import argparse
import sys


def main() -> int:
    """Print the table; exit 1 where anything is unlike what curl gets."""
    from tests.real_servers.table import report

    parser = argparse.ArgumentParser(prog="python -m tests.real_servers", description=__doc__)
    parser.add_argument("--markdown", action="store_true", help="print tables of Markdown")
    return report(markdown=parser.parse_args().markdown)


if __name__ == "__main__":
    sys.exit(main())
