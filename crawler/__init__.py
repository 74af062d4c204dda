"""How pages become facts: fetching, reading and recording."""
