"""The extractor id: two readings may be compared only when one extractor made both."""

from collections.abc import Iterator
from functools import lru_cache
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path

_LIBRARIES = (
    "trafilatura",
    "htmldate",
    "justext",
    "courlan",
    "dateparser",
    "lxml",
    "lxml_html_clean",
    "py3langid",
    "babel",
    "jstyleson",
    "charset-normalizer",
    "w3lib",
    "tldextract",
    "idna",
)
"""What decides on text, dates and addresses besides our own code; an upgrade of one could read as an edit."""
_NOT_READING = frozenset({"pool.py", "command.py"})
"""Modules that carry pages to the extractor and back, and have no say in what is read."""
_ELSEWHERE = ("storage/combining_marks.py",)
"""Our own code in other folders that has one."""


def extractor_id(*, timezone: str | None) -> str:
    """Return the id of this extractor with a source's settings: sixteen hex digits, stable across machines.

    It digests our code, the versions of the libraries that read, and the settings of the source, `timezone` being an
    IANA name or None.
    """
    return _digest(timezone)


@lru_cache(maxsize=4096)
def _digest(timezone: str | None) -> str:
    return sha256(f"{_code_digest()}\ntimezone={timezone or ''}".encode()).hexdigest()[:16]


@lru_cache(maxsize=1)
def _code_digest() -> str:
    digest = sha256()
    for name, path in _files():
        # Line ends may differ between checkouts; the extractor does not.
        digest.update(name.encode() + b"\0" + path.read_bytes().replace(b"\r\n", b"\n") + b"\0")
    for library in _LIBRARIES:
        digest.update(f"{library}=={version(library)}\n".encode())
    return digest.hexdigest()


def _files() -> Iterator[tuple[str, Path]]:
    """Return our modules that decide, each with its name from this folder, or from the top for one elsewhere."""
    here = Path(__file__).parent
    below = sorted((path.relative_to(here).as_posix(), path) for path in here.rglob("*.py"))
    yield from ((name, path) for name, path in below if name not in _NOT_READING)
    yield from ((name, here.parents[1] / name) for name in _ELSEWHERE)
