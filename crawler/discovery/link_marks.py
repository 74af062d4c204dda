"""Parameters that say from which part of a page a link was followed, and nothing of where it leads. Pure.

`utm_source` and its like are known everywhere; most publishers have some of their own (`?from=menu`, `?at=footer`).
What gives these away is that they travel: one name stands behind many different paths of a page, while a parameter
that chooses what is shown stands behind one.
"""

from collections.abc import Iterable
from urllib.parse import urlsplit

from crawler.discovery.paging import PAGE_WORDS
from crawler.discovery.url_forms import ID_NAMES

TRAVELS = 4
"""Behind how many different paths of one page a name must stand."""


def travelling_names(urls: Iterable[str]) -> frozenset[str]:
    """Return the names of parameters that travel over the addresses of one page."""
    paths: dict[str, set[str]] = {}
    for url in urls:
        parts = urlsplit(url)
        for name in _names(parts.query):
            held = paths.setdefault(name, set())
            if len(held) < TRAVELS:
                held.add(parts.netloc + parts.path)
    chosen = PAGE_WORDS | ID_NAMES
    return frozenset(name for name, held in paths.items() if len(held) >= TRAVELS and name.lower() not in chosen)


def without_marks(key: str, travelling: frozenset[str]) -> str:
    """Return the identity of a page without the parameters that travel."""
    path, mark, query = key.partition("?")
    if not mark or not travelling:
        return key
    kept = "&".join(pair for pair in query.split("&") if pair.partition("=")[0] not in travelling)
    return path + (f"?{kept}" if kept else "")


def _names(query: str) -> list[str]:
    return [pair.partition("=")[0] for pair in query.split("&") if pair]
