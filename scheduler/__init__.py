"""When things happen, and the composition of the whole."""

PART_OF = "morgue"
"""Told from a package of the same name that is another program's (`morgue.py`)."""
