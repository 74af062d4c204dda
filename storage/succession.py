"""A source that is gone from the configuration, and whose feeds another one names by now: its pages follow them.

That is what giving a source another slug looks like from here.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from sqlalchemy import Connection, and_, select, update

from storage.model import Source
from storage.sources import indexes_of
from storage.statements import ROWS_A_STATEMENT
from storage.tables import feed_entries, feeds, pages, sources


@dataclass(frozen=True, kw_only=True)
class Succession:
    """`heir` names feeds, or a home page, of the source `slug`. `hosts` are those whose pages go over to it."""

    source_id: int
    slug: str
    heir: Source
    hosts: frozenset[str]


@dataclass(frozen=True, kw_only=True)
class WentOver:
    """So many pages of the source `slug` went over to the source `heir`."""

    slug: str
    heir: str
    pages: int


class Successions:
    """Finds what is to go over while its feeds are still the old source's, so that whoever was stopped goes on."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def find(self, configured: Sequence[Source]) -> list[Succession]:
        """Return which sources are succeeded by which, in the order of the configuration."""
        gone = and_(
            sources.c.configured,
            sources.c.paused_by.is_(None),
            sources.c.slug.not_in([source.slug for source in configured]),
        )
        query = select(feeds.c.url, feeds.c.source_id, sources.c.slug).join(sources, sources.c.id == feeds.c.source_id)
        owners = {row.url: row for row in self._connection.execute(query.where(gone, feeds.c.configured))}
        found: dict[tuple[int, str], Succession] = {}
        if not owners:
            return []
        for source in configured:
            for url in indexes_of(source):
                owner = owners.pop(url, None)
                if owner is not None and (owner.source_id, source.slug) not in found:
                    hosts = self._covered(owner.source_id, source)
                    found[owner.source_id, source.slug] = Succession(
                        source_id=owner.source_id, slug=owner.slug, heir=source, hosts=hosts
                    )
        return list(found.values())

    def _covered(self, source_id: int, heir: Source) -> frozenset[str]:
        """Return the hosts of a source's pages that are its heir's: named by its addresses, or listed by its feeds."""
        addresses = [*indexes_of(heir), *([heir.homepage] if heir.homepage else [])]
        own = {name for url in addresses for name in _host_names(url)}
        hosts = set(self._connection.scalars(select(pages.c.host).where(pages.c.source_id == source_id).distinct()))
        listed = (
            select(pages.c.host)
            .join(feed_entries, feed_entries.c.page_id == pages.c.id)
            .join(feeds, feeds.c.id == feed_entries.c.feed_id)
            .where(feeds.c.source_id == source_id, feeds.c.url.in_(list(indexes_of(heir))))
        )
        return frozenset(hosts & (own | set(self._connection.scalars(listed.distinct()))))

    def hand_over_pages(self, source_id: int, heir_id: int, hosts: Collection[str]) -> int:
        """Give a slice of the pages to the heir, and return how many; 0 when none is left."""
        query = select(pages.c.id).where(pages.c.source_id == source_id, pages.c.host.in_(sorted(hosts)))
        # By id, as all lock them that lock several.
        page_ids = self._connection.scalars(query.order_by(pages.c.id).limit(ROWS_A_STATEMENT).with_for_update()).all()
        if page_ids:
            self._connection.execute(update(pages).where(pages.c.id.in_(page_ids)).values(source_id=heir_id))
        return len(page_ids)

    def hand_over_found_feeds(self, source_id: int, heir_id: int) -> None:
        """Give what nobody configured, but reading found, to the heir: feeds of a home page, sitemaps of an index."""
        found = and_(feeds.c.source_id == source_id, ~feeds.c.configured)
        self._connection.execute(update(feeds).where(found).values(source_id=heir_id))


def _host_names(url: str) -> list[str]:
    """Return by which names `pages.host` may hold the host of an address, or the domain that it lies in."""
    parts = urlsplit(url)
    name = parts.hostname or ""
    port = parts.port or (80 if parts.scheme == "http" else 443)
    labels = name.split(".")
    return [*(".".join(labels[start:]) for start in range(len(labels))), f"{name}:{port}"]
