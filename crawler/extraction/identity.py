"""The extractor id: two readings may be compared only when one extractor made both."""

from functools import lru_cache
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path

_LIBRARIES = ("trafilatura", "lxml", "htmldate")
"""What decides on text and dates besides our own code."""
_NOT_READING = frozenset({"pool.py", "command.py"})
"""Modules that carry pages to the extractor and back, and have no say in what is read."""


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
    for path in sorted(Path(__file__).parent.glob("*.py")):
        if path.name not in _NOT_READING:
            # Line ends may differ between checkouts; the extractor does not.
            digest.update(path.name.encode() + b"\0" + path.read_bytes().replace(b"\r\n", b"\n") + b"\0")
    for library in _LIBRARIES:
        digest.update(f"{library}=={version(library)}\n".encode())
    return digest.hexdigest()
