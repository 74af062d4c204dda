"""`morgue` as a process of its own: the program, and surroundings in which no other settings stand."""

import os
import sys
from collections.abc import Mapping
from pathlib import Path

MORGUE = Path(sys.executable).with_name("morgue")


def command(folder: Path, *words: str) -> list[str | Path]:
    """Return the command line of `morgue` with the configuration of a folder."""
    return [MORGUE, "--config", folder / "morgue.toml", *words]


def environment(settings: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return this process's environment, with these settings (`MORGUE_*`) in place of any others."""
    own = {name: value for name, value in os.environ.items() if not name.startswith("MORGUE_")}
    return {**own, **(settings or {})}
