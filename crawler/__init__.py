"""How pages become facts: fetching, reading and recording."""

PART_OF = "morgue"
"""Told from a package of the same name that is another program's (`morgue.py`)."""
