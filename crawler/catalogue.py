"""From the configuration to the sources that are watched. Pure."""

from collections import Counter
from collections.abc import Sequence

from crawler.settings import SourceSettings
from crawler.urls import registrable_domain
from storage.errors import ConfigurationError
from storage.model import Source


def sources(settings: Sequence[SourceSettings]) -> list[Source]:
    """Return the configured sources in their order, each list of addresses without repeats.

    Raises `ConfigurationError` when two share a slug, because the slug is what names a source everywhere.
    """
    counts = Counter(one.slug for one in settings)
    repeated = sorted(slug for slug, count in counts.items() if count > 1)
    if repeated:
        raise ConfigurationError("[[source]] slug", f"{repeated[0]!r} stands there twice", "give each source its own")
    return [_source(one) for one in settings]


def domains_of(source: Source) -> frozenset[str]:
    """Return the registrable domains that a source's own addresses name."""
    addresses = [source.homepage, *source.feeds, *source.sitemaps, *source.sections]
    return frozenset(registrable_domain(address) for address in addresses if address)


def _source(settings: SourceSettings) -> Source:
    return Source(
        slug=settings.slug,
        name=settings.name,
        homepage=settings.homepage,
        feeds=_once(settings.feeds),
        sitemaps=_once(settings.sitemaps),
        sections=_once(settings.sections),
        include=_once(settings.include),
        exclude=_once(settings.exclude),
        timezone=settings.timezone,
        delay_seconds=settings.delay_seconds,
        poll=settings.poll,
        recrawl=settings.recrawl,
    )


def _once(values: Sequence[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(values))
