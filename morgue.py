"""The command `morgue`, also as `python -m morgue`.

Its packages have plain names (`crawler`, `storage`, `scheduler`), and so have other programs': whoever installs one of
those beside it writes over its files. That is said here, before anything of them is used.
"""

import sys
from importlib import import_module
from importlib.util import find_spec

PACKAGES = ("storage", "crawler", "scheduler")
WRONG_USAGE = 2


def foreign_package() -> str | None:
    """Return where a package lies that is another program's, or None where all are ours."""
    for name in PACKAGES:
        spec = find_spec(name)
        if spec is None or getattr(import_module(name), "PART_OF", None) != "morgue":
            place = "nowhere" if spec is None else spec.origin or name
            return f"the package {name} ({place})"
    return None


def main() -> None:
    """Run the command, unless a package of another program stands in the place of one of ours."""
    if (foreign := foreign_package()) is not None:
        sys.exit(_said(foreign))
    import_module("scheduler.cli").main()


def _said(foreign: str) -> int:
    print(
        f"morgue: {foreign} is not morgue's; "
        "install morgue into an environment of its own, as `pipx install` or `uv tool install` do",
        file=sys.stderr,
    )
    return WRONG_USAGE


if __name__ == "__main__":
    main()
