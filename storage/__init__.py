"""What is true: articles, versions, fetches, captures and the change feed. This layer owns all SQL."""

PART_OF = "morgue"
"""Told from a package of the same name that is another program's (`morgue.py`)."""
